"""A plan on paper: what to do, what to check, how long service is interrupted, how to go back, which files to use.

Devices of one product with the same version share their steps; each has a line of its own to be signed off.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.documents.report import Report, ReportTable, Row
from portal.documents.wording import Wording
from portal.errors import mark
from portal.inventory.models import Device
from portal.plans.rules import VERDICT_TITLES, Plan, Step
from portal.releases.models import SEVERITY_TITLES, Artifact, Issue, NotesRevision, Section

DIGEST_GROUP = 8
BACK_UP = mark("Save the configuration and, where the device can give it, the running image.")
BACKED_UP = mark("The copy is stored elsewhere and can be read.")
INSTALL = mark("Install %(version)s.")
REQUIRED = mark("This release is required: it may not be skipped.")
NOT_ENTITLED = mark("May not be taken now: %(decision)s")
REPORTS = mark("The device reports %(version)s; alarms and traffic are as before.")
SOLVES = mark("Solved: %(issues)s.")
KNOWN = mark("Known issues: %(issues)s.")
REPORT_IT = mark("Enter the new version in the portal.")
ENTERED = mark("The device's page shows %(version)s.")


@dataclass(frozen=True)
class RunBook:
    """What a run-book is made of. `notes` and `files` are by release id; `address` is the page that it prints.

    `language` and `time_zone` are the reader's.
    """

    heading: str
    devices: Sequence[Device]
    plans: Mapping[UUID, Plan]
    notes: Mapping[UUID, NotesRevision]
    files: Mapping[UUID, Sequence[Artifact]]
    address: str
    language: str
    time_zone: str
    at: datetime


def report(book: RunBook, facts: Sequence[tuple[str, str]]) -> Report:
    """The run-book as a report to be rendered; `facts` are (label, value) in the book's language."""
    wording = Wording(book.language)
    _ = wording.translate
    groups = _groups(book)
    tables = [_devices(book, wording)]
    for plan, some in groups:
        if plan.steps:
            tables.append(_steps(plan, some, wording))
    steps = {(some[0].product.name, step.release.id): step for plan, some in groups for step in plan.steps}
    named = [(f"{product} {step.release.version}", step) for (product, _id), step in steps.items()]
    if named:
        tables += [_rollback(book, named, wording), _issues(steps.values(), wording), _files(book, named, wording)]
    return Report(
        title=_("Run-book: %(name)s") % {"name": book.heading},
        subtitle=_("What to do, in this order; sign each line when it is done."),
        facts=(*facts, (_("As of"), wording.instant(book.at, book.time_zone))),
        tables=tuple(tables),
        language=book.language,
        at=book.at,
        qr=book.address,
    )


def _groups(book: RunBook) -> list[tuple[Plan, list[Device]]]:
    groups: dict[tuple[UUID, str | None], list[Device]] = {}
    for device in book.devices:
        groups.setdefault((device.product_id, device.installed_key), []).append(device)
    return [(book.plans[some[0].id], some) for some in groups.values()]


def _devices(book: RunBook, wording: Wording) -> ReportTable:
    _ = wording.translate
    rows: list[Row] = []
    for device in book.devices:
        plan = book.plans[device.id]
        target = plan.target.version if plan.target else "—"
        verdict = _(VERDICT_TITLES[plan.verdict])
        if plan.obstacle:
            verdict = f"{verdict}. {plan.obstacle.sentence_in(_)}"
        name = f"{device.serial}\n{device.name}".strip()
        rows.append((name, device.product.name, device.installed_version or "—", target, verdict, ""))
    columns = (_("Device"), _("Product"), _("Installed"), _("Next"), _("Standing"), _("Done: time, name"))
    return ReportTable(_("Devices"), columns, tuple(rows), weights=(3, 3, 2, 2, 4, 3))


