"""What a statement says, as plain values: the paper, the list and anybody's program are made of these alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.actors import Actor, Via
from portal.entitlements.models import Contract
from portal.permissions import OrganisationKind
from portal.releases.models import Release
from portal.reports import answers, reach
from portal.reports.answers import Figures, Line, Wanted
from portal.reports.months import MONTHS_OF_A_YEAR, Month, Months
from portal.reports.reach import Reach, Spread

FORMAT = "release-portal statement 1"
MOST_RELEASES = 50


def contracts_of(session: Session, organisation: Organisation, month: Month) -> list[Contract]:
    """Those with a day of the month in their term, the last to end first."""
    rows = select(Contract).where(
        Contract.organisation_id == organisation.id,
        Contract.starts_on <= month.last_day,
        Contract.ends_on >= month.first_day,
    )
    return list(session.scalars(rows.order_by(Contract.ends_at.desc(), Contract.number)))


def compose(session: Session, organisation: Organisation, month: Month, *, at: datetime) -> dict[str, Any] | None:
    """The statement of one customer's month as it stands at this instant; None where there is nothing to state: no
    contract ran and nothing was asked. Instants are UTC, RFC 3339; spans are seconds of the programme's hours."""
    contracts = contracts_of(session, organisation, month)
    customer = Actor(Via.JOB, organisation_id=organisation.id, kind=OrganisationKind.CUSTOMER)
    found = answers.lines(session, Wanted(Months(month, month), organisation.id), visible_to=customer, at=at)
    if not contracts and not found:
        return None
    zone = contracts[0].time_zone if contracts else organisation.time_zone
    return {
        "format": FORMAT,
        "customer": {"code": organisation.code, "name": organisation.name},
        "language": organisation.language,
        "month": str(month),
        "time_zone": zone,
        "begins_at": written(month.begins(zone)),
        "ends_at": written(month.ends(zone)),
        "issued_at": written(at),
        "contracts": [
            {"number": one.number, "programme": one.programme, "time_zone": one.time_zone} for one in contracts
        ],
        "answers": figures_payload(answers.figures(found)),
        "groups": [
            {"channel": channel.value, "severity": severity.value, **figures_payload(some)}
            for (channel, severity), some in sorted(
                answers.grouped(found, lambda line: (line.ticket.channel, line.ticket.severity)).items()
            )
        ],
        "tickets": [line_payload(line) for line in found],
        "releases": _releases(session, customer, month, at),
    }


def figures_payload(some: Figures) -> dict[str, Any]:
    return {
        "asked": some.asked,
        "in_time": some.kept,
        "late": some.late,
        "not_answered_yet": some.waiting,
        "nothing_promised": some.none,
        "permille_in_time": some.permille,
    }


def line_payload(line: Line) -> dict[str, Any]:
    """A ticket with its own clock; `left_seconds` is negative where the answer came too late."""
    reading = line.reading
    return {
        "number": str(line.ticket),
        "title": line.ticket.title,
        "channel": line.ticket.channel.value,
        "severity": line.ticket.severity.value,
        "asked_at": written(line.ticket.created_at),
        "answered_at": written(line.answered_at),
        "outcome": line.outcome.value,
        "promised_seconds": seconds(reading.target if reading else None),
        "used_seconds": seconds(reading.used if reading else None),
        "left_seconds": seconds(line.left),
    }


def reach_payload(one: Reach) -> dict[str, Any]:
    release, (told_at, told_how) = one.release, one.told or (None, None)
    return {
        "product": release.product.name,
        "version": release.version,
        "published_at": written(release.published_at),
        "told_at": written(told_at),
        "told_how": told_how.value if told_how else None,
        "notice_seconds": seconds(one.notice),
        **spread_payload(reach.spread(one.installed)),
        "waiting_devices": one.waiting,
    }


def spread_payload(some: Spread) -> dict[str, Any]:
    return {
        "installed_devices": some.count,
        "median_seconds": seconds(some.median),
        "worst_seconds": seconds(some.worst),
    }


def seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())


def written(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def _releases(session: Session, customer: Actor, month: Month, at: datetime) -> list[dict[str, Any]]:
    """What was published in the year up to the month's end, as far as it concerns this customer."""
    year = Months(month.moved(1 - MONTHS_OF_A_YEAR), month)
    rows = reach.releases("", visible_to=customer, at=min(at, year.latest))
    rows = rows.where(Release.published_at >= year.earliest).limit(MOST_RELEASES)
    some = session.scalars(rows).all()
    found = reach.reaches(session, some, visible_to=customer, at=at)
    return [reach_payload(one) for release in some for one in found[release.id]]
