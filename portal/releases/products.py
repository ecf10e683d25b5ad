"""Verbs on products, their trains and export rules."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import EndUse
from portal.actors import Actor
from portal.audit.service import Tag, record
from portal.errors import mark
from portal.releases import queries
from portal.releases.errors import BadCode, BadExportRule, BadTrainDates, CodeTaken, SchemeFixed, TrainTaken
from portal.releases.models import Category, ExportRule, Product, ProductFamily, Train
from portal.releases.texts import clean
from portal.releases.versions import Scheme

_CODE = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,58}[a-z0-9])?")
_RESERVED_CODES = frozenset({"new"})
_COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True)
class ProductFacts:
    """`code` stands in addresses and signed manifests; `family` is a family's name, made when it is new."""

    code: str
    name: str
    category: Category
    scheme: Scheme
    description: str = ""
    is_listed: bool = True
    family: str = ""


@dataclass(frozen=True)
class TrainFacts:
    name: str
    general_availability: date | None = None
    end_of_sale: date | None = None
    end_of_support: date | None = None
    end_of_security_support: date | None = None


@dataclass(frozen=True)
class ExportRuleFacts:
    """`country` is ISO 3166-1 alpha-2; None means any. `clause` is what a refusal quotes."""

    country: str | None
    end_use: EndUse | None
    clause: str


def create_product(session: Session, facts: ProductFacts, *, by: Actor, at: datetime) -> Product:
    """Raises BadCode, CodeTaken, BadText."""
    product = Product(created_at=at)
    _describe(session, product, facts)
    session.add(product)
    session.flush()  # it gets its id, and the name's uniqueness is known now
    record(session, Tag.PRODUCT_CREATE, by=by, at=at, subject=product, named=product.code)
    return product


def change_product(session: Session, product: Product, facts: ProductFacts, *, by: Actor, at: datetime) -> None:
    """Raises SchemeFixed when code or scheme would change and there are releases; else as create_product."""
    is_fixed = (facts.code, facts.scheme) != (product.code, product.scheme)
    if is_fixed and queries.has_releases(session, product.id):
        raise SchemeFixed(code=product.code)
    _describe(session, product, facts)
    record(session, Tag.PRODUCT_CHANGE, by=by, at=at, subject=product, named=product.code)


def _describe(session: Session, product: Product, facts: ProductFacts) -> None:
    if not _CODE.fullmatch(facts.code) or facts.code in _RESERVED_CODES:
        raise BadCode(text=facts.code[:60])
    if facts.code != product.code and session.scalar(select(Product.id).where(Product.code == facts.code)):
        raise CodeTaken(code=facts.code)
    product.code, product.category, product.scheme = facts.code, facts.category, facts.scheme
    product.name = clean(facts.name, field=mark("Name"), limit=200, required=True)
    product.description = clean(facts.description, field=mark("Description"), limit=5000)
    product.is_listed = facts.is_listed
    product.family = _family(session, clean(facts.family, field=mark("Family"), limit=100))


def _family(session: Session, name: str) -> ProductFamily | None:
    if not name:
        return None
    return session.scalar(select(ProductFamily).where(ProductFamily.name == name)) or ProductFamily(name=name)


def save_train(session: Session, product: Product, facts: TrainFacts, *, train: Train | None = None,
               by: Actor, at: datetime) -> Train:  # fmt: skip
    """Make a train, or give `train` these facts. Raises BadTrainDates, TrainTaken, BadText."""
    name = clean(facts.name, field=mark("Name"), limit=60, required=True)
    dates = (facts.general_availability, facts.end_of_sale, facts.end_of_support, facts.end_of_security_support)
    known = [day for day in dates if day]
    if known != sorted(known):
        raise BadTrainDates
    taken = session.scalar(select(Train.id).where(Train.product_id == product.id, Train.name == name))
    if taken and (train is None or taken != train.id):
        raise TrainTaken(name=name)
    train = train or Train(product_id=product.id)
    train.name = name
    train.general_availability, train.end_of_sale, train.end_of_support, train.end_of_security_support = dates
    session.add(train)
    session.flush()  # it gets its id
    told = {"train": name, "dates": [str(day) if day else None for day in dates]}
    record(session, Tag.TRAIN_SAVE, by=by, at=at, subject=train, named=f"{product.code} {name}", **told)
    return train


def add_export_rule(
    session: Session, product: Product, facts: ExportRuleFacts, *, by: Actor, at: datetime
) -> ExportRule:
    """Raises BadExportRule, BadText."""
    country = facts.country.strip().upper() if facts.country else None
    if (country is None and facts.end_use is None) or (country and not _COUNTRY.fullmatch(country)):
        raise BadExportRule
    rule = ExportRule(product_id=product.id, country=country, end_use=facts.end_use.value if facts.end_use else None)
    rule.clause = clean(facts.clause, field=mark("Clause"), limit=200, required=True)
    session.add(rule)
    session.flush()  # it gets its id
    record(session, Tag.EXPORT_RULE_ADD, by=by, at=at, subject=rule, named=product.code, **_told(rule))
    return rule


def remove_export_rule(session: Session, product: Product, rule: ExportRule, *, by: Actor, at: datetime) -> None:
    record(session, Tag.EXPORT_RULE_REMOVE, by=by, at=at, subject=product, named=product.code, **_told(rule))
    session.delete(rule)


def _told(rule: ExportRule) -> dict[str, str | None]:
    return {"country": rule.country, "end_use": rule.end_use, "clause": rule.clause}
