"""What a hostile customer, a hostile sender of mail and an impatient finger try on the desk; each once found a way."""

from datetime import timedelta
from io import BytesIO
from time import thread_time

import pytest

from portal.mail.receiving import Outcome
from portal.mail.reports import read
from portal.tickets import attachments
from portal.tickets.desk_models import Contact, Hold, TicketFile, TicketMail
from portal.tickets.letters_in import read_letter, text_of_html
from portal.tickets.models import Ticket, TicketAlarm, TicketChannel, TicketEvent
from tests.portals import START
from tests.tickets.test_incoming import CONTACT, SUPPORT, arrive, desk, holds, mail, rows, sent, thread

__all__ = ["desk"]

SECONDS = 2.0
"""Of this thread alone. Far above what it takes, far below what it took."""


def took(act) -> float:
    began = thread_time()
    act()
    return thread_time() - began


def of_headers(**headers: str):
    given = {"From": CONTACT, "To": SUPPORT, "Message-ID": "<1@x>", **headers}
    raw = ("".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items()) + "\r\nx").encode()
    return read_letter(read(raw), raw)


# Mails that are made to take for ever.


@pytest.mark.parametrize(
    "headers",
    [
        {"From": "," * 100_000},
        {"Cc": "," * 100_000},
        {"Cc": ", ".join(f"p{n}@x.example" for n in range(100_000))},
        {"Content_Type": 'text/plain; name="' + '"' * 100_000},
        {"Content_Disposition": "attachment; " + "a*0=x; " * 15_000},
        {"Subject": "=?utf-8?b?0J7RgtC6?= " * 5_000},
        {"References": "<a@b> " * 20_000},
    ],
    ids=lambda headers: "-".join(f"{name} {value[:6]}" for name, value in headers.items()),
)
def test_no_header_takes_long(headers):
    assert took(lambda: of_headers(**headers)) < SECONDS


