"""Two customers, one of them entitled to a published release with two files; a vendor's people; tokens."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from portal.accounts import tokens
from portal.accounts.models import Organisation, Person
from portal.accounts.sign_in import actor_of
from portal.accounts.tokens import NewToken
from portal.actors import Actor, Via
from portal.deliveries.models import Delivery, DeliveryEvent, DeliveryItem
from portal.entitlements.models import Contract, ContractLine
from portal.permissions import OrganisationKind, Role, Scope
from portal.releases.models import ALL_LEVELS, Product, Release
from tests.factories import make_artifact, make_organisation, make_person, make_product, make_published, make_release
from tests.portals import Portal

CONTENT = bytes(range(256)) * 4096
NAME = "прошивка 4.10.bin"


@dataclass
class World:
    portal: Portal
    people: dict[str, Person]
    alpha: Organisation
    beta: Organisation
    product: Product
    release_id: UUID
    artifact_id: UUID
    contract_id: UUID
    tokens: dict[str, str]

    @property
    def address(self) -> str:
        return f"/downloads/{self.artifact_id}/{NAME}"

    def of(self, who: str):
        return self.portal.signed_in(self.people[who].email)

    def bearing(self, who: str, **headers: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[who]}", **headers}

    def get(self, who: str, address: str | None = None, **headers: str):
        """A request with the person's token, its body read and closed."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.portal.browser().get(address or self.address, headers=self.bearing(who, **named), buffered=True)

    def actor(self, who: str) -> Actor:
        with self.portal.sessions() as session:
            person = session.merge(self.people[who])
            session.refresh(person, ["organisation", "role_rows"])
            return actor_of(person, via=Via.TOKEN, address="192.0.2.1")

    def deliveries(self) -> list[Delivery]:
        with self.portal.sessions() as session:
            return list(session.scalars(select(Delivery).order_by(Delivery.created_at, Delivery.id)))

    def events(self) -> list[DeliveryEvent]:
        with self.portal.sessions() as session:
            rows = select(DeliveryEvent).join(DeliveryEvent.delivery)
            return list(session.scalars(rows.order_by(Delivery.created_at, DeliveryEvent.sequence)))

    def kinds(self) -> list[str]:
        return [event.kind.value for event in self.events()]

    def items(self) -> list[DeliveryItem]:
        with self.portal.sessions() as session:
            return list(session.scalars(select(DeliveryItem).join(DeliveryItem.delivery).order_by(Delivery.created_at)))

    def change(self, entity, **facts) -> None:
        """Change a row behind everybody's back."""
        with self.portal.sessions.begin() as session:
            row = session.get_one(*entity)
            for name, value in facts.items():
                setattr(row, name, value)

    def withdraw(self, reason: str = "It bricks the device.", replacement: Release | None = None) -> None:
        with self.portal.sessions.begin() as session:
            release = session.get_one(Release, self.release_id)
            release.withdraw(reason, self.portal.clock(), replacement.id if replacement else None)


def build(portal: Portal, content: bytes = CONTENT) -> World:
    at = portal.clock()
    with portal.sessions.begin() as session:
        vendor = make_organisation(session, OrganisationKind.VENDOR, name="Vendor")
        alpha = make_organisation(session, name="Alpha", code="ALPHA")
        beta = make_organisation(session, name="Beta", code="BETA")
        people = {
            "publisher": make_person(session, vendor, Role.PUBLISHER, name="Pavel Publisher"),
            "alpha": make_person(session, alpha, Role.CUSTOMER_ENGINEER, name="Anna Alpha"),
            "alpha-2": make_person(session, alpha, Role.CUSTOMER_MANAGER, name="Anton Alpha", language="ru"),
            "beta": make_person(session, beta, Role.CUSTOMER_ENGINEER, name="Bella Beta"),
        }
        product = make_product(session, name="Router R1")
        release = make_release(session, product, "4.10")
        release.open_from = at - timedelta(days=40)
        artifact = make_artifact(session, portal.store, release, NAME, content)
        make_artifact(session, portal.store, release, "second.bin", b"second")
        make_published(portal.resources, session, release, at=at - timedelta(days=30))
        contract = contract_of(alpha, product, date(2020, 1, 1), date(2039, 12, 31))
        session.add(contract)
        session.flush()
        scopes = frozenset({Scope.DOWNLOAD})
        texts = {}
        for who in ("alpha", "alpha-2", "beta"):
            new = NewToken("download", scopes, timedelta(days=300))
            acting = actor_of(people[who], via=Via.SESSION, address="")
            texts[who] = tokens.create_token(session, people[who], new, by=acting, at=at)[1]
        return World(portal, people, alpha, beta, product, release.id, artifact.id, contract.id, texts)


def contract_of(customer: Organisation, product: Product, starts_on: date, ends_on: date) -> Contract:
    contract = Contract(organisation_id=customer.id, number=f"17-{customer.code}", created_at=datetime.now(UTC))
    contract.set_term(starts_on, ends_on, "UTC")
    contract.lines = [ContractLine(product_id=product.id, levels=ALL_LEVELS)]
    return contract


@pytest.fixture
def world(portal: Portal) -> World:
    return build(portal)
