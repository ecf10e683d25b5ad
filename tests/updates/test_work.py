"""The work: checklist, steps, inventory, failures and their tickets, secrets and sessions, the end."""

import hashlib
from datetime import timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader
from sqlalchemy import func, select, text

from portal.audit.models import AuditEvent
from portal.errors import Forbidden, NotFound
from portal.inventory import queries as inventory
from portal.tickets.desk_models import TicketFile
from portal.tickets.models import Ticket, TicketEvent
from portal.updates import access, checklist, errors, own_way, planning, remote, running
from portal.updates.jobs import attach_report
from portal.updates.models import AccessSecret, UpdateRequest
from portal.updates.running import Ended
from portal.updates.sealing import Sealer
from portal.updates.states import Check, StepState, UpdateEventKind, UpdateState, Way
from tests.factories import make_recipient
from tests.portals import START
from tests.updates.conftest import LATER, SEALER, SECRET, WINDOW

DONE, FAILED, BACK = StepState.DONE, StepState.FAILED, StepState.ROLLED_BACK


def count(world, entity):
    with world.portal.sessions() as session:
        return session.scalar(select(func.count()).select_from(entity))


def test_success_updates_the_inventory(world):
    update = world.running()
    world.step(update, "SN-1", DONE)
    assert world.installed("SN-1") == "2"
    world.step(update, "SN-1", DONE)
    world.step(update, "SN-2", DONE, DONE)
    assert world.do(running.finish, update, at=LATER) is UpdateState.DONE
    with world.portal.sessions() as session:
        newest = inventory.history(session, world.devices["SN-1"].id, visible_to=world.actor())[0]
        device = inventory.get_device(session, world.devices["SN-1"].id, visible_to=world.actor())
    assert (newest.after, newest.reference, newest.reference_id) == ("3", update.number, update.id)
    assert device.how_known.value == "update-request"
    assert world.load(update).devices[0].downtime_seconds == 8 * 60
    assert count(world, Ticket) == 0


def test_a_failing_device_opens_one_ticket_with_everything_attached(world):
    update = world.running()
    session_id = world.session(update)
    world.do(remote.add_note, update, session_id, "show version\n```\nfan alarm", at=LATER)
    digest = hashlib.sha256(b"log").hexdigest()
    world.do(remote.add_file, update, session_id, ("boot.log", digest.upper()), at=LATER)
    world.step(update, "SN-1", DONE, FAILED)
    shown = world.load(update).devices[0]
    assert (shown.state, shown.ticket.device_id) == (FAILED, shown.device_id)
    with world.portal.sessions() as session:
        [body] = session.scalars(select(TicketEvent.body).where(TicketEvent.ticket_id == shown.ticket_id))
    for part in ("note of failed", "show version", "fan alarm", digest, "boot.log", world.people["tsc"].name):
        assert part in body
    assert SECRET not in body
    world.step(update, "SN-1", FAILED, BACK)
    assert count(world, Ticket) == 1
    assert world.installed("SN-1") == "2", "it went back to what ran before the step"
    world.step(update, "SN-2", DONE, DONE)
    assert world.do(running.finish, update, at=LATER) is UpdateState.ROLLED_BACK


