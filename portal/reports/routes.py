"""Reports as the support centre and each customer read them: figures, what is behind them, statements to keep."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from portal.deliveries.sheet import sheet
from portal.errors import mark
from portal.permissions import Permission
from portal.reports import answers, forms, queries, reach, tables
from portal.reports.answers import OUTCOME_KINDS, OUTCOME_TITLES, Figures, Line, Outcome, Wanted
from portal.reports.models import Statement
from portal.reports.months import Month, Months
from portal.reports.packing import PAPER
from portal.reports.papers import SEVERITY_WORDS, local, month_name, percent
from portal.texts import searchable
from portal.tickets.clock_words import countdown
from portal.tickets.models import TICKET_CHANNEL_TITLES, TicketChannel, TicketSeverity
from portal.web.files import send_text
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.locale import chosen_time_zone, translate
from portal.web.paging import page_among, page_of
from portal.web.unit_of_work import let_go, resources, session

bp = Blueprint("reports", __name__, template_folder="templates", url_prefix="/reports")

RELEASES_PER_PAGE = 20
CSV = "text/csv; charset=utf-8"
CHANNELS, SEVERITIES = list(TicketChannel), list(TicketSeverity)


@dataclass(frozen=True)
class Group:
    """One table of figures: rows are (label, figures, what narrows the list of tickets to them)."""

    title: str
    heading: str
    rows: list[tuple[str, Figures, dict[str, str]]]


BY_MONTH, MONTH = mark("By month"), mark("Month")
BY_CUSTOMER, CUSTOMER = mark("By customer"), mark("Customer")
BY_CHANNEL, CHANNEL = mark("By channel"), mark("Channel")
BY_SEVERITY, SEVERITY = mark("By severity"), mark("Severity")


@bp.get("/answers")
@requires(Permission.REPORTS_READ)
def index() -> ResponseReturnValue:
    wanted = _wanted()
    found = _lines(wanted)
    return render_template(
        "reports/answers.html",
        wanted=wanted,
        whole=answers.figures(found),
        groups=_groups(found, wanted),
        **_words(wanted),
    )


@bp.get("/answers.csv")
@requires(Permission.REPORTS_READ)
def answers_csv() -> ResponseReturnValue:
    table = sheet(tables.ANSWERS, tables.answer_rows(_lines(_wanted())))
    return send_text("answers.csv", table, content_type=CSV)


@bp.get("/tickets")
@requires(Permission.REPORTS_READ)
def tickets() -> ResponseReturnValue:
    """Every ticket behind a number, each with its own clock."""
    wanted = _wanted()
    return render_template(
        "reports/tickets.html", wanted=wanted, page=page_among(_lines(wanted)), Outcome=Outcome, **_words(wanted)
    )


@bp.get("/tickets.csv")
@requires(Permission.REPORTS_READ)
def tickets_csv() -> ResponseReturnValue:
    return send_text("tickets.csv", sheet(tables.TICKETS, tables.ticket_rows(_lines(_wanted()))), content_type=CSV)


@bp.get("/releases")
@requires(Permission.REPORTS_READ)
def releases() -> ResponseReturnValue:
    text = searchable(request.args.get("q", ""))
    page = page_of(
        session(), reach.releases(text, visible_to=actor(), at=now()), per_page=RELEASES_PER_PAGE
    )  # fmt: skip
    found = reach.reaches(session(), page.rows, visible_to=actor(), at=now())
    wholes = {release_id: reach.whole(some) for release_id, some in found.items()}
    return render_template("reports/releases.html", page=page, text=text, wholes=wholes, span=_span)


@bp.get("/releases.csv")
@requires(Permission.REPORTS_READ)
def releases_csv() -> ResponseReturnValue:
    """The page as it is shown, one line for each release and customer."""
    text = searchable(request.args.get("q", ""))
    page = page_of(
        session(), reach.releases(text, visible_to=actor(), at=now()), per_page=RELEASES_PER_PAGE
    )  # fmt: skip
    found = reach.reaches(session(), page.rows, visible_to=actor(), at=now())
    rows = tables.release_rows((one for release in page.rows for one in found[release.id]), translate)
    return send_text("releases.csv", sheet(tables.RELEASES, rows), content_type=CSV)


@bp.get("/releases/<uuid:release_id>")
@requires(Permission.REPORTS_READ)
def release(release_id: UUID) -> ResponseReturnValue:
    shown = reach.get(session(), release_id, visible_to=actor(), at=now())
    found = reach.reaches(session(), [shown], visible_to=actor(), at=now())[shown.id]
    return render_template(
        "reports/release.html",
        release=shown,
        reaches=found,
        whole=reach.whole(found),
        spread=reach.spread,
        span=_span,
        NOTICE_TITLES=reach.NOTICE_TITLES,
    )


@bp.get("/statements")
@requires(Permission.REPORTS_READ)
def statements() -> ResponseReturnValue:
    customer, month = forms.customer(request.args), forms.month(request.args)
    page = page_of(session(), queries.statements(customer, month, visible_to=actor()))
    return render_template(
        "reports/statements.html",
        page=page,
        customer=customer,
        month=month,
        customers=answers.customers(session(), visible_to=actor()),
        share=_share,
        month_words=_month_words,
    )


@bp.get("/statements/<uuid:statement_id>.pdf")
@requires(Permission.REPORTS_READ)
def export_pdf(statement_id: UUID) -> ResponseReturnValue:
    """The paper out of the signed archive: the bytes that its signature speaks of."""
    name, archive = _archive(statement_id)
    with zipfile.ZipFile(BytesIO(archive)) as packed:
        return _private(send_text(f"{name}.pdf", packed.read(PAPER), content_type="application/pdf"))


@bp.get("/statements/<uuid:statement_id>.zip")
@requires(Permission.REPORTS_READ)
def export_zip(statement_id: UUID) -> ResponseReturnValue:
    name, archive = _archive(statement_id)
    return _private(send_text(f"{name}.zip", archive, content_type="application/zip"))


def _archive(statement_id: UUID) -> tuple[str, bytes]:
    """How the file is called, and its bytes as they were issued."""
    statement: Statement = queries.get(session(), statement_id, visible_to=actor())
    name, key = f"statement {statement.organisation.code} {statement.month}", statement.object_key
    let_go()
    with resources().store.open_range(key) as reader:
        return name, b"".join(reader)


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _wanted() -> Wanted:
    wanted = forms.wanted(request.args, Month.of(now(), chosen_time_zone()))
    return replace(wanted, organisation_id=answers.organisation_of(wanted.organisation_id, actor()))


def _lines(wanted: Wanted) -> list[Line]:
    return answers.lines(session(), wanted, visible_to=actor(), at=now())


def _groups(found: list[Line], wanted: Wanted) -> list[Group]:
    def group(title: str, heading: str, key: Callable[[Line], tuple[object, str, Wanted]]) -> Group:
        """`key`: the place in the order, the label, and what is asked for the line's group alone."""
        groups = sorted(answers.grouped(found, key).items(), key=lambda item: item[0][:2])
        return Group(title, heading, [(label, some, forms.address_of(one)) for (_place, label, one), some in groups])

    def month(line: Line) -> tuple[object, str, Wanted]:
        return line.month, _month_words(line.month), replace(wanted, months=Months(line.month, line.month))

    def customer(line: Line) -> tuple[object, str, Wanted]:
        home = line.organisation
        return home.name, home.name, replace(wanted, organisation_id=home.id)

    def channel(line: Line) -> tuple[object, str, Wanted]:
        one = line.ticket.channel
        return CHANNELS.index(one), translate(TICKET_CHANNEL_TITLES[one]), replace(wanted, channel=one)

    def severity(line: Line) -> tuple[object, str, Wanted]:
        one = line.ticket.severity
        return SEVERITIES.index(one), translate(SEVERITY_WORDS[one]), replace(wanted, severity=one)

    made = [group(BY_MONTH, MONTH, month)]
    if actor().is_staff and wanted.organisation_id is None:
        made.append(group(BY_CUSTOMER, CUSTOMER, customer))
    return [*made, group(BY_CHANNEL, CHANNEL, channel), group(BY_SEVERITY, SEVERITY, severity)]


def _words(wanted: Wanted) -> dict[str, object]:
    return {
        "asked": forms.address_of(wanted),
        "customers": answers.customers(session(), visible_to=actor()),
        "channels": CHANNELS,
        "severities": SEVERITIES,
        "CHANNEL_TITLES": TICKET_CHANNEL_TITLES,
        "SEVERITY_WORDS": SEVERITY_WORDS,
        "OUTCOME_TITLES": OUTCOME_TITLES,
        "OUTCOME_KINDS": OUTCOME_KINDS,
        "local": local,
        "share": _share,
        "span": _span,
    }


def _month_words(month: Month | str) -> str:
    return month_name(Month.parse(month) if isinstance(month, str) else month, str(get_locale()))


def _share(permille: int | None) -> str:
    return percent(permille, str(get_locale()))


def _span(value: timedelta | None) -> str:
    return "—" if value is None else countdown(value, _("d"))
