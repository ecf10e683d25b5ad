"""Rows for tests: each factory fills in what a test does not care about."""

from datetime import date, datetime
from io import BytesIO
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.accounts import service
from portal.accounts.models import Organisation, Person
from portal.accounts.service import NewPerson, OrganisationFacts
from portal.actors import PORTAL_COMMAND, Actor, Via
from portal.authority.models import AuthorizedPerson, PowerOfAttorney, PowerState
from portal.backups import service as backups
from portal.backups.keys import KeyRing
from portal.backups.models import BackupKind, DeviceBackup
from portal.backups.receiving import receive as receive_backup
from portal.config import LANGUAGES
from portal.deliveries import requests
from portal.deliveries.models import Delivery, DeliveryAddress
from portal.deliveries.states import Channel
from portal.inventory import service as inventory
from portal.inventory.models import Device
from portal.permissions import OrganisationKind, Permission, Role
from portal.releases import service as releases
from portal.releases.models import Artifact, ArtifactRole, Category, Level, NotesRevision, Product, Release
from portal.releases.receiving import Announced
from portal.releases.versions import Scheme
from portal.resources import Resources
from portal.tickets import service as tickets
from portal.tickets.models import Ticket, TicketChannel, TicketKind, TicketSeverity
from storage import ObjectStore
from tests.portals import PASSWORD, START

words_of_their_own = (f"{number:03}" for number in count(1))


# accounts


def make_organisation(
    session: Session, kind: OrganisationKind = OrganisationKind.CUSTOMER, **facts: Any
) -> Organisation:
    """An organisation of its own code and name; `facts` are OrganisationFacts' fields."""
    word = next(words_of_their_own)
    given = {"code": f"{kind.value}-{word}", "name": f"{kind.value.title()} {word}", "country": "DE", **facts}
    return service.create_organisation(session, OrganisationFacts(kind, **given), by=PORTAL_COMMAND, at=START)


def make_person(session: Session, organisation: Organisation, *roles: Role, **facts: Any) -> Person:
    """Someone who can sign in with PASSWORD; `facts` are NewPerson's fields."""
    word = next(words_of_their_own)
    given = {"email": f"person-{word}@{organisation.code.lower()}.example", "name": f"Person {word}",
             "password": PASSWORD, **facts}  # fmt: skip
    new = NewPerson(roles=frozenset(roles), **given)
    return service.create_person(session, organisation, new, by=PORTAL_COMMAND, at=START)


# releases


def make_product(session: Session, **facts: Any) -> Product:
    """A firmware product of natural versions; `facts` are ProductFacts' fields."""
    word = next(words_of_their_own)
    given = {"code": f"product-{word}", "name": f"Product {word}", "category": Category.FIRMWARE,
             "scheme": Scheme.NATURAL, **facts}  # fmt: skip
    return releases.create_product(session, releases.ProductFacts(**given), by=PORTAL_COMMAND, at=START)


def make_release(session: Session, product: Product, version: str, **facts: Any) -> Release:
    """A draft with nothing in it; `facts` are ReleaseFacts' fields."""
    given = releases.ReleaseFacts(version=version, **{"level": Level.MAJOR, **facts})
    return releases.create_release(session, product, given, by=PORTAL_COMMAND, at=START)


def make_artifact(
    session: Session, store: ObjectStore, release: Release, name: str = "image.bin", content: bytes = b"bytes"
) -> Artifact:
    """A file in the store and in the draft, read back already."""
    received = store.receive(BytesIO(content), limit_bytes=len(content))
    file = releases.NewArtifact(name, ArtifactRole.IMAGE, "", received)
    artifact = releases.add_artifact(session, release, file, by=PORTAL_COMMAND, at=START)
    artifact.read_back_at = START
    return artifact


def make_notes(session: Session, release: Release) -> NotesRevision:
    """Just enough in both languages."""
    texts = {language: {"summary": "Better.", "rollback": "Put the old one back."} for language in LANGUAGES}
    return releases.save_notes(session, release, texts, by=PORTAL_COMMAND, at=START)


def make_published(resources: Resources, session: Session, release: Release, *, at: datetime = START) -> Release:
    """Walk a draft to publication, with a file and notes unless it has them."""
    if not session.scalar(select(Artifact.id).where(Artifact.release_id == release.id)):
        make_artifact(session, resources.store, release)
    if not session.scalar(select(NotesRevision.id).where(NotesRevision.release_id == release.id)):
        make_notes(session, release)
    releases.submit(session, release, languages=LANGUAGES, by=PORTAL_COMMAND, at=at)
    releases.approve(session, release, languages=LANGUAGES, second_person=False, by=PORTAL_COMMAND, at=at)
    releases.publish(session, release, languages=LANGUAGES, signer=resources.signer(), by=PORTAL_COMMAND, at=at)
    return release


