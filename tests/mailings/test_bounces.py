"""What comes back is read, held against what was sent, and never makes a delivery delivered."""

import pytest

from portal.mail.receiving import NotYet, Outcome, receive
from portal.mail.reports import BadMessage, read, status_report
from portal.mailings import service
from tests.mailings.conftest import RECIPIENT
from tests.mailings.reports import AUTO_REPLY, STYLES, report

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def come(desk, content):
    return receive(desk.portal.resources, content, at=desk.at)


@pytest.mark.parametrize("style", STYLES)
@on_sqlite
def test_a_message_that_comes_back_fails_the_delivery(desk, style):
    delivery_id = desk.sent()
    [message] = desk.messages()
    assert come(desk, report(style, message)) is Outcome.TAKEN
    assert desk.kinds(delivery_id)[-2:] == ["bounced", "failed"]
    bounced, failed = desk.events(delivery_id)[-2:]
    assert (bounced.evidence["recipient"], bounced.evidence["message_id"]) == (RECIPIENT, message.message_id)
    assert failed.evidence["reason"] == "5.1.1 550 5.1.1 User unknown"
    assert (desk.messages()[0].state.value, desk.state(delivery_id)) == ("bounced", "failed")
    assert desk.portal.browser().get(desk.link()).status_code == 409
    assert come(desk, report(style, message)) is Outcome.TAKEN
    assert len(desk.kinds(delivery_id)) == len(desk.events(delivery_id)) == 6


def test_after_a_bounce_the_dispatcher_goes_on(desk):
    delivery_id = desk.sent()
    [message] = desk.messages()
    come(desk, report("postfix", message))
    desk.do(service.prepare, delivery_id)
    desk.portal.clock.advance(minutes=1)
    desk.do(service.dispatch, delivery_id, config=desk.config)
    desk.portal.work()
    assert desk.state(delivery_id) == "dispatched"
    come(desk, report("postfix", message, diagnostic="late words of the first message"))
    assert (desk.state(delivery_id), desk.kinds(delivery_id)[-1]) == ("dispatched", "bounced")


@on_sqlite
def test_what_was_received_already_stays_received(desk):
    delivery_id = desk.sent()
    browser, where = desk.opened()
    come(desk, report("postfix", desk.messages()[0]))  # whoever showed the code reads the mailbox
    assert (desk.state(delivery_id), desk.kinds(delivery_id)[-1]) == ("dispatched", "bounced")
    for item in desk.items(delivery_id):
        browser.get(f"{where}/files/{item.artifact_id}/{item.artifact.name}", buffered=True)
    assert desk.state(delivery_id) == "delivered"
    come(desk, report("exim", desk.messages()[0]))
    assert (desk.state(delivery_id), desk.kinds(delivery_id)[-1]) == ("delivered", "bounced")


@pytest.mark.parametrize(("action", "event", "state"), [
    ("delayed", "delayed", "delayed"), ("relayed", "message-arrived", "arrived"),
    ("delivered", "message-arrived", "arrived"),
])  # fmt: skip
@on_sqlite
def test_other_words_of_servers_are_noted(desk, action, event, state):
    delivery_id = desk.sent()
    [message] = desk.messages()
    come(desk, report("postfix", message, action=f"{action} (to non-RFC1891 system)", status="2.0.0"))
    assert (desk.kinds(delivery_id)[-1], desk.messages()[0].state.value) == (event, state)
    assert desk.state(delivery_id) == "dispatched"


@pytest.mark.parametrize("facts", [
    {"message_id": "<forged@vendor.example>", "envelope_id": "x"},
    {"message_id": "<forged@vendor.example>", "envelope_id": "0" * 32},
    {"recipient": "somebody@else.example"},
    {"message_id": "", "envelope_id": ""},
])  # fmt: skip
@on_sqlite
def test_a_forged_report_is_put_aside_and_changes_nothing(desk, facts, caplog):
    delivery_id = desk.sent()
    before = desk.kinds(delivery_id)
    assert come(desk, report("postfix", desk.messages()[0], **facts)) is Outcome.ASIDE
    assert (desk.kinds(delivery_id), desk.state(delivery_id)) == (before, "dispatched")
    assert "report <" in caplog.text


@on_sqlite
def test_a_report_without_the_returned_headers_is_known_by_the_envelope(desk):
    delivery_id = desk.sent()
    assert come(desk, report("postfix", desk.messages()[0], message_id="")) is Outcome.TAKEN
    assert desk.state(delivery_id) == "failed"


@on_sqlite
def test_a_report_that_is_quicker_than_our_own_pen_waits(desk):
    desk.ordered()
    with pytest.raises(NotYet):
        come(desk, report("postfix", desk.messages()[0]))


@on_sqlite
def test_a_server_that_repeats_itself_fills_no_ledger(desk):
    delivery_id = desk.sent()
    [message] = desk.messages()
    for number in range(30):
        come(desk, report("postfix", message, action="delayed", status="4.0.0", diagnostic=f"try {number}"))
    assert desk.kinds(delivery_id).count("delayed") == 20


@on_sqlite
def test_automatic_answers_are_ignored(desk):
    delivery_id = desk.sent()
    before = desk.kinds(delivery_id)
    assert come(desk, AUTO_REPLY.format(message_id=desk.messages()[0].message_id).encode()) is Outcome.IGNORED
    assert come(desk, b"From: a@b.example\nPrecedence: bulk\n\nx") is Outcome.IGNORED
    assert come(desk, b"From: a@b.example\nSubject: hello\n\nx") is Outcome.ASIDE
    assert desk.kinds(delivery_id) == before


STATUS = b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n"
BROKEN = {
    "empty": b"",
    "no headers": b"\n\nbody",
    "zeros": bytes(1000),
    "an empty status": STATUS + b"\n--x--",
    "no recipient": STATUS + b"Reporting-MTA: dns; x\n\nAction: failed\n--x--",
    "an unknown action": STATUS + b"Reporting-MTA: dns; x\n\nAction: eaten\nFinal-Recipient: rfc822; a@b\n--x--",
    "nested": b"".join(b"Content-Type: multipart/mixed; boundary=x%d\n\n--x%d\n" % (n, n) for n in range(300)),
    "many parts": b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\nA: b\n\nc\n" * 300,
    "too large": b"From: a@b.example\n\n" + b"x" * (30 * 1024 * 1024),
}
NO_REPORT = {
    "a report without a status": b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: text/plain\n\ny\n",
    "no boundary": b"Content-Type: multipart/report; report-type=delivery-status\n\nx",
    "a bad charset": b"Content-Type: text/plain; charset=\xff\xfe\nSubject: \xff\nTo: <\n\n\xff",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_what_is_no_message_is_refused(content):
    with pytest.raises(BadMessage):
        status_report(read(content))


@pytest.mark.parametrize("content", NO_REPORT.values(), ids=NO_REPORT)
def test_what_is_no_report_is_left_to_others(content):
    assert status_report(read(content)) is None
