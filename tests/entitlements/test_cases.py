"""Every case that is written out in cases.md: by `decide`, by its twin in SQL, and by the oracle."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from portal.entitlements.rules import decide, takeable
from portal.releases.models import Release
from tests.entitlements import oracle
from tests.entitlements.worlds import CREATED, ContractOf, GrantOf, LineOf, ProductOf, ReleaseOf, World, Worlds

INSTANT = r"(\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)? \S+)"
LEVELS = {"patch": 8, "major": 1}
EVERY_LEVEL = 31


def rows():
    text = Path(__file__).with_name("cases.md").read_text()
    for line in text.splitlines():
        if re.match(r"\| \d+ \|", line):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            yield pytest.param(*cells[2:], id=f"{cells[0]} {cells[1]}"[:60])


def instant(text: str) -> datetime:
    day, clock, zone = text.split(" ")
    return datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def after(word: str, text: str) -> datetime | None:
    found = re.search(rf"\b{word} {INSTANT}", text)
    return instant(found.group(1)) if found else None


class Case:
    """One row, as a batch of one world."""

    def __init__(self, contracts: str, release: str, besides: str, asked_at: str) -> None:
        family = uuid4()
        rules = (("AQ", None),) if "export" in besides else ()
        product = ProductOf(uuid4(), family, listed=True, rules=rules)
        self.other = ProductOf(uuid4(), None, listed=True, rules=())
        self.release = self.release_of(release, product)
        self.at = instant(asked_at)
        grants = [GrantOf(self.release.id, until, word == "revoked") for word in ("grant", "revoked")
                  if (until := after(word, besides))]  # fmt: skip
        opens_at = after("admitted", besides)
        self.world = World(
            customer=uuid4(),
            country="AQ",
            end_use="civil",
            suspended="suspended" in besides,
            contracts=[self.contract_of(part.split()) for part in contracts.split(";") if part],
            grants=grants,
            devices=[product.id] if "device" in besides else [],
            received=[self.release.id] if "received" in besides else [],
            admitted={self.release.id: opens_at} if opens_at else {},
            instants=[self.at],
        )
        self.batch = Worlds(Random(1), [family], [product, self.other], [self.release], [self.world])

    def release_of(self, text: str, product: ProductOf) -> ReleaseOf:
        words = text.split()
        is_draft = words[0] == "draft"
        return ReleaseOf(
            id=uuid4(),
            product=product,
            level=LEVELS["major" if "major" in words else "patch"],
            state="withdrawn" if "withdrawn" in words else "approved" if is_draft else "published",
            published_at=None if is_draft else instant(" ".join(words[:3])),
            open_from=None if "named" in words else after("opens", text) or CREATED,
            free_security_fix="free" in words,
        )

    def contract_of(self, words: list[str]) -> ContractOf:
        number, days, zone, *rest = words
        first, last = days.split("..")
        product = self.release.product
        by_family = "family" in rest
        line = LineOf(
            product=None if by_family else self.other.id if "other" in rest else product.id,
            family=product.family if by_family else None,
            levels=next((LEVELS[word] for word in rest if word in LEVELS), EVERY_LEVEL),
            back_catalogue="no-back" not in rest,
        )
        return ContractOf(number, date.fromisoformat(first), date.fromisoformat(last), zone, "held" in rest, (line,))


@pytest.mark.parametrize(("contracts", "release", "besides", "asked_at", "answer"), list(rows()))
def test_the_case_is_answered_as_written(engine, contracts, release, besides, asked_at, answer):
    case = Case(contracts, release, besides, asked_at)
    expected = re.fullmatch(rf"(\S+)(?: (?!until)(\S+))?(?: until {INSTANT})?", answer)
    code, contract, until = expected.groups()
    with Session(engine) as session:
        case.batch.insert(session)
        row = session.get_one(Release, case.release.id)
        decision = decide(session, organisation_id=case.world.customer, release=row, at=case.at)
        listed = set(session.scalars(takeable(case.world.customer, case.at)))
        session.rollback()
    assert decision.code == code
    assert decision.facts.get("contract") == contract
    if code != "active-contract":  # whose end is in the table already
        assert decision.until == (instant(until) if until else None)
    assert listed == ({case.release.id} if decision.is_granted else set())
    assert oracle.answer(case.world, case.release, case.at) == code
    assert decision.sentence_in(str)


def test_there_are_cases_enough():
    assert len(list(rows())) >= 40
