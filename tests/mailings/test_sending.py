"""Letters through real SMTP servers: one that reports, one that is away for a day, one that will never take it."""

import socket
import socketserver
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller

from portal.accounts.models import Organisation
from portal.deliveries.models import Delivery
from portal.mailer import (
    Attachment,
    BadHeader,
    Letter,
    MailRefused,
    MailUnavailable,
    as_html,
    clean,
    compose_letter,
    open_mailer,
)
from portal.mailings import sending
from portal.mailings.models import MessageState
from portal.releases.models import Product
from tests.mailings.conftest import RECIPIENT, link_in

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
LETTER = Letter("a@b.example", "Hello", "text", recipient_name="Ольга", html="<p>text</p>",
                attachments=(Attachment("прошивка «юг».bin", b"\x00\r\n.\r\n\xff"),))  # fmt: skip
ATTACKS = ("\r\nBcc: x@y.example", "\nX: y", "\r", "a\0b")


class Sink:
    """A mail server that takes what `answer` lets it."""

    def __init__(self):
        self.letters, self.answer = [], "250 OK"

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 - aiosmtpd's own name
        if self.answer.startswith("55"):
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's own name
        if self.answer == "250 OK":
            self.letters.append(message_from_bytes(envelope.content, policy=default))
        return self.answer


