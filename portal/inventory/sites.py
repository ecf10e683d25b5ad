"""The verbs of a customer's sites."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.inventory import queries
from portal.inventory.errors import SiteCodeTaken, SiteInUse
from portal.inventory.models import Site
from portal.inventory.service import require_customer
from portal.inventory.terms import (
    MAX_CONTACT_CHARS,
    MAX_NIGHT_CHARS,
    MAX_PHONE_CHARS,
    MAX_SITE_NAME_CHARS,
    SiteFacts,
    parse_address,
    parse_contact_email,
    parse_site_code,
    parse_time_zone,
)
from portal.texts import one_line


def add_site(session: Session, organisation: Organisation, facts: SiteFacts, *, by: Actor, at: datetime) -> Site:
    """A site of this customer; one of the same code that was removed is there again.

    Without a time zone it is in the customer's. Raises Forbidden, NotFound (another's organisation), NotACustomer,
    SiteCodeTaken, NotATimeZone, BadEmail, and the errors of portal.texts.
    """
    require_customer(organisation, by)
    rows = select(Site).where(Site.organisation_id == organisation.id, Site.code == parse_site_code(facts.code))
    site = session.scalar(rows)
    if site is not None and site.removed_at is None:
        raise SiteCodeTaken(site=site.code)
    site = site or Site(organisation_id=organisation.id, created_at=at)
    site.removed_at = None
    _describe(site, facts, organisation)
    session.add(site)
    _flushed(session, site)
    _record(session, Tag.SITE_SAVE, site, by=by, at=at)
    return site


def change_site(session: Session, site: Site, facts: SiteFacts, *, by: Actor, at: datetime) -> None:
    """`site` is loaded as `queries.get_site` does. Raises SiteRemoved, and as add_site."""
    require_customer(site.organisation, by)
    site.require_there()
    code = parse_site_code(facts.code)
    taken = select(Site.code).where(Site.organisation_id == site.organisation_id, Site.code == code, Site.id != site.id)
    with session.no_autoflush:
        if session.scalar(taken) is not None:
            raise SiteCodeTaken(site=code)
    _describe(site, facts, site.organisation)
    _flushed(session, site)
    _record(session, Tag.SITE_SAVE, site, by=by, at=at)


def remove_site(session: Session, site: Site, *, by: Actor, at: datetime) -> None:
    """Raises SiteInUse while devices stand there, SiteRemoved, Forbidden, NotFound."""
    require_customer(site.organisation, by)
    count = queries.devices_at(session, [site.id]).get(site.id, 0)
    if count:
        raise SiteInUse(site=site.code, count=count)
    site.remove(at)
    _record(session, Tag.SITE_REMOVE, site, by=by, at=at)


def _describe(site: Site, facts: SiteFacts, organisation: Organisation) -> None:
    parsed = {
        "code": parse_site_code(facts.code),
        "name": one_line(facts.name, limit=MAX_SITE_NAME_CHARS),
        "time_zone": parse_time_zone(facts.time_zone or organisation.time_zone),
        "address": parse_address(facts.address),
        "contact_name": one_line(facts.contact_name, limit=MAX_CONTACT_CHARS, required=False),
        "contact_phone": one_line(facts.contact_phone, limit=MAX_PHONE_CHARS, required=False),
        "contact_email": parse_contact_email(facts.contact_email),
        "night_contact": one_line(facts.night_contact, limit=MAX_NIGHT_CHARS, required=False),
    }
    for name, value in parsed.items():  # all is parsed before anything is set
        setattr(site, name, value)


def _flushed(session: Session, site: Site) -> None:
    code = site.code
    try:
        with session.begin_nested():
            session.flush()  # the unique constraint speaks here: somebody else may have taken the code a moment ago
    except IntegrityError as error:
        raise SiteCodeTaken(site=code) from error


def _record(session: Session, tag: Tag, site: Site, *, by: Actor, at: datetime) -> None:
    audit.record(session, tag, by=by, at=at, subject=site, named=f"{site.code} {site.name}",
                 organisation=str(site.organisation_id))  # fmt: skip
