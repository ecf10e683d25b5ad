"""Loading contracts, grants and agreements, each as far as the reader may see, and the lists the decision gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Select, and_, exists, false, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from portal.accounts.customers import ESCAPE, anywhere, is_called
from portal.actors import Actor
from portal.entitlements.models import (
    Agreement,
    AgreementVersion,
    Contract,
    ContractLine,
    ContractState,
    Grant,
    ProductAgreement,
)
from portal.entitlements.newest import newest_takeable
from portal.entitlements.rules import is_takeable
from portal.entitlements.visibility import has_to_do, is_visible, visible_products
from portal.errors import NotFound, mark
from portal.releases.models import Product, ProductFamily, Release, ReleaseState

__all__ = [
    "Standing", "Wanted", "agreement", "agreement_version", "agreements", "contract", "contracts", "contracts_about",
    "coverable", "grant", "grants", "newest_takeable", "product_by_code", "published", "releases_about", "subject",
]  # fmt: skip

RELEASES_SHOWN = 200


class Standing(StrEnum):
    """Where a contract stands at an instant."""

    RUNNING = "running"
    COMING = "coming"
    ENDED = "ended"
    ON_HOLD = "on-hold"


STANDING_TITLES = {
    Standing.RUNNING: mark("Running"),
    Standing.COMING: mark("Not started"),
    Standing.ENDED: mark("Ended"),
    Standing.ON_HOLD: mark("On hold"),
}


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to."""

    text: str = ""
    standing: Standing | None = None


def standing_of(contract: Contract, at: datetime) -> Standing:
    if contract.state is ContractState.ON_HOLD:
        return Standing.ON_HOLD
    if contract.is_running(at):
        return Standing.RUNNING
    return Standing.COMING if at < contract.starts_at else Standing.ENDED


def contracts(wanted: Wanted, at: datetime, *, visible_to: Actor) -> Select[Contract]:
    """With their customers; those that end last first."""
    rows = _contracts(visible_to).order_by(Contract.ends_at.desc(), Contract.number)
    if wanted.text:
        by_number = Contract.number.ilike(anywhere(wanted.text), escape=ESCAPE)
        rows = rows.where(or_(by_number, is_called(wanted.text)))
    if wanted.standing:
        on_hold = Contract.state == ContractState.ON_HOLD
        rows = rows.where(
            {
                Standing.ON_HOLD: on_hold,
                Standing.RUNNING: and_(~on_hold, Contract.starts_at <= at, Contract.ends_at > at),
                Standing.COMING: and_(~on_hold, Contract.starts_at > at),
                Standing.ENDED: and_(~on_hold, Contract.ends_at <= at),
            }[wanted.standing]
        )
    return rows


def _contracts(visible_to: Actor) -> Select[Contract]:
    rows = select(Contract).join(Contract.organisation).options(contains_eager(Contract.organisation))
    return rows if visible_to.is_staff else rows.where(Contract.organisation_id == visible_to.organisation_id)


def contract(session: Session, contract_id: UUID, *, visible_to: Actor) -> Contract:
    """With its customer, and its lines with product and family. Raises NotFound."""
    rows = _contracts(visible_to).where(Contract.id == contract_id)
    lines = selectinload(Contract.lines)
    found = session.scalar(rows.options(lines.joinedload(ContractLine.product), lines.joinedload(ContractLine.family)))
    if found is None:
        raise NotFound
    return found


def contracts_about(session: Session, organisation_id: UUID, product: Product) -> Sequence[Contract]:
    """The customer's contracts that name the product or its family, by start, with all their lines."""
    names = ContractLine.product_id == product.id
    if product.family_id:
        names = or_(names, ContractLine.family_id == product.family_id)
    line = exists().where(ContractLine.contract_id == Contract.id, names)
    rows = select(Contract).where(Contract.organisation_id == organisation_id, line)
    return session.scalars(
        rows.options(selectinload(Contract.lines)).order_by(Contract.starts_at, Contract.number)
    ).all()


def coverable(session: Session) -> tuple[Sequence[ProductFamily], Sequence[Product]]:
    """What a line may name."""
    families = session.scalars(select(ProductFamily).order_by(ProductFamily.name)).all()
    return families, session.scalars(select(Product).order_by(Product.name)).all()