@pytest.mark.parametrize(
    "sign", ["<!--", "<!", "<a ", "<a href='", "</", "<![CDATA[", "<?", "<a b=", "<a/", "<b>a</b>"]
)
def test_no_html_takes_long(sign):
    assert took(lambda: text_of_html(sign * (200_000 // len(sign)))) < SECONDS


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("a<script>if (1<2) '</p>'; '<style>'</script >b", "ab"),
        ("a<!-- <p>hidden</p> -->b<!-- for ever", "ab"),
        ("<p>1 &lt; 2 &amp; <i>3</i><p>next", "1 < 2 & 3\nnext"),
        ("<a href='https://x.example/?a=1&amp;b=2'>here</a>", "here (https://x.example/?a=1&b=2)"),
        ("<a href=javascript:steal()>here</a>", "here"),
        ("<svg/>shown", "shown"),
        ("<title>x</title>2 < 3", "2 < 3"),
    ],
)
def test_html_is_read_as_its_reader_reads_it(html, words):
    assert text_of_html(html) == words


# Mails of somebody else.


@pytest.mark.parametrize(
    ("said", "is_refused"),
    [
        ("spf=pass smtp.mailfrom=evil.example; dkim=pass header.d=evil.example; dmarc=none", True),
        ("spf=pass smtp.mailfrom=x@evil.example; dkim=none", True),
        ("spf=none; dkim=pass header.i=@notalpha.example", True),
        ("spf=pass smtp.mailfrom=bounce@evil.example; dkim=pass header.d=alpha.example", False),
        ("spf=pass (mx: domain of olga@alpha.example) smtp.mailfrom=olga@mail.alpha.example", False),
        ("dkim=pass header.d=evil.example; dmarc=pass header.from=alpha.example", False),
        ("spf=none; dkim=none", False),
        ("spf=softfail smtp.mailfrom=alpha.example; dkim=fail", True),
    ],
)
def test_whoever_signs_for_himself_is_not_the_sender(said, is_refused):
    assert of_headers(Authentication_Results=f"mx.desk.example; {said}").is_refused_by_server is is_refused


def test_a_letter_signed_by_another_domain_is_held(desk):
    forged = "mx.desk.example; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=evil.example; dmarc=none"
    assert arrive(desk, mail("FORGED", Authentication_Results=forged)) is Outcome.TAKEN
    assert (holds(desk), rows(desk, Ticket), sent(desk)) == ([Hold.AUTHENTICATION_FAILED], [], [])


def test_a_neighbour_s_engineer_named_as_a_contact_gives_none_of_his_mail(desk):
    """Beta names somebody at Alpha, whom the desk does not know yet."""
    form = {"name": "Mole", "email": "nina@alpha.example", "phones": "+7 916 111 22 33", "language": "ru"}
    assert desk.of("beta").submit("/contacts/new", **form).status_code == 303
    assert arrive(desk, mail("Secret words", sender="nina@alpha.example")) is Outcome.TAKEN
    assert (holds(desk), rows(desk, Ticket), sent(desk)) == ([Hold.SEVERAL_CUSTOMERS], [], [])
    arrive(desk, mail("Still hers"))
    assert thread(desk)[0] == "Still hers"


def test_nobody_s_mail_is_swallowed_because_another_used_its_id_first(desk):
    arrive(desk, mail("first", sender="mallory@evil.example", Message_ID="<known@alpha.example>"))
    for _ in range(2):
        assert arrive(desk, REAL) is Outcome.TAKEN
    assert thread(desk)[0] == "The real one"
    assert len(rows(desk, TicketMail)) == 2
    assert len(rows(desk, Ticket)) == 1


REAL = mail("The real one", Message_ID="<known@alpha.example>")


# A clock that goes wrong.


def test_a_host_clock_set_back_and_forth_calls_nobody_twice_and_breaks_no_promise(desk):
    number = desk.open(channel=TicketChannel.TELEPHONE)
    for minutes in (21, 5, -90, 21, 22):
        desk.portal.clock.at = START + timedelta(minutes=minutes)
        desk.portal.work()
    assert [row.rung for row in rows(desk, TicketAlarm)] == ["warning"]
    desk.portal.clock.at = START - timedelta(minutes=90)
    desk.answer(number, body="We are at it.")
    page = desk.of("tsc").get(f"/tickets/{number}").text
    assert "Kept in time" in page
    desk.portal.clock.at = START + timedelta(minutes=31)
    desk.portal.work()
    assert len([row for row in rows(desk, TicketAlarm) if row.measure == "response"]) == 1


# Double clicks, and things of others in what is sent.


def test_what_is_sent_twice_is_done_once(desk):
    number, tsc = desk.open(), desk.of("tsc")
    page = f"/tickets/{number}"
    desk.answer(number, body="Two things")
    said = rows(desk, TicketEvent, TicketEvent.body == "Two things")[0]
    token = {"csrf_token": tsc.get_token(page)}
    split = [tsc.post(f"{page}/split/{said.id}", data={**token, "title": "Other"}).location for _ in range(2)]
    assert split == ["/tickets/T-000002"] * 2
    for _ in range(2):
        assert tsc.post(f"{page}/note", data={**token, "note-body": "N", "note-submission": "1"}).status_code == 303
        tsc.post(f"{page}/files", data={**token, "file": (BytesIO(b"x"), "x.txt")})
    again = tsc.post(f"{page}/note", data={**token, "note-body": "Other words", "note-submission": "1"})
    assert (again.status_code, "Other words" in again.text) == (422, True)
    assert len(rows(desk, TicketEvent, TicketEvent.body == "N")) == 1
    assert len(rows(desk, TicketFile)) == 1
    assert len(rows(desk, Ticket)) == 2
    form = {**token, "customer": "ALPHA", "name": "Ann", "phones": "+7 916 111 22 33", "language": "ru"}
    assert [tsc.post("/contacts/new", data=form).status_code for _ in range(2)] == [303, 303]
    assert len(rows(desk, Contact, Contact.name == "Ann")) == 1
    third = tsc.post(f"{page}/split/{said.id}", data={**token, "title": "A third thing"})
    assert third.location == "/tickets/T-000003"


def test_a_customer_reaches_nothing_of_another_by_what_it_sends(desk):
    """Addresses are in the access table; these are ids and words within forms."""
    number, foreign = desk.open(), desk.open("beta")
    with desk.begin() as session:
        contact = session.query(Contact).one()
        received = desk.portal.store.receive(BytesIO(b"hers"), limit_bytes=9)
        ticket, new = desk.ticket(session, number), attachments.NewFile("hers.txt", received)
        file = attachments.attach(session, ticket, new, by=desk.actors["alpha"], at=START)
    beta, token = desk.of("beta"), {"csrf_token": desk.of("beta").get_token("/tickets")}
    before = len(rows(desk, TicketEvent))
    for path, fields, status in (
        (f"/tickets/{foreign}/participants", {"email": CONTACT}, 422),
        (f"/tickets/{foreign}/participants", {"email": desk.people["alpha"].email}, 422),
        (f"/tickets/{foreign}/participants", {"email": "a\x00@b"}, 422),
        (f"/tickets/{foreign}/merge", {"into": number}, 403),
        (f"/tickets/{foreign}/state", {"step": "resolve"}, 403),
        (f"/tickets/{foreign}/files", {"internal": "1", "file": (BytesIO(b"x"), "x")}, 403),
        (f"/contacts/{contact.id}", {"name": "Mine"}, 404),
        ("/tickets/T-999999999999/answer", {"body": "x"}, 404),
    ):
        assert beta.post(path, data={**token, **fields}).status_code == status, path
    for path in (f"/tickets/{foreign}/files/{file.id}", f"/api/v1/tickets/{foreign}/files/{file.id}"):
        assert beta.get(path).status_code == 404
    wanted = {"title": "x", "body": "x", "customer": "ALPHA"}
    assert beta.post("/api/v1/tickets", json=wanted, headers={"X-CSRFToken": token["csrf_token"]}).status_code == 422
    assert len(rows(desk, TicketEvent)) == before
    form = {"kind": "incident", "severity": "major", "product": "core", "title": "Mine", "body": "x",
            "customer": "ALPHA", "channel": "telephone", "submission": "s"}  # fmt: skip
    made = beta.post("/tickets/new", data={**token, **form}).location
    assert "telephone" not in beta.get(made).text.lower()
    assert desk.of("alpha").get(made).status_code == 404
