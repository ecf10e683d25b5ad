import threading

import pytest
from sqlalchemy import select

from portal.actors import NOBODY, PORTAL_COMMAND
from portal.audit.models import AuditEvent
from portal.errors import Forbidden, NotFound
from portal.texts import TextMissing, TextTooLong, TextUnkeepable
from portal.tickets import queries, service
from portal.tickets.errors import (
    BadSubmission,
    StepNotPossible,
    SubmissionReused,
    TicketClosed,
    UnknownCustomer,
    UnknownProduct,
)
from portal.tickets.models import Step, TicketEventKind
from tests.factories import make_ticket
from tests.portals import START


def act(world, number, verb, *arguments, who, **named):
    with world.begin() as session:
        return verb(session, world.ticket(session, number), *arguments, by=world.actors[who], at=START, **named)


def thread(world, number, who="tsc"):
    with world.portal.sessions() as session:
        ticket = world.ticket(session, number)
        return [
            (e.kind.value, e.body or e.detail) for e in queries.thread(session, ticket, visible_to=world.actors[who])
        ]


def tags(world):
    with world.portal.sessions() as session:
        rows = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence))
        return [(row.tag, row.subject_name) for row in rows if row.tag.startswith("ticket.")]


# opening


def test_a_ticket_is_opened(world):
    number = world.open(product=world.core, installed_version=" 4.9 ", title="  Link \n flaps ", body="a\r\nb\r")
    with world.portal.sessions() as session:
        ticket = world.ticket(session, number)
        assert (ticket.title, ticket.installed_version, ticket.product.code) == ("Link flaps", "4.9", "core")
        assert (ticket.state.value, ticket.opened_by) == ("new", world.people["alpha"].id)
    assert thread(world, number) == [("opened", "a\nb")]
    assert tags(world) == [("ticket.open", "T-000001")]


def test_a_customer_opens_only_its_own(world):
    with world.begin() as session, pytest.raises(NotFound):
        make_ticket(session, session.merge(world.beta), world.actors["alpha"])


def test_staff_open_for_a_customer_but_not_for_themselves(world):
    assert world.open("alpha") == "T-000001"
    with world.begin() as session:
        ticket = make_ticket(session, session.merge(world.beta), world.actors["tsc"])
        assert ticket.organisation_id == world.beta.id
        support = session.get_one(type(world.beta), world.actors["tsc"].organisation_id)
        with pytest.raises(UnknownCustomer):
            make_ticket(session, support, world.actors["tsc"])


def test_who_may_not_open(world):
    for who in ("publisher", "admin"):
        with world.begin() as session, pytest.raises(Forbidden):
            make_ticket(session, session.merge(world.alpha), world.actors[who])


def test_only_products_that_the_customer_may_know_of(world):
    for who in ("alpha", "tsc"):  # staff would tell the customer its name
        with world.begin() as session, pytest.raises(UnknownProduct):
            make_ticket(session, session.merge(world.alpha), world.actors[who], product=session.merge(world.secret))
    world.contract(world.secret)
    assert world.open(product=world.secret) == "T-000001"


REFUSED = [
    ({"title": ""}, TextMissing),
    ({"title": " \n "}, TextMissing),
    ({"title": "x" * 201}, TextTooLong),
    ({"title": "a\x00b"}, TextUnkeepable),
    ({"title": "a\u202eb"}, TextUnkeepable),
    ({"body": ""}, TextMissing),
    ({"body": "[" * 1_000_000}, TextTooLong),
    ({"body": "a\x00"}, TextUnkeepable),
    ({"body": "\ud800"}, TextUnkeepable),
    ({"installed_version": "9" * 101}, TextTooLong),
    ({"submission": "x" * 81}, BadSubmission),
    ({"submission": "schlüssel"}, BadSubmission),
]


def test_what_is_refused(world):
    for facts, error in REFUSED:
        with pytest.raises(error):
            world.open(**facts)
        assert tags(world) == []


# sent twice


def test_the_same_submission_is_one_ticket(world):
    assert world.open(submission="one") == world.open(submission="one") == "T-000001"
    assert world.open(submission="two") == "T-000002"
    assert tags(world) == [("ticket.open", "T-000001"), ("ticket.open", "T-000002")]


