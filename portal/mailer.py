"""How a message leaves the portal: into a folder (the embedded default) or by SMTP."""

import html as html_entities
import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from portal.clock import now
from portal.errors import InvalidInput, PortalError, Unavailable, mark

FORBIDDEN_IN_HEADERS = "\r\n\0"
PERMANENT = 500
ANSWER_CHARS = 300
XTEXT_PLAIN = frozenset(range(ord("!"), ord("~") + 1)) - frozenset(b"+=")
REPORT_ON = "NOTIFY=SUCCESS,FAILURE,DELAY"
# What a header must not hold, and what turns the direction of writing so that one name is read as another.
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:)]")


class BadHeader(InvalidInput):
    code = "bad-mail-header"
    sentence = mark("An e-mail header can't contain a line break or NUL.")


class MailUnavailable(Unavailable):
    code = "mail-unavailable"
    sentence = mark("The mail server does not take messages now.")


class MailRefused(PortalError):
    """The mail server will never take this message; `answer` is what it said."""

    code = "mail-refused"
    sentence = mark("The mail server refuses this message: %(answer)s")


@dataclass(frozen=True)
class Attachment:
    """A file beside a message; its name may be in any script (RFC 2231)."""

    name: str
    content: bytes
    content_type: str = "application/octet-stream"


@dataclass(frozen=True)
class Letter:
    """What a message says, to whom. Where `html` is given it stands beside the text, which comes first."""

    recipient: str
    subject: str
    text: str
    recipient_name: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()


class Mailer(Protocol):
    def send(self, message: EmailMessage, *, envelope_id: str = "") -> None:
        """Hand the message over; with an `envelope_id` the servers on its way are asked to report (RFC 3461).

        Raises MailUnavailable, after which the same message may be sent again, and MailRefused, for good.
        """


def clean(text: str) -> str:
    """A name or a line as a header may hold it: no control characters, one line."""
    return " ".join(_UNSHOWABLE.sub(" ", text).split())


def message_id(identity: str, sender: str) -> str:
    """The Message-ID that a message of this identity always has, however often it is composed."""
    return f"<{identity}@{_domain(sender)}>"


def compose(*, sender: str, recipient: str, subject: str, text: str, identity: str) -> EmailMessage:
    """A plain message (RFC 5322). `identity` makes the Message-ID, so that a repeated one can be told apart.

    Raises BadHeader: EmailMessage itself refuses CR and LF but lets NUL through.
    """
    made = compose_letter(Letter(recipient, subject, text), sender=sender, identity=identity)
    del made["Message-ID"]
    made["Message-ID"] = make_msgid(identity, domain=_domain(sender))
    return made


def compose_letter(letter: Letter, *, sender: str, identity: str) -> EmailMessage:
    """A message as text, with HTML beside it and files below where the letter has them. Raises BadHeader."""
    headers = (sender, letter.recipient, letter.subject, letter.recipient_name, *(a.name for a in letter.attachments))
    if any(character in value for value in headers for character in FORBIDDEN_IN_HEADERS):
        raise BadHeader
    message = EmailMessage(policy=SMTP)
    message["From"], message["Subject"] = sender, letter.subject
    message["To"] = Address(letter.recipient_name, addr_spec=letter.recipient) if letter.recipient_name else (
        letter.recipient
    )  # fmt: skip
    message["Date"] = format_datetime(now())
    message["Message-ID"] = message_id(identity, sender)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    if letter.html:
        message.add_alternative(letter.html, subtype="html")
    for file in letter.attachments:
        kind, _, subtype = file.content_type.partition("/")
        message.add_attachment(file.content, maintype=kind, subtype=subtype, filename=file.name)
    return message


def as_html(text: str, language: str) -> str:
    """The text as simple HTML: paragraphs, line ends, links that show where they lead. Nothing is loaded from afar."""
    paragraphs = []
    for block in re.split(r"\n\s*\n", text.strip()):
        shown = html_entities.escape(block)
        shown = _LINK.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', shown)
        paragraphs.append("<p>" + shown.replace("\n", "<br>\n") + "</p>")
    body = "\n".join(paragraphs)
    return f'<!doctype html>\n<html lang="{html_entities.escape(language)}">\n<body>\n{body}\n</body>\n</html>\n'


def _domain(sender: str) -> str:
    return sender.rpartition("@")[2].strip("> ") or "localhost"


class FolderMailer:
    """Writes each message as an .eml file. Nothing reaches anybody: for trying out and for tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: EmailMessage, *, envelope_id: str = "") -> None:  # noqa: ARG002 - nobody here reports
        self.folder.mkdir(parents=True, exist_ok=True)
        name = str(message["Message-ID"]).strip("<>").replace("/", "_")
        (self.folder / f"{name}.eml").write_bytes(message.as_bytes())


class SmtpMailer:
    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.host, self.port = parts.hostname or "localhost", parts.port
        self.user, self.password = unquote(parts.username or ""), unquote(parts.password or "")
        self.is_tls_from_start = parts.scheme == "smtps"

    def send(self, message: EmailMessage, *, envelope_id: str = "") -> None:
        with _told_apart(), self._connection() as connection:
            if self.user:
                connection.login(self.user, self.password)
            asked = _report_options(connection, message, envelope_id)
            connection.send_message(message, mail_options=asked[0], rcpt_options=asked[1])

    def _connection(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.is_tls_from_start:
            return smtplib.SMTP_SSL(self.host, self.port or 465, timeout=30, context=context)
        connection = smtplib.SMTP(self.host, self.port or 25, timeout=30)
        if connection.has_extn("starttls") or "starttls" in connection.ehlo()[1].decode(errors="replace").lower():
            connection.starttls(context=context)
        elif self.user:
            connection.close()
            raise smtplib.SMTPException("the server offers no TLS; a password is never sent in the clear")
        return connection


@contextmanager
def _told_apart() -> Iterator[None]:
    """What the server says of this recipient or these bytes with 5xx is for good; all else may work later."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise (_refused(code, said) if code >= PERMANENT else MailUnavailable()) from error
    except smtplib.SMTPDataError as error:
        is_final = error.smtp_code >= PERMANENT
        raise (_refused(error.smtp_code, error.smtp_error) if is_final else MailUnavailable()) from error
    except (OSError, smtplib.SMTPException) as error:
        raise MailUnavailable from error


def _refused(code: int, said: bytes | str) -> MailRefused:
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    return MailRefused(answer=clean(f"{code} {words}")[:ANSWER_CHARS])


def _report_options(
    connection: smtplib.SMTP, message: EmailMessage, envelope_id: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """MAIL and RCPT parameters of RFC 3461, for a server that knows them."""
    connection.ehlo_or_helo_if_needed()
    if not envelope_id or not connection.has_extn("dsn"):
        return (), ()
    [address] = message["To"].addresses
    return ("RET=HDRS", f"ENVID={_xtext(envelope_id)}"), (REPORT_ON, f"ORCPT=rfc822;{_xtext(address.addr_spec)}")


def _xtext(text: str) -> str:
    """RFC 3461 §4: printable ASCII without `+` and `=`, everything else in hex."""
    return "".join(chr(byte) if byte in XTEXT_PLAIN else f"+{byte:02X}" for byte in text.encode())


def open_mailer(address: str) -> Mailer:
    """The mailer for `folder:///path` or `smtp[s]://user:password@host:port`."""
    parts = urlsplit(address)
    return FolderMailer(Path(unquote(parts.path))) if parts.scheme == "folder" else SmtpMailer(address)