def test_what_was_done_goes_back_while_the_update_runs_and_the_inventory_with_it(world):
    update = world.running()
    world.step(update, "SN-1", DONE, DONE)
    world.step(update, "SN-2", DONE, DONE)
    first, second = world.load(update).devices[0].steps
    late = LATER + timedelta(hours=1)
    with pytest.raises(errors.StepOrder):
        world.do(running.end_step, update, first.id, Ended(BACK, "not the last"), at=late)
    with pytest.raises(errors.StepOrder):
        world.do(running.begin_step, update, second.id, at=late)
    with pytest.raises(errors.StepOrder):
        world.do(running.end_step, update, second.id, Ended(FAILED, "it is done"), at=late)
    with pytest.raises(errors.DowntimeTooLong):
        world.do(running.end_step, update, second.id, Ended(BACK, "x", timedelta(hours=2)), at=late)
    world.do(running.end_step, update, second.id, Ended(BACK, "Calls drop.", timedelta(minutes=6)), at=late)
    assert (world.installed("SN-1"), world.installed("SN-2")) == ("2", "3")
    world.do(running.end_step, update, first.id, Ended(BACK, "Still."), at=late)
    assert world.installed("SN-1") == "1"
    shown = world.load(update).devices[0]
    assert (shown.state, shown.due, shown.last_done) == (BACK, None, None)
    assert shown.downtime_seconds == (4 + 4 + 6) * 60
    assert count(world, Ticket) == 1, "to go back is to fail, once"
    with world.portal.sessions() as session:
        [body] = session.scalars(select(TicketEvent.body).where(TicketEvent.ticket_id == shown.ticket_id))
        history = inventory.history(session, shown.device_id, visible_to=world.actor())
    assert "Calls drop." in body
    assert [(one.before, one.after) for one in history if one.reference] == [
        ("2", "1"), ("3", "2"), ("2", "3"), ("1", "2"),
    ]  # fmt: skip
    assert world.do(running.finish, update, at=late) is UpdateState.ROLLED_BACK
    left = world.load(update).devices[1].last_done
    with pytest.raises(errors.UpdateStepNotPossible):
        world.do(running.end_step, update, left.id, Ended(BACK, "The update is over."), at=late)


def test_the_whole_report_lies_beside_the_ticket_however_much_was_written_down(world):
    update = world.running("SN-1")
    session_id = world.session(update)
    for number in range(3):
        world.do(remote.add_note, update, session_id, f"{'line of a log ' * 900}\nend of part {number}", at=LATER)
    world.do(remote.add_file, update, session_id, ("boot.log", "ab" * 32), at=LATER)
    world.step(update, "SN-1", FAILED, BACK)
    world.portal.clock.at = LATER + timedelta(hours=1)
    for _ in range(2):
        world.portal.work()
        shown = world.load(update).devices[0]
        attach_report(world.portal.resources, at=LATER, update_id=str(update.id), number=str(shown.ticket))
    with world.portal.sessions() as session:
        [body] = session.scalars(select(TicketEvent.body).where(TicketEvent.ticket_id == shown.ticket_id))
        [file] = session.scalars(select(TicketFile).where(TicketFile.ticket_id == shown.ticket_id))
    assert "end of part 2" not in body
    assert (file.name, file.is_internal) == ("U-000001.pdf", False)
    with world.portal.store.open_range(file.key) as reader:
        paper = PdfReader(BytesIO(b"".join(reader)))
    printed = " ".join("".join(page.extract_text() for page in paper.pages).replace("\u200b", "").split())
    for said in ("end of part 0", "end of part 2", "boot.log", "note of failed", "note of rolled-back"):
        assert said in printed
    assert "ab" * 32 in "".join(printed.split()), "the whole digest"
    assert SECRET not in printed


def test_what_goes_back_at_once_or_is_left_half_way_opens_a_ticket_too(world):
    update = world.running()
    due = world.load(update).devices[0].due
    world.do(running.begin_step, update, due.id, at=LATER)
    world.do(running.end_step, update, due.id, Ended(BACK, "It hangs."), at=LATER + timedelta(minutes=3))
    assert count(world, Ticket) == 1
    world.step(update, "SN-2", DONE)
    assert world.do(running.finish, update, at=LATER) is UpdateState.FAILED
    assert count(world, Ticket) == 2
    assert all(device.ticket for device in world.load(update).devices)


def test_steps_go_in_order_and_their_interruption_is_not_longer_than_they_are(world):
    update = world.running("SN-1")
    [first, second] = world.load(update).devices[0].steps
    with pytest.raises(errors.StepOrder):
        world.do(running.begin_step, update, second.id, at=LATER)
    with pytest.raises(errors.StepOrder):
        world.do(running.end_step, update, first.id, Ended(DONE), at=LATER)
    world.do(running.begin_step, update, first.id, at=LATER)
    with pytest.raises(errors.DevicesOpen):
        world.do(running.finish, update, at=LATER)
    with pytest.raises(errors.DowntimeTooLong):
        world.do(running.end_step, update, first.id, Ended(DONE, "", timedelta(hours=1)), at=LATER)
    world.do(running.end_step, update, first.id, Ended(DONE), at=LATER + timedelta(minutes=3))
    assert world.load(update).devices[0].steps[0].downtime_seconds == 180
    assert world.do(running.finish, update, at=LATER) is UpdateState.FAILED


