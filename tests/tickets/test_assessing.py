"""A ticket that says nothing of itself is put right by whoever looks at it; the clock follows, and never backwards."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.errors import Forbidden
from portal.tickets import assessing, service
from portal.tickets.assessing import Assessment
from portal.tickets.clock import Standing
from portal.tickets.errors import ReasonForSeverity, StepNotPossible, UnknownProduct
from portal.tickets.models import (
    Degree,
    ServiceProgramme,
    Step,
    Ticket,
    TicketChannel,
    TicketEvent,
    TicketEventKind,
    TicketKind,
    TicketSeverity,
)
from portal.tickets.programmes import EXPERT_24X7, Measure, to_terms
from portal.tickets.timing import clock_of, clocks_of
from tests.answers import words_in
from tests.factories import make_device
from tests.portals import START

HIGH, MEDIUM, LOW = Degree.HIGH, Degree.MEDIUM, Degree.LOW
DOWN = Assessment(TicketKind.INCIDENT, HIGH, HIGH)
BAD = Assessment(TicketKind.INCIDENT, MEDIUM, HIGH)
MINUTE = timedelta(minutes=1)


def assess(world, number, found, *, who="tsc", minutes=0):
    with world.begin() as session:
        ticket = world.ticket(session, number)
        assessing.assess(session, ticket, found, by=world.actors[who], at=START + minutes * MINUTE)


def by_mail(world):
    return world.open(channel=TicketChannel.EMAIL, severity=TicketSeverity.MINOR)


def clock(world, number, minutes):
    with world.portal.sessions() as session:
        ticket, at = world.ticket(session, number), START + minutes * MINUTE
        rows = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.sequence)
        found = clock_of(session, ticket, session.scalars(rows).all(), at=at)
        assert clocks_of(session, [ticket], at=at)[ticket.id] == found
        return found


def kept(world, number):
    with world.portal.sessions() as session:
        ticket = world.ticket(session, number)
        return ticket.severity, ticket.due_at


def test_a_mail_about_an_outage_is_put_right(world):
    world.contract(world.core)
    with world.begin() as session:
        device = make_device(session, session.merge(world.alpha), session.merge(world.core), serial="SN-A",
                             installed_version="4.8")  # fmt: skip
    number = by_mail(world)
    form = {"impact": "high", "urgency": "high", "severity": "", "device": str(device.id), "product": "",
            "installed_version": "", "kind": "incident"}  # fmt: skip
    answer = world.of("tsc").submit(f"/tickets/{number}/assess", **form)
    assert answer.status_code == 303
    with world.portal.sessions() as session:
        ticket = world.ticket(session, number)
        assert (ticket.severity, ticket.product.id, ticket.device_id, ticket.installed_version) == (
            TicketSeverity.CRITICAL, world.core.id, device.id, "4.8",
        )  # fmt: skip
    for path in ("", "/print", "/export.pdf", "/export.zip"):
        text = words_in(world.of("alpha").get(f"/tickets/{number}{path}"))
        assert "SN-A" in text, path
    told = world.of("alpha").get(f"/api/v1/tickets/{number}").get_json()["events"]
    assert [(one["severity"], one["state"]) for one in told] == [(None, None), ("critical", None)]
    page = world.of("tsc").get(f"/tickets/{number}/assess").text
    assert f'selected value="{device.id}"' in page


def test_the_promises_that_run_are_those_of_the_severity_now(world):
    number = by_mail(world)
    world.answer(number)
    before = clock(world, number, 1)[Measure.RESOLUTION]
    assess(world, number, DOWN, minutes=1)
    after = clock(world, number, 1)
    assert (before.target, after[Measure.RESOLUTION].target) == (timedelta(days=30), timedelta(hours=24))
    assert kept(world, number) == (TicketSeverity.CRITICAL, after[Measure.NEXT_UPDATE].due_at)
    assess(world, number, Assessment(TicketKind.INCIDENT, LOW, LOW), minutes=2)
    assert clock(world, number, 2)[Measure.RESOLUTION].target == timedelta(days=30)


@pytest.mark.parametrize(
    ("first", "then", "standing", "target"),
    [
        (None, DOWN, Standing.KEPT, 60),  # raised after the answer: what was in time stays so
        (DOWN, BAD, Standing.BROKEN, 15),  # lowered after the answer: what was late stays so
    ],
)
def test_an_answer_is_judged_as_it_was_when_given(world, first, then, standing, target):
    strict = to_terms(EXPERT_24X7)
    for row in strict["targets"]:
        if row["measure"] == "response":
            row["seconds"] = 900 if row["severity"] == "critical" else 3600
    with world.begin() as session:
        session.add(ServiceProgramme(name=EXPERT_24X7.name, terms=strict, changed_at=START))
    number = by_mail(world)
    if first:
        assess(world, number, first, minutes=1)
    world.portal.clock.at = START + 30 * MINUTE
    world.answer(number)
    assess(world, number, then, minutes=40)
    reading = clock(world, number, 50)[Measure.RESPONSE]
    assert (reading.standing, reading.target) == (standing, target * MINUTE)


def test_what_is_as_it_was_is_no_change(world):
    number = by_mail(world)
    for minutes in (1, 2):
        assess(world, number, DOWN, minutes=minutes)
    with world.portal.sessions() as session:
        kinds = session.scalars(select(TicketEvent.kind).order_by(TicketEvent.sequence)).all()
    assert kinds == [TicketEventKind.OPENED, TicketEventKind.ASSESSED]


def test_another_severity_says_why_to_the_support_centre_alone(world):
    number = by_mail(world)
    chosen = Assessment(TicketKind.INCIDENT, HIGH, HIGH, chosen=TicketSeverity.MINOR)
    with pytest.raises(ReasonForSeverity):
        assess(world, number, chosen)
    form = {"impact": "high", "urgency": "high", "severity": "minor", "device": "", "product": "", "kind": "incident",
            "installed_version": ""}  # fmt: skip
    address = f"/tickets/{number}/assess"
    assert world.of("tsc").submit(address, **form).status_code == 422
    assert world.of("tsc").submit(address, **form, severity_reason="xyzzyplugh").status_code == 303
    for path in ("", "/print", "/export.pdf", "/export.zip"):
        assert "xyzzyplugh" not in words_in(world.of("alpha").get(f"/tickets/{number}{path}")), path
    assert "xyzzyplugh" in world.of("tsc").get(f"/tickets/{number}").text


def test_what_can_not_be_assessed(world):
    number = by_mail(world)
    with pytest.raises(Forbidden):
        assess(world, number, DOWN, who="alpha")
    with pytest.raises(UnknownProduct):
        assess(world, number, Assessment(TicketKind.INCIDENT, LOW, LOW, product=world.secret))
    world.answer(number)
    with world.begin() as session:
        service.change_state(session, world.ticket(session, number), Step.RESOLVE, by=world.actors["tsc"], at=START)
    with pytest.raises(StepNotPossible):
        assess(world, number, DOWN)
    with world.portal.sessions() as session:
        assert session.scalar(select(Ticket.severity)) is TicketSeverity.MINOR