def test_a_submission_is_its_senders_own(world):
    """Another person's submission is neither shown nor in the way, be it a colleague's or another customer's."""
    first = world.open(submission="one", title="Alpha's")
    assert world.open("beta", submission="one") != first
    with world.begin() as session:
        again = make_ticket(session, session.merge(world.alpha), world.actors["alpha2"], submission="one")
        assert str(again) != first


def test_a_submission_with_other_words_is_refused(world):
    world.open(submission="one")
    for other in ({"body": "Another"}, {"title": "Another"}):
        with pytest.raises(SubmissionReused):
            world.open(submission="one", **other)


def test_a_submission_of_an_answer_opens_nothing(world):
    number = world.open(body="same")
    act(world, number, service.answer, "same", who="alpha", submission="one")
    with pytest.raises(SubmissionReused):
        world.open(body="same", submission="one")
    other = world.open()
    with pytest.raises(SubmissionReused):
        act(world, other, service.answer, "same", who="alpha", submission="one")


def test_two_clicks_at_once_are_one_ticket(world):
    go, numbers = threading.Barrier(2), []

    def click() -> None:
        go.wait(10)
        numbers.append(world.open(submission="click"))

    threads = [threading.Thread(target=click) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert numbers == ["T-000001", "T-000001"]
    assert world.open() == "T-000002"


def test_two_clicks_at_once_are_one_answer(world):
    number, go = world.open(), threading.Barrier(2)

    def click() -> None:
        go.wait(10)
        act(world, number, service.answer, "Once.", who="alpha", submission="click")

    threads = [threading.Thread(target=click) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert thread(world, number)[1:] == [("message", "Once.")]


# answering


def test_the_first_answer_of_support_opens_the_ticket(world):
    number = world.open()
    act(world, number, service.answer, "More of it", who="alpha")
    assert world.state(number) == "new"
    act(world, number, service.answer, "Seen", who="tsc")
    assert world.state(number) == "open"
    assert thread(world, number)[1:] == [("message", "More of it"), ("message", "Seen"), ("state", "open")]
    assert [tag for tag, _ in tags(world)] == ["ticket.open", "ticket.answer", "ticket.answer", "ticket.state"]


@pytest.mark.parametrize("step", [Step.WAIT_FOR_CUSTOMER, Step.RESOLVE])
def test_a_customers_answer_reopens_what_waits_for_it(world, step):
    number = world.open()
    act(world, number, service.answer, "Seen", who="tsc")
    act(world, number, service.change_state, step, who="tsc")
    act(world, number, service.answer, "It still happens", who="alpha2")
    assert world.state(number) == "open"


def test_an_answer_does_not_end_the_waiting_for_a_release(world):
    number = world.open()
    act(world, number, service.answer, "Seen", who="tsc")
    act(world, number, service.change_state, Step.WAIT_FOR_RELEASE, who="tsc")
    act(world, number, service.answer, "When?", who="alpha")
    assert world.state(number) == "waiting-for-release"


def test_a_closed_ticket_takes_no_answer(world):
    number = world.open()
    act(world, number, service.change_state, Step.CLOSE, who="alpha")
    for who in ("alpha", "tsc"):
        with pytest.raises(TicketClosed):
            act(world, number, service.answer, "But…", who=who)
    assert [kind for kind, _ in thread(world, number)] == ["opened", "state"]


def test_who_reads_does_not_answer(world):
    number = world.open()
    for who in ("publisher", "admin"):
        with pytest.raises(Forbidden):
            act(world, number, service.answer, "Hello", who=who)


def test_answers_at_once_are_both_kept(world):
    number, go = world.open(), threading.Barrier(4)

    def say(who: str) -> None:
        go.wait(10)
        for turn in range(3):
            act(world, number, service.answer, f"{who} {turn}", who=who)

    threads = [threading.Thread(target=say, args=[who]) for who in ("alpha", "alpha2", "tsc", "tsc")]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    said = thread(world, number)
    assert len([kind for kind, _ in said if kind == "message"]) == 12
    assert [kind for kind, _ in said].count("state") == 1
    with world.portal.sessions() as session:
        found = queries.thread(session, world.ticket(session, number), visible_to=PORTAL_COMMAND)
        assert [event.sequence for event in found] == list(range(1, len(found) + 1))


# states


def test_steps_of_support_alone(world):
    for step in (Step.WAIT_FOR_CUSTOMER, Step.WAIT_FOR_RELEASE, Step.RESOLVE):
        number = world.open()
        world.answer(number)
        for who in ("alpha", "publisher", "admin"):
            with pytest.raises(Forbidden):
                act(world, number, service.change_state, step, who=who)
        act(world, number, service.change_state, step, who="tsc")


def test_support_closes_only_what_is_resolved(world):
    number = world.open()
    world.answer(number)
    with pytest.raises(Forbidden):
        act(world, number, service.change_state, Step.CLOSE, who="tsc")
    act(world, number, service.change_state, Step.RESOLVE, who="tsc")
    act(world, number, service.change_state, Step.CLOSE, who="tsc")
    assert world.state(number) == "closed"


def test_a_customer_confirms_and_reopens(world):
    number = world.open()
    world.answer(number)
    act(world, number, service.change_state, Step.RESOLVE, who="tsc")
    act(world, number, service.change_state, Step.CLOSE, who="alpha2")
    act(world, number, service.change_state, Step.REOPEN, who="alpha")
    assert world.state(number) == "open"
    with pytest.raises(StepNotPossible):
        act(world, number, service.change_state, Step.REOPEN, who="alpha")
    states = [word for kind, word in thread(world, number, "alpha") if kind == "state"]
    assert states == ["open", "resolved", "closed", "open"]


def test_two_at_once_close_it_once(world):
    number, go, outcomes = world.open(), threading.Barrier(2), []

    def close() -> None:
        go.wait(10)
        try:
            act(world, number, service.change_state, Step.CLOSE, who="alpha")
            outcomes.append("closed")
        except StepNotPossible:
            outcomes.append("too late")

    threads = [threading.Thread(target=close) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert sorted(outcomes) == ["closed", "too late"]


# notes and links


def test_only_support_keeps_notes_and_links(world):
    number, issue = world.open(), world.issue("NX-1")
    for who in ("alpha", "beta", "publisher", "admin"):
        with pytest.raises(Forbidden):
            act(world, number, service.add_note, "Hm", who=who)
        with world.begin() as session, pytest.raises(Forbidden):
            service.link_issue(session, world.ticket(session, number), issue, by=world.actors[who], at=START)
        with world.begin() as session, pytest.raises(Forbidden):
            service.unlink_issue(session, world.ticket(session, number), issue, by=world.actors[who], at=START)


def test_notes_and_links_are_not_in_the_customers_thread(world):
    number, release = world.open(), world.release("4.9")
    act(world, number, service.add_note, "They forgot to pay", who="tsc")
    world.link(number, issue=world.issue("NX-1"), release=release)
    assert [kind for kind, _ in thread(world, number, "tsc")] == ["opened", "note", "linked", "linked"]
    for who in ("alpha", "alpha2"):
        assert [kind for kind, _ in thread(world, number, who)] == ["opened"]
    with world.portal.sessions() as session:  # nobody is no member of staff
        found = queries.thread(session, world.ticket(session, number), visible_to=NOBODY)
        assert {event.kind for event in found} == {TicketEventKind.OPENED}


def test_a_note_does_not_move_the_ticket(world):
    number = world.open()
    act(world, number, service.add_note, "Hm", who="tsc")
    assert world.state(number) == "new"


def test_linking_twice_is_linking_once(world):
    number, issue, release = world.open(), world.issue("NX-1"), world.release("4.9")
    for _ in range(2):
        world.link(number, issue=issue, release=release)
    assert thread(world, number)[1:] == [("linked", "+ NX-1"), ("linked", "+ Core Router 4.9")]
    with world.begin() as session:
        ticket, by = world.ticket(session, number), world.actors["tsc"]
        service.unlink_issue(session, ticket, issue, by=by, at=START)
        with pytest.raises(NotFound):
            service.unlink_issue(session, ticket, issue, by=by, at=START)
    assert thread(world, number)[-1] == ("linked", "- NX-1")
    assert [tag for tag, _ in tags(world)].count("ticket.link") == 3
