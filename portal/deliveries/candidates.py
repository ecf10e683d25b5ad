"""Who may receive what is asked for: each authorized person with the answer for all the releases at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.authority import queries as powers
from portal.authority.mending import Way, way_to_mend
from portal.authority.models import AuthorizedPerson
from portal.authority.rules import Held, Lacking, Need, PowerFacts, authority


@dataclass(frozen=True)
class Candidate:
    """One who may be chosen as a recipient, or may not, and why (`receives` and `signs`: of all the products).

    `way` leads to what mends the first thing that is lacking.
    """

    person: AuthorizedPerson
    receives: Held | Lacking
    signs: Held | Lacking
    way: Way | None

    @property
    def may_receive(self) -> bool:
        return isinstance(self.receives, Held)

    @property
    def may_sign(self) -> bool:
        return isinstance(self.signs, Held)


def candidates(
    session: Session, organisation_id: UUID, product_ids: Iterable[UUID], at: datetime, *, visible_to: Actor
) -> Sequence[Candidate]:
    """Every authorized person of the customer; those who may receive come first. Three statements, however many."""
    products = list(product_ids)
    people = session.scalars(powers.people(visible_to=visible_to, organisation_id=organisation_id)).unique()
    found = [_candidate(person, products, at) for person in people]
    return sorted(found, key=lambda candidate: (not candidate.may_receive, candidate.person.name))


def _candidate(person: AuthorizedPerson, products: list[UUID], at: datetime) -> Candidate:
    facts, way = [powers.frozen(power) for power in person.powers], None
    answers: dict[Need, Held | Lacking] = {}
    for need in (Need.RECEIVE, Need.SIGN):
        product, answers[need] = _of_all(facts, products, need, at)
        lacking = answers[need]
        if way is None and isinstance(lacking, Lacking):
            way = way_to_mend(lacking, person.id, product, need)
    return Candidate(person, answers[Need.RECEIVE], answers[Need.SIGN], way)


def _of_all(facts: list[PowerFacts], products: list[UUID], need: Need, at: datetime) -> tuple[UUID, Held | Lacking]:
    """The first product that the person may not receive speaks; otherwise the power that ends first."""
    held: list[tuple[UUID, Held]] = []
    for product in products:
        answer = authority(facts, product, need, at)
        if isinstance(answer, Lacking):
            return product, answer
        held.append((product, answer))
    return min(held, key=lambda one: one[1].power.ends_at)
