"""The same figures as tables for spreadsheets: instants UTC by RFC 3339, spans in whole seconds, never negative."""

from collections.abc import Callable, Iterable, Sequence

from portal.deliveries.sheet import said
from portal.reports import answers, reach
from portal.reports.answers import Line
from portal.reports.content import seconds
from portal.reports.reach import Reach

Row = tuple[str, ...]
ANSWERS = ("month", "customer", "name", "channel", "severity", "asked", "in_time", "late", "not_answered_yet",
           "nothing_promised", "percent_in_time")  # fmt: skip
TICKETS = ("number", "customer", "name", "title", "channel", "severity", "month", "time_zone", "asked", "answered",
           "promised_seconds", "used_seconds", "late_seconds", "outcome")  # fmt: skip
RELEASES = ("product", "version", "published", "customer", "name", "told", "told_how", "notice_seconds",
            "installed_devices", "median_seconds", "worst_seconds", "waiting_devices")  # fmt: skip


def answer_rows(found: Sequence[Line]) -> Iterable[Row]:
    """One row for each month, customer, channel and severity in which anything was asked."""
    groups = answers.grouped(found, _group)
    for (month, code, name, channel, severity), some in sorted(groups.items()):
        share = "" if some.permille is None else f"{some.permille / 10:.1f}"
        counts = (some.asked, some.kept, some.late, some.waiting, some.none)
        yield (month, code, name, channel, severity, *map(str, counts), share)


def ticket_rows(found: Iterable[Line]) -> Iterable[Row]:
    for line in found:
        ticket, reading = line.ticket, line.reading
        late = max(-reading.left, reach.NOTHING) if reading else None
        yield (
            str(ticket),
            line.organisation.code,
            line.organisation.name,
            ticket.title,
            ticket.channel.value,
            ticket.severity.value,
            str(line.month),
            line.time_zone,
            said(ticket.created_at),
            said(line.answered_at),
            _number(seconds(reading.target if reading else None)),
            _number(seconds(reading.used if reading else None)),
            _number(seconds(late)),
            line.outcome.value,
        )


def release_rows(found: Iterable[Reach], translate: Callable[[str], str]) -> Iterable[Row]:
    for one in found:
        told_at, told_how = one.told or (None, None)
        some = reach.spread(one.installed)
        yield (
            one.release.product.name,
            one.release.version,
            said(one.release.published_at),
            one.organisation.code,
            one.organisation.name,
            said(told_at),
            translate(reach.NOTICE_TITLES[told_how]) if told_how else "",
            _number(seconds(one.notice)),
            str(some.count),
            _number(seconds(some.median)),
            _number(seconds(some.worst)),
            str(one.waiting),
        )


def _group(line: Line) -> Row:
    ticket = line.ticket
    home = line.organisation
    return str(line.month), home.code, home.name, ticket.channel.value, ticket.severity.value


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