def test_work_begins_prepared_within_its_window_and_by_its_engineer(world):
    update = world.agreed("SN-1")
    world.do(running.take_on, update, who="colleague")
    world.do(running.take_on, update)
    with pytest.raises(errors.NotPrepared):
        world.do(running.start, update, at=LATER)
    with pytest.raises(errors.NotYourUpdate):
        world.do(checklist.check, update, (Check.NOTES, ""), who="colleague")
    with pytest.raises(Forbidden):
        world.do(checklist.check, update, (Check.NOTES, ""), who="engineer")
    world.tick(update)
    for at in (WINDOW.begins_at - timedelta(seconds=1), WINDOW.ends_at):
        with pytest.raises(errors.OutsideWindow):
            world.do(running.start, update, at=at)
    world.do(running.start, update, at=WINDOW.begins_at)
    with pytest.raises(errors.NothingDone):
        world.do(running.finish, update, at=LATER)
    with pytest.raises(errors.UpdateStepNotPossible):
        world.do(planning.cancel, update, reason="too late")


def secret_of(world, update):
    return world.load(update).secrets[0].id


def test_a_secret_is_shown_once_in_a_session_to_its_engineer_and_each_look_is_audited(world):
    update = world.running("SN-1")
    session_id = world.session(update)
    where = (secret_of(world, update), session_id)
    show = {"sealer": SEALER, "at": LATER}
    assert world.do(access.show_secret, update, where, **show) == SECRET
    with pytest.raises(errors.SecretShown):
        world.do(access.show_secret, update, where, **show)
    for who, error in (("colleague", errors.NotYourUpdate), ("engineer", Forbidden), ("stranger", NotFound)):
        with pytest.raises(error):
            world.do(access.show_secret, update, where, who=who, **show)
    world.do(remote.finish, update, session_id, "seen", at=LATER)
    again = (where[0], world.session(update))
    with pytest.raises(errors.SecretUnreadable):
        world.do(access.show_secret, update, again, sealer=Sealer("the key after a rotation"), at=LATER)
    assert world.do(access.show_secret, update, again, **show) == SECRET
    with world.portal.sessions() as session:
        looks = session.scalars(select(AuditEvent).where(AuditEvent.tag == "access-secret.shown")).all()
    assert [look.person_name for look in looks] == [world.people["tsc"].name] * 2
    assert SECRET not in str([look.facts for look in looks])
    assert SECRET not in repr(access.Piece("x", SECRET)) + repr(Sealer(SECRET))


def test_no_row_can_be_put_in_anothers_place(world):
    update = world.running("SN-1")
    world.do(access.enter_secret, update, access.Piece("other", "other text"), who="engineer", sealer=SEALER)
    where = (secret_of(world, update), world.session(update))
    with world.portal.sessions.begin() as session:
        rows = session.scalars(select(AccessSecret).order_by(AccessSecret.created_at, AccessSecret.label)).all()
        rows[0].sealed, rows[1].sealed = rows[1].sealed, rows[0].sealed
    with pytest.raises(errors.SecretUnreadable):
        world.do(access.show_secret, update, where, sealer=SEALER, at=LATER)


def test_the_customer_ends_its_consent_and_everything_stops_at_once(world):
    update = world.running("SN-1")
    session_id, secret_id = world.session(update), secret_of(world, update)
    with pytest.raises(errors.SessionRunning):
        world.session(update)
    with pytest.raises(Forbidden):
        world.do(access.end_access, update, at=LATER)
    assert world.do(access.end_access, update, who="engineer", at=LATER + timedelta(minutes=1)) == 1
    late = LATER + timedelta(minutes=1)
    with pytest.raises(errors.ConsentMissing):
        world.do(access.show_secret, update, (secret_id, session_id), sealer=SEALER, at=late)
    with pytest.raises(errors.SessionEnded):
        world.do(remote.add_note, update, session_id, "one more", at=late)
    with pytest.raises(errors.ConsentMissing):
        world.session(update, at=late)
    [ended] = world.load(update).sessions
    assert (ended.ended_because, ended.ended_at) == ("consent-ended", late)


