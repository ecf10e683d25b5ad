"""The configuration: read once from the environment, frozen, and complete about what is wrong with it."""

import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from portal.zones import time_zones
from storage import InvalidAddress, check_address

T = TypeVar("T")

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
LANGUAGES = ("en", "ru")
_ADDRESS = re.compile(r"[^\s\0@]+@[^\s\0@]+")
LEAST_GRACE = timedelta(days=2)
"""An upload relies on bytes that it finds in the store when they came within a day (`storage.contract.FRESH`)."""


class Downloads(StrEnum):
    """How bytes leave: through the portal, through nginx by `X-Accel-Redirect`, or straight from S3."""

    PORTAL = "portal"
    ACCEL = "accel"
    PRESIGNED = "presigned"


@dataclass(frozen=True)
class Config:
    """Every setting of the portal, with what an embedded portal uses where nothing is said.

    `store` is an object store address (`file:///…` or `s3://bucket/prefix?endpoint=…`), `keys` a folder of encrypted
    PEM keys or a key address (`awskms:`, `hsm:`), `mail` an address `folder:///…` or `smtp://user:secret@host:port`,
    `texting` one of `folder:///…` or `https://:secret@gateway/path`; empty: no text messages. `mail_inbox` is the
    folder where mail comes in; empty: none comes. `support_address` is where customers write to the service desk, and
    `support+…` there its reply addresses; empty: no ticket by e-mail. `old_secret_key` is the one before
    `secret_key`; empty: there was none, or nothing is under it any more.
    """

    data: Path
    secret_key: str
    database: str
    store: str
    keys: str
    key_passphrase: str
    mail: str
    old_secret_key: str = ""
    mail_from: str = "portal@localhost"
    mail_inbox: str = ""
    support_address: str = ""
    texting: str = ""
    base_url: str = "http://127.0.0.1:8000"
    vendor_time_zone: str = "UTC"
    default_language: str = "en"
    downloads: Downloads = Downloads.PORTAL
    accel_prefix: str = "/_objects/"
    max_artifact_bytes: int = 8 * GIB
    max_downloads: int = 96
    unnamed_objects_for: timedelta = timedelta(days=30)
    max_attachment_bytes: int = 25 * MIB
    max_mailed_file_bytes: int = 10 * MIB
    link_for: timedelta = timedelta(days=14)
    receipt_reminders_every: timedelta = timedelta(days=5)
    second_person_approves: bool = True
    notes_languages: tuple[str, ...] = ("en", "ru")
    presigned_for: timedelta = timedelta(minutes=5)
    session_for: timedelta = timedelta(hours=12)
    worker_in_process: bool = True
    behind_proxies: int = 0
    demo: bool = False

    @property
    def is_https(self) -> bool:
        return self.base_url.startswith("https://")


class ConfigError(Exception):
    """Everything that is missing or malformed, all at once: `problems` is a list of `(variable, what is wrong)`."""

    code = "configuration"

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{variable}: {problem}" for variable, problem in problems))
        self.problems = problems


