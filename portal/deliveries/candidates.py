"""Who may receive what is asked for: each authorized person with the answer for all the releases at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.authority import queries as powers
from portal.authority.models import AuthorizedPerson
from portal.authority.rules import Held, Lacking, Need, PowerFacts, authority


@dataclass(frozen=True)
class Candidate:
    """One who may be chosen as a recipient, or may not, and why (`receives` and `signs`: of all the products)."""

    person: AuthorizedPerson
    receives: Held | Lacking
    signs: Held | Lacking

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
    found = []
    for person in people:
        facts = [powers.frozen(power) for power in person.powers]
        found.append(Candidate(person, *(_of_all(facts, products, need, at) for need in (Need.RECEIVE, Need.SIGN))))
    return sorted(found, key=lambda candidate: (not candidate.may_receive, candidate.person.name))


def _of_all(facts: list[PowerFacts], products: list[UUID], need: Need, at: datetime) -> Held | Lacking:
    """The first product that the person may not receive speaks; otherwise the power that ends first."""
    answers = [authority(facts, product, need, at) for product in products]
    lacking = next((answer for answer in answers if isinstance(answer, Lacking)), None)
    if lacking:
        return lacking
    held = [answer for answer in answers if isinstance(answer, Held)]
    return min(held, key=lambda answer: answer.power.ends_at)
