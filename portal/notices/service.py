"""Tell one customer of a release, once (P15)."""

from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.entitlements.decision import Decision
from portal.entitlements.rules import decide
from portal.mail.service import post
from portal.notices import queries
from portal.notices.letters import ForCustomer, News, letter
from portal.notices.models import Occasion, ReleaseNotice
from portal.notices.queries import Devices
from portal.releases.models import Release


def tell(session: Session, news: News, organisation_id: UUID, *, base_url: str, at: datetime) -> bool:
    """One letter to each active person of a customer that the news concerns: it may take the release, or has devices
    that it is for, or was told of it before. False where it does not, where the customer may not know of the release,
    or where there is nobody to read.
    """
    # two jobs at once come one after the other, and the second finds the notice
    session.execute(select(Organisation.id).where(Organisation.id == organisation_id).with_for_update())
    release = news.release
    if queries.was_told(session, release.id, organisation_id, news.occasion, news.number):
        return False
    if not queries.may_know(session, release.id, organisation_id, at):
        return False
    decision = decide(session, organisation_id=organisation_id, release=release, at=at)
    devices = queries.devices(session, release, organisation_id)
    if not _concerns(session, news, organisation_id, decision, devices):
        return False
    readers = queries.readers(session, organisation_id)
    if not readers:
        return False
    stands = ForCustomer(decision, devices.below, devices.at_it, _replacement(session, news, organisation_id, at))
    session.add(
        ReleaseNotice(release_id=release.id, organisation_id=organisation_id, occasion=news.occasion,
                      number=news.number, told_at=at, people=len(readers))
    )  # fmt: skip
    address = f"{base_url}/products/{quote(release.product.code)}/{quote(release.version, safe='')}"
    for person in readers:
        subject, text = letter(news, stands, name=person.name, language=person.language, address=address)
        key = f"notices.{news.occasion.value}:{release.id}:{news.number}:{person.id}"
        post(session, key=key, recipient=person.email, subject=subject, text=text, at=at)
    return True


def _concerns(
    session: Session, news: News, organisation_id: UUID, decision: Decision, devices: Devices
) -> bool:  # fmt: skip
    knows = queries.was_told(session, news.release.id, organisation_id, Occasion.PUBLISHED)
    if news.occasion is Occasion.PUBLISHED:
        return decision.is_granted or devices.below > 0
    if news.occasion is Occasion.CORRECTED:
        return decision.is_granted or knows or devices.below > 0 or devices.at_it > 0
    return knows or devices.at_it > 0


def _replacement(session: Session, news: News, organisation_id: UUID, at: datetime) -> str:
    """The version to take instead, unless it is still kept from this customer: then nothing is said of it."""
    other = news.release.replacement_id
    if other is None or not queries.may_know(session, other, organisation_id, at):
        return ""
    return session.get_one(Release, other).version
