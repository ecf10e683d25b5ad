"""The receipt: whoever holds the parcel's papers compares what arrived with what was sent, and signs (P8)."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from portal.accounts import sign_in
from portal.accounts.errors import TooManyAttempts
from portal.actors import NOBODY, Actor
from portal.authority.codes import Checked, CheckReason, Reach, check_code, send_code
from portal.authority.models import CodeChannel, CodePurpose, OneTimeCode
from portal.authority.rules import Need
from portal.couriers import dispatching, slips
from portal.couriers.errors import (
    NotTheRecipient,
    ReceiptNotOpen,
    ReceiptUnknown,
    SeenDiffers,
    SignatureMissing,
    TooManyCodes,
)
from portal.couriers.incidents import ARRIVING
from portal.couriers.media import key_of
from portal.couriers.models import Consignment
from portal.db import Sessions
from portal.deliveries import ledger
from portal.deliveries.deciding import require_authority
from portal.deliveries.errors import DeliveryStopped
from portal.deliveries.models import Delivery, DeliveryItem
from portal.deliveries.states import DeliveryState, EventKind
from portal.documents.codes import digest_words
from portal.errors import mark
from portal.mail.words import translator
from portal.releases.models import Release
from portal.texts import searchable

NOTED = {CheckReason.RIGHT: EventKind.CODE_RIGHT, CheckReason.WRONG: EventKind.CODE_WRONG}
"""Answers that the ledger keeps; the others are no tries of a code."""
HEX_DIGITS = frozenset("0123456789abcdef")
SHORTEST_HEX = 16
MAX_NUMBER_CHARS = 20
LANGUAGES_OF_WORDS = ("en", "ru")
ABOUT = mark("the receipt of delivery %(number)s")
PROVED_BY_RECEIPT = "receipt"


@dataclass(frozen=True)
class Attempt:
    """A receipt code typed by somebody at this network address."""

    number: str
    code: str
    address: str


@dataclass(frozen=True)
class Receipt:
    """What the recipient says. `digest` may be the full digest, its first 16 digits, its words, or empty.

    `is_verified`: the verifier on the medium found everything right. `signature` is {key, sha256, size_bytes, drawn} of
    the object that the store holds. `code_confirmed_at`: when the one-time code was right.
    """

    name: str
    serial: str
    seal: str
    signature: dict[str, Any]
    code_confirmed_at: datetime
    digest: str = ""
    is_verified: bool = False


def by_secret(session: Session, secret: str) -> Consignment:
    """The parcel of the QR code's secret, with medium, delivery, customer, release. Raises ReceiptUnknown."""
    found = session.scalar(_rows().where(Consignment.secret_hash == slips.digest(secret)))
    if found is None:
        raise ReceiptUnknown
    return found


def by_code(sessions: Sessions, attempt: Attempt, *, at: datetime) -> Consignment:
    """The parcel of this delivery number and receipt code, in a transaction of its own: a wrong code counts.

    Raises TooManyCodes, ReceiptUnknown.
    """
    number = searchable(attempt.number, limit=MAX_NUMBER_CHARS).upper()
    counted_as, address = f"receipt:{number.lower()}", attempt.address[: sign_in.LONGEST_ADDRESS]
    with sessions.begin() as session:
        try:
            sign_in.require_calm(session, email=counted_as, address=address, at=at)
        except TooManyAttempts as error:
            raise TooManyCodes(**error.facts) from error
        rows = _rows().join(Consignment.delivery).where(Delivery.number == number)
        code_hash = slips.digest(slips.typed(attempt.code))
        found = session.scalar(rows.where(Consignment.code_hash == code_hash))
        if found is None:
            sign_in.write_down(session, email=counted_as, address=address, at=at)
    if found is None:
        raise ReceiptUnknown
    return found


def _rows() -> Select[Consignment]:
    return select(Consignment).options(
        joinedload(Consignment.medium),
        joinedload(Consignment.writing),
        joinedload(Consignment.carrier),
        joinedload(Consignment.delivery).joinedload(Delivery.organisation),
        joinedload(Consignment.delivery).joinedload(Delivery.release).joinedload(Release.product),
        joinedload(Consignment.delivery).selectinload(Delivery.items).joinedload(DeliveryItem.artifact),
    )


def by_id(session: Session, consignment_id: UUID) -> Consignment:
    """The parcel as it is now. Raises ReceiptUnknown."""
    rows = _rows().where(Consignment.id == consignment_id).execution_options(populate_existing=True)
    found = session.scalar(rows)
    if found is None:
        raise ReceiptUnknown
    return found


def masked(consignment: Consignment) -> str:
    """Where the one-time code goes, as a page may show it that anybody with the papers sees."""
    recipient = consignment.delivery.recipient or {}
    return Reach(CodeChannel.EMAIL, recipient.get("email", ""), "", "").masked


def is_open(consignment: Consignment) -> bool:
    """Whether the receipt may be confirmed, or a difference reported; needs the delivery."""
    return consignment.received_at is None and consignment.delivery.state in ARRIVING and not consignment.closed_at