def from_environment(environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration that the `PORTAL_*` variables describe.

    Raises ConfigError naming every missing or malformed variable, and every `PORTAL_*` variable that means nothing.
    """
    reader = _Reader(environ)
    data = reader.value("PORTAL_DATA", lambda text: Path(text).absolute(), Path("data").absolute())
    production = reader.value("PORTAL_PRODUCTION", _boolean, default=False)
    database = reader.value("PORTAL_DATABASE", _database, None if production else f"sqlite:///{data}/portal.sqlite")
    config = Config(
        data=data,
        secret_key=reader.value("PORTAL_SECRET_KEY", _secret, None if production else _kept_secret(data, "secret-key")),
        old_secret_key=reader.value("PORTAL_OLD_SECRET_KEY", _secret, ""),
        database=database,
        store=reader.value("PORTAL_STORE", _store, None if production else f"file://{data}/objects"),
        keys=reader.value("PORTAL_KEYS", str, f"{data}/keys"),
        key_passphrase=reader.value(
            "PORTAL_KEY_PASSPHRASE", _secret, None if production else _kept_secret(data, "key-passphrase")
        ),
        mail=reader.value("PORTAL_MAIL", _mail, None if production else f"folder://{data}/mail"),
        mail_from=reader.value("PORTAL_MAIL_FROM", _address, "portal@localhost"),
        texting=reader.value("PORTAL_TEXTING", _texting, "" if production else f"folder://{data}/texts"),
        mail_inbox=reader.value("PORTAL_MAIL_INBOX", lambda text: str(Path(text).absolute()), ""),
        support_address=reader.value("PORTAL_SUPPORT_ADDRESS", lambda text: _address(text).lower(), ""),
        base_url=reader.value("PORTAL_BASE_URL", _base_url, None if production else "http://127.0.0.1:8000"),
        vendor_time_zone=reader.value("PORTAL_TIME_ZONE", _time_zone, "UTC"),
        default_language=reader.value("PORTAL_LANGUAGE", _language, "en"),
        **_limits(reader),
        second_person_approves=reader.value("PORTAL_SECOND_PERSON_APPROVES", _boolean, default=True),
        notes_languages=reader.value("PORTAL_NOTES_LANGUAGES", _languages, ("en", "ru")),
        presigned_for=reader.value("PORTAL_PRESIGNED_SECONDS", _presigned, timedelta(minutes=5)),
        session_for=reader.value("PORTAL_SESSION_HOURS", lambda t: timedelta(hours=_positive(t)), timedelta(hours=12)),
        worker_in_process=reader.value("PORTAL_WORKER_IN_PROCESS", _boolean, default=not production),
        behind_proxies=reader.value("PORTAL_BEHIND_PROXIES", _count, 0),
        demo=reader.value("PORTAL_DEMO", _boolean, default=False),
    )
    reader.finish()
    return config


def _limits(reader: "_Reader") -> dict[str, Any]:
    """How files leave, how large and for how long."""
    return {
        "downloads": reader.value("PORTAL_DOWNLOADS", Downloads, Downloads.PORTAL),
        "accel_prefix": reader.value("PORTAL_ACCEL_PREFIX", _url_path, "/_objects/"),
        "max_artifact_bytes": reader.value("PORTAL_MAX_ARTIFACT_BYTES", _positive, 8 * GIB),
        "max_downloads": reader.value("PORTAL_MAX_DOWNLOADS", _positive, 96),
        "max_attachment_bytes": reader.value("PORTAL_MAX_ATTACHMENT_BYTES", _positive, 25 * MIB),
        "max_mailed_file_bytes": reader.value("PORTAL_MAX_MAILED_FILE_BYTES", _positive, 10 * MIB),
        "unnamed_objects_for": reader.value("PORTAL_UNNAMED_OBJECTS_DAYS", _days_of_grace, timedelta(days=30)),
        "link_for": reader.value("PORTAL_LINK_DAYS", _days, timedelta(days=14)),
        "receipt_reminders_every": reader.value("PORTAL_RECEIPT_REMINDER_DAYS", _days, timedelta(days=5)),
    }


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.seen: set[str] = set()
        self.problems: list[tuple[str, str]] = []

    def value(self, name: str, parse: Callable[[str], T], default: T | Callable[[], T] | None) -> T:
        self.seen.add(name)
        text = self.environ.get(name)
        if text is None or not text.strip():
            if default is None:
                self.problems.append((name, "is required in production"))
                return default  # type: ignore[return-value] # never reaches a Config: finish() raises
            return default() if callable(default) else default
        try:
            return parse(text.strip())
        except OverflowError:
            self.problems.append((name, "is too large"))
            return None  # type: ignore[return-value] # never reaches a Config: finish() raises
        except ValueError as error:
            self.problems.append((name, str(error)))
            return None  # type: ignore[return-value] # never reaches a Config: finish() raises

    def finish(self) -> None:
        for name in sorted(self.environ):
            if name.startswith("PORTAL_") and name not in self.seen and not name.startswith("PORTAL_TEST_"):
                self.problems.append((name, "is not a setting of the portal"))
        if self.problems:
            raise ConfigError(self.problems)


def _kept_secret(data: Path, name: str) -> Callable[[], str]:
    """A secret of the embedded portal, made at the first start and kept readable by its owner alone."""

    def read_or_make() -> str:
        path = data / "secrets" / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            return path.read_text()
        with os.fdopen(descriptor, "w") as file:
            secret = secrets.token_urlsafe(32)
            file.write(secret)
        return secret

    return read_or_make


def _boolean(text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in words:
        raise ValueError("must be yes or no")
    return words[text.lower()]


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ValueError("must be a whole number above 0")
    return int(text)


def _days(text: str) -> timedelta:
    return timedelta(days=_positive(text))


def _days_of_grace(text: str) -> timedelta:
    days = _days(text)
    if days < LEAST_GRACE:
        raise ValueError("must be 2 days at least")
    return days


def _count(text: str) -> int:
    return 0 if text == "0" else _positive(text)


def _presigned(text: str) -> timedelta:
    seconds = timedelta(seconds=_positive(text))
    if seconds > timedelta(minutes=5):
        raise ValueError("must be 300 seconds at most")
    return seconds


def _secret(text: str) -> str:
    if len(text) < 16:  # noqa: PLR2004 - the sentence below says it
        raise ValueError("must be 16 characters at least")
    return text


def _scheme_in(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if urlsplit(text).scheme not in schemes:
            raise ValueError(f"must be an address beginning with {' or '.join(s + ':' for s in schemes)}")
        return text

    return parse


def _store(text: str) -> str:
    try:
        check_address(_scheme_in("file", "s3")(text))
    except InvalidAddress as error:
        raise ValueError(error.reason) from error
    return text


def _database(text: str) -> str:
    try:
        url = make_url(_scheme_in("sqlite", "postgresql", "postgresql+psycopg")(text))
    except (ArgumentError, ValueError) as error:  # their own sentences may hold a part of the password
        raise ValueError("must be the address of a database, beginning with sqlite: or postgresql:") from error
    if url.get_backend_name() == "sqlite" and not url.database:
        raise ValueError("must name a file: sqlite:////absolute/path")
    return text


def _mail(text: str) -> str:
    parts = _with_port(_scheme_in("folder", "smtp", "smtps")(text))
    if parts.scheme != "folder" and not parts.hostname:
        raise ValueError("must name a host")
    return _absolute(text, parts)


def _with_port(text: str) -> SplitResult:
    """Raises ValueError, whose sentence holds nothing of the address: a password may stand in it."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise ValueError("must be an address, with a number as port if it has one") from error
    return parts


def _absolute(text: str, parts: SplitResult) -> str:
    if parts.scheme == "folder" and (parts.netloc or not parts.path.startswith("/")):
        raise ValueError("must be written as folder:///absolute/path")
    return text


def _texting(text: str) -> str:
    parts = _with_port(text)
    is_near = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.scheme != "folder" and not ((parts.scheme == "https" or is_near) and parts.hostname):
        raise ValueError("must be an address beginning with folder: or https:")
    return _absolute(text, parts)


def _base_url(text: str) -> str:
    parts = _with_port(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an http or https address")
    return text.rstrip("/")


def _url_path(text: str) -> str:
    if not (text.startswith("/") and text.endswith("/")):
        raise ValueError("must begin and end with /")
    return text


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("must be an e-mail address")
    return text


def _time_zone(text: str) -> str:
    if text not in time_zones():
        raise ValueError("must be a time zone of the IANA database, such as Europe/Moscow")
    return text


def _language(text: str) -> str:
    if text not in LANGUAGES:
        raise ValueError(f"must be one of {', '.join(LANGUAGES)}")
    return text


def _languages(text: str) -> tuple[str, ...]:
    return tuple(_language(word.strip()) for word in text.split(","))
