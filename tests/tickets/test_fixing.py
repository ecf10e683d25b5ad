"""From a fault to its fix and back: who is told what, once, and who closes the ticket."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.actors import PORTAL_COMMAND
from portal.errors import Forbidden
from portal.mail.models import OutgoingMail
from portal.mail.words import translator
from portal.releases import service as releases
from portal.releases.models import IssueRelation, Level, Release, ReleaseAudience, ReleaseIssue, ReleaseState
from portal.tickets import fixing, fixing_jobs, participants, queries, service
from portal.tickets.errors import FixUnconfirmed
from portal.tickets.models import INTERNAL_KINDS, Step, TicketEventKind, TicketFix, TicketState
from tests.factories import make_published, make_release
from tests.portals import START

LATER = START + timedelta(hours=1)
DRAFT = {"state": ReleaseState.DRAFT, "published_at": None, "counter": None}


def publish(world, release, at=START):
    fixing_jobs.offer_fix(world.portal.resources, at=at, release_id=str(release.id))


def withdraw(world, release, at=LATER):
    with world.begin() as session:
        found = session.get_one(Release, release.id)
        session.refresh(found, ["product"])
        releases.withdraw(session, found, reason="It burns.", replacement=None, by=PORTAL_COMMAND, at=at)
    fixing_jobs.take_back_fix(world.portal.resources, at=at, release_id=str(release.id))


def letters(world):
    """(recipient, text) of each letter about a fix, in the order of the recipients."""
    with world.portal.sessions() as session:
        rows = select(OutgoingMail).where(OutgoingMail.key.startswith("tickets.fix:"))
        return sorted((mail.recipient, mail.text) for mail in session.scalars(rows.order_by(OutgoingMail.created_at)))


def told(world, number):
    """What machines said in the ticket's thread: bodies of messages, and states."""
    with world.portal.sessions() as session:
        events = queries.thread(session, world.ticket(session, number), visible_to=world.actors["alpha"])
        return [event.body or event.detail for event in events if event.is_automatic]


def step(world, number, step, who, at=LATER, reason=""):
    with world.begin() as session:
        ticket = world.ticket(session, number)
        service.change_state(session, ticket, step, by=world.actors[who], at=at, reason=reason)


@pytest.fixture
def faulty(world):
    """The ticket of Alpha, which has a contract, about an issue that 4.9 fixes: (number, issue, release)."""
    world.contract(world.core)
    release = world.release("4.9")
    issue = world.issue("NX-1", release)
    number = world.open()
    world.link(number, issue=issue)
    return number, issue, release


def test_the_fix_is_told_once_and_leads_to_it(world, faulty):
    number, _, release = faulty
    for _ in range(2):
        publish(world, release)
    fixing_jobs.catch_up(world.portal.resources, at=LATER)
    assert world.state(number) == "fix-available"
    body, state = told(world, number)
    assert state == "fix-available"
    ((recipient, text),) = letters(world)
    assert recipient == world.people["alpha"].email
    base = world.portal.resources.config.base_url
    for said in (body, text):
        assert "lowest version with the fix that you may take is Core Router 4.9" in said
        assert f"{base}/products/core/4.9" in said
        assert f"{base}/deliveries/new?release={release.id}" in said


def test_what_is_missing_is_said_where_it_can_not_be_taken(world):
    release = world.release("4.9")
    issue, open_still = world.issue("NX-1", release), world.issue("NX-2")
    number = world.open("beta")
    for one in (issue, open_still):
        world.link(number, issue=one)
    publish(world, release)
    ((_, text),) = letters(world)
    assert "NX-1: Core Router 4.9 has the fix, but you can't take it as things stand. " in text
    assert "NX-2: no release fixes it yet." in text
    assert "/deliveries/new" not in text
    assert world.state(number) == "fix-available"


def test_the_lowest_that_may_be_taken_is_named_though_another_was_published(world):
    world.contract(world.core, levels=Level.MAJOR)
    low, high = world.release("4.9"), world.release("5.0", level=Level.MAJOR)
    number = world.open()
    world.link(number, issue=world.issue("NX-1", low, high))
    publish(world, low)
    ((_, text),) = letters(world)
    assert "may take is Core Router 5.0" in text