# tickets and inventory


def make_ticket(session: Session, organisation: Organisation, by: Actor, **facts: Any) -> Ticket:
    """An incident of this customer, opened on the web; `facts` are TicketFacts' fields."""
    given = {"kind": TicketKind.INCIDENT, "severity": TicketSeverity.MINOR, "channel": TicketChannel.WEB,
             "title": "The link goes down", "body": "It goes down every night.", **facts}  # fmt: skip
    return tickets.open_ticket(session, tickets.TicketFacts(organisation, **given), by=by, at=START)


def make_device(session: Session, organisation: Organisation, product: Product, **facts: Any) -> Device:
    """A device with a serial number of its own; `facts` are DeviceFacts' fields."""
    given = {"serial": f"SN-{next(words_of_their_own)}", **facts}
    return inventory.add_device(session, inventory.DeviceFacts(organisation, product, **given),
                                by=PORTAL_COMMAND, at=START)  # fmt: skip


# backups


def make_backup(store: ObjectStore, session: Session, device: Device, content: bytes, **facts: Any) -> DeviceBackup:
    """A stored backup of the device, as if by its own customer; `facts` are columns of the row."""
    ring = KeyRing("a secret key for tests only")
    by = Actor(Via.SESSION, "Somebody", None, device.organisation_id, OrganisationKind.CUSTOMER,
               permissions=frozenset({Permission.BACKUPS}))  # fmt: skip
    prepared = backups.prepare(session, device, ring, by=by, at=START)
    announced = Announced(len(content), None, is_terminated=False)
    stored = receive_backup(store, BytesIO(content), announced, prepared.sealer, limit_bytes=1 << 30)
    name = facts.pop("name", "running.cfg")
    new = backups.NewBackup(name, facts.pop("kind", BackupKind.CONFIGURATION), "", prepared, stored)
    backup, _ = backups.store(session, device, new, by=by, at=facts.pop("stored_at", START))
    for column, value in facts.items():
        setattr(backup, column, value)
    session.flush()
    return backup


# deliveries


def make_recipient(session: Session, organisation: Organisation, **facts: Any) -> AuthorizedPerson:
    """An authorized person with a confirmed power for all products, in force for a year around START, to sign too.

    `facts` are AuthorizedPerson's columns, and PowerOfAttorney's under `power`.
    """
    word = next(words_of_their_own)
    power = {"number": f"POA-{word}", "issued_on": START.date(), "issued_by": "The director", "may_sign": True,
             "covers_all_products": True, "state": PowerState.CONFIRMED, **facts.pop("power", {})}  # fmt: skip
    given = {"name": f"Recipient {word}", "email": f"recipient-{word}@{organisation.code.lower()}.example", **facts}
    person = AuthorizedPerson(organisation_id=organisation.id, created_at=START, **given)
    row = PowerOfAttorney(created_at=START, **power)
    if row.valid_from is None:
        row.set_term(date(START.year, 1, 1), date(START.year, 12, 31), "UTC")
    person.powers = [row]
    session.add(person)
    session.flush()
    return person


def make_address(session: Session, organisation: Organisation, **facts: Any) -> DeliveryAddress:
    """An address of the customer's address book; `facts` are its columns."""
    word = next(words_of_their_own)
    given = {"label": f"Site {word}", "lines": ["Main street 1", "10115 Berlin"], "country": "DE", **facts}
    address = DeliveryAddress(organisation_id=organisation.id, created_at=START, **given)
    session.add(address)
    session.flush()
    return address


def make_request(
    session: Session, organisation: Organisation, release: Release, by: Actor, **facts: Any
) -> list[Delivery]:
    """A delivery of one release, asked for by `by`; `facts` are NewRequest's fields, by e-mail unless said otherwise.

    A recipient is made unless there is one, and an address for a courier.
    """
    given = {"channel": Channel.EMAIL, **facts}
    given.setdefault("recipient", None)
    recipient = given.pop("recipient") or make_recipient(session, organisation)
    if given["channel"] is Channel.COURIER and "address" not in given:
        given["address"] = make_address(session, organisation)
    whole = session.scalars(
        select(Release).where(Release.id == release.id)
        .options(joinedload(Release.product), selectinload(Release.artifacts))
        .execution_options(populate_existing=True)
    ).one()  # fmt: skip
    new = requests.NewRequest(organisation, (requests.Wanted(whole),), recipient=recipient, **given)
    return requests.request(session, new, by=by, at=START)
