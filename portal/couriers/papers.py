"""The papers of a parcel from its rows: packing list, address label, seal label, in the recipient's language."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.couriers import slips
from portal.couriers.errors import NotPacked, PapersGone
from portal.couriers.models import Consignment
from portal.couriers.states import MEDIUM_KIND_TITLES
from portal.deliveries.models import Delivery
from portal.documents.facts import FileLine, Medium, ReleaseLine
from portal.documents.labels import AddressLabel, SealLabel, render_address_label, render_seal_label
from portal.documents.packing import PackingList, render_packing_list
from portal.mail.words import translator
from portal.permissions import OrganisationKind

CONFIRM_WITHIN = timedelta(days=21)
PACKING, ADDRESS, SEAL = "packing", "address", "seal"
MAX_LABEL_LINES, MAX_LABEL_LINE_CHARS = 8, 60


@dataclass(frozen=True)
class Sheet:
    """What the papers of one parcel say, as plain values, so that they are drawn with no transaction open."""

    language: str
    packing: PackingList
    address: AddressLabel
    seal: SealLabel

    def draw(self, paper: str) -> bytes:
        """The PDF of `paper`: packing, address or seal."""
        if paper == PACKING:
            return render_packing_list(self.packing, self.language)
        if paper == ADDRESS:
            return render_address_label(self.address, self.language)
        return render_seal_label(self.seal, self.language)


def sheet(session: Session, delivery: Delivery, consignment: Consignment | None, *, secret_key: str,
          base_url: str) -> Sheet:  # fmt: skip
    """Needs the delivery's customer, release, product, files; the parcel's medium, writing, carrier.

    Raises NotPacked, PapersGone when the codes on papers printed before could not be printed again.
    """
    if consignment is None or not consignment.is_packed or consignment.packed_at is None:
        raise NotPacked
    secret = slips.secret_of(consignment.id, secret_key)
    if slips.digest(secret) != consignment.secret_hash:
        raise PapersGone
    recipient, place = delivery.recipient or {}, delivery.destination or {}
    language = recipient.get("language", "en")
    parcel = _Parcel(
        delivery=delivery,
        consignment=consignment,
        sender=sender(session),
        recipient=recipient.get("name", ""),
        phone=place.get("phone") or recipient.get("phone", ""),
        address="\n".join([*place.get("lines", []), place.get("country", "")]),
        open_address=f"{base_url}/r?number={delivery.number}",
        receipt_address=f"{base_url}/r/{secret}",
        receipt_code=slips.code_of(consignment.id, secret_key),
        medium=Medium(
            translator(language)(MEDIUM_KIND_TITLES[consignment.medium.kind]),
            consignment.medium.serial,
            consignment.medium.capacity_bytes,
        ),
        packed_at=consignment.packed_at,
    )
    return Sheet(language, parcel.packing(), parcel.address_label(), parcel.seal_label())


@dataclass(frozen=True)
class _Parcel:
    """What all three papers speak of.

    The address label, which everybody on the way sees, opens the page that asks for the code (`open_address`). The
    secret is on the packing list inside, and on the seal: who finds it broken reports that without opening the bag.
    """

    delivery: Delivery
    consignment: Consignment
    sender: str
    recipient: str
    phone: str
    address: str
    open_address: str
    receipt_address: str
    receipt_code: str
    medium: Medium
    packed_at: datetime

    @property
    def carrier(self) -> str:
        return self.consignment.carrier.name if self.consignment.carrier else ""

    def packing(self) -> PackingList:
        release, writing = self.delivery.release, self.consignment.writing
        files = tuple(FileLine(item.artifact.name, item.size_bytes, item.sha256) for item in self.delivery.items)
        return PackingList(
            number=self.delivery.number or "",
            at=self.packed_at,
            time_zone=self.delivery.organisation.time_zone,
            sender=self.sender,
            recipient=self.recipient,
            organisation=self.delivery.organisation.name,
            address=self.address,
            phone=self.phone,
            releases=(ReleaseLine(release.product.name, release.version, files),),
            medium=self.medium,
            seal=self.consignment.seal,
            kit_name=writing.kit_name,
            kit_size_bytes=writing.kit_size_bytes,
            kit_sha256=writing.kit_sha256,
            receipt_address=self.receipt_address,
            receipt_code=self.receipt_code,
            confirm_by=(self.packed_at + CONFIRM_WITHIN).date(),
            carrier=self.carrier,
            tracking=self.consignment.tracking,
        )

    def address_label(self) -> AddressLabel:
        return AddressLabel(
            number=self.delivery.number or "",
            at=self.packed_at,
            sender=self.sender,
            sender_phone="",
            recipient=self.recipient,
            organisation=self.delivery.organisation.name,
            address=_fitting(self.address),
            phone=self.phone,
            kit_sha256=self.consignment.writing.kit_sha256,
            code=self.open_address,
            seal=self.consignment.seal,
            carrier=self.carrier,
            tracking=self.consignment.tracking,
        )

    def seal_label(self) -> SealLabel:
        return SealLabel(
            number=self.delivery.number or "",
            at=self.packed_at,
            seal=self.consignment.seal,
            organisation=self.delivery.organisation.name,
            serial=self.medium.serial,
            kit_sha256=self.consignment.writing.kit_sha256,
            code=self.receipt_address,
        )


def _fitting(address: str) -> str:
    """What a label has room for; the packing list bears all of it."""
    return "\n".join(line[:MAX_LABEL_LINE_CHARS] for line in address.splitlines()[:MAX_LABEL_LINES])


def sender(session: Session) -> str:
    """The vendor's name; the support centre's where the vendor is not on record."""
    rows = select(Organisation).where(Organisation.kind.in_((OrganisationKind.VENDOR, OrganisationKind.SUPPORT)))
    found = sorted(session.scalars(rows), key=lambda one: (one.kind is not OrganisationKind.VENDOR, one.name))
    return found[0].name if found else ""
