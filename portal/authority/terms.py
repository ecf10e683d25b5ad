"""One parser per idea of authority: telephone numbers, days, what a scan is. Forms, verbs and commands ask these."""

import re
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from portal.authority.errors import BadPhone, DatesReversed, NoProduct, NotAScan, NothingGiven
from portal.config import MIB
from portal.days import parse_day
from portal.texts import one_line

NAME_CHARS, NUMBER_CHARS, ISSUER_CHARS, REASON_CHARS, FILE_NAME_CHARS = 200, 60, 200, 500, 200
LARGEST_SCAN_BYTES = 20 * MIB
PHONE_CHARS = 40
KINDS_OF_SCAN = ((b"%PDF-", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))
"""By the first bytes; what a browser calls a file is not asked."""

_BETWEEN_DIGITS = re.compile(r"[ ().\-\u00a0\u2010-\u2013]")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


@dataclass(frozen=True)
class RecipientFacts:
    """What is written down of an authorized person; without a language the customer's is taken."""

    name: str
    email: str
    phone: str = ""
    language: str | None = None


@dataclass(frozen=True)
class NewPower:
    """A power of attorney as somebody enters it. Days are inclusive, in the customer's zone unless one is said.

    `product_ids` None: all products.
    """

    number: str
    issued_on: date
    issued_by: str
    valid_from: date
    valid_until: date
    product_ids: frozenset[UUID] | None = None
    may_receive: bool = True
    may_sign: bool = False
    time_zone: str | None = None


@dataclass(frozen=True)
class Scan:
    """A scanned document in the object store; the portal never opens it."""

    key: str
    name: str
    size_bytes: int
    sha256: str
    content_type: str


def parse_phone(text: str) -> str:
    """A number as ITU-T E.164 writes it, +79161234567, or nothing. Raises BadPhone."""
    plain = _BETWEEN_DIGITS.sub("", text.strip()[:PHONE_CHARS])
    if plain and not _E164.fullmatch(plain):
        raise BadPhone
    return plain


def parse_reason(text: str) -> str:
    return one_line(text, limit=REASON_CHARS)


def checked_power(new: NewPower) -> NewPower:
    """The same, if it makes sense whatever the time. Raises InvalidInput."""
    if new.valid_until < new.valid_from:
        raise DatesReversed(first=new.valid_from, last=new.valid_until)
    if not (new.may_receive or new.may_sign):
        raise NothingGiven
    if new.product_ids is not None and not new.product_ids:
        raise NoProduct
    return NewPower(
        one_line(new.number, limit=NUMBER_CHARS),
        parse_day(new.issued_on),
        one_line(new.issued_by, limit=ISSUER_CHARS),
        parse_day(new.valid_from),
        parse_day(new.valid_until),
        new.product_ids,
        new.may_receive,
        new.may_sign,
        new.time_zone,
    )


def kind_of_scan(head: bytes) -> str:
    """The content type by the first bytes of a file. Raises NotAScan."""
    for beginning, content_type in KINDS_OF_SCAN:
        if head.startswith(beginning):
            return content_type
    raise NotAScan
