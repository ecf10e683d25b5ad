"""Acts to be read by both sides: the list, one act with its paper, and the hand-over of one delivery."""

import csv
import io
from collections.abc import Iterator
from itertools import islice
from uuid import UUID

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.deliveries import queries as deliveries
from portal.deliveries.chain import first_bad
from portal.deliveries.states import Channel
from portal.deliveries.wording import evidence_in
from portal.documents.act import ActKind
from portal.errors import NotFound
from portal.handovers import queries
from portal.handovers.blueprint import bp
from portal.handovers.forms import wanted
from portal.handovers.holding import RETURNABLE
from portal.handovers.models import Act, ActState
from portal.handovers.texts import digest
from portal.kits import service as kits
from portal.permissions import Permission
from portal.web import files
from portal.web.byte_ranges import Span
from portal.web.files import ServedFile
from portal.web.guard import actor, requires
from portal.web.locale import translate
from portal.web.paging import page_of
from portal.web.spreadsheets import neutral
from portal.web.unit_of_work import let_go, resources, session

MOST_ROWS = 20_000
COLUMNS = ("act", "kind", "state", "customer", "recipient", "email", "power", "deliveries", "handed over by", "place",
           "opened", "closed", "reason", "text sha256", "pdf sha256")  # fmt: skip


@bp.get("/handovers")
@requires(Permission.DELIVERIES_READ)
def index() -> ResponseReturnValue:
    chosen = wanted(request.args)
    return render_template(
        "handovers/index.html",
        page=page_of(session(), queries.acts(chosen, visible_to=actor())),
        chosen=chosen,
        states=list(ActState),
        kinds=list(ActKind),
        customers=deliveries.customers(session(), visible_to=actor()),
        sheet=f"{url_for('.sheet')}?{request.query_string.decode(errors='replace')}".rstrip("?"),
    )


@bp.get("/handovers.csv")
@requires(Permission.DELIVERIES_READ)
def sheet() -> ResponseReturnValue:
    """The list as a table for a spreadsheet: UTF-8 with a byte order mark, cells that are never formulas."""
    rows = session().scalars(queries.acts(wanted(request.args), visible_to=actor()).limit(MOST_ROWS)).unique()
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    table.writerows([neutral(cell) for cell in _cells(act)] for act in rows)
    return files.send_text("acts.csv", text.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")


@bp.get("/handovers/<uuid:delivery_id>")
@requires(Permission.DELIVERIES_READ)
def show(delivery_id: UUID) -> ResponseReturnValue:
    """The hand-over of one delivery: what it is, in which acts it stands, what comes next."""
    delivery = deliveries.get(session(), delivery_id, visible_to=actor())
    if delivery.channel not in RETURNABLE:
        raise NotFound
    return render_template(
        "handovers/show.html",
        delivery=delivery,
        acts=queries.acts_of(session(), delivery.id, visible_to=actor()),
        evidence={event.id: evidence_in(event.evidence, translate) for event in delivery.events},
        first_bad=first_bad(delivery.events),
        kit=queries.kit_of(session(), delivery) if actor().may(Permission.DELIVERIES_DISPATCH) else None,
        is_to_be_handed_over=delivery.channel is Channel.HAND_OVER and delivery.state in queries.TO_HAND_OVER,
    )


@bp.get("/handovers/<uuid:delivery_id>/kit/<path:name>")
@requires(Permission.DELIVERIES_DISPATCH)
def kit(delivery_id: UUID, name: str) -> ResponseReturnValue:
    """The kit's archive for the dispatcher, who puts it on the medium that is handed over; made while it is read."""
    record = queries.kit_of(session(), deliveries.get(session(), delivery_id, visible_to=actor()))
    if record is None or record.file_name != name:
        raise NotFound
    store = resources().store
    served = ServedFile(
        key="",
        name=record.file_name,
        size_bytes=record.size_bytes,
        sha256=record.sha256,
        modified_at=record.built_at,
        made_by=lambda start, length: kits.open_kit(store, record, start, length),
    )
    let_go()
    return files.send(served, lambda _span: _unnoted)


@bp.get("/handovers/acts/<uuid:act_id>")
@requires(Permission.DELIVERIES_READ)
def act(act_id: UUID) -> ResponseReturnValue:
    found = queries.act(session(), act_id, visible_to=actor())
    return render_template("handovers/act.html", act=found, is_intact=digest(found.record) == found.text_sha256)


@bp.get("/handovers/acts/<uuid:act_id>/act.pdf")
@requires(Permission.DELIVERIES_READ)
def pdf(act_id: UUID) -> ResponseReturnValue:
    """The signed act as it was printed when it was signed; `?save` to save it instead of showing it."""
    found = queries.act(session(), act_id, visible_to=actor())
    if found.pdf_key is None or found.pdf_sha256 is None:
        raise NotFound
    key, name = found.pdf_key, f"{found.number}.pdf"
    let_go()
    with resources().store.open_range(key) as reader:
        content = b"".join(reader)
    if "save" in request.args:
        return files.send_text(name, content, content_type="application/pdf")
    response = Response(content, content_type="application/pdf")
    response.headers["Content-Disposition"] = files.content_disposition(name).replace("attachment", "inline", 1)
    return response


def _unnoted(_sent: Span) -> None:
    """What the vendor's own people take is no delivery."""


def _cells(act: Act) -> Iterator[str]:
    powers = (act.power["number"], *(other["number"] for other in islice(act.power.get("others", ()), 10)))
    yield from (act.number, act.kind.value, act.state.value, act.organisation.name)
    yield from (act.recipient["name"], act.recipient["email"], " ".join(powers))
    yield " ".join(item.delivery.number or "" for item in act.items)
    yield from (act.handed_by_name, act.place, act.opened_at.isoformat(timespec="seconds"))
    yield act.closed_at.isoformat(timespec="seconds") if act.closed_at else ""
    yield from (act.reason, act.text_sha256, act.pdf_sha256 or "")
