from dataclasses import replace
from email import message_from_string
from email.policy import default

import pytest
from sqlalchemy import func, select

from portal.mail.models import OutgoingMail
from portal.mail.receiving import Outcome, receive
from portal.mail.reports import BadMessage
from portal.tickets import contacts, participants, reply_addresses, service
from portal.tickets.desk_models import Hold, MailState, TicketFile, TicketMail
from portal.tickets.incoming import MOST_PER_TICKET
from portal.tickets.models import Ticket, TicketEvent
from portal.tickets.timing import clock_of
from tests.portals import START

SUPPORT = "support@desk.example"
CONTACT = "olga@alpha.example"


@pytest.fixture
def desk(world):
    """The world with a support address and a contact without a sign-in."""
    portal = world.portal
    config = replace(portal.resources.config, support_address=SUPPORT, mail_from="desk@desk.example")
    portal.resources = portal.app.extensions["portal"] = replace(portal.resources, config=config)
    with world.begin() as session:
        facts = contacts.ContactFacts("Olga Contact", "+7 495 111-22-33", CONTACT, language="ru")
        contacts.save(session, session.merge(world.alpha), None, facts, by=world.actors["tsc"], at=START)
    return world


def mail(body="It flaps.", sender=CONTACT, to=SUPPORT, number=[0], **headers):  # noqa: B006 - a counter
    number[0] += 1
    given = {"From": sender, "To": to, "Subject": "Link flaps", "Message-ID": f"<m{number[0]}@x.example>", **headers}
    return ("".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items()) + "\r\n" + body).encode()


def arrive(desk, content):
    return receive(desk.portal.resources, content, at=desk.portal.clock())


def rows(desk, kind, *where):
    with desk.portal.sessions() as session:
        return session.scalars(select(kind).where(*where)).all()


def thread(desk, number=1):
    with desk.portal.sessions() as session:
        found = select(TicketEvent).join(Ticket, Ticket.id == TicketEvent.ticket_id).where(Ticket.number == number)
        return [event.body for event in session.scalars(found.order_by(TicketEvent.sequence)) if event.body]


def sent(desk):
    desk.portal.work()
    return [message_from_string(text, policy=default) for text in desk.portal.mails()]


def holds(desk):
    return [row.hold for row in rows(desk, TicketMail, TicketMail.state == MailState.HELD)]


def reply(desk, to=CONTACT, number="T-000001"):
    return reply_addresses.reply_address(SUPPORT, desk.portal.resources.config.secret_key, number, to)


def test_a_conversation_by_mail(desk):
    assert arrive(desk, mail("It flaps.\r\nBadly.")) is Outcome.TAKEN
    [ticket] = rows(desk, Ticket)
    assert (ticket.title, ticket.channel.value, ticket.caller) == ("Link flaps", "email", "Olga Contact")
    [receipt] = sent(desk)
    assert (receipt["To"], receipt["Auto-Submitted"], receipt["X-Loop"]) == (CONTACT, "auto-replied", SUPPORT)
    assert "T-000001" in receipt["Subject"]
    with desk.portal.sessions() as session:
        found = desk.ticket(session, "T-000001")
        events = session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == found.id)).all()
        assert all(reading.stopped_at is None for reading in clock_of(session, found, events, at=START).values())
    desk.answer("T-000001", body="Which port?")
    answer = sent(desk)[-1]
    assert "Which port?" in answer.get_content()
    assert "Центр" in answer.get_content() or "поддержк" in answer.get_content()  # in the contact's language
    back = mail("Port 1.\r\n\r\n> Which port?\r\n", to=answer["Reply-To"], References=answer["References"])
    assert arrive(desk, back) is Outcome.TAKEN
    assert thread(desk)[-1] == "Port 1."
    bare = mail("And 2.", References=answer["References"])
    assert arrive(desk, bare) is Outcome.TAKEN
    assert thread(desk)[-1] == "And 2."
    assert len(rows(desk, Ticket)) == 1
    assert len(sent(desk)) == 2  # nobody gets a receipt for an answer