def test_everybody_who_follows_is_told_in_their_language_and_nobody_else(world, faulty):
    number, _, release = faulty
    other = world.open("beta")
    with world.begin() as session:
        session.merge(world.people["alpha2"]).language = "ru"
        ticket, by = world.ticket(session, number), world.actors["alpha"]
        participants.add(session, ticket, world.people["alpha2"].email, by=by, at=START)
    publish(world, release)
    found = dict(letters(world))
    assert set(found) == {world.people["alpha"].email, world.people["alpha2"].email}
    russian = found[world.people["alpha2"].email]
    assert translator("ru")(fixing.CONFIRM) in russian
    assert translator("ru")(fixing.CONFIRM) != fixing.CONFIRM
    assert "lowest version" not in russian
    assert told(world, other) == []


@pytest.mark.parametrize(
    ("facts", "is_public"),
    [({"open_from": None}, True), ({"open_from": LATER}, True), (DRAFT, True), ({}, False)],
    ids=["named customers only", "a later wave", "not published", "the issue is internal"],
)
def test_nothing_is_told_of_what_the_customer_may_not_know(world, facts, is_public):
    release, number = world.release("4.9", **facts), world.open()
    world.link(number, issue=world.issue("NX-1", release, is_public=is_public))
    publish(world, release)
    fixing_jobs.catch_up(world.portal.resources, at=START)
    assert (letters(world), told(world, number), world.state(number)) == ([], [], "new")


def test_a_wave_is_told_when_it_opens_and_to_its_customers_alone(world):
    release = world.release("4.9", open_from=None)
    issue, numbers = world.issue("NX-1", release), {who: world.open(who) for who in ("alpha", "beta")}
    for number in numbers.values():
        world.link(number, issue=issue)
    with world.begin() as session:
        session.add(ReleaseAudience(release_id=release.id, organisation_id=world.beta.id, opens_at=LATER))
    publish(world, release)
    assert letters(world) == []
    fixing_jobs.catch_up(world.portal.resources, at=LATER)
    assert [recipient for recipient, _ in letters(world)] == [world.people["beta"].email]
    assert {who: world.state(number) for who, number in numbers.items()} == {"alpha": "new", "beta": "fix-available"}


def test_no_clock_is_stopped_and_the_answer_is_still_owed(world, faulty):
    number, _, release = faulty
    publish(world, release)
    with world.portal.sessions() as session:
        ticket = world.ticket(session, number)
        assert ticket.answered_at is None
        assert ticket.due_at is not None


def test_only_the_customer_closes_it(world, faulty):
    number, _, release = faulty
    publish(world, release)
    with pytest.raises(Forbidden):
        step(world, number, Step.CLOSE, "tsc")
    step(world, number, Step.REOPEN, "tsc")
    step(world, number, Step.RESOLVE, "tsc")
    with pytest.raises(FixUnconfirmed):
        step(world, number, Step.CLOSE, "tsc")
    step(world, number, Step.CLOSE, "alpha")
    assert world.state(number) == "closed"
    withdraw(world, release)
    assert world.state(number) == "closed"
    assert len(letters(world)) == 1


def test_it_still_happens(world, faulty):
    number, issue, release = faulty
    publish(world, release)
    step(world, number, Step.REOPEN, "alpha", reason="The same as before.")
    publish(world, release)
    assert world.state(number) == "open"
    newer = world.release("4.10")
    with world.begin() as session:
        session.add(ReleaseIssue(release_id=newer.id, issue_id=issue.id, relation=IssueRelation.FIXED))
    publish(world, newer)
    assert world.state(number) == "fix-available"
    assert len(letters(world)) == 2


def test_a_withdrawn_fix_goes_back_once(world, faulty):
    number, _, release = faulty
    publish(world, release)
    withdraw(world, release)
    fixing_jobs.take_back_fix(world.portal.resources, at=LATER, release_id=str(release.id))
    fixing_jobs.catch_up(world.portal.resources, at=LATER)
    assert world.state(number) == "waiting-for-release"
    assert [text for text in told(world, number) if text in set(TicketState)] == [
        "fix-available",
        "waiting-for-release",
    ]
    back = [text for _, text in letters(world) if "Withdrawn: Core Router 4.9" in text]
    assert len(back) == 1
    assert "It burns." in back[0]
    assert "NX-1: no release fixes it yet." in back[0]


