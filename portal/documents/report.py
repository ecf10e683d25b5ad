"""Any report or run-book: a title, facts, and tables."""

from dataclasses import dataclass
from datetime import datetime

from portal.documents.codes import qr_svg
from portal.documents.paper import Paper, Wide, pdf
from portal.documents.pictures import drawable
from portal.documents.wording import Wording

Row = tuple[str, ...]


@dataclass(frozen=True)
class ReportTable:
    """`weights` are the columns' shares of the width, equal where none are given; `right` columns align right."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    weights: tuple[float, ...] = ()
    right: tuple[int, ...] = ()


@dataclass(frozen=True)
class Report:
    """Texts in the report's language; `facts` are (label, value); a row has as many cells as there are columns.

    `qr` is an address to open, printed as a code and as text.
    """

    title: str
    subtitle: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[ReportTable, ...]
    language: str
    at: datetime
    author: str = ""
    qr: str = ""


def render_report(report: Report) -> bytes:
    """The report as PDF. Raises ValueError for a row that does not fit its columns."""
    return pdf(report_paper(report))


def report_paper(report: Report) -> Paper:
    _ = Wording(report.language).translate
    facts = {
        "name": report.title,
        "subtitle": report.subtitle,
        "facts": report.facts,
        "tables": [_table(table) for table in report.tables],
        "qr": drawable(qr_svg(report.qr)) if report.qr else None,
        "address": Wide(report.qr),
        "alt": _("QR code of the address %(address)s") % {"address": report.qr},
        "words": {"page": _("Page %(page)s of %(pages)s"), "empty": _("Nothing.")},
    }
    return Paper("report", report.language, report.title, report.at, report.author, facts)


def _table(table: ReportTable) -> dict[str, object]:
    width = len(table.columns)
    if any(len(row) != width for row in table.rows) or (table.weights and len(table.weights) != width):
        raise ValueError(table.heading)
    return {
        "heading": table.heading,
        "columns": table.columns,
        "rows": table.rows,
        "weights": table.weights or (1,) * width,
        "right": table.right,
    }