def test_a_message_counts_once(desk):
    content = mail()
    assert [arrive(desk, content) for _ in range(3)] == [Outcome.TAKEN] * 3
    assert len(rows(desk, Ticket)) == 1
    assert len(sent(desk)) == 1
    arrive(desk, mail(Message_ID=""))
    assert len(rows(desk, Ticket)) == 2


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"sender": "mallory@evil.example"}, Hold.UNKNOWN_SENDER),
        ({"sender": "a@x.example, b@x.example"}, Hold.UNKNOWN_SENDER),
        ({"to": "support+T-000001.00000000000000000000@desk.example"}, Hold.FORGED_ADDRESS),
        ({"to": "of another"}, Hold.FORGED_ADDRESS),
        ({"sender": "beta"}, Hold.UNKNOWN_SENDER),
        ({"sender": "tsc", "to": SUPPORT}, Hold.UNKNOWN_SENDER),
        ({"Authentication_Results": "mx.desk.example; dmarc=fail (p=reject)"}, Hold.AUTHENTICATION_FAILED),
    ],
)
def test_what_may_be_forged_is_held_and_never_posted(desk, facts, why):
    number = desk.open()
    if facts.get("sender") in desk.people:
        facts = {"to": reply(desk, desk.people[facts["sender"]].email), **facts,
                 "sender": desk.people[facts["sender"]].email}  # fmt: skip
    if facts.get("to") == "of another":
        facts = {"to": reply(desk, desk.people["alpha"].email)}
    before = thread(desk)
    assert arrive(desk, mail("FORGED WORDS", **facts)) is Outcome.TAKEN
    assert holds(desk) == [why]
    assert thread(desk) == before
    assert len(rows(desk, Ticket)) == 1
    assert sent(desk) == []
    assert "FORGED" not in desk.of("alpha").get(f"/tickets/{number}").text


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"Auto-Submitted": "auto-generated"},
        {"Precedence": "bulk"},
        {"List-Id": "<all.x.example>"},
        {"X-Autoreply": "yes"},
        {"Return-Path": "<>"},
        {"X-Loop": SUPPORT},
        {"From": SUPPORT},
        {"From": f"Desk <support+x@{SUPPORT.partition('@')[2]}>"},
    ],
)
def test_machines_get_no_answer_and_open_no_ticket(desk, headers):
    assert arrive(desk, mail(**headers)) is Outcome.IGNORED
    assert rows(desk, Ticket) == []
    assert sent(desk) == []


def test_a_mail_to_somebody_else_is_not_ours(desk):
    assert arrive(desk, mail(to="sales@desk.example")) is Outcome.ASIDE
    assert rows(desk, TicketMail) == []


def test_a_flood_is_held(desk):
    arrive(desk, mail())
    for _ in range(MOST_PER_TICKET + 3):
        arrive(desk, mail(to=reply(desk)))
    assert set(holds(desk)) == {Hold.TOO_MANY}
    assert len(holds(desk)) == 4  # the first of all counts too
    desk.portal.clock.advance(hours=1, minutes=1)
    arrive(desk, mail("Later.", to=reply(desk)))
    assert thread(desk)[-1] == "Later."


def test_a_message_to_a_thousand_makes_nobody_follow(desk):
    colleague = desk.people["alpha2"].email
    many = ", ".join([colleague, *(f"p{n}@x.example" for n in range(1000))])
    arrive(desk, mail(Cc=many))
    arrive(desk, mail(Cc=f"{colleague}, stranger@x.example, {desk.people['beta'].email}"))
    with desk.portal.sessions() as session:
        follow = [{one.email for one in participants.followers(session, desk.ticket(session, f"T-00000{n}"))}
                  for n in (1, 2)]  # fmt: skip
    assert follow == [{CONTACT}, {CONTACT, colleague}]
    assert len(sent(desk)) == 2


