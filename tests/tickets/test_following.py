"""What is noticed at each commit: contracts take the tickets' kept instants along, and the board's version rises."""

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import select

from portal.actors import PORTAL_COMMAND
from portal.entitlements import service as contracts
from portal.entitlements.models import Contract, ContractLine
from portal.releases.models import ALL_LEVELS
from portal.tickets import following, programme_service, rota, service
from portal.tickets.models import TicketChannel, TicketSeverity
from portal.tickets.programmes import EXPERT_24X7, Measure
from portal.tickets.rota import ShiftFacts
from portal.tickets.rota_models import DutyRole
from tests.portals import START

HOUR = timedelta(hours=1)


def due(world, number):
    with world.portal.sessions() as session:
        return world.ticket(session, number).due_at - START


def version(world):
    with world.portal.sessions() as session:
        return following.version(session)


def programme(world, name, response):
    """A programme that answers a call within this time, and promises nothing else."""
    targets = {(Measure.RESPONSE, TicketChannel.TELEPHONE, severity): response for severity in TicketSeverity}
    with world.begin() as session:
        new = replace(EXPERT_24X7, name=name, targets=targets)
        programme_service.save_programme(session, new, by=world.actors["admin"], at=START)


def test_every_change_of_a_contract_takes_its_tickets_along_in_its_own_transaction(world):
    programme(world, "Quick", HOUR / 4)
    calls = [world.open(who, channel=TicketChannel.TELEPHONE, product=world.core) for who in ("alpha", "beta")]
    assert [due(world, call) for call in calls] == [HOUR / 2] * 2
    world.contract(world.secret)
    by = {"by": PORTAL_COMMAND, "at": START}

    def changed(change):
        with world.begin() as session:
            contract = session.scalars(select(Contract)).one()
            session.refresh(contract, ["lines"])
            change(session, contract)
        assert due(world, calls[1]) == HOUR / 2  # another customer's
        return due(world, calls[0])

    def terms(session, contract, **new):
        facts = {"number": contract.number, "programme": "Quick", "starts_on": date(2026, 1, 1),
                 "ends_on": date(2026, 12, 31), "time_zone": "UTC", **new}  # fmt: skip
        contracts.change_term(session, contract, contracts.Terms(**facts), **by)

    assert changed(terms) == HOUR / 4
    assert changed(lambda s, c: contracts.hold(s, c, reason="unpaid", **by)) == HOUR / 2
    assert changed(lambda s, c: contracts.resume(s, c, **by)) == HOUR / 4
    assert changed(lambda s, c: terms(s, c, starts_on=date(2026, 4, 1))) == HOUR / 2
    assert changed(terms) == HOUR / 4
    world.contract(world.secret, number="17-205", last=date(2027, 12, 31))  # ends later, but names neither
    assert due(world, calls[0]) == HOUR / 2
    with world.begin() as session:
        quick = session.scalars(select(Contract).where(Contract.number == "17-204")).one()
        session.add(ContractLine(contract_id=quick.id, product_id=world.core.id, levels=ALL_LEVELS))
    assert due(world, calls[0]) == HOUR / 4
    with world.begin() as session:
        session.delete(session.scalars(select(ContractLine).where(ContractLine.product_id == world.core.id)).one())
    assert due(world, calls[0]) == HOUR / 2


def test_tickets_are_waited_for_before_the_head_of_the_audit_chain_is_held(world):
    """The other way round, a contract's change and an answer would wait for each other for ever."""
    world.open(channel=TicketChannel.TELEPHONE)
    world.contract(world.core)
    with world.statements("SELECT", "INSERT") as asked, world.begin() as session:
        contract = session.scalars(select(Contract)).one()
        contracts.hold(session, contract, reason="unpaid", by=PORTAL_COMMAND, at=START)
    places = [next(n for n, one in enumerate(asked) if word in one)
              for word in ("FROM tickets", "desk_version", "FROM audit_head")]  # fmt: skip
    assert places == sorted(places)


def test_a_changed_programme_does_so_too(world):
    calls = [world.open(who, channel=TicketChannel.TELEPHONE) for who in ("alpha", "beta")]
    world.answer(calls[1])
    programme(world, EXPERT_24X7.name, HOUR / 4)
    with world.portal.sessions() as session:
        assert [world.ticket(session, number).due_at for number in calls] == [START + HOUR / 4, None]


def test_what_is_rolled_back_moves_nothing(world):
    call = world.open(channel=TicketChannel.TELEPHONE)
    before = version(world)
    with world.portal.sessions() as session:
        session.add(Contract(organisation_id=world.alpha.id, number="1", created_at=START, programme="Quick",
                             starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31), time_zone="UTC",
                             starts_at=START, ends_at=START + HOUR))  # fmt: skip
        world.ticket(session, call).title = "Another"
        session.flush()
        session.rollback()
        session.commit()
    assert (version(world), due(world, call)) == (before, HOUR / 2)


def test_the_version_rises_with_whatever_the_board_shows_and_with_nothing_else(world):
    call = world.open(channel=TicketChannel.TELEPHONE)
    tsc, dispatcher = world.actors["tsc"], world.actors["dispatcher"]

    def shift(session):
        facts = ShiftFacts(world.people["tsc"].id, DutyRole.ON_DUTY, START, START + HOUR)
        rota.add_shift(session, facts, by=dispatcher, at=START)

    def claim(session):
        service.claim(session, world.ticket(session, call), by=tsc, at=START)

    verbs = [
        lambda _session: world.open(),
        claim,
        lambda session: service.answer(session, world.ticket(session, call), "Yes.", by=tsc, at=START),
        lambda session: rota.leave_note(session, "Look at node 7.", by=tsc, at=START),
        shift,
    ]
    for number, verb in enumerate(verbs):
        before = version(world)
        with world.begin() as session:
            verb(session)
        assert version(world) == before + 1, number
    before = version(world)
    with world.begin() as session:
        claim(session)  # twice is once
    world.release("4.9")
    world.of("tsc").get("/desk")
    assert version(world) == before
