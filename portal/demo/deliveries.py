"""What went to the invented customer, and how: by download, by e-mail, by courier, and what waits for a meeting.

The kits are real ones: built, signed, written to a folder that stands for the medium, and read back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.authority.models import AuthorizedPerson
from portal.config import Downloads
from portal.couriers import carriers, copying, dispatching, media, writing
from portal.couriers.copying import Place
from portal.couriers.dispatching import HandingOver, Packing
from portal.couriers.media import MediumFacts, Proof
from portal.couriers.queries import carriers as known_carriers
from portal.couriers.states import MediumKind
from portal.couriers.writing import Written
from portal.deliveries import ledger, requests, service
from portal.deliveries.addresses import AddressFacts, save_address
from portal.deliveries.kit_specs import kit_spec
from portal.deliveries.models import Delivery, DeliveryAddress
from portal.deliveries.states import Channel
from portal.handovers import opening
from portal.kits import service as kits
from portal.mailings import service as mailings
from portal.releases.models import Product, Release
from portal.resources import Resources
from portal.web.byte_ranges import Span

HOUR = timedelta(hours=1)
CARRIER = {"name": "Северная почта", "tracking_url": "https://post.example/t?n={tracking}", "phone": "+7 800 555-01-02"}
ADDRESS = AddressFacts("Узел связи 1", "443001, Самара\nул. Молодогвардейская, 210\nУзел связи 1, вход со двора", "RU")


@dataclass(frozen=True)
class Counter:
    """Who hands out to whom; `ago` gives an instant by days before today."""

    resources: Resources
    customer: Organisation
    engineer: Actor
    dispatcher: Actor
    ago: Callable[[float], datetime]


def before_withdrawal(counter: Counter) -> None:
    """The release that is withdrawn later: downloaded by one, brought to another by courier."""
    _download(counter, "es2400", "15.1R7-S9", at=counter.ago(72))
    parcel = _asked(counter, Channel.COURIER, "es2400", "15.1R7-S9", at=counter.ago(71))
    _send(counter, parcel, "USB-0007", "SEAL-41807", at=counter.ago(70))
    with counter.resources.sessions.begin() as session:
        proof = Proof("Подпись О. Мостовой в накладной RB 700 118 335 RU")
        dispatching.delivered(session, parcel, counter.ago(67), proof, by=counter.dispatcher, at=counter.ago(67))


def deliver(counter: Counter) -> None:
    """One delivery in each place of the board."""
    parcel = _asked(counter, Channel.COURIER, "es2400", "15.1R7-S10", at=counter.ago(14))
    _send(counter, parcel, "USB-0011", "SEAL-41822", at=counter.ago(12))
    _mail(counter, _asked(counter, Channel.EMAIL, "flowview", "3.4.1", at=counter.ago(2)), at=counter.ago(1))
    _lay_ready(counter, _asked(counter, Channel.HAND_OVER, "es2400", "15.1R7-S10", at=counter.ago(3)),
               at=counter.ago(2))  # fmt: skip
    _asked(counter, Channel.EMAIL, "flowview", "3.5.0", at=counter.ago(0.2), is_approved=False)


def _download(counter: Counter, code: str, version: str, *, at: datetime) -> None:
    by = counter.engineer
    with counter.resources.sessions.begin() as session:
        release = _release(session, code, version)
        artifact = release.artifacts[0]
        granted = service.require_entitled(session, release, by=by, at=at)
        whole = Span(0, artifact.size_bytes)
        delivery_id = service.issue(session, service.Taking(artifact, granted, whole, Downloads.PORTAL, "curl/8.9"),
                                    by=by, at=at)  # fmt: skip
        service.record_sent(session, delivery_id, whole, by=by, at=at + HOUR / 60)
        service.confirm(session, session.get_one(Delivery, delivery_id), artifact.sha256, by=by, at=at + HOUR)


def _asked(
    counter: Counter, channel: Channel, code: str, version: str, *, at: datetime, is_approved: bool = True
) -> UUID:
    """A request of the customer's engineer, let go by the dispatcher an hour later."""
    with counter.resources.sessions.begin() as session:
        customer = session.merge(counter.customer)
        olga = select(AuthorizedPerson).where(AuthorizedPerson.organisation_id == customer.id)
        recipient = session.scalars(olga.order_by(AuthorizedPerson.created_at).limit(1)).one()
        address = _address(session, counter, customer, at) if channel is Channel.COURIER else None
        new = requests.NewRequest(customer, (requests.Wanted(_release(session, code, version)),), channel, recipient,
                                  address)  # fmt: skip
        [delivery] = requests.request(session, new, by=counter.engineer, at=at)
        if is_approved:
            requests.approve(session, delivery, second_person=True, by=counter.dispatcher, at=at + HOUR)
        return delivery.id


