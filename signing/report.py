"""A report of `verify_folder` in English lines, and as JSON for programs."""

import json
from datetime import datetime

from signing.names import shown
from signing.slip import Slip
from signing.verify import ExitCode, FileFinding, FileState, Report

_WORDS = {
    FileState.RIGHT: "OK",
    FileState.WRONG: "WRONG",
    FileState.MISSING: "MISSING",
    FileState.NOT_LISTED: "NOT LISTED",
    FileState.NOT_A_FILE: "NOT A FILE",
    FileState.UNREADABLE: "UNREADABLE",
    FileState.UNPROVEN: "UNPROVEN",
    FileState.NOT_SENT: "NOT SENT",
}
_VERDICTS = {
    ExitCode.VERIFIED: "VERIFIED: every file is exactly what the vendor signed.",
    ExitCode.NOT_VERIFIED: "NOT VERIFIED: do not install. Ask the vendor for the files again.",
    ExitCode.NOT_CHECKED: "NOT CHECKED: nothing is known. Do not install.",
}


def render(report: Report, *, at: datetime | None = None) -> str:
    """The report as lines, the verdict last. Names are escaped where they are not printable.

    With `at`, the present, it says how old the documents are.
    """
    lines = [f"Folder      {shown(str(report.folder))}", *_about(report, at)]
    lines += [_line(finding) for finding in report.files if finding.state is not FileState.DOCUMENT]
    lines += [f"PROBLEM     {shown(str(problem))} [{problem.code}]" for problem in report.problems]
    return "\n".join([*lines, "", _VERDICTS[report.exit_code], ""])


def to_json(report: Report) -> str:
    """The findings for a program; names and codes are those of FileState and of the errors."""
    document = {
        "exit_code": int(report.exit_code),
        "files": {finding.name: finding.state.value for finding in report.files},
        "problems": sorted(problem.code for problem in report.problems),
        "key_id": report.key.key_id if report.key else None,
        "delivery": report.slip.delivery_number if report.slip else None,
        "counter": report.manifest.counter if report.manifest else None,
    }
    return json.dumps(document, ensure_ascii=True, indent=1, sort_keys=True)


def _about(report: Report, at: datetime | None) -> list[str]:
    lines = []
    if report.manifest is not None:
        manifest = report.manifest
        what = f"{manifest.product} {manifest.version} ({manifest.level}), release counter {manifest.counter}"
        age = _age(manifest.published_at, at)
        lines += [f"Release     {shown(what)}, published {manifest.published_at:%Y-%m-%d %H:%M} UTC{age}"]
    if report.slip is not None:
        lines += _made_for(report.slip, at)
    if report.key is not None:
        lines += [f"Signed by   {report.key.fingerprint}"]
    return lines


def _made_for(slip: Slip, at: datetime | None) -> list[str]:
    medium = " ".join(part for part in (slip.medium_kind, slip.medium_serial) if part) or "none"
    issued = f"issued {slip.issued_at:%Y-%m-%d %H:%M} UTC{_age(slip.issued_at, at)}"
    return [
        f"Made for    {shown(f'{slip.organisation_code}, {slip.organisation_name}; {slip.recipient_name}')}",
        f"Delivery    {shown(f'{slip.delivery_number}, medium {medium}')}, {issued}",
    ]


def _age(of: datetime, at: datetime | None) -> str:
    if at is None:
        return ""
    days = (at - of).days
    return f" ({days} days ago)" if days >= 0 else " (in the future: look at this computer's clock)"


def _line(finding: FileFinding) -> str:
    detail = f" ({finding.detail})" if finding.detail else ""
    return f"{_WORDS[finding.state]:<12}{shown(finding.name)}{shown(detail)}"