def grants(wanted: Wanted, *, visible_to: Actor) -> Select[Grant]:
    """With customer, release and product; the newest first."""
    rows = (
        select(Grant)
        .join(Grant.organisation)
        .join(Grant.release)
        .join(Release.product)
        .options(contains_eager(Grant.organisation), contains_eager(Grant.release).contains_eager(Release.product))
        .order_by(Grant.created_at.desc(), Grant.id)
    )
    if not visible_to.is_staff:
        rows = rows.where(Grant.organisation_id == visible_to.organisation_id)
    if wanted.text:
        pattern = anywhere(wanted.text)
        by_release = or_(*(c.ilike(pattern, escape=ESCAPE) for c in (Release.version, Product.name, Product.code)))
        rows = rows.where(or_(by_release, is_called(wanted.text)))
    return rows


def grant(session: Session, grant_id: UUID, *, visible_to: Actor) -> Grant:
    """Raises NotFound."""
    found = session.scalar(grants(Wanted(), visible_to=visible_to).where(Grant.id == grant_id))
    if found is None:
        raise NotFound
    return found


def agreements(*, visible_to: Actor) -> Select[Agreement]:
    """With versions and products, by code; for staff alone."""
    rows = select(Agreement).options(selectinload(Agreement.versions), selectinload(Agreement.products))
    return rows.order_by(Agreement.code) if visible_to.is_staff else rows.where(false())


def agreement(session: Session, agreement_id: UUID, *, visible_to: Actor) -> Agreement:
    """Raises NotFound."""
    found = session.scalar(agreements(visible_to=visible_to).where(Agreement.id == agreement_id))
    if found is None:
        raise NotFound
    return found


def agreement_version(session: Session, version_id: UUID, at: datetime, *, visible_to: Actor) -> AgreementVersion:
    """With its agreement. A customer sees what asks for it: raises NotFound where it may know of no such product."""
    rows = select(AgreementVersion).where(AgreementVersion.id == version_id)
    if not visible_to.is_staff:
        if visible_to.organisation_id is None:
            raise NotFound
        asks = exists().where(
            ProductAgreement.agreement_id == AgreementVersion.agreement_id,
            ProductAgreement.product_id.in_(visible_products(visible_to.organisation_id, at)),
        )
        rows = rows.where(asks)
    found = session.scalar(rows.options(joinedload(AgreementVersion.agreement)))
    if found is None:
        raise NotFound
    return found


def asked_version(session: Session, version_id: UUID, product_id: UUID, at: datetime) -> AgreementVersion:
    """The text that the product asks a recipient to accept, with its agreement. Raises NotFound for any other."""
    asks = exists().where(
        ProductAgreement.agreement_id == AgreementVersion.agreement_id, ProductAgreement.product_id == product_id
    )
    rows = select(AgreementVersion).where(
        AgreementVersion.id == version_id, AgreementVersion.effective_from <= at, asks
    )
    found = session.scalar(rows.options(joinedload(AgreementVersion.agreement)))
    if found is None:
        raise NotFound
    return found


def products_known(session: Session, organisation_id: UUID, at: datetime) -> list[tuple[Product, bool]]:
    """The products that the customer may know of, by name, those first that it has to do with (which the flag says)."""
    own = has_to_do(organisation_id, at)
    rows = session.execute(
        select(Product, own)
        .where(Product.id.in_(visible_products(organisation_id, at)))
        .order_by(own.desc(), Product.name, Product.id)
    )
    return [(product, bool(is_own)) for product, is_own in rows]


def product_by_code(session: Session, code: str) -> Product | None:
    return session.scalar(select(Product).where(Product.code == code.strip()))


def published(session: Session, product_id: UUID, version_key: str) -> Release | None:
    """The product's release of this version, if it was ever published."""
    states = (ReleaseState.PUBLISHED, ReleaseState.WITHDRAWN)
    return session.scalar(
        select(Release)
        .where(Release.product_id == product_id, Release.version_key == version_key, Release.state.in_(states))
        .options(joinedload(Release.product))
    )


def subject(session: Session, release_id: UUID, organisation_id: UUID, at: datetime, *, visible_to: Actor) -> Release:
    """The release that a decision is about, with its product. Raises NotFound where the reader may not know of it."""
    rows = select(Release).where(Release.id == release_id).options(joinedload(Release.product))
    if not visible_to.is_staff:
        rows = rows.where(is_visible(organisation_id, at))
    found = session.scalar(rows)
    if found is None:
        raise NotFound
    return found


def releases_about(
    session: Session, organisation_id: UUID, product_id: UUID, at: datetime
) -> list[tuple[Release, bool]]:
    """The product's releases that the customer may know of, the newest first, each with: may it be taken now?"""
    rows = (
        select(Release, is_takeable(organisation_id, at))
        .where(Release.product_id == product_id, is_visible(organisation_id, at))
        .order_by(Release.published_at.desc(), Release.id)
        .limit(RELEASES_SHOWN)
    )
    return [(release, bool(may)) for release, may in session.execute(rows)]