def _address(session: Session, counter: Counter, customer: Organisation, at: datetime) -> DeliveryAddress:
    known = session.scalar(select(DeliveryAddress).where(DeliveryAddress.organisation_id == customer.id))
    return known or save_address(session, customer, ADDRESS, by=counter.engineer, at=at)


def _send(counter: Counter, delivery_id: UUID, serial: str, seal: str, *, at: datetime) -> None:
    """The kit on a medium that was read back, packed under the seal, given to the carrier two hours later."""
    by = counter.dispatcher
    with counter.resources.sessions.begin() as session:
        medium = media.add(session, MediumFacts(MediumKind.USB, serial, 32 << 30), by=by, at=at)
        delivery = ledger.locked(session, delivery_id)
        session.refresh(delivery, ["items"])
        spec = kit_spec(delivery, medium_kind=medium.kind.value, medium_serial=serial)
        medium_id = medium.id
    record = kits.prepare(counter.resources, spec, by=by, at=at)
    with TemporaryDirectory() as folder:
        place = Place(Path(folder), is_extracted=False, burnt=None)
        copying.write(counter.resources.store, record, place, _unseen)
        read_back = copying.read_back(record, place, _unseen)
    written = Written(medium_id, record.file_name, record.sha256, record.size_bytes, read_back)
    with counter.resources.sessions.begin() as session:
        writing.record(session, delivery_id, written, secret_key=counter.resources.config.secret_key, by=by, at=at)
        carrier = next(iter(known_carriers(session)), None) or carriers.save(session, None, CARRIER, by=by, at=at)
        dispatching.pack(session, delivery_id, Packing(seal, carrier), by=by, at=at + HOUR)
        left = at + 2 * HOUR
        handing = HandingOver(f"RB {seal[-3:]} 118 335 RU", left)
        dispatching.dispatch(session, delivery_id, handing, by=by, at=left)


def _unseen(_kind: str, _count: int) -> None:
    """Nobody watches the writing."""


def _mail(counter: Counter, delivery_id: UUID, *, at: datetime) -> None:
    with counter.resources.sessions.begin() as session:
        mailings.prepare(session, delivery_id, by=counter.dispatcher, at=at)
        mailings.dispatch(session, delivery_id, config=counter.resources.config, by=counter.dispatcher, at=at)


def _lay_ready(counter: Counter, delivery_id: UUID, *, at: datetime) -> None:
    """The kit on the table for the meeting."""
    with counter.resources.sessions.begin() as session:
        delivery = ledger.locked(session, delivery_id)
        session.refresh(delivery, ["items"])
        spec = kit_spec(delivery)
    record = kits.prepare(counter.resources, spec, by=counter.dispatcher, at=at)
    with counter.resources.sessions.begin() as session:
        opening.prepare(session, [delivery_id], {delivery_id: record.sha256}, by=counter.dispatcher, at=at)


def _release(session: Session, code: str, version: str) -> Release:
    found = select(Release).join(Product).where(Product.code == code, Release.version == version)
    return session.scalars(found.options(joinedload(Release.product), selectinload(Release.artifacts))).one()
