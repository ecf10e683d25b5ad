"""One-time codes: who reads the mail or the telephone of a recipient proves it. For e-mailed links and hand-overs.

Of a code only an HMAC is kept (key: the portal's secret; the code's own id is in the message, so that two equal codes
look different). The code itself stands in the outgoing message alone, which forgets it when it has been sent.
"""

import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.authority.errors import TooManyCodes
from portal.authority.models import CodeChannel, CodePurpose, OneTimeCode
from portal.errors import mark
from portal.mail.phones import post_text
from portal.mail.service import post
from portal.mail.words import translator

LIVES = timedelta(minutes=10)
MOST_TRIES = 5
DIGITS = 6
MOST_CODES = ((timedelta(hours=1), 5), (timedelta(days=1), 15))
"""Of one subject within each span: 75 guesses a day among a million."""
ABOUT_CHARS, WRITTEN_CHARS = 200, 40
COUNTRY_CODES_OF_ONE_DIGIT = "17"

SUBJECT = mark("Your one-time code for the release portal")
LETTER = mark(
    "Good day, %(name)s.\n\n"
    "Your one-time code is\n\n    %(code)s\n\n"
    "It is for: %(about)s. It works once, for 10 minutes.\n\n"
    "Type it only into the page or the tablet that asked for it. Nobody calls you to ask for it. If you did not expect"
    " this letter, leave it: without the code nothing happens.\n"
)
TEXT = mark("%(code)s is your one-time code for: %(about)s. 10 minutes. Tell it to nobody by telephone.")


class CheckReason(StrEnum):
    """How a code that somebody entered was found; the words go to the ledger and never change."""

    RIGHT = "right"
    WRONG = "wrong"
    EXPIRED = "expired"
    USED_UP = "used-up"
    NONE = "none"


CHECK_SENTENCES = {
    CheckReason.RIGHT: mark("The code is right."),
    CheckReason.WRONG: mark("This is not the code that was sent. Look again; the newest one counts."),
    CheckReason.EXPIRED: mark("This code is older than 10 minutes. Ask for a new one."),
    CheckReason.USED_UP: mark("This code was used, or tried too often. Ask for a new one."),
    CheckReason.NONE: mark("No code was sent yet. Ask for one."),
}


@dataclass(frozen=True)
class Reach:
    """Where a code goes and in which language; `address` is an e-mail address or a telephone number (+7916…)."""

    channel: CodeChannel
    address: str
    language: str
    name: str

    @property
    def masked(self) -> str:
        """The address as a page that anybody with the link sees may show it."""
        if self.channel is CodeChannel.EMAIL:
            local, _, domain = self.address.rpartition("@")
            return f"{local[:1]}…@{domain}"
        return masked_phone(self.address)


@dataclass(frozen=True)
class Checked:
    """What became of one try. `tries_left` counts those that remain of this code."""

    reason: CheckReason
    tries_left: int = 0

    @property
    def is_right(self) -> bool:
        return self.reason is CheckReason.RIGHT

    @property
    def sentence(self) -> str:
        """Marked, for the page."""
        return CHECK_SENTENCES[self.reason]


def masked_phone(phone: str) -> str:
    """`+79161231234` as `+7 … 12-34`."""
    digits = "".join(character for character in phone if character.isdigit())
    country = digits[:1] if digits[:1] in COUNTRY_CODES_OF_ONE_DIGIT else digits[:2]
    return f"+{country} … {digits[-4:-2]}-{digits[-2:]}"


def send_code(  # noqa: PLR0913 - each is a fact of its own
    session: Session,
    purpose: CodePurpose,
    subject_id: UUID,
    *,
    reach: Reach,
    about: str,
    secret_key: str,
    at: datetime,
) -> OneTimeCode:
    """Send a new code about the subject (a link, an act); the former one is worth nothing from now on.

    `about` says in the recipient's language what the code is for: "delivery D-17 for Volga Telecom".
    Raises TooManyCodes. Two at once: one is answered with Conflict by the constraint.
    """
    _require_few(session, purpose, subject_id, at)
    former = session.scalar(_newest(purpose, subject_id))
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    row = OneTimeCode(
        id=uuid4(),
        purpose=purpose,
        subject_id=subject_id,
        number=former.number + 1 if former else 1,
        channel=reach.channel,
        masked=reach.masked,
        created_at=at,
        expires_at=at + LIVES,
        tries=0,
    )
    row.digest = _digest(row.id, code, secret_key)
    session.add(row)
    session.flush()
    _post(session, row, reach, {"code": code, "name": reach.name, "about": " ".join(about.split())[:ABOUT_CHARS]})
    return row