def test_another_fix_that_stands_is_named(world, faulty):
    number, issue, release = faulty
    other = world.release("4.10")
    with world.begin() as session:
        session.add(ReleaseIssue(release_id=other.id, issue_id=issue.id, relation=IssueRelation.FIXED))
    publish(world, release)
    withdraw(world, release)
    assert world.state(number) == "fix-available"
    (text,) = [text for _, text in letters(world) if "Withdrawn:" in text]
    assert "may take is Core Router 4.10" in text


def test_a_withdrawal_says_nothing_to_whom_nothing_was_told(world):
    release, number = world.release("4.9", open_from=None), world.open()
    world.link(number, issue=world.issue("NX-1", release))
    publish(world, release)
    withdraw(world, release)
    assert (letters(world), world.state(number)) == ([], "new")


def test_two_jobs_at_once_tell_once(world, faulty):
    number, _, release = faulty
    for jobs_name in ("offer_fix", "take_back_fix"):
        if jobs_name == "take_back_fix":
            with world.begin() as session:
                found = session.get_one(Release, release.id)
                found.withdraw("It burns.", LATER, None)
        run, start, errors = getattr(fixing_jobs, jobs_name), threading.Barrier(2), []

        def work(run=run, start=start, errors=errors):
            start.wait()
            try:
                run(world.portal.resources, at=LATER, release_id=str(release.id))
            except Exception as error:  # noqa: BLE001 - shown by the assertion
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
    assert len(letters(world)) == 2
    assert len(told(world, number)) == 4


def test_a_ticket_that_fails_holds_up_no_other(world, faulty, monkeypatch):
    number, issue, release = faulty
    other = world.open("beta")
    world.link(other, issue=issue)
    real = fixing.offer

    def offer(session, ticket, **facts):
        if str(ticket) == number:
            raise RuntimeError(number)
        return real(session, ticket, **facts)

    monkeypatch.setattr(fixing, "offer", offer)
    with pytest.raises(fixing_jobs.FixNotTold):
        publish(world, release)
    assert (world.state(number), world.state(other)) == ("new", "fix-available")


def test_publishing_itself_sets_it_going(world):
    """From the issue to the letter through the real verbs and the worker."""
    with world.begin() as session:
        release = make_release(session, session.merge(world.core), "4.9")
        made = make_published(world.portal.resources, session, release)
    number = world.open()
    world.link(number, issue=world.issue("NX-1", made))
    world.portal.work()
    assert world.state(number) == "fix-available"
    with world.portal.sessions() as session:
        assert session.scalars(select(TicketFix.release_id)).all() == [made.id]


def test_the_pages(world, faulty):
    """The customer takes it, has it delivered, confirms or says no; the vendor sees all, and who still waits."""
    number, issue, release = faulty
    other = world.open("beta", title="Beta's own trouble")
    world.link(other, issue=issue)
    publish(world, release)
    page = world.of("alpha").get(f"/tickets/{number}").text
    for said in ("Fix available", "It works: confirm and close", "It still happens", "/products/core/4.9"):
        assert said in page
    assert "It works" not in world.of("tsc").get(f"/tickets/{number}").text
    step(world, number, Step.CLOSE, "alpha")
    vendor = world.of("publisher").get(f"/releases/{release.id}").text
    assert "Not confirmed yet: 1 of 2" in vendor
    assert "Alpha Telecom" in vendor
    own = world.of("alpha").get("/products/core/4.9").text
    assert number in own
    assert "Beta" not in own
    assert other not in own


def test_a_customer_is_shown_nobody_of_the_vendors_list(world, faulty):
    _, _, release = faulty
    with world.portal.sessions() as session:
        assert fixing.cured_by(session, release.id, visible_to=world.actors["alpha"]) == []
        assert len(fixing.cured_by(session, release.id, visible_to=world.actors["publisher"])) == 1


def test_nothing_of_it_is_internal_and_nothing_by_a_human(world, faulty):
    number, _, release = faulty
    publish(world, release)
    with world.portal.sessions() as session:
        events = queries.thread(session, world.ticket(session, number), visible_to=world.actors["tsc"])
        automatic = [event for event in events if event.is_automatic]
        assert {event.kind for event in automatic} == {TicketEventKind.MESSAGE, TicketEventKind.STATE}
        assert {event.person_id for event in automatic} == {None}
        assert not {event.kind for event in automatic} & INTERNAL_KINDS
