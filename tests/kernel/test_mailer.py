"""Letters: sent once, to whom they are meant for, with no header that somebody else wrote."""

import logging
import socket
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from portal.jobs.models import Job
from portal.mail.models import OutgoingMail
from portal.mail.service import post, send
from portal.mail.words import translator
from portal.mailer import BadHeader, FolderMailer, MailUnavailable, SmtpMailer, compose, open_mailer
from tests.portals import START

LETTER = {
    "sender": "portal@vendor.example",
    "recipient": "a@b.example",
    "subject": "Hello",
    "text": "x",
    "identity": "1",
}
ATTACKS = ("\r\nBcc: x@y.example", "\nBcc: x@y.example", "\rBcc: x@y.example", "\0", "a\0b", "\r\n\r\nbody", "\r\n ")


@pytest.mark.parametrize("field", ["sender", "recipient", "subject"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_no_header_holds_a_line_break_or_nul(field, attack):
    with pytest.raises(BadHeader):
        compose(**{**LETTER, field: LETTER[field] + attack})


def test_a_letter_says_who_sent_it_and_that_a_machine_did():
    message = compose(**{**LETTER, "subject": "Привет", "text": "Мост «Юг»\n"})
    read = message_from_bytes(message.as_bytes(), policy=default)
    assert (read["From"], read["To"], read["Subject"]) == (LETTER["sender"], LETTER["recipient"], "Привет")
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["Message-ID"].endswith("@vendor.example>")
    assert read.get_content().splitlines() == ["Мост «Юг»"]
    assert read["Bcc"] is None


def test_a_text_may_hold_anything_and_makes_no_header():
    read = message_from_bytes(
        compose(**{**LETTER, "text": "\r\nBcc: x@y.example\r\n.\r\nMAIL FROM:<x>"}).as_bytes(), policy=default
    )
    assert read["Bcc"] is None


def test_an_address_chooses_the_mailer(tmp_path):
    assert isinstance(open_mailer(f"folder://{tmp_path}"), FolderMailer)
    mailer = open_mailer("smtps://user:p%40ss@mail.example:465")
    assert isinstance(mailer, SmtpMailer)
    assert (mailer.host, mailer.port, mailer.user, mailer.password) == ("mail.example", 465, "user", "p@ss")
    assert mailer.is_tls_from_start


class Sink:
    def __init__(self):
        self.letters = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's own name
        self.letters.append(envelope)
        return "250 OK"


@pytest.fixture
def smtp():
    """A real SMTP server on loopback, without TLS."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(Sink(), hostname="127.0.0.1", port=port)
    controller.start()
    yield port, controller.handler
    controller.stop()


def test_a_letter_reaches_a_real_server(smtp):
    port, sink = smtp
    open_mailer(f"smtp://127.0.0.1:{port}").send(compose(**LETTER))
    (envelope,) = sink.letters
    assert envelope.rcpt_tos == ["a@b.example"]
    assert message_from_bytes(envelope.content, policy=default)["Subject"] == "Hello"


def test_a_password_is_never_sent_in_the_clear(smtp):
    port, sink = smtp
    with pytest.raises(MailUnavailable):
        open_mailer(f"smtp://user:secret@127.0.0.1:{port}").send(compose(**LETTER))
    assert sink.letters == []


def test_a_server_that_is_away_is_said_to_be():
    with pytest.raises(MailUnavailable):
        open_mailer("smtp://127.0.0.1:1").send(compose(**LETTER))


# the outbox


def put(portal, **changes):
    letter = {"key": "event:1", "recipient": "a@b.example", "subject": "Hello", "text": "x", "at": START, **changes}
    with portal.sessions.begin() as session:
        post(session, **letter)


@pytest.mark.parametrize("field", ["recipient", "subject"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_the_outbox_takes_no_such_letter(sessions, field, attack):
    letter = {"key": "k", "recipient": "a@b.example", "subject": "Hello", "text": "x", "at": START}
    with sessions() as session, pytest.raises(BadHeader):
        post(session, **{**letter, field: letter[field] + attack})


def test_a_letter_is_sent_once_per_event_and_recipient(portal):
    put(portal)
    put(portal)
    put(portal, key="event:2")
    portal.work()
    portal.work()
    assert len(portal.mails()) == 2


def test_sending_again_sends_nothing(portal):
    put(portal)
    portal.work()
    with portal.sessions() as session:
        mail_id = session.scalars(select(OutgoingMail.id)).one()
    send(portal.resources, at=START, mail_id=str(mail_id))
    assert len(portal.mails()) == 1


def test_nothing_is_sent_of_what_was_rolled_back(portal):
    with portal.sessions() as session:
        post(session, key="k", recipient="a@b.example", subject="Hello", text="x", at=START)
        session.rollback()
    portal.work()
    assert portal.mails() == []


def test_a_letter_waits_for_a_server_that_is_away(portal, monkeypatch, caplog):
    caplog.set_level(logging.CRITICAL)
    put(portal)
    folder = FolderMailer.send
    monkeypatch.setattr(FolderMailer, "send", lambda *_: (_ for _ in ()).throw(MailUnavailable()))
    portal.work()
    assert portal.mails() == []
    with portal.sessions() as session:
        waiting = session.scalars(select(Job).where(Job.name == "mail.send")).one()
        assert session.scalars(select(OutgoingMail)).one().sent_at is None
    assert "MailUnavailable" in waiting.last_error
    monkeypatch.setattr(FolderMailer, "send", folder)
    portal.clock.at = waiting.run_at
    portal.work()
    assert len(portal.mails()) == 1


def test_words_come_in_the_recipients_language():
    assert translator("ru")("Sign in") == "Войти"
    assert translator("en")("Sign in") == "Sign in"
    assert translator("ru")("never said anywhere") == "never said anywhere"