def check_code(
    session: Session, purpose: CodePurpose, subject_id: UUID, code: str, *, secret_key: str, at: datetime
) -> Checked:
    """Try a code on the newest one that was sent about the subject; a right one is used up by this.

    The answer is a value and not an error because a wrong try has to be COMMITTED, whatever the page then answers:
    call it in a transaction of its own (`with sessions.begin()`). Of two that try the right code at once one wins.
    """
    row = session.scalar(_newest(purpose, subject_id).with_for_update().execution_options(populate_existing=True))
    if row is None:
        return Checked(CheckReason.NONE)
    if row.used_at is not None or row.tries >= MOST_TRIES:
        return Checked(CheckReason.USED_UP)
    if at >= row.expires_at:
        return Checked(CheckReason.EXPIRED)
    row.tries += 1
    if not hmac.compare_digest(row.digest, _digest(row.id, _as_digits(code), secret_key)):
        return Checked(CheckReason.WRONG, MOST_TRIES - row.tries)
    row.used_at = at
    return Checked(CheckReason.RIGHT, MOST_TRIES - row.tries)


def latest(session: Session, purpose: CodePurpose, subject_id: UUID) -> OneTimeCode | None:
    """The newest code that was sent about the subject: where to (masked), when, until when."""
    return session.scalar(_newest(purpose, subject_id))


def is_waiting(session: Session, purpose: CodePurpose, subject_id: UUID, *, at: datetime) -> bool:
    """Whether a code was sent that can still be right."""
    row = latest(session, purpose, subject_id)
    return row is not None and row.used_at is None and row.tries < MOST_TRIES and at < row.expires_at


def _newest(purpose: CodePurpose, subject_id: UUID) -> Select[OneTimeCode]:
    own = select(OneTimeCode).where(OneTimeCode.purpose == purpose, OneTimeCode.subject_id == subject_id)
    return own.order_by(OneTimeCode.number.desc()).limit(1)


def _require_few(session: Session, purpose: CodePurpose, subject_id: UUID, at: datetime) -> None:
    for span, most in MOST_CODES:
        oldest_that_counts = session.scalar(
            select(OneTimeCode.created_at)
            .where(OneTimeCode.purpose == purpose, OneTimeCode.subject_id == subject_id)
            .where(OneTimeCode.created_at > at - span)
            .order_by(OneTimeCode.number.desc())
            .offset(most - 1)
            .limit(1)
        )
        if oldest_that_counts is not None:
            seconds = max(1, int((oldest_that_counts + span - at).total_seconds()))
            raise TooManyCodes(retry_after=seconds, minutes=-(-seconds // 60))


def _post(session: Session, row: OneTimeCode, reach: Reach, facts: dict[str, str]) -> None:
    say, key = translator(reach.language), f"one-time-code:{row.id}"
    until, at = row.expires_at, row.created_at
    if reach.channel is CodeChannel.PHONE:
        post_text(session, key=key, phone=reach.address, text=say(TEXT) % facts, secret_until=until, at=at)
    else:
        post(session, key=key, recipient=reach.address, subject=say(SUBJECT), text=say(LETTER) % facts,
             secret_until=until, at=at)  # fmt: skip


def _as_digits(written: str) -> str:
    """What was typed, without the spaces and dashes that people add, digits of any script as ours."""
    plain = unicodedata.normalize("NFKC", written[:WRITTEN_CHARS])
    return "".join(character for character in plain if character not in " -\t\r\n.")


def _digest(code_id: UUID, code: str, secret_key: str) -> str:
    message = b"one-time code\0" + code_id.bytes + code.encode(errors="surrogatepass")
    return hmac.new(secret_key.encode(), message, "sha256").hexdigest()
