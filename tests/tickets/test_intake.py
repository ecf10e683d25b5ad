import re
from itertools import product
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.tickets import contacts, intake
from portal.tickets.models import Degree, Ticket, TicketChannel, TicketEvent, TicketSeverity
from portal.tickets.timing import clock_of
from tests.factories import make_device, make_organisation, make_product
from tests.portals import START

FORM = {"title": "No calls go out", "body": "", "impact": "high", "urgency": "high", "kind": "incident", "product": "",
        "device": "", "severity": ""}  # fmt: skip


@pytest.fixture
def olga(world):
    world.contract(world.core)
    with world.begin() as session:
        alpha = session.merge(world.alpha)
        make_device(session, alpha, session.merge(world.core), serial="SN-A", installed_version="4.8")
        make_device(session, session.merge(world.beta), session.merge(world.core), serial="SN-B")
        facts = contacts.ContactFacts("Olga", "+7 916 123 45 67", "olga@alpha.example", is_night_contact=True)
        return contacts.save(session, alpha, None, facts, by=world.actors["tsc"], at=START)


def call(world, contact, **fields):
    address = f"/desk/call?contact={contact.id}"
    return world.of("tsc").submit(address, **{**FORM, "submission": str(uuid4()), **fields})


def ticket(world):
    with world.portal.sessions() as session:
        return session.scalars(select(Ticket).order_by(Ticket.number.desc())).first()


def test_the_table_gives_a_severity_for_each_impact_and_urgency():
    order = list(TicketSeverity)
    places = {pair: order.index(intake.severity_of(*pair)) for pair in product(Degree, Degree)}
    assert places[Degree.HIGH, Degree.HIGH] == 0
    degrees = list(Degree)
    for (impact, urgency), place in places.items():
        for worse in degrees[: degrees.index(impact)]:
            assert places[worse, urgency] <= place
        for sooner in degrees[: degrees.index(urgency)]:
            assert places[impact, sooner] <= place


def test_everything_about_the_customer_is_there_at_once(world, olga):
    number = world.open()
    shown = world.of("tsc").get(f"/desk/call?contact={olga.id}").text
    for words in ("Alpha Telecom", "Expert 24X7", "17-204", number, "SN-A", "Olga", "Whom to call at night"):
        assert words in shown, words
    assert "SN-B" not in shown


def test_a_call_becomes_a_ticket(world, olga):
    device = re.search(r'<option value="([^"]+)">SN-A', world.of("tsc").get(f"/desk/call?contact={olga.id}").text)[1]
    answer = call(world, olga, device=device, answered="y")
    assert answer.location == "/tickets/T-000001"
    row = ticket(world)
    assert (row.channel, row.severity, row.contact_id, row.caller, row.installed_version, row.product_id) == (
        TicketChannel.TELEPHONE, TicketSeverity.CRITICAL, olga.id, "Olga", "4.8", world.core.id,
    )  # fmt: skip
    assert (row.impact, row.urgency, str(row.device_id)) == (Degree.HIGH, Degree.HIGH, device)
    with world.portal.sessions() as session:
        events = session.scalars(select(TicketEvent).order_by(TicketEvent.sequence)).all()
        clock = clock_of(session, row, events, at=START)
    assert {measure.value: reading.standing.value for measure, reading in clock.items()}["response"] == "kept"
    shown = world.of("tsc").get(answer.location).text
    assert "Olga" in shown
    assert "Service is down" in shown


def test_an_unanswered_call_keeps_its_clock_running(world, olga):
    call(world, olga)
    row = ticket(world)
    with world.portal.sessions() as session:
        clock = clock_of(session, row, session.scalars(select(TicketEvent)).all(), at=START)
    assert {measure.value: reading.standing.value for measure, reading in clock.items()}["response"] == "running"


def test_another_severity_needs_its_reason(world, olga):
    assert call(world, olga, severity="minor").status_code == 422
    assert call(world, olga, severity="minor", severity_reason="A spare runs").status_code == 303
    row = ticket(world)
    assert (row.severity, row.severity_reason) == (TicketSeverity.MINOR, "A spare runs")
    call(world, olga, severity="critical", severity_reason="needless")
    assert ticket(world).severity_reason == ""


def test_a_device_of_another_customer_is_none(world, olga):
    with world.portal.sessions() as session:
        beta = intake.customer_of(session, session.merge(world.beta), at=START).devices[0]
    assert call(world, olga, device=str(beta.id)).status_code == 422


def test_a_double_click_is_one_ticket(world, olga):
    once = str(uuid4())
    places = {call(world, olga, submission=once, answered="y").location for _ in range(2)}
    assert places == {"/tickets/T-000001"}
    with world.portal.sessions() as session:
        assert len(session.scalars(select(TicketEvent)).all()) == 3  # opened, answered, open


def test_two_steps_without_script_and_a_stranger(world, olga):
    tsc = world.of("tsc")
    assert f"contact={olga.id}" in tsc.get("/desk/call?q=8+916+123").text
    assert "Nobody found" in tsc.get("/desk/call?q=zzz").text
    assert tsc.get("/desk/call?customer=NOBODY").status_code == 404
    assert tsc.get("/desk/call?contact=x").status_code == 404
    address = "/desk/call?customer=alpha&caller=Night+guard"
    answer = tsc.submit(address, **FORM, submission=str(uuid4()), caller="Night guard")
    assert answer.status_code == 303
    assert ticket(world).caller == "Night guard"
    found = tsc.get("/desk/call/callers?q=916").json["callers"]
    assert [(one["name"], one["customer"]) for one in found] == [("Olga", "Alpha Telecom")]
    for who in ("alpha", "publisher"):
        assert world.of(who).get("/desk/call/callers?q=916").status_code == 403


def test_a_device_that_was_removed_is_not_offered_and_not_named(portal):
    with portal.sessions.begin() as session:
        customer = make_organisation(session)
        core = make_product(session)
        there, gone = (make_device(session, customer, core) for _ in range(2))
        gone.remove(START)
        session.flush()
        offered = intake.customer_of(session, customer, at=START).devices
        assert [device.id for device in offered] == [there.id]
        assert intake.device_of(session, customer.id, there.id) is there
        assert intake.device_of(session, customer.id, gone.id) is None
