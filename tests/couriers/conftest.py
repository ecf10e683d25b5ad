"""A dispatcher, a customer with an authorized person, and deliveries that go to them by courier."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from portal.accounts.models import Organisation
from portal.accounts.sign_in import actor_of
from portal.actors import PORTAL_COMMAND, Actor
from portal.couriers import carriers, dispatching, media, slips, writing
from portal.couriers.dispatching import HandingOver, Packing
from portal.couriers.media import MediumFacts
from portal.couriers.models import Carrier, Consignment, Incident, Medium
from portal.couriers.receipts import Receipt
from portal.couriers.states import MediumKind
from portal.couriers.writing import Written
from portal.deliveries import requests
from portal.deliveries.models import Delivery, DeliveryEvent
from portal.deliveries.states import Channel
from portal.permissions import OrganisationKind, Role
from portal.releases.models import Release
from tests.deliveries.conftest import World, build
from tests.factories import make_address, make_organisation, make_person, make_recipient, make_request

KIT = "5b" * 32
SIGNATURE = {"key": "x", "sha256": "cd" * 32, "size_bytes": 10, "drawn": True}
DAY = timedelta(days=1)


@dataclass
class Depot:
    """The world of the ledger's tests with what a courier's delivery needs besides."""

    world: World
    by: Actor
    recipient_id: UUID
    address_id: UUID
    carrier_id: UUID

    @property
    def portal(self):
        return self.world.portal

    @property
    def sessions(self):
        return self.portal.sessions

    @property
    def at(self) -> datetime:
        return self.portal.clock()

    @property
    def secret_key(self) -> str:
        return self.portal.resources.config.secret_key

    def do(self, verb, *arguments, **named):
        """One verb of the dispatcher in a transaction of its own, now."""
        with self.sessions.begin() as session:
            return verb(session, *arguments, **{"by": self.by, "at": self.at, **named})

    def approved(self, recipient_id: UUID | None = None) -> Delivery:
        with self.sessions.begin() as session:
            alpha = session.get_one(Organisation, self.world.alpha.id)
            release = session.get_one(Release, self.world.release_id)
            chosen = session.get_one(requests.AuthorizedPerson, recipient_id or self.recipient_id)
            address = session.get_one(requests.DeliveryAddress, self.address_id)
            [delivery] = make_request(session, alpha, release, PORTAL_COMMAND, channel=Channel.COURIER,
                                      recipient=chosen, address=address)  # fmt: skip
            requests.approve(session, delivery, second_person=False, by=self.by, at=self.at)
            return delivery

    def medium(self, serial: str, customer: Organisation | None = None, **facts) -> Medium:
        given = {"kind": MediumKind.USB, "capacity_bytes": 1 << 30, **facts}
        with self.sessions.begin() as session:
            own = session.merge(customer) if customer else None
            return media.add(session, MediumFacts(serial=serial, customer=own, **given), by=self.by, at=self.at)

    def prepared(self, serial: str) -> Delivery:
        delivery, medium = self.approved(), self.medium(serial)
        self.write(delivery, medium)
        return delivery

    def write(self, delivery: Delivery, medium: Medium, read_back: str = KIT) -> Consignment | None:
        written = Written(medium.id, "kit.tar", KIT, 1000, read_back)
        return self.do(writing.record, delivery.id, written, secret_key=self.secret_key)

    def pack(self, delivery: Delivery, seal: str) -> None:
        with self.sessions.begin() as session:
            carrier = session.get_one(Carrier, self.carrier_id)
            dispatching.pack(session, delivery.id, Packing(seal, carrier), by=self.by, at=self.at)

    def dispatched(self, serial: str, seal: str | None = None) -> Delivery:
        delivery = self.prepared(serial)
        self.pack(delivery, seal or f"SEAL-{serial}")
        self.do(dispatching.dispatch, delivery.id, HandingOver("RB 123/456", self.at))
        return delivery

    def consignment(self, delivery: Delivery) -> Consignment:
        with self.sessions() as session:
            rows = select(Consignment).where(Consignment.delivery_id == delivery.id)
            return session.scalars(rows.order_by(Consignment.created_at.desc()).limit(1)).one()

    def secret(self, delivery: Delivery) -> str:
        return slips.secret_of(self.consignment(delivery).id, self.secret_key)

    def code(self, delivery: Delivery) -> str:
        return slips.code_of(self.consignment(delivery).id, self.secret_key)

    def now(self, delivery: Delivery) -> Delivery:
        with self.sessions() as session:
            return session.get_one(Delivery, delivery.id)

    def medium_now(self, serial: str) -> Medium:
        with self.sessions() as session:
            return media.by_serial(session, serial)

    def kinds(self, delivery: Delivery) -> list[str]:
        return [event.kind.value for event in self.events(delivery)]

    def events(self, delivery: Delivery) -> list[DeliveryEvent]:
        with self.sessions() as session:
            rows = select(DeliveryEvent).where(DeliveryEvent.delivery_id == delivery.id)
            return list(session.scalars(rows.order_by(DeliveryEvent.sequence)))

    def incidents(self, delivery: Delivery) -> list[Incident]:
        with self.sessions() as session:
            return list(session.scalars(select(Incident).where(Incident.delivery_id == delivery.id)))

    def receipt(self, of: str, **facts) -> Receipt:
        given = {"name": "Ольга Королёва", "serial": of, "seal": f"SEAL-{of}", "signature": SIGNATURE,
                 "code_confirmed_at": self.at, **facts}  # fmt: skip
        return Receipt(**given)


def furnish(portal) -> Depot:
    world = build(portal)
    with portal.sessions.begin() as session:
        alpha = session.merge(world.alpha)
        support = make_organisation(session, OrganisationKind.SUPPORT, name="Support")
        world.people["dispatcher"] = make_person(session, support, Role.DISPATCHER, name="Denis", language="ru")
        recipient = make_recipient(session, alpha, name="Ольга Королёва", email="olga@alpha.example", language="ru")
        address = make_address(session, alpha)
        facts = {"name": "Почта", "tracking_url": "https://post.example/t?n={tracking}", "phone": ""}
        carrier = carriers.save(session, None, facts, by=PORTAL_COMMAND, at=portal.clock())
        session.flush()
        ids = recipient.id, address.id, carrier.id
        by = actor_of(world.people["dispatcher"], address="192.0.2.7")
    return Depot(world, by, *ids)


@pytest.fixture
def depot(portal) -> Depot:
    return furnish(portal)