def test_a_session_ends_with_its_consent_also_when_nobody_does_anything(world):
    update = world.running("SN-1")
    world.session(update)
    [one] = world.load(update).sessions
    assert one.is_running(LATER)
    assert not one.is_running(WINDOW.ends_at)
    world.portal.clock.at = WINDOW.ends_at + timedelta(minutes=5)
    world.portal.work()
    [one] = world.load(update).sessions
    assert (one.ended_because, one.ended_at) == ("consent-expired", WINDOW.ends_at)


@pytest.mark.parametrize("end", ["finished", "cancelled"])
def test_access_information_is_destroyed_at_the_end(world, end):
    if end == "finished":
        update = world.running("SN-1")
        world.step(update, "SN-1", DONE, DONE)
    else:
        update = world.agreed("SN-1")
        world.do(access.enter_secret, update, access.Piece("jump host", SECRET), who="engineer", sealer=SEALER)
    before = world.load(update)
    sealed, salt = before.secrets[0].sealed, before.salt
    assert on_disk(world, sealed), "it is looked for where it was"
    if end == "finished":
        world.do(running.finish, update, at=LATER)
    else:
        world.do(planning.cancel, update, reason="no")
    after = world.load(update)
    assert after.salt is None
    assert after.secrets[0].destroyed_at is not None
    assert not on_disk(world, sealed)
    assert not on_disk(world, salt)
    assert not on_disk(world, SECRET.encode())
    assert UpdateEventKind.SECRETS_DESTROYED in {event.kind for event in after.events}
    with pytest.raises(errors.SecretDestroyed):
        world.do(access.enter_secret, update, access.Piece("x", "y"), who="engineer", sealer=SEALER)


def on_disk(world, piece):
    """Whether the database's file holds the bytes; on a server, whether any row does once old versions are swept."""
    engine = world.portal.resources.engine
    if engine.dialect.name != "sqlite":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # VACUUM FULL alone keeps old versions while a transaction of any database of the server is older than
            # their end, and other workers' are: a plain one, which minds this database only, drops them first.
            connection.execute(text("VACUUM (DISABLE_PAGE_SKIPPING) access_secrets, update_requests"))
            connection.execute(text("VACUUM FULL access_secrets, update_requests"))
            connection.execute(text("CHECKPOINT"))
            data = connection.scalar(text("SHOW data_directory"))
            files = [
                connection.scalar(text(f"SELECT pg_relation_filepath('{table}')"))
                for table in ("access_secrets", "update_requests")
            ]
        return any(piece in (world.portal.folder / data / file).read_bytes() for file in files)
    with engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    path = world.portal.folder / engine.url.database
    return any(piece in left.read_bytes() for left in path.parent.glob(f"{path.name}*"))


def test_the_customers_own_way_asks_for_the_files_in_one_step_and_reports(world):
    update = world.agreed(way=Way.OWN)
    with world.portal.sessions.begin() as session:
        recipient = make_recipient(session, world.customer)
    handing = own_way.Handing(own_way.Channel.EMAIL, recipient)
    with pytest.raises(Forbidden):
        world.do(own_way.ask_for_files, update, handing)
    made = world.do(own_way.ask_for_files, update, handing, who="engineer")
    assert [delivery.number for delivery in made] == ["D-000001", "D-000002"]
    with pytest.raises(errors.AlreadyAskedFor):
        world.do(own_way.ask_for_files, update, handing, who="engineer")
    with pytest.raises(errors.WrongWay):
        world.do(running.take_on, update)
    world.tick(update, "engineer")
    world.do(running.start, update, who="engineer", at=LATER)
    world.step(update, "SN-1", DONE, DONE, who="engineer")
    world.step(update, "SN-2", FAILED, who="engineer")
    assert world.do(running.finish, update, who="engineer", at=LATER) is UpdateState.FAILED
    assert (world.installed("SN-1"), world.installed("SN-2")) == ("3", "1")
    assert count(world, Ticket) == 1


def test_events_are_numbered_without_a_gap(world):
    update = world.running("SN-1")
    events = world.load(update).events
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert count(world, UpdateRequest) == 1
    assert events[0].at == START