@pytest.fixture
def smtp():
    controller = Controller(Sink(), hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller
    controller.stop()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def mailer_at(port):
    return open_mailer(f"smtp://127.0.0.1:{port}")


def test_text_comes_first_then_html_and_files_keep_their_names_and_bytes(smtp):
    mailer_at(smtp.port).send(compose_letter(LETTER, sender="portal@vendor.example", identity="1"), envelope_id="1")
    [read] = smtp.handler.letters
    kinds = [part.get_content_type() for part in read.walk()]
    assert kinds == ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/octet-stream"]
    [file] = read.iter_attachments()
    assert (file.get_filename(), file.get_payload(decode=True)) == ("прошивка «юг».bin", b"\x00\r\n.\r\n\xff")
    assert read["To"].addresses[0].display_name == "Ольга"


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_name_makes_a_header(attack):
    for field in ("recipient", "subject", "recipient_name"):
        with pytest.raises(BadHeader):
            compose_letter(replace(LETTER, **{field: "x" + attack}), sender="a@b.example", identity="1")
    with pytest.raises(BadHeader):
        compose_letter(replace(LETTER, attachments=(Attachment("x" + attack, b""),)), sender="a@b", identity="1")
    assert not any(sign in clean("x" + attack) for sign in "\r\n\0")


def test_html_is_only_the_text():
    shown = as_html('<script>x</script>\nhttps://a.example/m/x.\n\n& "q"', "ru")
    assert "&lt;script&gt;" in shown
    assert '<a href="https://a.example/m/x">https://a.example/m/x</a>.' in shown
    assert '<html lang="ru">' in shown
    assert shown.count("<p>") == 2


class Talk(socketserver.StreamRequestHandler):
    """As much of SMTP with DSN (RFC 3461) as one message needs; what was said is kept."""

    def handle(self):
        self.answer("220 x")
        for raw in self.rfile:
            line = raw.decode().strip()
            self.server.said.append(line)
            if line.upper().startswith("EHLO"):
                self.answer("250-x\r\n250 DSN")
            elif line.upper() == "DATA":
                self.answer("354 go")
                for more in self.rfile:
                    if more == b".\r\n":
                        break
                self.answer("250 OK")
            elif line.upper() == "QUIT":
                self.answer("221 bye")
                return
            else:
                self.answer("250 OK")

    def answer(self, words):
        self.wfile.write(words.encode() + b"\r\n")


@contextmanager
def talking():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        server.said = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_server_that_can_is_asked_to_report():
    message = compose_letter(replace(LETTER, recipient="a+b@c.example"), sender="p@v.example", identity="1")
    with talking() as server:
        mailer_at(server.server_address[1]).send(message, envelope_id="a=b")
        mailer_at(server.server_address[1]).send(message)
    mails = [line for line in server.said if line.upper().startswith("MAIL")]
    recipients = [line for line in server.said if line.upper().startswith("RCPT")]
    assert mails[0].endswith("RET=HDRS ENVID=a+3Db")
    assert recipients[0].endswith("NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;a+2Bb@c.example")
    assert ("ENVID" in mails[1], "NOTIFY" in recipients[1]) == (False, False)


@pytest.mark.parametrize(("answer", "error"), [
    ("550 5.1.1 no such user", MailRefused), ("451 4.3.0 later", MailUnavailable), ("552 too large", MailRefused),
])  # fmt: skip
def test_what_is_for_good_is_told_from_what_may_work_later(smtp, answer, error):
    smtp.handler.answer = answer
    with pytest.raises(error):
        mailer_at(smtp.port).send(compose_letter(LETTER, sender="a@b.example", identity="1"))


def by_smtp(desk, port):
    """The desk's portal with a real mail server."""
    desk.portal.resources = replace(desk.portal.resources, mailer=mailer_at(port))
    return desk


@on_sqlite
def test_a_mail_server_that_is_away_for_a_day_loses_nothing(desk, caplog):
    caplog.set_level("CRITICAL")
    port = free_port()
    delivery_id = by_smtp(desk, port).ordered()
    began = desk.at
    for _ in range(30):
        desk.portal.work()
        desk.portal.clock.advance(hours=1)
    [message] = desk.messages()
    assert (message.state, message.waiting_since, desk.state(delivery_id)) == (MessageState.WAITING, began, "prepared")
    assert message.attempts > 12
    page = desk.world.of("dispatcher").get(f"/mailings/{delivery_id}").text
    assert f'datetime="{began.isoformat()}"' in page
    controller = Controller(Sink(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        desk.portal.clock.advance(hours=2)
        desk.portal.work()
    finally:
        controller.stop()
    [letter] = [one for one in controller.handler.letters if one["To"].addresses[0].addr_spec == RECIPIENT
                and "/m/" in one.get_body(("plain",)).get_content()]  # fmt: skip
    assert desk.state(delivery_id) == "dispatched"
    assert desk.links()[0].expires_at == desk.at + timedelta(days=14)
    assert desk.portal.browser().get(link_in(letter)).status_code == 200


@on_sqlite
def test_a_message_that_is_never_taken_is_said_to_be(desk, smtp):
    smtp.handler.answer = "550 5.1.1 no such user\x07"
    delivery_id = by_smtp(desk, smtp.port).ordered()
    desk.portal.work()
    assert desk.state(delivery_id) == "prepared"
    assert desk.events(delivery_id)[-1].evidence["diagnostic"] == "550 5.1.1 no such user"
    assert "550 5.1.1 no such user" in desk.world.of("dispatcher").get(f"/mailings/{delivery_id}").text
    assert desk.portal.browser().get(sent_link(desk)).status_code in (404, 409)


def sent_link(desk):
    [link] = desk.links()
    return f"/m/{sending.links.secret_of(link, desk.config.secret_key)}"


@on_sqlite
def test_a_crash_after_the_servers_word_sends_the_same_message_with_the_same_link(desk, smtp, monkeypatch, caplog):
    caplog.set_level("CRITICAL")
    by_smtp(desk, smtp.port)
    real = sending._note_sent
    monkeypatch.setattr(sending, "_note_sent", lambda *_: (_ for _ in ()).throw(RuntimeError("the power is out")))
    delivery_id = desk.ordered()
    desk.portal.work()
    monkeypatch.setattr(sending, "_note_sent", real)
    desk.portal.clock.advance(minutes=1)
    desk.portal.work()
    first, second = [one for one in smtp.handler.letters if "/m/" in one.get_body(("plain",)).get_content()]
    assert first["Message-ID"] == second["Message-ID"]
    assert link_in(first) == link_in(second)
    assert desk.kinds(delivery_id)[-1] == "dispatched"


@on_sqlite
def test_names_that_attack_are_cleaned_on_their_way(desk, smtp):
    attack = "\r\nBcc: all@x.example"
    delivery_id = by_smtp(desk, smtp.port).ordered()
    recipient = desk.now(delivery_id).recipient
    desk.world.change((Delivery, delivery_id), recipient={**recipient, "name": f"Olga\0{attack}"})
    desk.world.change((Product, desk.world.product.id), name=f"R1{attack}")
    desk.world.change((Organisation, desk.world.alpha.id), name=f"Alpha{attack}")
    desk.portal.work()
    [letter] = [one for one in smtp.handler.letters if "/m/" in one.get_body(("plain",)).get_content()]
    assert (letter["Bcc"], desk.state(delivery_id)) == (None, "dispatched")
    assert letter["To"].addresses[0].display_name == "Olga Bcc: all@x.example"
