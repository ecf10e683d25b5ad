"""A customer with a contract for some products, releases written as rows, devices."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from sqlalchemy import event

from portal.accounts.models import Organisation, Person
from portal.actors import Actor, Via
from portal.inventory.models import Device
from portal.permissions import Role, permissions_of
from portal.plans import queries
from portal.plans.rules import Plan
from portal.releases.models import (
    Issue,
    IssueCve,
    IssueRelation,
    IssueText,
    Level,
    Product,
    Recommendation,
    Release,
    ReleaseIssue,
    ReleaseState,
    Severity,
    Train,
)
from portal.releases.versions import Version
from tests.factories import make_device, make_organisation, make_person, make_product
from tests.portals import START, Browser, Portal
from tests.worlds import make_contract


@dataclass
class World:
    portal: Portal
    customer: Organisation
    other: Organisation
    people: dict[str, Person]
    product: Product
    train: Train
    counters: dict[object, int] = field(default_factory=dict)

    def of(self, who: str) -> Browser:
        return self.portal.signed_in(self.people[who].email)

    def actor(self, who: str = "engineer") -> Actor:
        person, home = self.people[who], self.customer if who == "engineer" else self.other
        return Actor(Via.SESSION, person.name, person.id, home.id, home.kind, permissions=permissions_of(person.roles))

    def release(self, version: str, *, product: Product | None = None, **facts: object) -> Release:
        """A published release as a row, open to all unless it says otherwise."""
        product = product or self.product
        lowest = facts.pop("lowest", None)
        counter = self.counters[product.id] = self.counters.get(product.id, 0) + 1
        given = {
            "level": Level.MINOR, "state": ReleaseState.PUBLISHED, "published_at": START - timedelta(days=30),
            "open_from": START - timedelta(days=30), "counter": counter, "created_at": START,
            "train_id": self.train.id if product is self.product else None, **facts,
        }  # fmt: skip
        row = Release(
            product_id=product.id, version=version, version_key=Version.parse(version, product.scheme).key,
            lowest_from_version=lowest,
            lowest_from_key=Version.parse(lowest, product.scheme).key if lowest else None, **given,
        )  # fmt: skip
        with self.portal.sessions.begin() as session:
            session.add(row)
        return row

    def recommend(self, release: Release, **facts: object) -> None:
        given = {"train_id": release.train_id, "reason": "Runs well.", "at": START - timedelta(days=5), **facts}
        with self.portal.sessions.begin() as session:
            session.add(Recommendation(product_id=release.product_id, release_id=release.id, **given))

    def issue(
        self, public_id: str, *links: tuple[Release, IssueRelation], cve: str = "", is_public: bool = True
    ) -> None:
        row = Issue(product_id=self.product.id, public_id=public_id, severity=Severity.HIGH, is_public=is_public,
                    created_at=START)  # fmt: skip
        row.texts = [IssueText(language="en", title=f"Title of {public_id}", workaround="Wait.")]
        row.cves = [IssueCve(cve_id=cve)] if cve else []
        with self.portal.sessions.begin() as session:
            session.add(row)
            session.flush()
            session.add_all(ReleaseIssue(release_id=one.id, issue_id=row.id, relation=how) for one, how in links)

    def device(self, version: str = "1", **facts: object) -> Device:
        with self.portal.sessions.begin() as session:
            customer, product = session.merge(self.customer), session.merge(self.product)
            return make_device(session, customer, product, installed_version=version, **facts)

    def plan(self, device: Device) -> Plan:
        with self.portal.sessions() as session:
            loaded = queries.inventory.get_device(session, device.id, visible_to=self.actor())
            return queries.plans_of(session, [loaded], START)[device.id]

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        asked: list[str] = []

        def note(_connection, _cursor, statement, *_rest):
            asked.append(statement)

        engine = self.portal.resources.engine
        event.listen(engine, "before_cursor_execute", note)
        yield asked
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def world(portal: Portal) -> World:
    with portal.sessions.begin() as session:
        customer, other = make_organisation(session), make_organisation(session)
        people = {
            "engineer": make_person(session, customer, Role.CUSTOMER_ENGINEER),
            "stranger": make_person(session, other, Role.CUSTOMER_ENGINEER),
        }
        product = make_product(session, code="core", name="Core Router")
        train = Train(product_id=product.id, name="1", end_of_support=date(2026, 6, 1))
        session.add(train)
        session.flush()
        make_contract(session, customer, product)
    return World(portal, customer, other, people, product, train)