def test_files_and_the_whole_message_are_kept(desk):
    parts = ('--x\r\nContent-Type: text/html\r\n\r\n<p>See <script>steal()</script>log</p>\r\n'
             '--x\r\nContent-Type: text/html; name="../evil.html"\r\nContent-Disposition: attachment\r\n\r\n'
             '<script>steal()</script>\r\n--x--\r\n')  # fmt: skip
    content = mail(parts, Content_Type='multipart/mixed; boundary="x"')
    arrive(desk, content)
    assert thread(desk)[0] == "See log"
    files = {row.name: row for row in rows(desk, TicketFile)}
    assert {name: row.is_internal for name, row in files.items()} == {"evil.html": False, "message.eml": True}
    with desk.portal.store.open_range(files["message.eml"].key) as stored:
        assert stored.read() == content
    answer = desk.of("alpha").get(f"/tickets/T-000001/files/{files['evil.html'].id}")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert desk.of("alpha").get(f"/tickets/T-000001/files/{files['message.eml'].id}").status_code == 404


def test_thirty_megabytes_are_the_limit(desk):
    large = mail() + b"x" * (30 << 20)
    with pytest.raises(BadMessage):
        arrive(desk, large)
    assert arrive(desk, large[: 29 << 20]) is Outcome.TAKEN
    assert len(thread(desk)[0]) < 20_000


def test_a_closed_ticket_is_not_opened_by_mail(desk):
    number = desk.open()
    with desk.begin() as session:
        service.change_state(
            session, desk.ticket(session, number), service.Step.CLOSE, by=desk.actors["alpha"], at=START
        )
    arrive(desk, mail(sender=desk.people["alpha"].email, to=reply(desk, desk.people["alpha"].email)))
    assert holds(desk) == [Hold.TICKET_CLOSED]


def test_held_mail_is_posted_opened_or_discarded_by_a_person(desk):
    number, tsc = desk.open(), desk.of("tsc")
    for word in ("one", "two", "three"):
        arrive(desk, mail(f"Held {word} <script>steal()</script>", sender="new@alpha.example", Subject=word))
    listed = tsc.get("/desk/mail").text
    assert all(word in listed for word in ("one", "two", "three", "new@alpha.example"))
    ids = {row.subject: row.id for row in rows(desk, TicketMail)}
    page = f"/desk/mail/{ids['one']}"
    assert "&lt;script&gt;" in tsc.get(page).text
    wrong = {"post-number": number, "post-email": desk.people["beta"].email}
    assert tsc.submit(f"{page}/post", page=page, **wrong).status_code == 422
    right = {"post-number": number, "post-email": CONTACT}
    assert tsc.submit(f"{page}/post", page=page, **right).status_code == 303
    assert thread(desk)[-1].startswith("Held one")
    assert tsc.submit(f"{page}/discard", page="/desk/mail").status_code == 409
    two = f"/desk/mail/{ids['two']}"
    assert tsc.submit(f"{two}/open", page=two, **{"open-customer": "NOBODY"}).status_code == 422
    answer = tsc.submit(f"{two}/open", page=two, **{"open-customer": "ALPHA"})
    assert answer.location == "/tickets/T-000002"
    assert "new@alpha.example" in tsc.get(answer.location).text
    three = f"/desk/mail/{ids['three']}"
    assert tsc.submit(f"{three}/discard", page=three).status_code == 303
    assert holds(desk) == []
    assert len(rows(desk, Ticket)) == 2
    assert sent(desk) == []


def test_two_processes_with_the_same_message(desk, monkeypatch):
    monkeypatch.setattr("portal.tickets.incoming._is_known", lambda *_: False)
    content = mail()
    assert [arrive(desk, content) for _ in range(2)] == [Outcome.TAKEN] * 2
    with desk.portal.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Ticket)) == 1
        assert session.scalar(select(func.count()).select_from(OutgoingMail)) == 1
