"""Deliveries on a ticket's page: its customer's, of the releases it is about, since it was opened; nobody else's."""

from datetime import timedelta

from portal.deliveries.models import Delivery
from portal.deliveries.states import Channel, DeliveryState
from portal.releases.queries import get
from portal.tickets import queries as tickets
from portal.tickets.service import link_release
from tests.factories import make_ticket
from tests.portals import START


def taken(session, organisation, release, number, at=START):
    session.add(Delivery(
        channel=Channel.COURIER, state=DeliveryState.DISPATCHED, organisation_id=organisation.id, release_id=release.id,
        person_name="Anna", created_at=at, decision={}, number=number, since=at,
    ))  # fmt: skip


def test_what_went_to_the_customer_of_its_releases_stands_on_the_ticket(world):
    with world.portal.sessions.begin() as session:
        number = str(make_ticket(session, session.merge(world.customer), world.actor()))
        ticket = tickets.get(session, number, visible_to=world.actor("tsc"))
        release = get(session, world.releases["3"].id, visible_to=world.actor("tsc"))
        link_release(session, ticket, release, by=world.actor("tsc"), at=START)
        taken(session, world.customer, release, "D-000101")
        taken(session, world.customer, release, "D-000102", at=ticket.created_at - timedelta(days=1))
        taken(session, world.customer, world.releases["2"], "D-000103")
        taken(session, world.other, release, "D-000104")
    for who in ("engineer", "tsc"):
        page = world.of(who).get(f"/tickets/{number}").text
        assert "D-000101" in page
        assert not [other for other in ("D-000102", "D-000103", "D-000104") if other in page]
