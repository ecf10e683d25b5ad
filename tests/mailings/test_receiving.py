"""The two doors for mail: a pipe with exit codes, and a folder that is looked at every minute."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from portal.mail.inbox import collect
from portal.mailings import bounces
from tests.mailings.reports import AUTO_REPLY, report

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def pipe(desk, content, **changes):
    config = desk.config
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    environment |= {
        "PORTAL_DATA": str(config.data),
        "PORTAL_DATABASE": desk.portal.resources.engine.url.render_as_string(hide_password=False),
        **changes,
    }
    program = Path(sys.executable).with_name("portal")
    return subprocess.run([program, "mail", "receive"], input=content, env=environment, capture_output=True,
                          check=False, timeout=60)  # fmt: skip


def test_the_pipe_answers_as_a_mail_server_expects(desk):
    delivery_id = desk.sent()
    [message] = desk.messages()
    done = pipe(desk, report("postfix", message))
    assert (done.returncode, done.stdout.strip()) == (0, b"taken"), done.stderr
    assert desk.state(delivery_id) == "failed"
    assert pipe(desk, b"\0").returncode == 65
    assert pipe(desk, report("postfix", message), PORTAL_DATABASE="sqlite:////nowhere/x.sqlite").returncode == 75


@pytest.fixture
def inbox(desk, tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    config = replace(desk.config, mail_inbox=str(folder))
    desk.portal.resources = replace(desk.portal.resources, config=config)
    return folder


def put(folder, name, content):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (0, 0))


def held(inbox):
    return {str(path.relative_to(inbox)) for path in inbox.rglob("*") if path.is_file()}


@pytest.mark.parametrize("maildir", [True, False])
def test_each_message_of_the_folder_is_moved_to_where_it_belongs(desk, inbox, maildir):
    delivery_id = desk.sent()
    [message] = desk.messages()
    where = inbox / "new" if maildir else inbox
    put(where, "1.eml", report("exchange", message))
    put(where, "2.eml", b"\0 not a message")
    put(where, "3.eml", report("exim", message, message_id="<foreign@x.example>"))
    put(where, "4.eml", AUTO_REPLY.format(message_id=message.message_id).encode())
    put(inbox, "notes.txt", b"not mail")
    (where / "5.eml").symlink_to("/etc/hostname")
    collect(desk.portal.resources, at=desk.at)
    left = {"notes.txt", "new/5.eml" if maildir else "5.eml"}
    assert held(inbox) == {"done/1.eml", "bad/2.eml", "aside/3.eml", "done/4.eml", *left}
    assert desk.state(delivery_id) == "failed"


def test_what_is_too_early_stays_and_a_name_taken_twice_loses_nothing(desk, inbox):
    desk.ordered()
    put(inbox, "1.eml", report("postfix", desk.messages()[0]))
    collect(desk.portal.resources, at=desk.at)
    assert held(inbox) == {"1.eml"}
    desk.portal.work()
    desk.portal.clock.advance(minutes=1)
    desk.portal.work()
    assert held(inbox) == {"done/1.eml"}
    put(inbox, "1.eml", report("postfix", desk.messages()[0]))
    collect(desk.portal.resources, at=desk.at + timedelta(minutes=1))
    assert held(inbox) == {"done/1.eml", "done/1.eml.2"}


def test_one_message_that_breaks_its_taker_holds_up_no_other(desk, inbox, monkeypatch):
    delivery_id = desk.sent()
    [message] = desk.messages()
    put(inbox, "1.eml", report("exim", message, diagnostic="poison"))
    put(inbox, "2.eml", report("postfix", message))
    note = bounces._note
    monkeypatch.setattr(bounces, "_note", lambda *facts: 1 / 0 if "poison" in facts[3].diagnostic else note(*facts))
    collect(desk.portal.resources, at=desk.at)
    assert held(inbox) == {"1.eml", "done/2.eml"}
    assert desk.state(delivery_id) == "failed"


def test_without_a_folder_nothing_is_done(desk, tmp_path, monkeypatch):
    here = tmp_path / "here"
    put(here, "1.eml", AUTO_REPLY.encode())
    monkeypatch.chdir(here)
    collect(desk.portal.resources, at=desk.at)
    config = replace(desk.config, mail_inbox=str(tmp_path / "not there"))
    collect(replace(desk.portal.resources, config=config), at=desk.at)
    assert held(here) == {"1.eml"}