def _steps(plan: Plan, devices: Sequence[Device], wording: Wording) -> ReportTable:
    _ = wording.translate
    rows: list[Row] = [("1", _(BACK_UP), _(BACKED_UP), "—", "")]
    for number, step in enumerate(plan.steps, 2):
        rows.append((str(number), _to_do(step, wording), _check(step, wording), _downtime(step, wording), ""))
    last = plan.steps[-1].release.version
    rows.append((str(len(rows) + 1), _(REPORT_IT), _(ENTERED) % {"version": last}, "—", ""))
    first = devices[0]
    heading = _("%(product)s: from %(before)s to %(after)s") % {
        "product": first.product.name, "before": first.installed_version or "—", "after": last,
    }  # fmt: skip
    serials = ", ".join(device.serial for device in devices)
    columns = ("№", _("What to do"), _("Check afterwards"), _("Interruption"), _("Done: time, name"))
    return ReportTable(f"{heading} ({serials})", columns, tuple(rows), weights=(0.5, 4, 4, 2, 2.5))


def _to_do(step: Step, wording: Wording) -> str:
    _ = wording.translate
    parts = [_(INSTALL) % {"version": step.release.version}]
    if step.release.is_required:
        parts.append(_(REQUIRED))
    if not step.may_take:
        parts.append(_(NOT_ENTITLED) % {"decision": step.decision.sentence_in(_)})
    return " ".join(parts)


def _check(step: Step, wording: Wording) -> str:
    _ = wording.translate
    parts = [_(REPORTS) % {"version": step.release.version}]
    if step.solved:
        parts.append(_(SOLVES) % {"issues": _names(step.solved)})
    if step.issues:
        parts.append(_(KNOWN) % {"issues": _names(step.issues)})
    return " ".join(parts)


def _names(issues: Iterable[Issue]) -> str:
    return ", ".join(issue.public_id for issue in issues)


def _downtime(step: Step, wording: Wording) -> str:
    _ = wording.translate
    minutes = step.release.downtime_minutes
    return _("see the notes") if minutes is None else _("%(minutes)s min") % {"minutes": wording.number(minutes)}


def _rollback(book: RunBook, named: Sequence[tuple[str, Step]], wording: Wording) -> ReportTable:
    _ = wording.translate
    rows = [
        (name, _section(book, step, Section.UPGRADE), _section(book, step, Section.ROLLBACK)) for name, step in named
    ]
    columns = (_("Release"), _("Upgrade instructions"), _("If it fails: the way back"))
    return ReportTable(_("From the release notes"), columns, tuple(rows), weights=(2.5, 4, 4))


def _section(book: RunBook, step: Step, section: Section) -> str:
    notes = book.notes.get(step.release.id)
    if notes is None or not notes.texts:
        return "—"
    texts = notes.texts.get(book.language) or next(iter(notes.texts.values()))
    return str(texts.get(section.value, "")).replace("`", "").replace("**", "").strip() or "—"


def _issues(steps: Iterable[Step], wording: Wording) -> ReportTable:
    _ = wording.translate
    found = {issue.id: issue for step in steps for issue in (*step.solved, *step.issues)}
    rows = []
    for issue in found.values():
        texts = {text.language: text for text in issue.texts}
        text = texts.get(wording.language) or next(iter(texts.values()), None)
        cves = ", ".join(row.cve_id for row in issue.cves)
        title, workaround = (text.title, text.workaround) if text else ("", "")
        severity = _(SEVERITY_TITLES[issue.severity])
        rows.append((f"{issue.public_id} {cves}".strip(), title, severity, workaround or "—"))
    columns = (_("Issue"), _("Title"), _("Severity"), _("Workaround"))
    return ReportTable(_("Issues on the way"), columns, tuple(rows), weights=(2, 4, 1.5, 4))


def _files(book: RunBook, named: Sequence[tuple[str, Step]], wording: Wording) -> ReportTable:
    _ = wording.translate
    rows = [
        (name, file.name, wording.number(file.size_bytes), _grouped(file.sha256))
        for name, step in named
        for file in book.files.get(step.release.id, ())
    ]
    columns = (_("Release"), _("File"), _("Size, bytes"), "SHA-256")
    return ReportTable(_("Files"), columns, tuple(rows), weights=(2.2, 3.2, 1.6, 4.2), right=(2,))


def _grouped(digest: str) -> str:
    return " ".join(digest[start : start + DIGEST_GROUP] for start in range(0, len(digest), DIGEST_GROUP))
