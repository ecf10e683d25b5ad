"""A report of `verify_folder` in English lines."""

from signing.names import shown
from signing.verify import ExitCode, FileFinding, FileState, Report

_WORDS = {
    FileState.RIGHT: "OK",
    FileState.WRONG: "WRONG",
    FileState.MISSING: "MISSING",
    FileState.NOT_LISTED: "NOT LISTED",
    FileState.NOT_A_FILE: "NOT A FILE",
    FileState.UNREADABLE: "UNREADABLE",
    FileState.UNPROVEN: "UNPROVEN",
}
_VERDICTS = {
    ExitCode.VERIFIED: "VERIFIED: every file is exactly what the vendor signed.",
    ExitCode.NOT_VERIFIED: "NOT VERIFIED: do not install. Ask the vendor for the files again.",
    ExitCode.NOT_CHECKED: "NOT CHECKED: something could not be read, so nothing is known. Do not install.",
}


def render(report: Report) -> str:
    """The report as lines, the verdict last. Names are escaped where they are not printable."""
    lines = [f"Folder      {shown(str(report.folder))}", *_about(report)]
    lines += [_line(finding) for finding in report.files if finding.state is not FileState.DOCUMENT]
    lines += [f"PROBLEM     {shown(str(problem))} [{problem.code}]" for problem in report.problems]
    return "\n".join([*lines, "", _VERDICTS[report.exit_code], ""])


def _about(report: Report) -> list[str]:
    lines = []
    if report.manifest is not None:
        manifest = report.manifest
        what = f"{manifest.product} {manifest.version} ({manifest.level}), release counter {manifest.counter}"
        lines += [f"Release     {shown(what)}, published {manifest.published_at:%Y-%m-%d %H:%M} UTC"]
    if report.key is not None:
        lines += [f"Signed by   {report.key.fingerprint}"]
    return lines


def _line(finding: FileFinding) -> str:
    detail = f" ({finding.detail})" if finding.detail else ""
    return f"{_WORDS[finding.state]:<12}{shown(finding.name)}{shown(detail)}"
