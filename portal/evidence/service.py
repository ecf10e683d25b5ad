"""Gathering what proves a delivery, from the rooms that made it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.couriers.models import Consignment
from portal.deliveries.models import Delivery
from portal.errors import WrongState, mark
from portal.evidence import papers
from portal.evidence.packing import Parts
from portal.handovers.models import Act, ActItem, ActState
from portal.kits.models import KitRecord
from portal.releases import queries as releases
from portal.releases.models import Publication
from storage import ObjectStore

PNG = b"\x89PNG"


class NothingToProve(WrongState):
    code = "evidence-nothing-to-prove"
    sentence = mark("Nothing of this delivery is on record yet that could be proved.")


@dataclass(frozen=True)
class Found:
    """What the rows say, before the bytes are fetched: `pictures` and `papers` are name → key in the object store."""

    delivery: Delivery
    publication: Publication
    pictures: dict[str, str]
    papers: dict[str, str]
    acts: dict[str, dict[str, Any]]
    slip: str | None


def find(session: Session, delivery: Delivery) -> Found:
    """Everything on record about the delivery, which needs customer, release, product, files and events.

    Raises NothingToProve for a delivery without an entry, or of a release that was never signed.
    """
    publication = releases.publication(session, delivery.release_id)
    if publication is None or not delivery.events:
        raise NothingToProve
    pictures: dict[str, str] = {}
    papers_by_name: dict[str, str] = {}
    acts: dict[str, dict[str, Any]] = {}
    signed = select(Act).join(Act.items).where(ActItem.delivery_id == delivery.id, Act.state == ActState.SIGNED)
    for act in session.scalars(signed.order_by(Act.number)):
        acts[act.number] = act.record
        named = {"signature": act.signature_key, "witness": act.witness_key}
        pictures |= {f"{act.number}-{name}": key for name, key in named.items() if key}
        if act.pdf_key:
            papers_by_name[f"{act.number}.pdf"] = act.pdf_key
    sent = select(Consignment).where(Consignment.delivery_id == delivery.id).order_by(Consignment.created_at)
    for number, consignment in enumerate(session.scalars(sent), start=1):
        if consignment.signature:
            pictures[f"receipt-{number}"] = consignment.signature["key"]
    return Found(delivery, publication, pictures, papers_by_name, acts, _slip(session, delivery))


def fetch(found: Found, store: ObjectStore, *, language: str, at: datetime) -> Parts:
    """The same with its bytes; no transaction need be open. Raises what the store raises."""
    return Parts(
        delivery=found.delivery,
        publication=found.publication,
        record=papers.record(found.delivery, language, at=at),
        papers={name: _whole(store, key) for name, key in found.papers.items()},
        pictures=dict(_signature(name, _whole(store, key)) for name, key in found.pictures.items()),
        acts=found.acts,
        slip=found.slip,
        read_me=papers.read_me(language),
    )


def _slip(session: Session, delivery: Delivery) -> str | None:
    """That of the kit that was made last for it."""
    rows = select(KitRecord.slip).where(
        KitRecord.delivery_number == delivery.number, KitRecord.release_id == delivery.release_id
    )
    return session.scalar(rows.order_by(KitRecord.built_at.desc()).limit(1))


def _signature(name: str, content: bytes) -> tuple[str, bytes]:
    """What was drawn is a picture; a name that was typed is text."""
    return f"{name}.{'png' if content.startswith(PNG) else 'txt'}", content


def _whole(store: ObjectStore, key: str) -> bytes:
    with store.open_range(key) as reader:
        return b"".join(reader)
