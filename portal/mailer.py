"""How a message leaves the portal: into a folder (the embedded default) or by SMTP."""

import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from portal.clock import now
from portal.errors import InvalidInput, Unavailable, mark

FORBIDDEN_IN_HEADERS = "\r\n\0"


class BadHeader(InvalidInput):
    code = "bad-mail-header"
    sentence = mark("An e-mail header can't contain a line break or NUL.")


class MailUnavailable(Unavailable):
    code = "mail-unavailable"
    sentence = mark("The mail server does not take messages now.")


class Mailer(Protocol):
    def send(self, message: EmailMessage) -> None:
        """Hand the message over. Raises MailUnavailable; the same message may be sent again later."""


def compose(*, sender: str, recipient: str, subject: str, text: str, identity: str) -> EmailMessage:
    """A plain message (RFC 5322). `identity` makes the Message-ID, so that a repeated one can be told apart.

    Raises BadHeader: EmailMessage itself refuses CR and LF but lets NUL through.
    """
    if any(character in value for value in (sender, recipient, subject) for character in FORBIDDEN_IN_HEADERS):
        raise BadHeader
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message["Date"] = format_datetime(now())
    message["Message-ID"] = make_msgid(identity, domain=sender.rpartition("@")[2].strip("> ") or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


class FolderMailer:
    """Writes each message as an .eml file. Nothing reaches anybody: for trying out and for tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: EmailMessage) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        name = str(message["Message-ID"]).strip("<>").replace("/", "_")
        (self.folder / f"{name}.eml").write_bytes(message.as_bytes())


class SmtpMailer:
    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.host, self.port = parts.hostname or "localhost", parts.port
        self.user, self.password = unquote(parts.username or ""), unquote(parts.password or "")
        self.is_tls_from_start = parts.scheme == "smtps"

    def send(self, message: EmailMessage) -> None:
        try:
            with self._connection() as connection:
                if self.user:
                    connection.login(self.user, self.password)
                connection.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise MailUnavailable from error

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


def open_mailer(address: str) -> Mailer:
    """The mailer for `folder:///path` or `smtp[s]://user:password@host:port`."""
    parts = urlsplit(address)
    return FolderMailer(Path(unquote(parts.path))) if parts.scheme == "folder" else SmtpMailer(address)
