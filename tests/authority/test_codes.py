"""One-time codes: guessed, reused, late, raced for, and forgotten by the outbox."""

import json
import logging
import re
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.authority.codes import CheckReason, Reach, check_code, latest, send_code
from portal.authority.errors import TooManyCodes
from portal.authority.models import CodeChannel, CodePurpose, OneTimeCode
from portal.jobs.models import Job
from portal.mail.models import OutgoingMail, OutgoingText
from portal.texting import FolderTexter, GatewayTexter, NoTexter, TextsUnavailable, open_texter
from tests.portals import START

KEY = "a secret key for tests only"
BY_MAIL = Reach(CodeChannel.EMAIL, "irina@bridge.example", "ru", "Ирина")
BY_PHONE = Reach(CodeChannel.PHONE, "+79161231234", "en", "Irina")
LINK = CodePurpose.EMAIL_LINK


def send(sessions, subject_id, *, reach=BY_MAIL, at=START, purpose=LINK) -> str:
    """The code, read from the outbox as nobody else can."""
    with sessions.begin() as session:
        row = send_code(session, purpose, subject_id, reach=reach, about="delivery\r\nD-17", secret_key=KEY, at=at)
        table = OutgoingText if reach.channel is CodeChannel.PHONE else OutgoingMail
        text = session.scalars(select(table.text).where(table.key == f"one-time-code:{row.id}")).one()
    return re.search(r"\b\d{6}\b", text).group()


def check(sessions, subject_id, code, *, at=START, key=KEY, purpose=LINK):
    with sessions.begin() as session:
        return check_code(session, purpose, subject_id, code, secret_key=key, at=at)


def wrong(code):
    return f"{(int(code) + 1) % 10**6:06}"


def test_a_code_is_right_once_and_only_for_what_it_was_sent_for(sessions):
    subject_id, other = uuid4(), uuid4()
    code, others = send(sessions, subject_id), send(sessions, other)
    assert check(sessions, uuid4(), code).reason is CheckReason.NONE
    assert check(sessions, subject_id, code, purpose=CodePurpose.HAND_OVER).reason is CheckReason.NONE
    assert check(sessions, subject_id, code, key="another secret key").reason is CheckReason.WRONG
    if others != code:
        assert check(sessions, subject_id, others).reason is CheckReason.WRONG
    assert check(sessions, subject_id, f" {code[:3]}-{code[3:]} ").is_right
    assert check(sessions, subject_id, code).reason is CheckReason.USED_UP


@pytest.mark.parametrize("typed", ["", " ", "\0", "١٢٣٤٥٦", "\ud800", "9" * 10_000, "123456\0", "None", "-1"])
def test_nonsense_is_a_wrong_code(sessions, typed):
    subject_id = uuid4()
    code = send(sessions, subject_id)
    assert code != "123456" or typed != "١٢٣٤٥٦"
    assert check(sessions, subject_id, typed).reason is CheckReason.WRONG


