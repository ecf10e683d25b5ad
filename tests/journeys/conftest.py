"""A real browser on a running portal: skipped aloud where Chromium is missing; under CI=true that is a failure."""

import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy.engine import Engine
from werkzeug.serving import make_server

from portal.db import connect
from tests.portals import PASSWORD, Portal, open_test_portal

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first is the same engine without a desktop's browser around it, which takes a fifth of the time."""
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PHONE = {"width": 360, "height": 760}
DESKTOP = {"width": 1440, "height": 900}
WAYS = (("ru", PHONE), ("en", DESKTOP))
"""How each page is looked at: both languages, both widths."""
CODE = re.compile(r"^ +(\d{6})\s*$", re.MULTILINE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM:
        return
    if os.environ.get("CI") == "true":
        pytest.exit("Chromium is not installed: under CI=true the journeys must run", returncode=1)
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="Chromium is not installed: the journeys were NOT walked"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield browser
        browser.close()


@pytest.fixture
def running(sqlite_template: Path, tmp_path: Path) -> Iterator["Running"]:
    """A portal that listens on loopback, with SQLite and files."""
    path = tmp_path / "portal.sqlite"
    shutil.copy(sqlite_template, path)
    engine = connect(f"sqlite:///{path}")
    yield from serving(open_test_portal(engine, tmp_path / "portal"), engine)


class Mailbox:
    """What the mail server took, and for whom."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.letters: list[EmailMessage] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - its own name
        self.letters.append(message_from_bytes(bytes(envelope.content or b""), policy=default))
        return "250 OK"

    def about(self, words: str) -> list[tuple[str, str]]:
        """(recipient, subject) of every letter with these words in its subject, in the order in which they came."""
        return [(str(one["To"]), str(one["Subject"])) for one in self.letters if words in one["Subject"]]

    def newest(self, recipient: str, words: str) -> str:
        """The plain text of the newest letter to that address with these words in it."""
        for letter in reversed(self.letters):
            body = letter.get_body(("plain",))
            text = body.get_content() if body else ""
            if recipient in letter["To"] and words in text:
                return text
        raise AssertionError(f"no letter to {recipient} with {words}")

    def code(self, recipient: str) -> str:
        for letter in reversed(self.letters):
            body = letter.get_body(("plain",))
            found = CODE.search(body.get_content()) if body and recipient in letter["To"] else None
            if found:
                return found.group(1)
        raise AssertionError(f"no code for {recipient}")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    box = Mailbox(f"smtp://127.0.0.1:{port}")
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box
    controller.stop()


@pytest.fixture
def writing(sqlite_template: Path, tmp_path: Path, mailbox: Mailbox) -> Iterator["Running"]:
    """A portal that listens on loopback and writes its letters to a mail server."""
    shutil.copy(sqlite_template, tmp_path / "portal.sqlite")
    engine = connect(f"sqlite:///{tmp_path}/portal.sqlite")
    yield from serving(open_test_portal(engine, tmp_path / "portal", mail=mailbox.address), engine)


def serving(portal: Portal, engine: Engine) -> Iterator["Running"]:
    server = make_server("127.0.0.1", 0, portal.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Running(portal, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()
    engine.dispose()


class Running:
    def __init__(self, portal: Portal, address: str) -> None:
        self.portal, self.address = portal, address


class Walker:
    """Somebody at a browser: signs in, goes to pages, and complains of whatever a page does wrong."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address = context, address
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("console", lambda line: line.type == "error" and self.complaints.append(f"console: {line.text}"))

    def sign_in(self, email: str, password: str = PASSWORD) -> None:
        self.go("/sign-in")
        self.page.fill("input[name=email]", email)
        self.page.fill("input[name=password]", password)
        self.page.click("main button[type=submit], main input[type=submit]")
        self.page.wait_for_load_state()

    def turn(self, language: str, viewport: dict[str, int]) -> None:
        """The same person in another language and on another screen, from the next page on."""
        self.context.add_cookies([{"name": "language", "value": language, "url": self.address}])
        self.page.set_viewport_size(viewport)

    def go(self, path: str) -> int:
        answer = self.page.goto(self.address + path)
        assert answer is not None
        return answer.status

    def faults(self) -> list[str]:
        """Accessibility violations, and all that `misfits` finds."""
        found = [
            f"{self.page.url}: {v['id']}: {v['help']}: {[n['html'][:160] for n in v['nodes'][:3]]}"
            for v in Axe().run(self.page).response["violations"]
        ]
        return [*found, *self.misfits()]

    def misfits(self) -> list[str]:
        """Sideways scrolling, script errors and whatever the policy blocked on this page."""
        found = []
        sideways = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if sideways > 0:
            found.append(f"{self.page.url} scrolls {sideways}px sideways at {self.page.viewport_size}")
        return [*found, *(f"{self.page.url}: {complaint}" for complaint in self.complaints)]

    def check(self) -> None:
        faults = self.faults()
        assert not faults, "\n".join(faults)


@pytest.fixture
def walker(chromium: Browser, running: Running) -> Iterator["Walkers"]:
    walkers = Walkers(chromium, running)
    yield walkers
    walkers.close()


class Walkers:
    """Makes browsers: one person each, in a language and at a width."""

    def __init__(self, chromium: Browser, running: "Running") -> None:
        self.chromium, self.running = chromium, running
        self.contexts: list[BrowserContext] = []

    def __call__(self, email: str | None = None, *, language: str = "en", viewport: dict[str, int] = DESKTOP) -> Walker:
        """With `email` somebody who has signed in before; whoever is to do it on the page calls `sign_in`."""
        context = self.chromium.new_context(viewport=viewport, locale=language, accept_downloads=True)
        context.set_default_timeout(15_000)
        self.contexts.append(context)
        if email:
            session = self.running.portal.signed_in(email).get_cookie("portal")
            assert session is not None
            context.add_cookies([{"name": "portal", "value": session.value, "url": self.running.address}])
        walker = Walker(context, self.running.address)
        walker.turn(language, viewport)
        return walker

    def close(self) -> None:
        for context in self.contexts:
            context.close()
