"""The verbs before anything leaves: a delivery is asked for, approved, given another recipient, cancelled (P8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal import numbers
from portal.accounts.models import Organisation, Person
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.authority.models import AuthorizedPerson
from portal.authority.rules import Need
from portal.days import parse_day
from portal.deliveries import ledger
from portal.deliveries.deciding import require_authority, require_standing
from portal.deliveries.errors import (
    AddressMissing,
    ChannelNotOffered,
    FileNotInRelease,
    NotEntitled,
    NothingWanted,
    OwnRequest,
    RecipientFixed,
    RequestRepeated,
    SameRecipient,
    TooLateToCancel,
    TooManyReleases,
    WantedDayPast,
)
from portal.deliveries.models import Delivery, DeliveryAddress, DeliveryEvent, DeliveryItem
from portal.deliveries.states import Channel, DeliveryState, EventKind
from portal.entitlements.agreed import missing_agreements
from portal.entitlements.reasons import agreement_required
from portal.errors import Forbidden, NotFound
from portal.jobs import service as jobs
from portal.kits.models import KitRecord
from portal.permissions import OrganisationKind, Permission
from portal.releases.models import Artifact, Release
from portal.texts import lines, one_line

OFFERED = (Channel.EMAIL, Channel.COURIER, Channel.HAND_OVER)
"""What can be asked for. A download is taken, and a remote installation belongs to an update request."""
MOST_RELEASES = 20
MAX_NOTE_CHARS = 2000
MAX_REASON_CHARS = 500
SERIES = "delivery"
RECIPIENT_OPEN = (DeliveryState.REQUESTED, DeliveryState.APPROVED, DeliveryState.FAILED)


@dataclass(frozen=True)
class Wanted:
    """One release, with its product and files loaded, and which of its files; None: all of them."""

    release: Release
    artifact_ids: frozenset[UUID] | None = None

    @property
    def artifacts(self) -> list[Artifact]:
        """Raises NothingWanted, FileNotInRelease."""
        files = [artifact for artifact in self.release.artifacts if artifact.removed_at is None]
        if self.artifact_ids is not None:
            if not self.artifact_ids <= {artifact.id for artifact in files}:
                raise FileNotInRelease(version=self.release.version)
            files = [artifact for artifact in files if artifact.id in self.artifact_ids]
        if not files:
            raise NothingWanted
        return files


@dataclass(frozen=True)
class NewRequest:
    """What a delivery is asked for with. `address` is needed where a courier goes; `wanted_by` is the last good day.

    `submission` is the sender's own word for this one sending: the same word again asks for nothing more.
    `replaces` is the lost or damaged delivery that this one stands for.
    """

    organisation: Organisation
    wanted: tuple[Wanted, ...]
    channel: Channel
    recipient: AuthorizedPerson
    address: DeliveryAddress | None = None
    wanted_by: date | None = None
    note: str = ""
    submission: str | None = None
    replaces: Delivery | None = None


def request(session: Session, new: NewRequest, *, by: Actor, at: datetime) -> list[Delivery]:
    """One delivery for each release, all with the same `request_id`; or those of the same submission before.

    The decision on contract and on authority is taken at once, and once more at each step that gives it out.
    Raises Forbidden, NotFound (another's organisation, recipient or address), ChannelNotOffered, NothingWanted,
    TooManyReleases, FileNotInRelease, AddressMissing, NotADay, WantedDayPast, NotEntitled, NotAuthorized,
    RequestRepeated, and the errors of portal.texts for the note.
    """
    _require_requester(new, by)
    _require_sensible(new, at)
    request_id, before = _sent_before(session, new, by)
    if before:
        return before
    made = [_one(session, new, wanted, request_id, by=by, at=at) for wanted in new.wanted]
    jobs.enqueue(session, "deliveries.requested", at=at, key=f"deliveries.requested:{request_id}",
                 request_id=str(request_id))  # fmt: skip
    return made


def approve(session: Session, delivery: Delivery, *, second_person: bool, by: Actor, at: datetime) -> DeliveryEvent:
    """The dispatcher lets it go; contract and authority are asked anew.

    `second_person`: whoever asked for it may not approve it (a setting of the portal).
    Raises Forbidden, OwnRequest, NotEntitled, NotAuthorized, StepOutOfOrder.
    """
    _require(by, Permission.DELIVERIES_DISPATCH)
    delivery = ledger.locked(session, delivery.id)
    delivery.require_step(DeliveryState.APPROVED)
    if second_person and delivery.person_id is not None and delivery.person_id == by.person_id:
        raise OwnRequest(number=delivery.number)
    standing = _standing(session, delivery, at)
    jobs.enqueue(session, "deliveries.approved", at=at, key=f"deliveries.approved:{delivery.id}",
                 delivery_id=str(delivery.id))  # fmt: skip
    return ledger.step(session, delivery, DeliveryState.APPROVED, standing, by=by, at=at)


def cancel(session: Session, delivery: Delivery, *, reason: str, by: Actor, at: datetime) -> DeliveryEvent:
    """Nothing more comes of it: by its customer before it has left, by the dispatcher while the channel allows it.

    Raises Forbidden, NotFound, MovesWithUpdate, TooLateToCancel, StepOutOfOrder, and the errors of portal.texts for the
    reason.
    """
    reason = lines(reason, limit=MAX_REASON_CHARS)
    delivery = ledger.locked(session, delivery.id)
    delivery.require_on_its_own()
    if not by.may(Permission.DELIVERIES_DISPATCH):
        _require_own(delivery, by)
        if delivery.state is DeliveryState.DISPATCHED:
            raise TooLateToCancel(number=delivery.number)
    was_told = delivery.state is not DeliveryState.REQUESTED  # a recipient hears of it at the approval
    event = ledger.step(session, delivery, DeliveryState.CANCELLED, {"reason": reason}, by=by, at=at)
    jobs.enqueue(session, "deliveries.cancelled", at=at, key=f"deliveries.cancelled:{delivery.id}",
                 delivery_id=str(delivery.id), reason=reason, tells_recipient=was_told)  # fmt: skip
    return event


def fail(session: Session, delivery: Delivery, *, reason: str, by: Actor, at: datetime) -> DeliveryEvent:
    """What was tried did not work; it may be prepared again or cancelled.

    Raises Forbidden, MovesWithUpdate, StepOutOfOrder.
    """
    _require(by, Permission.DELIVERIES_DISPATCH)
    reason = lines(reason, limit=MAX_REASON_CHARS)
    delivery = ledger.locked(session, delivery.id)
    delivery.require_on_its_own()
    return ledger.step(session, delivery, DeliveryState.FAILED, {"reason": reason}, by=by, at=at)


def change_recipient(
    session: Session, delivery: Delivery, recipient: AuthorizedPerson, *, reason: str, by: Actor, at: datetime
) -> DeliveryEvent:
    """Somebody else will receive it: a new entry, with that person's authority; nothing that was noted is altered.

    Before a kit is made out; by the customer until the dispatcher has approved, by the dispatcher afterwards.
    Raises Forbidden, NotFound, RecipientFixed, SameRecipient, NotAuthorized, and the errors of portal.texts.
    """
    reason = one_line(reason, limit=MAX_REASON_CHARS)
    delivery = ledger.locked(session, delivery.id)
    is_dispatcher = by.may(Permission.DELIVERIES_DISPATCH)
    if not is_dispatcher:
        _require_own(delivery, by)
    if recipient.organisation_id != delivery.organisation_id:
        raise NotFound
    is_open = delivery.state in (RECIPIENT_OPEN if is_dispatcher else RECIPIENT_OPEN[:1])
    if not is_open or _has_kit(session, delivery):
        raise RecipientFixed(number=delivery.number)
    if recipient.id == delivery.recipient_id and recipient_facts(recipient) == delivery.recipient:
        raise SameRecipient
    before = delivery.recipient
    delivery.recipient_id, delivery.recipient = recipient.id, recipient_facts(recipient)
    held = _authority(session, delivery, at)
    evidence = {"reason": reason, "recipient_before": before, "recipient": delivery.recipient, "authority": held}
    audit.record(session, Tag.DELIVERY_RECIPIENT, by=by, at=at, subject=delivery, named=delivery.number or "",
                 before=before, recipient=delivery.recipient, reason=reason)  # fmt: skip
    return ledger.note(session, delivery, EventKind.CORRECTED, evidence, by=by, at=at)


def needs_of(channel: Channel) -> tuple[Need, ...]:
    """What the recipient's power of attorney must give: an act of acceptance has to be signed as well."""
    return (Need.RECEIVE, Need.SIGN) if channel is Channel.HAND_OVER else (Need.RECEIVE,)


def recipient_facts(recipient: AuthorizedPerson) -> dict[str, Any]:
    """The recipient as the delivery keeps them."""
    return {
        "name": recipient.name,
        "email": recipient.email,
        "phone": recipient.phone,
        "language": recipient.language,
    }


def destination_facts(address: DeliveryAddress | None) -> dict[str, Any] | None:
    """The address as the delivery keeps it."""
    if address is None:
        return None
    return {
        "label": address.label,
        "lines": list(address.lines),
        "country": address.country,
        "phone": address.phone,
    }


def _one(session: Session, new: NewRequest, wanted: Wanted, request_id: UUID, *, by: Actor,
         at: datetime) -> Delivery:  # fmt: skip
    delivery = Delivery(
        id=uuid4(),
        channel=new.channel,
        state=DeliveryState.REQUESTED,
        organisation_id=new.organisation.id,
        release_id=wanted.release.id,
        person_id=by.person_id,
        person_name=by.name,
        created_at=at,
        request_id=request_id,
        recipient_id=new.recipient.id,
        recipient=recipient_facts(new.recipient),
        destination=_destination_of(new),
        wanted_by=new.wanted_by,
        note=_note_of(new),
        replaces_id=new.replaces.id if new.replaces else None,
    )
    delivery.release = wanted.release
    standing = _standing(session, delivery, at)
    _require_agreements(session, new, wanted.release, by, at)
    delivery.decision, delivery.organisation = standing["decision"], new.organisation
    delivery.number = f"D-{numbers.take(session, SERIES):06d}"
    artifacts = wanted.artifacts
    delivery.items = [
        DeliveryItem(artifact_id=a.id, size_bytes=a.size_bytes, sha256=a.sha256, sent={"ranges": [], "requests": 0})
        for a in artifacts
    ]
    session.add(delivery)
    session.flush()  # its first entry names it
    ledger.begin(session, delivery, {"wanted": _wanted_facts(new, wanted)} | standing, by=by, at=at)
    return delivery


def _wanted_facts(new: NewRequest, wanted: Wanted) -> dict[str, Any]:
    """What was asked for, as the first entry keeps it and as a second sending is compared with."""
    return {
        "product": wanted.release.product.code,
        "version": wanted.release.version,
        "files": sorted(artifact.name for artifact in wanted.artifacts),
        "channel": new.channel.value,
        "recipient": recipient_facts(new.recipient),
        "destination": _destination_of(new),
        "by": new.wanted_by.isoformat() if new.wanted_by else None,
        "note": _note_of(new),
        "replaces": new.replaces.number if new.replaces else None,
    }


def _destination_of(new: NewRequest) -> dict[str, Any] | None:
    """Where it goes, for what travels; a letter has its recipient's address."""
    return None if new.channel is Channel.EMAIL else destination_facts(new.address)


def _note_of(new: NewRequest) -> str:
    return lines(new.note, limit=MAX_NOTE_CHARS, required=False)


def _standing(session: Session, delivery: Delivery, at: datetime) -> dict[str, Any]:
    needs = needs_of(delivery.channel)
    standing = [require_standing(session, delivery, need=need, at=at) for need in needs]
    return standing[-1]


def _authority(session: Session, delivery: Delivery, at: datetime) -> dict[str, Any]:
    held = [
        require_authority(session, delivery, delivery.release, need=need, at=at) for need in needs_of(delivery.channel)
    ]
    return held[-1]


def _has_kit(session: Session, delivery: Delivery) -> bool:
    """Whether a kit that no medium carries was made out to the recipient; a medium's is written anew."""
    rows = select(KitRecord.id).where(KitRecord.delivery_number == delivery.number, KitRecord.medium_serial == "")
    return session.scalar(rows) is not None


def _require(by: Actor, permission: Permission) -> None:
    if not by.may(permission):
        raise Forbidden(permission=permission)


def _require_own(delivery: Delivery, by: Actor) -> None:
    _require(by, Permission.DELIVERIES_REQUEST)
    if not by.is_staff and delivery.organisation_id != by.organisation_id:
        raise NotFound


def _require_requester(new: NewRequest, by: Actor) -> None:
    _require(by, Permission.DELIVERIES_REQUEST)
    organisation = new.organisation
    if organisation.kind is not OrganisationKind.CUSTOMER or (
        not by.is_staff and organisation.id != by.organisation_id
    ):
        raise NotFound
    others = (new.recipient, new.address, new.replaces)
    if any(other is not None and other.organisation_id != organisation.id for other in others):
        raise NotFound


def _require_sensible(new: NewRequest, at: datetime) -> None:
    if new.channel not in OFFERED:
        raise ChannelNotOffered(channel=new.channel.value)
    if not new.wanted:
        raise NothingWanted
    if len(new.wanted) > MOST_RELEASES:
        raise TooManyReleases(limit=MOST_RELEASES)
    if new.channel is Channel.COURIER and new.address is None:
        raise AddressMissing
    if new.address is not None and new.address.removed_at is not None:
        raise NotFound
    today = at.astimezone(ZoneInfo(new.organisation.time_zone)).date()
    if new.wanted_by is not None and parse_day(new.wanted_by) < today:
        raise WantedDayPast


def _require_agreements(session: Session, new: NewRequest, release: Release, by: Actor, at: datetime) -> None:
    """What goes out on a medium must have been agreed to by who asks for it; a letter's link asks its reader."""
    if not by.is_customer or new.channel is Channel.EMAIL:
        return
    missing = missing_agreements(session, by.person_id, release.product_id, at)
    if missing:
        raise NotEntitled(agreement_required(missing, by.language), release.id)


def _sent_before(session: Session, new: NewRequest, by: Actor) -> tuple[UUID, list[Delivery]]:
    """The id of this request, and its deliveries if the same person sent the same submission before.

    Raises RequestRepeated when that one asked for something else.
    """
    if not new.submission or by.person_id is None:
        return uuid4(), []
    request_id = uuid5(by.person_id, f"delivery {new.submission}")
    session.execute(select(Person.id).where(Person.id == by.person_id).with_for_update())  # of two at once one waits
    before = session.scalars(select(Delivery).where(Delivery.request_id == request_id).order_by(Delivery.number)).all()
    if before and _first_words(session, before) != [_wanted_facts(new, wanted) for wanted in new.wanted]:
        raise RequestRepeated
    return request_id, list(before)


def _first_words(session: Session, deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    rows = select(DeliveryEvent.delivery_id, DeliveryEvent.evidence).where(
        DeliveryEvent.delivery_id.in_([delivery.id for delivery in deliveries]), DeliveryEvent.sequence == 1
    )
    evidence = {row.delivery_id: row.evidence for row in session.execute(rows)}
    return [evidence[delivery.id]["wanted"] for delivery in deliveries]
