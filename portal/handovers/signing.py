"""The signature: a code is sent, and one transaction signs the act and moves its deliveries, or nothing at all.

The page sends a signature as often as the network needs (`Given.submission`); it has one effect.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.authority import codes
from portal.authority.codes import Checked, Reach
from portal.authority.models import CodeChannel, CodePurpose
from portal.deliveries import ledger
from portal.deliveries.models import Delivery
from portal.deliveries.states import DeliveryState, EventKind
from portal.documents.act import ActKind
from portal.documents.errors import SignatureEmpty
from portal.errors import NotFound, mark
from portal.handovers import holding, papers, texts
from portal.handovers.errors import (
    ActTextChanged,
    NoWayToReach,
    TypedNameDiffers,
    WitnessMissing,
)
from portal.handovers.letters import queue_letters
from portal.handovers.models import Act, ActState, SignatureKind
from portal.handovers.opening import identity
from portal.handovers.papers import Drawings
from portal.jobs import service as jobs
from portal.mail.words import translator
from portal.texts import folded, one_line
from storage import ObjectStore, Received

ABOUT = mark("signing act %(number)s")
LONGEST_NAME = 200


@dataclass(frozen=True)
class Hand:
    """How one person signed: the PNG that they drew, or the name that they typed."""

    drawing: bytes | None = None
    typed: str = ""

    @property
    def content(self) -> bytes:
        return self.drawing if self.drawing is not None else " ".join(self.typed.split()).encode()


@dataclass(frozen=True)
class Given:
    """What the tablet sends. `text_sha256` is the digest of the text that stood on it."""

    submission: str
    text_sha256: str
    code: str
    recipient: Hand
    witness_name: str = ""
    witness: Hand | None = None


@dataclass(frozen=True)
class Desk:
    """What signing leans on beside the database."""

    store: ObjectStore
    secret_key: str


@dataclass(frozen=True)
class Kept:
    """The signatures as objects in the store."""

    recipient: Received
    witness: Received | None


def locked(session: Session, act_id: UUID) -> Act:
    """The act with its customer and deliveries' ids, its row held until the transaction ends. Raises NotFound."""
    rows = select(Act).where(Act.id == act_id).options(joinedload(Act.organisation), selectinload(Act.items))
    act = session.scalar(rows.with_for_update(of=Act).execution_options(populate_existing=True))
    if act is None:
        raise NotFound
    return act


def send_code(
    session: Session, act_id: UUID, channel: CodeChannel, *, secret_key: str, by: Actor, at: datetime
) -> None:
    """Send a new one-time code to the recipient's telephone or e-mail address, as the act knows them.

    Raises ActNotOpen, NoWayToReach, TooManyCodes.
    """
    act = locked(session, act_id)
    act.require_open()
    address = act.recipient["phone" if channel is CodeChannel.PHONE else "email"]
    if not address:
        raise NoWayToReach(channel=channel.value)
    about = translator(act.language)(ABOUT) % {"number": act.number}
    reach = Reach(channel, address, act.language, act.recipient["name"])
    codes.send_code(session, CodePurpose.HAND_OVER, act.id, reach=reach, about=about, secret_key=secret_key, at=at)
    evidence = {"act_number": act.number, "channel": channel.value, "address": reach.masked}
    for delivery in _deliveries(session, act):
        ledger.note(session, delivery, EventKind.CODE_SENT, evidence, by=by, at=at)


def sign(session: Session, act_id: UUID, given: Given, *, desk: Desk, by: Actor, at: datetime) -> Act | Checked:
    """Sign the act and move its deliveries; or say why the code was not taken, which has to be COMMITTED too.

    The same submission again answers with the act as it was signed. Everything is asked anew: that the text is the one
    that was shown, that nobody was faster, that the recipient may still receive and sign. Only then the code.
    Raises ActNotOpen, ActTextChanged, SignatureEmpty, TypedNameDiffers, WitnessMissing, PictureUnusable, NotEntitled,
    NotAuthorized, and what `holding.require_free` raises; nothing is kept then and the code is not used up.
    """
    act = locked(session, act_id)
    if _is_repeated(act, given):
        return act
    act.require_open()
    if given.submission != act.submission or not given.text_sha256 == act.text_sha256 == texts.digest(act.record):
        raise ActTextChanged(act=act.number)
    _require_hands(act, given)
    deliveries = _deliveries(session, act)
    holding.require_free(session, deliveries, kind=act.kind, act=act)
    answers = holding.standing(session, deliveries, kind=act.kind, at=at)
    checked = codes.check_code(session, CodePurpose.HAND_OVER, act.id, given.code, secret_key=desk.secret_key, at=at)
    if not checked.is_right:
        for delivery in deliveries:
            evidence = {"act_number": act.number, "reason": checked.reason.value}
            ledger.note(session, delivery, EventKind.CODE_WRONG, evidence, by=by, at=at)
        return checked
    _note_code(session, act, at)
    act.close(ActState.SIGNED, by.name, at)
    _keep(act, given, desk.store)
    for delivery in deliveries:
        _move(session, act, delivery, answers[delivery.id], by=by, at=at)
    queue_letters(session, act, at=at)
    audit.record(session, Tag.ACT_SIGN, by=by, at=at, subject=act, named=act.number, kind=act.kind.value,
                 text_sha256=act.text_sha256, signature_sha256=act.signature_sha256, pdf_sha256=act.pdf_sha256,
                 customer=act.organisation_id)  # fmt: skip
    return act


