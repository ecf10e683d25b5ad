"""A statement on paper, in the customer's language and its contract's time zone; made from what the statement says."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal

from portal.documents.report import Report, ReportTable, Row, render_report
from portal.documents.wording import Wording
from portal.errors import mark
from portal.reports.answers import OUTCOME_TITLES, Outcome
from portal.reports.months import Month
from portal.reports.reach import NOTICE_TITLES, Notice
from portal.tickets.clock_words import countdown
from portal.tickets.models import TICKET_CHANNEL_TITLES, TicketChannel, TicketSeverity

MOST_PRINTED = 1000
SEVERITY_WORDS = {
    TicketSeverity.CRITICAL: mark("critical"),
    TicketSeverity.MAJOR: mark("major"),
    TicketSeverity.MINOR: mark("minor"),
}
"""One word each; what they mean stands where one is chosen."""
READ_ME = mark(
    """What this archive proves

statement.pdf is the statement for people, statement.json the same for programs, with every ticket. SHA256SUMS names
the digests of these files; SHA256SUMS.sig is the signature of that list, made with the vendor's key when the statement
was issued. A statement is issued once and never changed.

To check it, with the vendor's public key that you have from elsewhere (not from this archive):

    portal statements verify THIS-FILE.zip --key vendor.pem

or, without any software of the vendor's:

    openssl dgst -sha256 -verify vendor.pem -signature SHA256SUMS.sig SHA256SUMS
    sha256sum --strict -c SHA256SUMS

The first must answer "Verified OK", the second "OK" for each file.
"""
)


def paper(content: dict[str, Any]) -> bytes:
    """The statement as PDF."""
    words = Wording(content["language"])
    _ = words.translate
    return render_report(
        Report(
            title=_("Monthly statement: %(month)s")
            % {"month": month_name(Month.parse(content["month"]), words.locale)},
            subtitle=f"{content['customer']['name']} ({content['customer']['code']})",
            facts=_facts(content, words),
            tables=(_groups(content, words), _releases(content, words), _tickets(content, words)),
            language=content["language"],
            at=datetime.fromisoformat(content["issued_at"]),
        )
    )


def month_name(month: Month, locale: str) -> str:
    return format_date(month.first_day, "LLLL y", locale)


def percent(permille: int | None, locale: str) -> str:
    return "—" if permille is None else f"{format_decimal(permille / 10, '0.0', locale)} %"


def local(at: datetime | None, time_zone: str, *, has_offset: bool = False) -> str:
    """2026-02-01 00:10, and +14:00 where the reader can't know it from elsewhere."""
    if at is None:
        return "—"
    there = at.astimezone(ZoneInfo(time_zone))
    offset = f"{there:%z}"
    return f"{there:%Y-%m-%d %H:%M}" + (f" {offset[:3]}:{offset[3:5]}" if has_offset else "")


def _facts(content: dict[str, Any], words: Wording) -> tuple[tuple[str, str], ...]:
    _, zone = words.translate, content["time_zone"]
    some = content["answers"]
    decided = some["in_time"] + some["late"]
    share = _("%(share)s: %(kept)s of %(decided)s") % {
        "share": percent(some["permille_in_time"], words.locale), "kept": some["in_time"], "decided": decided,
    }  # fmt: skip
    contracts = "\n".join(f"{one['number']}, {one['programme']}" for one in content["contracts"])
    begins, ends = (words.instant(datetime.fromisoformat(content[name]), zone) for name in ("begins_at", "ends_at"))
    return (
        (_("Contract"), contracts or "—"),
        (_("The month begins"), begins),
        (_("The month ends"), ends),
        (_("Issued, and as of"), words.instant(datetime.fromisoformat(content["issued_at"]), zone)),
        (_("Tickets"), words.number(some["asked"])),
        (_("First answer in time"), share if decided else "—"),
        (_("Not answered yet"), words.number(some["not_answered_yet"])),
    )


def _groups(content: dict[str, Any], words: Wording) -> ReportTable:
    _ = words.translate
    rows = tuple(
        (
            *_kind(one, words),
            *(words.number(one[name]) for name in ("asked", "in_time", "late", "not_answered_yet", "nothing_promised")),
            percent(one["permille_in_time"], words.locale),
        )
        for one in content["groups"]
    )
    columns = (
        _("Channel"), _("Severity"), _("Tickets"), _("On time"), _("Late"), _("Not answered yet"),
        _("Nothing promised"), _("Share on time"),
    )  # fmt: skip
    weights = (2.6, 2, 1.8, 1.5, 2, 1.4, 1.6, 1.5)
    return ReportTable(_("First answers by channel and severity"), columns, rows, weights, right=(2, 3, 4, 5, 6, 7))


def _tickets(content: dict[str, Any], words: Wording) -> ReportTable:
    _, zone = words.translate, content["time_zone"]
    tickets = content["tickets"]
    rows: list[Row] = [
        (
            f"{one['number']}\n{one['title']}",
            "\n".join(_kind(one, words)),
            _local(one["asked_at"], zone),
            _local(one["answered_at"], zone),
            _span(one["promised_seconds"], words),
            f"{_(OUTCOME_TITLES[Outcome(one['outcome'])])}\n{_span(one['left_seconds'], words)}",
        )
        for one in tickets[:MOST_PRINTED]
    ]
    heading = _("Every ticket behind these numbers")
    if len(tickets) > MOST_PRINTED:
        heading = _("The first %(number)s tickets; statement.json has every one") % {"number": MOST_PRINTED}
    columns = (
        _("Ticket"), _("Channel, severity"), _("Asked"), _("First answer"), _("Promised within"),
        _("Outcome, time left"),
    )  # fmt: skip
    return ReportTable(heading, columns, tuple(rows), (3.4, 2.1, 1.7, 1.7, 1.6, 2.2), right=(4,))


def _releases(content: dict[str, Any], words: Wording) -> ReportTable:
    _, zone = words.translate, content["time_zone"]
    rows = tuple(
        (
            f"{one['product']} {one['version']}",
            _local(one["published_at"], zone),
            _span(one["notice_seconds"], words)
            + (f"\n{_(NOTICE_TITLES[Notice(one['told_how'])])}" if one["told_how"] else ""),
            words.number(one["installed_devices"]),
            _span(one["median_seconds"], words),
            _span(one["worst_seconds"], words),
            words.number(one["waiting_devices"]),
        )
        for one in content["releases"]
    )
    columns = (
        _("Release"), _("Published"), _("To notice"), _("Devices updated"), _("To installation, median"),
        _("To installation, longest"), _("Devices waiting"),
    )  # fmt: skip
    heading = _("From publication to notice and installation, releases of twelve months")
    return ReportTable(heading, columns, rows, (2.7, 1.8, 2, 1.7, 1.9, 1.9, 1.9), right=(3, 4, 5, 6))


def _kind(one: dict[str, Any], words: Wording) -> tuple[str, str]:
    _ = words.translate
    return _(TICKET_CHANNEL_TITLES[TicketChannel(one["channel"])]), _(SEVERITY_WORDS[TicketSeverity(one["severity"])])


def _local(written: str | None, zone: str) -> str:
    return local(datetime.fromisoformat(written) if written else None, zone)


def _span(seconds: int | None, words: Wording) -> str:
    return "—" if seconds is None else countdown(timedelta(seconds=seconds), words.translate("d"))