def ask_code(session: Session, consignment_id: UUID, *, secret_key: str, by: Actor, at: datetime) -> OneTimeCode:
    """Send the recipient a one-time code by e-mail, in their language. Raises ReceiptNotOpen, TooManyCodes."""
    delivery, consignment = _held(session, consignment_id)
    if not is_open(consignment):
        raise ReceiptNotOpen
    recipient = delivery.recipient or {}
    language = recipient.get("language", "en")
    about = translator(language)(ABOUT) % {"number": delivery.number}
    reach = Reach(CodeChannel.EMAIL, recipient["email"], language, recipient["name"])
    code = send_code(session, CodePurpose.RECEIPT, consignment.id, reach=reach, about=about, secret_key=secret_key,
                     at=at)  # fmt: skip
    if consignment.opened_at is None:
        consignment.opened_at = at
        ledger.note(session, delivery, EventKind.RECEIPT_OPENED, {"medium_serial": consignment.medium.serial}, by=by,
                    at=at)  # fmt: skip
    ledger.note(session, delivery, EventKind.CODE_SENT, {"to": code.masked}, by=by, at=at)
    return code


def try_code(sessions: Sessions, consignment_id: UUID, code: str, *, secret_key: str, by: Actor,
             at: datetime) -> Checked:  # fmt: skip
    """Try the recipient's one-time code, in a transaction of its own: a wrong try counts."""
    with sessions.begin() as session:
        delivery, consignment = _held(session, consignment_id)
        checked = check_code(session, CodePurpose.RECEIPT, consignment.id, code, secret_key=secret_key, at=at)
        if checked.reason in NOTED:
            ledger.note(session, delivery, NOTED[checked.reason], {"tries_left": checked.tries_left}, by=by, at=at)
        return checked


def _held(session: Session, consignment_id: UUID) -> tuple[Delivery, Consignment]:
    """The delivery, its row held, and the parcel as it is then. The delivery is always locked first."""
    delivery = ledger.locked(session, session.get_one(Consignment, consignment_id).delivery_id)
    return delivery, by_id(session, consignment_id)


def check(consignment: Consignment, serial: str, seal: str, digest: str) -> list[str]:
    """Which of serial, seal and digest, as read off the parcel, are not the record's; an empty digest is left out."""
    differs = {
        "serial": key_of(serial) != key_of(consignment.medium.serial),
        "seal": key_of(seal) != key_of(consignment.seal),
        "digest": bool(digest) and not digest_agrees(digest, consignment.writing.kit_sha256),
    }
    return [name for name, is_so in differs.items() if is_so]


def confirm(session: Session, consignment_id: UUID, receipt: Receipt, *, by: Actor, at: datetime) -> bool:
    """Everything is as it was sent: the delivery is delivered, if nobody said so before, and acknowledged, at once.

    False when it was confirmed before: sending it again has one effect. Raises ReceiptNotOpen, DeliveryStopped,
    SeenDiffers, NotTheRecipient, SignatureMissing, NotAuthorized.
    """
    delivery, consignment = _held(session, consignment_id)
    if consignment.received_at is not None:
        return False
    if not is_open(consignment):
        raise ReceiptNotOpen
    if delivery.stopped_at is not None:
        raise DeliveryStopped(number=delivery.number or "")
    for field in check(consignment, receipt.serial, receipt.seal, receipt.digest):
        raise SeenDiffers(field=field)
    if not receipt.signature:
        raise SignatureMissing
    if not is_called(receipt.name, (delivery.recipient or {}).get("name", "")):
        raise NotTheRecipient
    held = require_authority(session, delivery, delivery.release, need=Need.RECEIVE, at=at)
    _enter(session, consignment, delivery, receipt, {"authority": held}, by=by, at=at)
    return True


def _enter(  # noqa: PLR0913 - the rows and what is said of them
    session: Session, consignment: Consignment, delivery: Delivery, receipt: Receipt, held: dict[str, Any], *,
    by: Actor, at: datetime,
) -> None:  # fmt: skip
    if delivery.state is not DeliveryState.DELIVERED:
        evidence = {ledger.HAPPENED: at, "proof": PROVED_BY_RECEIPT}
        ledger.step(session, delivery, DeliveryState.DELIVERED, evidence, by=by, at=at)
    dispatching.arrive(session, consignment, by=by, at=at)
    seen = {"serial": receipt.serial, "seal": receipt.seal, "digest": receipt.digest}
    proof = {
        "medium_serial": consignment.medium.serial,
        "seal": consignment.seal,
        "sha256": consignment.writing.kit_sha256,
        "signature_sha256": receipt.signature["sha256"],
        "signature": receipt.signature,
        "name": receipt.name,
        "seen": seen,
        "is_verified": receipt.is_verified,
        "code_confirmed_at": receipt.code_confirmed_at.isoformat(),
    }
    ledger.step(session, delivery, DeliveryState.ACKNOWLEDGED, proof | held, by=by, at=at)
    consignment.received_at, consignment.received_by = at, receipt.name
    consignment.signature, consignment.seen = receipt.signature, seen
    consignment.close(at)


def signer(consignment: Consignment, address: str) -> Actor:
    """Who acts on the receipt's page: nobody who is signed in, under the recipient's name."""
    name = (consignment.delivery.recipient or {}).get("name", "")
    return Actor(NOBODY.via, name=name, address=address[: sign_in.LONGEST_ADDRESS])


def is_called(typed: str, name: str) -> bool:
    """The same name, whatever its case, its spaces, ё or е."""
    return bool(_plain(name)) and _plain(typed) == _plain(name)


def digest_agrees(typed: str, sha256: str) -> bool:
    """Whether what was typed is this digest: all of it, 16 digits or more, or its words in either language."""
    plain = _plain(typed)
    letters = plain.replace(" ", "").replace("-", "").removeprefix("sha256:")
    if len(letters) >= SHORTEST_HEX and HEX_DIGITS.issuperset(letters):
        return sha256.startswith(letters)
    return any(plain == _plain(" ".join(digest_words(sha256, language))) for language in LANGUAGES_OF_WORDS)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    return " ".join(folded.replace(",", " ").split())