def _is_repeated(act: Act, given: Given) -> bool:
    """Whether this very signature was taken already: the answer to it was lost on the way."""
    return (
        act.state is ActState.SIGNED
        and given.submission == act.submission
        and hashlib.sha256(given.recipient.content).hexdigest() == act.signature_sha256
    )


def _require_hands(act: Act, given: Given) -> None:
    """Raises SignatureEmpty, TypedNameDiffers, WitnessMissing."""
    _require_hand(given.recipient, act.recipient["name"])
    if act.wants_witness and not (given.witness_name.strip() and given.witness):
        raise WitnessMissing
    if given.witness:
        _require_hand(given.witness, one_line(given.witness_name, limit=LONGEST_NAME))


def _require_hand(hand: Hand, name: str) -> None:
    if hand.drawing is not None:
        return
    if not hand.typed.strip():
        raise SignatureEmpty
    if " ".join(folded(hand.typed).split()) != " ".join(folded(name).split()):
        raise TypedNameDiffers(name=name)


def _deliveries(session: Session, act: Act) -> list[Delivery]:
    return holding.held(session, [item.delivery_id for item in act.items])


def _note_code(session: Session, act: Act, at: datetime) -> None:
    sent = codes.latest(session, CodePurpose.HAND_OVER, act.id)
    if sent is None:
        raise NotFound
    act.code_channel, act.code_address, act.code_confirmed_at = sent.channel.value, sent.masked, at


def _keep(act: Act, given: Given, store: ObjectStore) -> None:
    """Put the signatures and the paper into the store by their digests; a picture that can't be printed never."""
    witness = given.witness if given.witness_name.strip() else None
    act.witness_name = one_line(given.witness_name, limit=LONGEST_NAME) if witness else ""
    act.signature_kind = SignatureKind.TYPED if given.recipient.drawing is None else SignatureKind.DRAWN
    pdf = papers.render(act, Drawings(given.recipient.drawing, witness.drawing if witness else None))
    signature = _put(store, given.recipient.content)
    act.signature_key, act.signature_sha256 = signature.key, signature.sha256
    if witness:
        own = _put(store, witness.content)
        act.witness_key, act.witness_sha256 = own.key, own.sha256
    paper = _put(store, pdf)
    act.pdf_key, act.pdf_sha256, act.pdf_size_bytes = paper.key, paper.sha256, paper.size_bytes


def _put(store: ObjectStore, content: bytes) -> Received:
    return store.receive(BytesIO(content), limit_bytes=len(content))


def _move(session: Session, act: Act, delivery: Delivery, answer: dict[str, Any], *, by: Actor, at: datetime) -> None:
    proof = {
        "act_number": act.number,
        "text_sha256": act.text_sha256,
        "signature_sha256": act.signature_sha256,
        "signature": act.signature_kind,
        "pdf_sha256": act.pdf_sha256,
        "code_confirmed_at": act.code_confirmed_at,
        "code_sent_to": act.code_address,
        "identity": identity(act),
        **({"witness": act.witness_name, "witness_sha256": act.witness_sha256} if act.witness_name else {}),
        **answer,
    }
    code = {"act_number": act.number, "channel": act.code_channel, "address": act.code_address}
    ledger.note(session, delivery, EventKind.CODE_RIGHT, code, by=by, at=at)
    if act.kind is ActKind.RETURN:
        _move_back(session, act, delivery, proof, by=by, at=at)
        return
    ledger.step(session, delivery, DeliveryState.DELIVERED, proof, by=by, at=at)
    receipt = {"act_number": act.number, "text_sha256": act.text_sha256, "pdf_sha256": act.pdf_sha256}
    ledger.step(session, delivery, DeliveryState.ACKNOWLEDGED, receipt, by=by, at=at)


def _move_back(
    session: Session, act: Act, delivery: Delivery, proof: dict[str, Any], *, by: Actor, at: datetime
) -> None:
    """A medium came back. Where the receipt was never acknowledged, so did the delivery (RETURNED).

    An acknowledged receipt stands: the customer had the bytes, may have installed them, and is told of a withdrawal
    like every holder. That its medium came back is then an entry of its own, not a state.
    """
    serials = next(item.medium_serials for item in act.items if item.delivery_id == delivery.id)
    facts = proof | {"medium_serial": ", ".join(serials)}
    jobs.enqueue(
        session,
        "couriers.media-returned",
        at=at,
        key=f"couriers.media-returned:{act.id}:{delivery.id}",
        delivery_id=str(delivery.id),
        serials=list(serials),
        act_number=act.number,
    )
    if delivery.may_become(DeliveryState.RETURNED):
        reason = {"reason": f"act {act.number}", "proof": act.pdf_sha256}
        ledger.step(session, delivery, DeliveryState.RETURNED, facts | reason, by=by, at=at)
    else:
        ledger.note(session, delivery, EventKind.MEDIUM_RETURNED, facts, by=by, at=at)
