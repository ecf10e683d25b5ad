"""What a recipient does by a link: shows a code, accepts, takes the files, confirms them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.actors import Actor, Via
from portal.authority import codes
from portal.authority.codes import Checked, Reach
from portal.authority.models import AuthorizedPerson, CodeChannel, CodePurpose
from portal.authority.rules import Need
from portal.config import Config
from portal.deliveries import ledger
from portal.deliveries.deciding import require_standing
from portal.deliveries.models import Delivery, DeliveryEvent, DeliveryItem
from portal.deliveries.spans import merged
from portal.deliveries.states import DeliveryState, EventKind
from portal.entitlements import service as agreements
from portal.entitlements.models import AgreementVersion
from portal.errors import NotFound, Refused
from portal.kits.models import KitRecord
from portal.mail.words import translator
from portal.mailings import links, service
from portal.mailings.agreeing import missing_agreements
from portal.mailings.errors import AgreementNeeded, DigestOfNone, LinkRefused, NotAllTaken
from portal.mailings.letters import about
from portal.mailings.models import MailLink
from portal.permissions import OrganisationKind
from portal.web.byte_ranges import Span

MOST_EVENTS_OF_A_KIND = 100
SAME_SPELL = timedelta(minutes=1)
"""Connections of one address within this time are one event: a client may ask for thousands of ranges."""


@dataclass(frozen=True)
class Opened:
    """A link whose reader has shown the code, with its delivery, locked."""

    link: MailLink
    delivery: Delivery
    by: Actor


def send_code(session: Session, link_id: UUID, *, config: Config, address: str, at: datetime) -> None:
    """A one-time code to the mailbox that the link was sent to. Raises LinkExpired…, TooManyCodes."""
    link, delivery = _locked(session, link_id, at)
    recipient = delivery.recipient or {}
    language = str(recipient.get("language") or "en")
    reach = Reach(CodeChannel.EMAIL, recipient["email"], language, str(recipient["name"]))
    codes.send_code(session, CodePurpose.EMAIL_LINK, link.id, reach=reach, about=about(delivery, translator(language)),
                    secret_key=config.secret_key, at=at)  # fmt: skip
    link.code_sent_at = at
    _note(session, delivery, EventKind.CODE_SENT, {"recipient": reach.masked}, by=_nobody(address), at=at)


def try_code(session: Session, link_id: UUID, code: str, *, config: Config, address: str, at: datetime) -> Checked:
    """Try a code; commit whatever comes of it, so that each try counts. Raises LinkExpired, LinkWithdrawn…"""
    link, delivery = _locked(session, link_id, at)
    checked = codes.check_code(session, CodePurpose.EMAIL_LINK, link.id, code, secret_key=config.secret_key, at=at)
    if not checked.is_right:
        _note(session, delivery, EventKind.CODE_WRONG, {"reason": checked.reason.value}, by=_nobody(address), at=at)
        return checked
    link.opened_count += 1
    link.code_confirmed_at = link.last_opened_at = at
    by = recipient_of(delivery, address)
    _note(session, delivery, EventKind.CODE_RIGHT, {}, by=by, at=at)
    _note(session, delivery, EventKind.LINK_OPENED, {"times": link.opened_count}, by=by, at=at)
    return checked


def open_link(session: Session, link_id: UUID, *, address: str, at: datetime) -> Opened:
    """The link and its delivery as they are now, locked; the caller has seen that the code was shown.

    Raises LinkExpired, LinkWithdrawn, LinkStopped, NotFound.
    """
    link, delivery = _locked(session, link_id, at)
    return Opened(link, delivery, recipient_of(delivery, address))


def require_standing_now(session: Session, delivery: Delivery, at: datetime) -> dict[str, Any]:
    """The decision, taken anew: contract and power of attorney. Raises LinkRefused."""
    try:
        return require_standing(session, delivery, need=Need.RECEIVE, at=at)
    except Refused as error:
        raise LinkRefused(error) from error


def require_takeable(session: Session, delivery: Delivery, at: datetime) -> dict[str, Any]:
    """The same, and the agreements. Raises LinkRefused, AgreementNeeded."""
    standing = require_standing_now(session, delivery, at)
    if missing_agreements(session, delivery, at):
        raise AgreementNeeded
    return standing


def accept(session: Session, opened: Opened, version: AgreementVersion, *, at: datetime) -> None:
    """The recipient accepts the text for their company; once. Raises AgreementSuperseded."""
    recipient = session.get_one(AuthorizedPerson, opened.delivery.recipient_id)
    agreements.accept_agreement_as_recipient(session, version, recipient, by=opened.by, at=at)
    evidence = {"agreement": version.agreement.code, "sha256": agreements.text_digest(version.texts)}
    _note(session, opened.delivery, EventKind.AGREEMENT_ACCEPTED, evidence, by=opened.by, at=at)


def issue(session: Session, opened: Opened, artifact_id: UUID, evidence: dict[str, Any], *, at: datetime) -> None:
    """Record that bytes of one file may leave, before the first of them does. Raises NotFound, LinkRefused…"""
    item = item_of(session, opened.delivery, artifact_id)
    standing = require_takeable(session, opened.delivery, at)
    told = {"file": item.artifact.name, "sha256": item.sha256, "size_bytes": item.size_bytes, **evidence}
    if not item.sent["requests"]:
        _note(session, opened.delivery, EventKind.GRANTED, told | standing, by=opened.by, at=at)
    else:
        _note_resumed(session, opened, told, at)
    item.note_request(is_seen=evidence.get("range") is not None)


def record_sent(session: Session, opened_link: UUID, artifact_id: UUID, span: Span, *, by: Actor, at: datetime) -> None:
    """Record the bytes of one file that left; when all bytes of all files have, the delivery is delivered."""
    link = session.get_one(MailLink, opened_link)
    delivery = ledger.locked(session, link.delivery_id)
    item_of(session, delivery, artifact_id).note_sent(span, at)
    _complete(session, link, delivery, by=by, at=at)


def issue_kit(session: Session, opened: Opened, evidence: dict[str, Any], *, at: datetime) -> KitRecord:
    """Record that bytes of the kit may leave. Raises NotFound where there is none, LinkRefused, AgreementNeeded."""
    kit = service.kit_of(session, opened.delivery)
    if kit is None:
        raise NotFound
    standing = require_takeable(session, opened.delivery, at)
    told = {"file": kit.file_name, "sha256": kit.sha256, "size_bytes": kit.size_bytes, **evidence}
    if not opened.link.kit_ranges:
        _note(session, opened.delivery, EventKind.GRANTED, told | standing, by=opened.by, at=at)
    else:
        _note_resumed(session, opened, told, at)
    return kit


def record_kit_sent(session: Session, opened_link: UUID, span: Span, *, by: Actor, at: datetime) -> None:
    """Record the bytes of the kit that left; when all have, every file of the delivery has left within it."""
    link = session.get_one(MailLink, opened_link)
    delivery = ledger.locked(session, link.delivery_id)
    session.refresh(link)
    kit = service.kit_of(session, delivery)
    ranges = merged([*(Span(start, end) for start, end in link.kit_ranges), span])
    link.kit_ranges = [[one.start, one.end] for one in ranges]
    if kit is None or sum(one.length for one in ranges) < kit.size_bytes:
        return
    for item in service.items_of(session, delivery.id):
        item.note_sent(Span(0, item.size_bytes), at)
    _complete(session, link, delivery, by=by, at=at)


def _complete(session: Session, link: MailLink, delivery: Delivery, *, by: Actor, at: datetime) -> None:
    """The step to delivered, once all bytes of all files have left."""
    session.flush()  # the files are read anew below
    items = service.items_of(session, delivery.id)
    if not all(item.is_complete for item in items) or not delivery.may_become(DeliveryState.DELIVERED):
        return
    if delivery.stopped_at is not None or link.code_confirmed_at is None:
        return
    proof = {
        "bytes": sum(item.sent_bytes for item in items),
        "requests": sum(item.sent["requests"] for item in items),
        "code_confirmed_at": link.code_confirmed_at.isoformat(),
    }
    ledger.step(session, delivery, DeliveryState.DELIVERED, proof, by=by, at=at)


def acknowledge(session: Session, opened: Opened, sha256: str | None, *, at: datetime) -> bool:
    """The recipient says that the files are right; whether the digest they gave is one of theirs.

    A wrong digest is recorded, so commit either way. Confirming twice is no error. Raises NotAllTaken.
    """
    delivery, items = opened.delivery, service.items_of(session, opened.delivery.id)
    told = (sha256 or "").strip().lower()
    if told and told not in _digests(session, delivery, items):
        evidence = {"expected": ", ".join(item.sha256 for item in items)[:2000], "told": told[:200]}
        _note(session, delivery, EventKind.DIGEST_DIFFERS, evidence, by=opened.by, at=at)
        return False
    if delivery.state is DeliveryState.ACKNOWLEDGED:
        return True
    is_proven = bool(told) and len(items) == 1
    if not delivery.is_held and not is_proven and not _may_have_them(session, delivery, items):
        raise NotAllTaken
    statement = {"statement": "verified"} | ({"sha256": told} if told else {})
    ledger.step(session, delivery, DeliveryState.ACKNOWLEDGED, statement, by=opened.by, at=at)
    return True


def item_of(session: Session, delivery: Delivery, artifact_id: UUID) -> DeliveryItem:
    """Raises NotFound for a file that is not of this delivery."""
    for item in service.items_of(session, delivery.id):
        if item.artifact_id == artifact_id:
            return item
    raise NotFound


def recipient_of(delivery: Delivery, address: str) -> Actor:
    """The recipient as the record names whoever showed the code."""
    name = str((delivery.recipient or {}).get("name", ""))
    return Actor(Via.NOBODY, name=name, organisation_id=delivery.organisation_id, kind=OrganisationKind.CUSTOMER,
                 address=address)  # fmt: skip


def wrong_digest(told: str) -> DigestOfNone:
    return DigestOfNone(told=told[:200])


def _locked(session: Session, link_id: UUID, at: datetime) -> tuple[MailLink, Delivery]:
    link = session.get(MailLink, link_id)
    if link is None:
        raise NotFound
    delivery = ledger.locked(session, link.delivery_id)  # whoever holds the delivery holds its links
    session.refresh(link)
    links.require_open(link, delivery, at)
    return link, delivery


def _digests(session: Session, delivery: Delivery, items: list[DeliveryItem]) -> set[str]:
    kit = service.kit_of(session, delivery)
    return {item.sha256 for item in items} | ({kit.sha256} if kit else set())


def _may_have_them(session: Session, delivery: Delivery, items: list[DeliveryItem]) -> bool:
    """The files went as attachments, or another server sent them where the portal could not see it."""
    return service.was_attached(session, delivery.id) or all(item.is_unseen or item.is_complete for item in items)


def _note_resumed(session: Session, opened: Opened, told: dict[str, Any], at: datetime) -> None:
    rows = select(DeliveryEvent).where(
        DeliveryEvent.delivery_id == opened.delivery.id,
        DeliveryEvent.kind.in_((EventKind.GRANTED, EventKind.RESUMED)),
    )
    last = session.scalar(rows.order_by(DeliveryEvent.sequence.desc()).limit(1))
    if last is not None and last.address == opened.by.address and at - last.at < SAME_SPELL:
        return
    _note(session, opened.delivery, EventKind.RESUMED, told, by=opened.by, at=at)


def _note(session: Session, delivery: Delivery, kind: EventKind, evidence: dict[str, Any], *, by: Actor,
          at: datetime) -> None:  # fmt: skip
    """Note it, unless there are so many of its kind that more would only fill the ledger."""
    rows = select(func.count()).where(DeliveryEvent.delivery_id == delivery.id, DeliveryEvent.kind == kind)
    if (session.scalar(rows) or 0) < MOST_EVENTS_OF_A_KIND:
        ledger.note(session, delivery, kind, evidence, by=by, at=at)


def _nobody(address: str) -> Actor:
    """Somebody who has the link and has not shown a code."""
    return Actor(Via.NOBODY, address=address)