def test_five_tries_and_the_right_code_is_worth_nothing(sessions):
    subject_id = uuid4()
    code = send(sessions, subject_id)
    left = [check(sessions, subject_id, wrong(code)).tries_left for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    assert check(sessions, subject_id, code).reason is CheckReason.USED_UP
    assert check(sessions, subject_id, send(sessions, subject_id)).is_right


def test_ten_minutes(sessions):
    subject_id = uuid4()
    code = send(sessions, subject_id)
    assert check(sessions, subject_id, code, at=START + timedelta(minutes=10)).reason is CheckReason.EXPIRED
    assert check(sessions, subject_id, code, at=START + timedelta(minutes=9, seconds=59)).is_right


def test_a_new_code_ends_the_former_one(sessions):
    subject_id = uuid4()
    first, second = send(sessions, subject_id), send(sessions, subject_id)
    if first != second:
        assert check(sessions, subject_id, first).reason is CheckReason.WRONG
    assert check(sessions, subject_id, second).is_right
    assert check(sessions, subject_id, first).reason is CheckReason.USED_UP


def test_five_codes_an_hour_and_fifteen_a_day_for_each_subject(sessions):
    subject_id = uuid4()
    for _ in range(5):
        send(sessions, subject_id)
    with pytest.raises(TooManyCodes) as refused:
        send(sessions, subject_id)
    assert refused.value.facts["retry_after"] == 3600
    send(sessions, uuid4())
    for hour in (1, 2):
        for _ in range(5):
            send(sessions, subject_id, at=START + timedelta(hours=hour))
    with pytest.raises(TooManyCodes) as refused:
        send(sessions, subject_id, at=START + timedelta(hours=20))
    assert refused.value.facts["retry_after"] == 4 * 3600


def test_two_who_try_the_right_code_at_once(sessions):
    for _ in range(5):
        subject_id = uuid4()
        code, start, answers = send(sessions, subject_id), threading.Barrier(2), []

        def attempt(subject_id=subject_id, code=code, start=start, answers=answers):
            start.wait()
            answers.append(check(sessions, subject_id, code).reason)

        both = [threading.Thread(target=attempt) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert sorted(answers) == [CheckReason.RIGHT, CheckReason.USED_UP]


@pytest.mark.parametrize(("reach", "masked"), [(BY_MAIL, "i…@bridge.example"), (BY_PHONE, "+7 … 12-34")])
def test_nothing_but_the_message_knows_the_code_and_it_forgets(portal, reach, masked, caplog):
    caplog.set_level(logging.DEBUG)
    subject_id = uuid4()
    code = send(portal.sessions, subject_id, reach=reach)
    with portal.sessions() as session:
        row = latest(session, LINK, subject_id)
        assert row.masked == masked
        kept = [str(vars(one)) for one in (*session.scalars(select(Job)), *session.scalars(select(OneTimeCode)))]
    assert not any(re.search(rf"\b{code}\b", text) for text in kept)
    portal.work()
    said = portal.mails() if reach is BY_MAIL else portal.texts()
    assert len(said) == 1
    with portal.sessions() as session:
        table = OutgoingMail if reach is BY_MAIL else OutgoingText
        assert [(row.text, row.sent_at) for row in session.scalars(select(table))] == [("", START)]
    assert not re.search(rf"\b{code}\b", caplog.text)


@pytest.mark.parametrize("reach", [BY_MAIL, BY_PHONE])
def test_a_code_whose_time_is_over_is_not_sent_any_more(portal, reach):
    send(portal.sessions, uuid4(), reach=reach)
    portal.clock.advance(minutes=10)
    portal.work()
    assert (portal.mails(), portal.texts()) == ([], [])
    with portal.sessions() as session:
        table = OutgoingMail if reach is BY_MAIL else OutgoingText
        assert [(row.text, row.sent_at) for row in session.scalars(select(table))] == [("", None)]


# text messages


class Gateway(BaseHTTPRequestHandler):
    got: list = []  # noqa: RUF012 - one gateway at a time
    answers = 202

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, self.headers["Authorization"], json.loads(body)))
        self.send_response(self.answers)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def gateway():
    server = HTTPServer(("127.0.0.1", 0), Gateway)
    Gateway.got, Gateway.answers = [], 202
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://:s%40cret@127.0.0.1:{server.server_port}/send?from=portal"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_gateway_gets_number_text_and_secret(gateway):
    texter = open_texter(gateway)
    texter.send("+79161231234", "Код 1\r\n", identity="1")
    assert Gateway.got == [("/send?from=portal", "Bearer s@cret", {"to": "+79161231234", "text": "Код 1\r\n"})]
    for answer in (302, 400, 401, 503):
        Gateway.answers = answer
        with pytest.raises(TextsUnavailable):
            texter.send("+79161231234", "x", identity="2")
    assert len(Gateway.got) == 5  # nobody followed the redirection with the secret
    texter.pool.clear()


def test_an_address_chooses_the_texter(tmp_path):
    assert isinstance(open_texter(f"folder://{tmp_path}"), FolderTexter)
    assert isinstance(open_texter(""), NoTexter)
    away = open_texter("http://127.0.0.1:1/")
    assert isinstance(away, GatewayTexter)
    for texter in (away, open_texter("")):
        with pytest.raises(TextsUnavailable):
            texter.send("+79161231234", "x", identity="1")
