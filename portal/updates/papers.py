"""The report of an update: what was planned, agreed, done on each device, by whom, with which result."""

from datetime import datetime

from portal.documents.report import Report, ReportTable, Row
from portal.documents.wording import Wording
from portal.updates.event_words import detail_in
from portal.updates.models import RemoteSession, UpdateRequest
from portal.updates.states import (
    CHECK_TITLES,
    ORIGIN_TITLES,
    STEP_STATE_TITLES,
    UPDATE_EVENT_TITLES,
    UPDATE_STATE_TITLES,
    WAY_TITLES,
)
from portal.web.formats import grouped


def report(update: UpdateRequest, *, language: str, address: str, at: datetime) -> Report:
    """In the reader's language, times in the window's zone; `address` is the page that it prints."""
    wording = Wording(language)
    _ = wording.translate
    return Report(
        title=_("Report of the update %(number)s") % {"number": update.number},
        subtitle=f"{update.release.product.name} {update.release.version}, {_(UPDATE_STATE_TITLES[update.state])}",
        facts=_facts(update, wording),
        tables=(
            _steps(update, wording),
            _checks(update, wording),
            _sessions(update, wording),
            _events(update, wording),
        ),
        language=language,
        at=at,
        qr=address,
    )


def _facts(update: UpdateRequest, wording: Wording) -> tuple[tuple[str, str], ...]:
    _ = wording.translate
    zone = update.time_zone
    begins = wording.instant(update.begins_at, zone) if update.begins_at else "—"
    ends = wording.instant(update.ends_at, zone) if update.ends_at else "—"
    minutes = sum(device.downtime_seconds for device in update.devices) / 60
    return (
        (_("Customer"), update.organisation.name),
        (_("Origin"), _(ORIGIN_TITLES[update.origin])),
        (_("Way"), _(WAY_TITLES[update.way])),
        (_("Window"), f"{begins} – {ends} ({zone})"),
        (_("Consent of the customer"), _consent(update.customer_consent, wording, zone)),
        (_("Consent of the support centre"), _consent(update.support_consent, wording, zone)),
        (_("Engineer"), update.engineer.name if update.engineer else "—"),
        (_("Interruption in all, measured"), _("%(minutes)s min") % {"minutes": wording.number(round(minutes))}),
    )


def _consent(said: dict[str, str] | None, wording: Wording, zone: str) -> str:
    if not said:
        return "—"
    return f"{said['name']}, {wording.instant(datetime.fromisoformat(said['at']), zone)}"


def _steps(update: UpdateRequest, wording: Wording) -> ReportTable:
    _ = wording.translate
    rows: list[Row] = []
    for device in update.devices:
        before = device.from_version
        for step in device.steps:
            times = [wording.instant(one, update.time_zone) if one else "—" for one in (step.started_at, step.ended_at)]
            down = "—" if step.downtime_seconds is None else wording.number(round(step.downtime_seconds / 60))
            said = _(STEP_STATE_TITLES[step.state]) + (f"\n{step.note}" if step.note else "")
            if device.ticket is not None and step is device.steps[-1]:
                said += f"\n{device.ticket}"
            rows.append((device.device.serial, f"{before} → {step.version}", *times, down, said))
            before = step.version
    columns = (_("Device"), _("Step"), _("Began"), _("Ended"), _("Interruption, min"), _("Result"))
    return ReportTable(_("Steps"), columns, tuple(rows), weights=(2.4, 2.4, 2.4, 2.4, 1.8, 4), right=(4,))


def _checks(update: UpdateRequest, wording: Wording) -> ReportTable:
    _ = wording.translate
    serials = {str(device.id): device.device.serial for device in update.devices}
    rows = tuple(
        (_(CHECK_TITLES[row.name]) + (f"\n{row.note}" if row.note else ""), serials.get(row.key, ""), row.by_name,
         wording.instant(row.at, update.time_zone))
        for row in sorted(update.checks, key=lambda row: row.at)
    )  # fmt: skip
    columns = (_("Point"), _("Device"), _("Who"), _("When"))
    return ReportTable(_("Checklist"), columns, rows, weights=(5, 2, 2, 2))


def _sessions(update: UpdateRequest, wording: Wording) -> ReportTable:
    _ = wording.translate
    rows = tuple(_session(one, update, wording) for one in update.sessions)
    columns = (_("Device"), _("Who, from where"), _("From, to"), _("On whose consent"), _("What was done"))
    return ReportTable(_("Remote sessions"), columns, rows, weights=(2, 2.4, 2.6, 2.4, 5))


def _session(one: RemoteSession, update: UpdateRequest, wording: Wording) -> Row:
    zone = update.time_zone
    ended = wording.instant(one.ended_at, zone) if one.ended_at else "—"
    done = [entry["text"] for entry in one.notes]
    done += [f"{file['name']} {grouped(file['sha256'])}" for file in one.files]
    done += [one.result] if one.result else []
    return (
        one.device.serial,
        f"{one.engineer_name}\n{one.address}".strip(),
        f"{wording.instant(one.started_at, zone)}\n{ended}",
        f"{one.consent.given_name}\n{wording.instant(one.consent.given_at, zone)}",
        "\n".join(done) or "—",
    )


def _events(update: UpdateRequest, wording: Wording) -> ReportTable:
    _ = wording.translate
    rows = tuple(
        (wording.instant(event.at, update.time_zone), event.person_name, _(UPDATE_EVENT_TITLES[event.kind]),
         detail_in(event, _))
        for event in update.events
    )  # fmt: skip
    return ReportTable(_("History"), (_("When"), _("Who"), _("What"), ""), rows, weights=(2.4, 2, 3, 5))
