"""The installed base as its owner and the support centre read it: lists, one device, one site, each with its plan."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.documents.report import render_report
from portal.documents.wording import Wording
from portal.inventory import queries as inventory
from portal.inventory import sheets
from portal.inventory.models import CHANGE_TITLES, HOW_KNOWN_TITLES, Device
from portal.permissions import Permission
from portal.plans import queries
from portal.plans.queries import NARROW_TITLES, Narrow
from portal.plans.rules import VERDICT_TITLES, Verdict
from portal.plans.run_books import RunBook, report
from portal.releases.models import SEVERITY_TITLES
from portal.texts import searchable
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.locale import chosen_language
from portal.web.paging import page_of
from portal.web.unit_of_work import resources, session

bp = Blueprint("plans", __name__, template_folder="templates")

TITLES = {
    "CHANGE_TITLES": CHANGE_TITLES,
    "HOW_KNOWN_TITLES": HOW_KNOWN_TITLES,
    "NARROW_TITLES": NARROW_TITLES,
    "SEVERITY_TITLES": SEVERITY_TITLES,
    "VERDICT_TITLES": VERDICT_TITLES,
    "VERDICT_KINDS": {
        Verdict.UNKNOWN_VERSION: "calm",
        Verdict.UP_TO_DATE: "good",
        Verdict.READY: "info",
        Verdict.NOT_ENTITLED: "warn",
        Verdict.NO_WAY: "bad",
    },
}


def _wanted() -> inventory.Wanted:
    asked = request.args
    return inventory.Wanted(searchable(asked.get("customer", "")), searchable(asked.get("q", "")))


def _narrow() -> Narrow | None:
    asked = request.args.get("narrow", "")
    return Narrow(asked) if asked in set(Narrow) else None


@bp.get("/devices")
@requires(Permission.INVENTORY_READ)
def devices() -> ResponseReturnValue:
    wanted, narrow = _wanted(), _narrow()
    page = page_of(session(), queries.devices(session(), wanted, narrow, now(), visible_to=actor()))
    installed = {(device.product_id, device.installed_key) for device in page.rows}
    standings = queries.standings(session(), installed, now(), visible_to=actor())
    return render_template(
        "plans/devices.html", page=page, wanted=wanted, narrow=narrow, standings=standings, **TITLES
    )  # fmt: skip


@bp.get("/devices.csv")
@requires(Permission.INVENTORY_READ)
def sheet() -> ResponseReturnValue:
    """The list as it is narrowed, all of it; what it says can be corrected and taken in again."""
    rows = queries.devices(session(), _wanted(), _narrow(), now(), visible_to=actor())
    found = list(session().scalars(rows))
    return Response(
        "".join(sheets.written(_lines(found))),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="devices.csv"'},
    )


def _lines(found: Sequence[Device]) -> Iterator[Sequence[str]]:
    installed = {(device.product_id, device.installed_key) for device in found}
    standings = queries.standings(session(), installed, now(), visible_to=actor())
    yield (*sheets.COLUMNS, *sheets.TOLD)
    for device in found:
        stands = standings[device.product_id, device.installed_key]
        end = stands.life.train.end_of_support if stands.life else None
        yield (
            *sheets.cells_of(device),
            device.organisation.code,
            device.since.date().isoformat(),
            device.how_known.value,
            stands.recommended.version if stands.recommended else "",
            end.isoformat() if end else "",
        )


@bp.get("/devices/<uuid:device_id>")
@requires(Permission.INVENTORY_READ)
def device(device_id: UUID) -> ResponseReturnValue:
    shown = inventory.get_device(session(), device_id, visible_to=actor())
    return render_template(
        "plans/device.html",
        device=shown,
        plan=queries.plans_of(session(), [shown], now())[shown.id] if shown.is_there else None,
        history=inventory.history(session(), shown.id, visible_to=actor()),
        language=chosen_language(),
        **TITLES,
    )


@bp.get("/devices/<uuid:device_id>/run-book.pdf")
@requires(Permission.INVENTORY_READ)
def device_run_book(device_id: UUID) -> ResponseReturnValue:
    shown = inventory.get_device(session(), device_id, visible_to=actor())
    heading = f"{shown.product.name} {shown.serial}"
    return _run_book(heading, [shown], url_for(".device", device_id=shown.id), f"run-book-{shown.id}.pdf")


@bp.get("/sites")
@requires(Permission.INVENTORY_READ)
def sites() -> ResponseReturnValue:
    wanted = _wanted()
    page = page_of(session(), inventory.sites(wanted, visible_to=actor()))
    counts = inventory.devices_at(session(), [site.id for site in page.rows])
    return render_template("plans/sites.html", page=page, wanted=wanted, counts=counts)


@bp.get("/sites/<uuid:site_id>")
@requires(Permission.INVENTORY_READ)
def site(site_id: UUID) -> ResponseReturnValue:
    shown = inventory.get_site(session(), site_id, visible_to=actor())
    found = _at_site(site_id)
    return render_template(
        "plans/site.html", site=shown, devices=found, plans=queries.plans_of(session(), found, now()), **TITLES
    )


def _at_site(site_id: UUID) -> list[Device]:
    rows = inventory.devices(inventory.Wanted(site_id=site_id), visible_to=actor())
    return list(session().scalars(rows))


@bp.get("/sites/<uuid:site_id>/run-book.pdf")
@requires(Permission.INVENTORY_READ)
def site_run_book(site_id: UUID) -> ResponseReturnValue:
    shown = inventory.get_site(session(), site_id, visible_to=actor())
    address = url_for(".site", site_id=shown.id)
    return _run_book(f"{shown.name} ({shown.code})", _at_site(site_id), address, f"run-book-{shown.id}.pdf")


def _run_book(heading: str, found: Sequence[Device], path: str, name: str) -> Response:
    """In the reader's language and time zone."""
    plans = queries.plans_of(session(), found, now())
    releases = {step.release.id for plan in plans.values() for step in plan.steps}
    book = RunBook(
        heading,
        found,
        plans,
        queries.notes_of(session(), releases),
        queries.files_of(session(), releases),
        f"{resources().config.base_url}{path}",
        chosen_language(),
        actor().time_zone,
        now(),
    )
    paper = render_report(report(book, _facts(found, Wording(book.language))))
    return Response(
        paper,
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-store"},
    )


def _facts(found: Sequence[Device], wording: Wording) -> list[tuple[str, str]]:
    _ = wording.translate
    facts = [(_("Customer"), device.organisation.name) for device in found[:1]]
    for site in [device.site for device in found[:1] if device.site is not None]:
        facts += [
            (_("Site"), f"{site.name} ({site.code})"),
            (_("Address"), ", ".join(site.address)),
            (_("Contact"), " ".join(part for part in (site.contact_name, site.contact_phone) if part)),
            (_("At night"), site.night_contact),
            (_("Time zone"), site.time_zone),
        ]
    return [(label, value) for label, value in facts if value]
