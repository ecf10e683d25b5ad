"""Who is written to about an update, in which language, and each only once."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

from sqlalchemy import select

from portal.accounts.models import Person
from portal.jobs.models import Job, JobState
from portal.updates import access, planning, running, telling
from portal.updates.states import StepState, Way
from tests.factories import make_person
from tests.portals import START
from tests.updates.conftest import LATER, SEALER, WINDOW


def letters(world):
    """What has been sent since the last question: (to whom, subject), and the texts by reader."""
    world.portal.work()
    sent = [message_from_bytes(text.encode(), policy=default) for text in world.portal.mails()]
    names = {person.email: who for who, person in world.people.items()}
    new, world.portal.seen = sent[getattr(world.portal, "seen", 0) :], len(sent)
    return [(names[one["To"]], one["Subject"]) for one in new], {
        names[one["To"]]: one.get_body(("plain",)).get_content() for one in new
    }


def speak_russian(world, *who):
    with world.portal.sessions.begin() as session:
        for name in who:
            session.get_one(Person, world.people[name].id).language = "ru"


def test_each_side_is_written_to_once_in_its_language(world):
    speak_russian(world, "engineer")
    update = world.draw_up("SN-1")
    assert letters(world)[0] == []
    world.do(planning.set_window, update, WINDOW, who="engineer")
    world.do(planning.propose, update, who="engineer")
    world.do(planning.consent, update, who="engineer")
    sent, texts = letters(world)
    assert sorted(sent) == [
        (who, "U-000001: Core Router 3 is proposed, please consent") for who in ("colleague", "tsc")
    ]
    assert "Window: 2026-03-10 23:00 – 2026-03-11 03:00 (Asia/Vladivostok)" in texts["tsc"]
    assert f"/updates/{update.id}" in texts["tsc"]

    world.do(planning.consent, update)
    sent, texts = letters(world)
    assert ("engineer", "U-000001: согласовано, 2026-03-10 23:00 (Asia/Vladivostok)") in sent
    assert {who for who, _subject in sent} == {"engineer"}, "who did it knows"
    later = replace(WINDOW, ends_at=WINDOW.ends_at + timedelta(hours=1))
    world.do(planning.set_window, update, later)
    sent, texts = letters(world)
    assert "Согласия обеих сторон этим отозваны" in texts["engineer"]
    world.do(planning.cancel, update, reason="Авария на узле", who="engineer")
    sent, texts = letters(world)
    assert {who for who, _subject in sent} == {"tsc"}
    assert "Reason:\nАвария на узле" in texts["tsc"]


def test_what_is_proposed_goes_to_all_who_may_consent_what_follows_to_those_who_took_part(world):
    with world.portal.sessions.begin() as session:
        world.people["second"] = make_person(session, session.merge(world.customer), *world.actor().roles)
    update = world.draw_up("SN-1", who="tsc")
    world.do(planning.set_window, update, WINDOW)
    world.do(planning.propose, update)
    assert {who for who, _subject in letters(world)[0]} == {"engineer", "second"}
    world.do(planning.consent, update)
    world.do(planning.consent, update, who="second")
    world.do(running.take_on, update)
    assert {who for who, _subject in letters(world)[0]} == {"tsc"}
    world.do(planning.cancel, update, reason="no")
    assert {who for who, _subject in letters(world)[0]} == {"second"}


def test_before_the_window_both_are_reminded_and_the_customer_hears_what_is_missing(world):
    far = replace(WINDOW, begins_at=WINDOW.begins_at + timedelta(days=3), ends_at=WINDOW.ends_at + timedelta(days=3))
    update = world.agreed("SN-1")
    world.do(planning.set_window, update, far)
    for who in ("engineer", "tsc"):
        world.do(planning.consent, update, who=who)
    letters(world)
    world.portal.clock.at = WINDOW.begins_at
    assert letters(world)[0] == [], "that window was given up"
    world.portal.clock.at = far.begins_at - telling.REMINDED_BEFORE
    sent, texts = letters(world)
    assert sorted(sent) == [
        ("engineer", "U-000001 begins soon: 2026-03-13 23:00 (Asia/Vladivostok)"),
        ("engineer", "U-000001: something is missing for remote access"),
        ("tsc", "U-000001 begins soon: 2026-03-13 23:00 (Asia/Vladivostok)"),
    ]
    assert "your consent to remote access" in texts["engineer"]
    assert "the access information" in texts["engineer"]
    with world.portal.sessions.begin() as session:  # a worker that died after it had sent everything
        for job in session.scalars(select(Job).where(Job.name.in_((telling.TELL, telling.REMIND)))):
            job.state, job.run_at = JobState.QUEUED, world.portal.clock()
    assert letters(world)[0] == []


def test_who_has_given_all_is_only_reminded_and_of_a_near_window_an_hour_before(world):
    near = replace(WINDOW, begins_at=WINDOW.begins_at + timedelta(hours=2))
    update = world.draw_up("SN-1")
    for verb, who in ((planning.set_window, "tsc"), (planning.propose, "tsc"), (planning.consent, "tsc"),
                      (planning.consent, "engineer")):  # fmt: skip
        world.do(verb, update, *([near] if verb is planning.set_window else []), who=who)
    world.do(access.give_access, update, near.ends_at, who="engineer")
    world.do(access.enter_secret, update, access.Piece("VPN", "x"), who="engineer", sealer=SEALER)
    letters(world)
    world.portal.clock.at = near.begins_at - telling.REMINDED_LATE
    sent, _texts = letters(world)
    assert {subject.split(":")[0] for _who, subject in sent} == {"U-000001 begins soon"}


def test_the_work_its_failure_and_its_end_are_told(world):
    for way, worker, watcher in ((Way.REMOTE, "tsc", "engineer"), (Way.OWN, "engineer", "tsc")):
        serial = "SN-1" if way is Way.REMOTE else "SN-2"
        world.portal.clock.at = START
        update = world.running(serial, way=way)
        world.portal.clock.at = LATER + timedelta(minutes=15)
        sent, texts = letters(world)
        assert (watcher, f"{update.number}: the work has begun") in sent
        assert ("end your consent" in " ".join(texts[watcher].split())) is (way is Way.REMOTE)
        world.step(update, serial, StepState.FAILED, who=worker)
        ticket = str(world.load(update).devices[0].ticket)
        sent, texts = letters(world)
        assert (watcher, f"{update.number}: unsuccessful on {serial}, ticket {ticket}") in sent
        world.do(running.finish, update, who=worker, at=LATER)
        sent, texts = letters(world)
        assert (watcher, f"{update.number}: Unsuccessful") in sent
        assert f"- {serial}: Unsuccessful (1 → 1), {ticket}" in texts[watcher]
        assert worker not in texts
