"""Letters about powers of attorney, once per event and reader, and the daily look at what ends."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from portal.accounts.models import Person
from portal.actors import PORTAL_JOB
from portal.authority import letters, queries
from portal.authority.models import PowerOfAttorney, PowerState
from portal.authority.service import DECIDED, WAITS
from portal.jobs import service as jobs
from portal.mail.service import post
from portal.permissions import Role
from portal.resources import Resources

WARNED_BEFORE = (timedelta(days=7), timedelta(days=30))
SUBJECT_CHARS = 300


@jobs.handles(WAITS)
def tell_dispatchers(resources: Resources, *, at: datetime, power_id: str, since: str) -> None:
    """Every dispatcher hears of a power that waits; `since` tells one asking from the next."""
    with resources.sessions.begin() as session:
        power = queries.power(session, UUID(power_id), visible_to=PORTAL_JOB)
        if power.state is PowerState.UNCONFIRMED:
            dispatchers = queries.active_people(session, Role.DISPATCHER)
            _post(session, letters.WAITS, power, dispatchers, key=f"power-waits:{power.id}:{since}", at=at,
                  base_url=resources.config.base_url)  # fmt: skip


@jobs.handles(DECIDED)
def tell_managers(resources: Resources, *, at: datetime, power_id: str) -> None:
    with resources.sessions.begin() as session:
        power = queries.power(session, UUID(power_id), visible_to=PORTAL_JOB)
        letter = {PowerState.CONFIRMED: letters.CONFIRMED, PowerState.DECLINED: letters.DECLINED}.get(power.state)
        if letter is not None and power.decided_at is not None:
            key = f"power-decided:{power.id}:{power.decided_at.isoformat()}"
            _post(session, letter, power, _managers(session, power), key=key, at=at,
                  base_url=resources.config.base_url)  # fmt: skip


@jobs.handles("authority.warn-of-ends", every=timedelta(days=1))
def warn_of_ends(resources: Resources, *, at: datetime) -> None:
    """The customer's managers hear 30 and 7 days before a power ends, unless another goes on after it."""
    with resources.sessions.begin() as session:
        for power in queries.ending(session, at, within=max(WARNED_BEFORE)):
            span = next(span for span in WARNED_BEFORE if power.ends_at - at <= span)
            _post(session, letters.ENDING, power, _managers(session, power),
                  key=f"power-ends:{power.id}:{span.days}", at=at, base_url=resources.config.base_url)  # fmt: skip


def _managers(session: Session, power: PowerOfAttorney) -> Sequence[Person]:
    return queries.active_people(session, Role.CUSTOMER_MANAGER, organisation_id=power.holder.organisation_id)


def _post(  # noqa: PLR0913 - a letter to several has as many parts
    session: Session,
    letter: letters.Letter,
    power: PowerOfAttorney,
    readers: Sequence[Person],
    *,
    key: str,
    at: datetime,
    base_url: str,
) -> None:
    for reader in readers:
        subject, text = letters.written(letter, power, reader.language, base_url)
        post(session, key=f"{key}:{reader.id}", recipient=reader.email, subject=subject[:SUBJECT_CHARS], text=text,
             at=at)  # fmt: skip
