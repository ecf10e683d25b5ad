"""A whole portal for a test: its resources, its pages, and people who use them as a browser or a program would."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from flask import Flask, session
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from portal.accounts import passwords, presence
from portal.accounts.models import Person
from portal.accounts.queries import WHOLE_PERSON
from portal.app import create_app
from portal.audit.service import chain_on
from portal.config import Config
from portal.db import sessions_on
from portal.jobs.worker import run_due
from portal.mailer import open_mailer
from portal.object_keys import keep_named
from portal.resources import Resources
from portal.texting import FolderTexter
from signing import KeyFolder
from storage import ObjectStore, open_store
from tests.sparing import TEMPLATES

START = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"
CSRF = "csrf_token"


@dataclass
class Clock:
    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **parts: float) -> None:
        self.at += timedelta(**parts)


class Browser(FlaskClient):
    """A client that fills in a form's CSRF token as a browser does."""

    def get_token(self, page: str = "/sign-in") -> str:
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(page, follow_redirects=True).text)
        assert found, f"no form on {page}"
        return found.group(1)

    def submit(self, address: str, page: str | None = None, **fields: object) -> TestResponse:
        """Post a form of `page` (its own address unless said otherwise).

        All forms of a session carry the same token, so the page is read only where the session has none yet. That
        each form has one is the matter of tests/house/test_templates.py, and of the journeys.
        """
        fields["csrf_token"] = self._session_token() or self.get_token(page or address)
        return self.post(address, data=fields)

    def _session_token(self) -> str | None:
        kept = self.get_cookie(self.application.config["SESSION_COOKIE_NAME"])
        opened = self.application.session_interface.get_signing_serializer(self.application)
        raw = opened.loads(kept.value).get(CSRF) if kept else None
        return URLSafeTimedSerializer(self.application.secret_key, salt="wtf-csrf-token").dumps(raw) if raw else None

    def keep_session(self, make: Callable[[], None]) -> None:
        """Hold the session that `make` makes in a request, as if an answer had brought it."""
        with self.application.test_request_context("/"):
            make()
            session[CSRF] = secrets.token_hex()
            answer = self.application.response_class()
            self.application.session_interface.save_session(self.application, session, answer)
        self._update_cookies_from_response("localhost", "/", answer.headers.getlist("Set-Cookie"))


@dataclass
class Portal:
    """Everything of one running portal; its pages are put together when somebody first asks for one."""

    resources: Resources
    clock: Clock
    folder: Path
    browsers: dict[str, tuple[Browser, datetime]] = field(default_factory=dict)

    @cached_property
    def app(self) -> Flask:
        app = create_app(resources=self.resources)
        app.testing = True
        app.jinja_env.bytecode_cache = TEMPLATES
        app.test_client_class = Browser
        return app

    @property
    def sessions(self):
        return self.resources.sessions

    @property
    def store(self) -> ObjectStore:
        return self.resources.store

    def browser(self) -> Browser:
        """Somebody who has not signed in."""
        return self.app.test_client()  # type: ignore[return-value]

    def signed_in(self, email: str, password: str = PASSWORD) -> Browser:
        """The browser of this person, with the session of a sign-in; the same one until its session has grown old.

        The page itself is tried in tests/accounts/test_sign_in.py; going through it took an eighth of the suite's time.
        """
        browser, since = self.browsers.get(email, (self.browser(), None))
        if since is None or not since <= self.clock() < since + timedelta(hours=1):
            with self.sessions() as rows:
                person = rows.scalars(select(Person).where(Person.email == email).options(*WHOLE_PERSON)).unique().one()
            assert person.is_active
            assert passwords.is_right(person.password_hash, password)
            browser.keep_session(lambda: presence.begin_session(person, self.clock()))
            self.browsers[email] = (browser, self.clock())
        return browser

    def work(self) -> int:
        """Run all due jobs."""
        return run_due(self.resources)

    def mails(self) -> list[str]:
        folder = self.folder / "mail"
        return [path.read_text() for path in sorted(folder.glob("*.eml"), key=lambda p: p.stat().st_mtime_ns)]

    def texts(self) -> list[str]:
        """Text messages, each as `To: +7…`, an empty line and the text."""
        folder = self.folder / "texts"
        return [path.read_text() for path in sorted(folder.glob("*.txt"), key=lambda p: p.stat().st_mtime_ns)]


def open_test_portal(engine: Engine, folder: Path, *, store: str | None = None, **settings: object) -> Portal:
    """A portal on a database that has its schema, with a clock of its own and keys just made."""
    clock = Clock()
    config = Config(
        data=folder,
        secret_key="a secret key for tests only",
        database=str(engine.url),
        store=store or f"file://{folder}/objects",
        keys=str(folder / "keys"),
        key_passphrase="a passphrase for tests only",
        texting=f"folder://{folder}/texts",
        **{"mail": f"folder://{folder}/mail", "worker_in_process": False, **settings},  # type: ignore[arg-type]
    )
    keys = KeyFolder(folder / "keys")
    keys.create(lambda _name: config.key_passphrase, at=clock())
    resources = Resources(
        config=config,
        engine=engine,
        sessions=sessions_on(engine),
        store=open_store(config.store),
        keys=keys,
        mailer=open_mailer(config.mail),
        texter=FolderTexter(folder / "texts"),
        clock=clock,
    )
    keep_named(resources.sessions, resources.store)
    chain_on(resources.sessions)
    return Portal(resources, clock, folder)
