"""The ledger's entry of what the support centre installs: a remote installation is a delivery (DESIGN 3.2, 3.3).

One delivery for each release of an update. Whether the customer may take the release is decided when it is about to be
put on a device, each time anew; a device on which it is done is the proof that it was delivered.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal import numbers
from portal.accounts.models import Person
from portal.actors import Actor
from portal.deliveries import ledger, requests
from portal.deliveries.errors import NotEntitled
from portal.deliveries.models import Delivery, DeliveryItem
from portal.deliveries.states import Channel, DeliveryState, EventKind
from portal.entitlements.decision import Refused, minute
from portal.entitlements.rules import decide
from portal.errors import mark
from portal.mail.words import translator
from portal.releases.models import Release
from portal.updates.errors import NothingInstalled
from portal.updates.history import hold, note, require_customer
from portal.updates.models import AccessConsent, UpdateDevice, UpdateRequest, UpdateStep
from portal.updates.own_way import releases_of
from portal.updates.states import UpdateEventKind

NOTHING_INSTALLED = mark("It was installed on no device: %(number)s.")
Work = tuple[UpdateDevice, UpdateStep]


def begin(
    session: Session, update: UpdateRequest, work: Work, consent: AccessConsent, *, by: Actor, at: datetime
) -> Delivery:  # fmt: skip
    """A release is about to be put on a device. Raises NotEntitled when the customer may not take it now."""
    device, step = work
    release = next(one for one in releases_of(session, update) if one.id == step.release_id)
    decision = decide(session, organisation_id=update.organisation_id, release=release, at=at)
    if isinstance(decision, Refused):
        raise NotEntitled(decision, release.id)
    told = decision.to_json() | {"template": decision.clause}
    delivery = _of_release(session, update, release.id)
    if delivery is None:
        return _open(session, update, (release, told), consent, by=by, at=at)
    proof = {"decision": told, "device": device.device.serial}
    ledger.note(session, delivery, EventKind.GRANTED, proof, by=by, at=at)
    return delivery


def done(session: Session, update: UpdateRequest, work: Work, *, by: Actor, at: datetime) -> None:
    """The release runs on the device: the first device delivers it, each other is noted."""
    device, step = work
    delivery = _of_release(session, update, step.release_id)
    if delivery is None:  # it was begun before the ledger knew of installations
        return
    proof = {"device": device.device.serial, "session": _session_facts(update, device), "decision": delivery.decision}
    if delivery.is_held:
        ledger.note(session, delivery, EventKind.INSTALLED, proof, by=by, at=at)
    else:
        ledger.step(session, delivery, DeliveryState.DELIVERED, proof, by=by, at=_not_before(delivery, at))


def settle(session: Session, update: UpdateRequest, *, by: Actor, at: datetime) -> None:
    """What runs on no device when the update ends was not delivered."""
    reason = translator(update.organisation.language)(NOTHING_INSTALLED) % {"number": update.number}
    for delivery in _all(session, update):
        if delivery.state is DeliveryState.PREPARED:
            ledger.step(session, delivery, DeliveryState.CANCELLED, {"reason": reason}, by=by,
                        at=_not_before(delivery, at))  # fmt: skip


def confirm(session: Session, update: UpdateRequest, *, by: Actor, at: datetime) -> None:
    """The customer confirms what was installed; what is confirmed already stays so.

    Raises Forbidden, NotFound, NothingInstalled.
    """
    require_customer(update, by)
    update = hold(session, update, by=by)
    waiting = [one for one in _all(session, update) if one.state is DeliveryState.DELIVERED]
    if not waiting or not update.is_closed:
        raise NothingInstalled(number=update.number)
    for delivery in waiting:
        statement = {"statement": "installed"}
        ledger.step(session, delivery, DeliveryState.ACKNOWLEDGED, statement, by=by, at=_not_before(delivery, at))
    numbers_said = ", ".join(one.number or "" for one in waiting)
    note(session, update, UpdateEventKind.INSTALLED, by=by, at=at, detail=numbers_said)


def awaits_confirmation(update: UpdateRequest, deliveries: Iterable[Delivery]) -> bool:
    return update.is_closed and any(
        one.channel is Channel.REMOTE_INSTALLATION and one.state is DeliveryState.DELIVERED for one in deliveries
    )


def _not_before(delivery: Delivery, at: datetime) -> datetime:
    """Now; a host clock that was set back keeps nobody from writing down what was done."""
    return max(at, delivery.since or at)


def _open(
    session: Session, update: UpdateRequest, what: tuple[Release, dict[str, Any]], consent: AccessConsent, *,
    by: Actor, at: datetime,
) -> Delivery:  # fmt: skip
    release, decision = what
    files = [artifact for artifact in release.artifacts if artifact.removed_at is None]
    update.delivery_request_id = update.id  # under which its page finds them
    delivery = Delivery(
        id=uuid4(),
        channel=Channel.REMOTE_INSTALLATION,
        state=DeliveryState.REQUESTED,
        organisation_id=update.organisation_id,
        release_id=release.id,
        person_id=by.person_id,
        person_name=by.name,
        created_at=at,
        request_id=update.id,
        recipient=_recipient(session, consent),
        note=update.number,
        decision=decision,
        number=f"D-{numbers.take(session, requests.SERIES):06d}",
    )
    delivery.release, delivery.organisation = release, update.organisation
    delivery.items = [
        DeliveryItem(artifact_id=a.id, size_bytes=a.size_bytes, sha256=a.sha256, sent={"ranges": [], "requests": 0})
        for a in files
    ]
    session.add(delivery)
    session.flush()  # its first entry names it
    wanted = {
        "product": release.product.code, "version": release.version, "files": sorted(a.name for a in files),
        "channel": delivery.channel.value, "recipient": delivery.recipient, "note": update.number,
    }  # fmt: skip
    agreed = {"name": consent.given_name, "at": consent.given_at.isoformat(), "until": consent.until.isoformat()}
    digests = {artifact.name: artifact.sha256 for artifact in files}
    ledger.begin(session, delivery, {"wanted": wanted}, by=by, at=at)
    proof = {"decision": decision, "consent": agreed}
    ledger.step(session, delivery, DeliveryState.APPROVED, proof, by=by, at=at)
    ledger.step(session, delivery, DeliveryState.PREPARED, {"sha256": digests}, by=by, at=at)
    return delivery


def _recipient(session: Session, consent: AccessConsent) -> dict[str, Any]:
    """Whoever let the support centre in, as the delivery keeps them."""
    person = session.get(Person, consent.given_by) if consent.given_by else None
    language = person.language if person else "en"
    return {"name": consent.given_name, "email": person.email if person else "", "phone": "", "language": language}


def _session_facts(update: UpdateRequest, device: UpdateDevice) -> dict[str, str]:
    """The newest session to the device: in which it was done."""
    newest = [one for one in update.sessions if one.device_id == device.device_id][-1]
    return {
        "update": update.number,
        "engineer": newest.engineer_name,
        "from": minute(newest.started_at),
        "consent": newest.consent.given_name,
    }


def _of_release(session: Session, update: UpdateRequest, release_id: UUID) -> Delivery | None:
    return next((one for one in _all(session, update) if one.release_id == release_id), None)


def _all(session: Session, update: UpdateRequest) -> list[Delivery]:
    """The update's installations, each held locked."""
    rows = select(Delivery.id).where(
        Delivery.request_id == update.id, Delivery.channel == Channel.REMOTE_INSTALLATION
    )  # fmt: skip
    return [ledger.locked(session, found) for found in session.scalars(rows.order_by(Delivery.number))]
