"""Downloads, and the pages of the ledger."""

import unicodedata
from collections.abc import Callable
from uuid import UUID

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.http import http_date

from portal.config import Downloads
from portal.deliveries import (
    board_pages,
    book_pages,
    progress,
    queries,
    receipt,
    request_pages,
    service,
    sheet,
    steps,
    wording,
)
from portal.deliveries.blueprint import bp
from portal.deliveries.chain import first_bad
from portal.deliveries.errors import DigestDiffers, StepOutOfOrder
from portal.deliveries.forms import ConfirmForm, chosen_filter
from portal.deliveries.models import Delivery
from portal.deliveries.requests import RECIPIENT_OPEN
from portal.deliveries.service import Taking
from portal.deliveries.states import CHANNEL_TITLES, DELIVERY_STATE_TITLES, EVENT_TITLES, Channel, DeliveryState
from portal.errors import NotFound, mark
from portal.permissions import Permission
from portal.releases import queries as releases
from portal.releases.models import Artifact
from portal.web import files
from portal.web.byte_ranges import Span
from portal.web.files import OnSent, ServedFile
from portal.web.formats import now
from portal.web.guard import actor, guard_of, requires
from portal.web.locale import translate
from portal.web.paging import page_of
from portal.web.unit_of_work import let_go, resources, session
from signing import MANIFEST, SUMS, SUMS_SIGNATURE

__all__ = ["board_pages", "book_pages", "bp", "request_pages"]


WAYS_ON: dict[Channel, tuple[tuple[str, str], ...]] = {
    Channel.EMAIL: (("mailings.show", mark("Letter and link")),),
    Channel.COURIER: (("couriers.show", mark("Medium, papers and courier")),),
    Channel.HAND_OVER: (("handovers.show", mark("Act and signatures")),),
}
"""The channel's own page of a delivery, by its endpoint and what the button says, where there is one."""
EVIDENCE_PACK = ("evidence.pack", mark("Evidence pack"))


@bp.context_processor
def _words() -> dict[str, object]:
    return {
        "state_titles": DELIVERY_STATE_TITLES,
        "state_title": wording.state_title,
        "state_badges": wording.STATE_BADGES,
        "channel_titles": CHANNEL_TITLES,
        "event_titles": EVENT_TITLES,
        "share_sent": progress.share_sent,
        "missing": progress.missing,
        "next_step": progress.next_step,
        "track": progress.track,
        "translate": translate,
    }


@bp.get("/downloads/<uuid:artifact_id>/<path:name>")
@requires(Permission.DOWNLOAD)
def download(artifact_id: UUID, name: str) -> ResponseReturnValue:
    """A file of a release, whole or in part; asked anew at each request whether the customer may take it (P11, P12)."""
    artifact = queries.artifact(session(), artifact_id, _spelled(name), visible_to=actor(), at=now())
    service.require_entitled(session(), artifact.release, by=actor(), at=now())
    let_go()
    return files.send(_served(artifact), lambda span: _issue(artifact_id, name, span))


@bp.get(f"/downloads/<uuid:release_id>/<any('{SUMS}', '{SUMS_SIGNATURE}', '{MANIFEST}'):name>")
@requires(Permission.DOWNLOAD)
def side_file(release_id: UUID, name: str) -> ResponseReturnValue:
    """What was signed about a release: for whoever may take it."""
    release = releases.get(session(), release_id, visible_to=actor())
    queries.require_known(session(), release_id, visible_to=actor(), at=now())
    service.require_entitled(session(), release, by=actor(), at=now())
    signed = releases.publication(session(), release_id)
    if signed is None:
        raise NotFound
    contents = {
        SUMS: (signed.sums.encode(), "text/plain; charset=utf-8"),
        SUMS_SIGNATURE: (signed.sums_signature, "application/octet-stream"),
        MANIFEST: (signed.manifest.encode(), "application/json"),
    }
    content, content_type = contents[name]
    response = files.send_text(name, content, content_type=content_type)
    response.headers["Last-Modified"] = http_date(signed.at)
    return response


@bp.get("/deliveries")
@requires(Permission.DELIVERIES_READ)
def index() -> ResponseReturnValue:
    chosen = chosen_filter(request.args)
    return render_template(
        "deliveries/index.html",
        page=page_of(session(), queries.deliveries(chosen, visible_to=actor())),
        chosen=chosen,
        states=list(DELIVERY_STATE_TITLES),
        channels=list(CHANNEL_TITLES),
        customers=queries.customers(session(), visible_to=actor()),
    )


@bp.get("/deliveries.csv")
@requires(Permission.DELIVERIES_READ)
def index_csv() -> ResponseReturnValue:
    """The same as a table for a spreadsheet."""
    rows = queries.deliveries(chosen_filter(request.args), visible_to=actor()).limit(sheet.MOST_ROWS)
    table = sheet.sheet(sheet.COLUMNS, sheet.rows_of(session().scalars(rows), translate))
    return files.send_text("deliveries.csv", table, content_type="text/csv; charset=utf-8")


@bp.get("/deliveries/<uuid:delivery_id>")
@requires(Permission.DELIVERIES_READ)
def show(delivery_id: UUID) -> ResponseReturnValue:
    return _page(queries.get(session(), delivery_id, visible_to=actor()), ConfirmForm())


@bp.post("/deliveries/<uuid:delivery_id>/confirm")
@requires(Permission.DOWNLOAD)
def confirm(delivery_id: UUID) -> ResponseReturnValue:
    queries.get(session(), delivery_id, visible_to=actor())
    form = ConfirmForm()
    status = 422
    if form.is_sent():
        try:
            receipt.confirm(delivery_id, (form.sha256.data or "").strip() or None)
        except (DigestDiffers, StepOutOfOrder) as error:
            status = form.refuse(error, "sha256")
        else:
            flash(_("The receipt is confirmed."))
            return redirect(url_for(".show", delivery_id=delivery_id), 303)
    return _page(queries.get(session(), delivery_id, visible_to=actor()), form), status


@bp.get("/deliveries/holders/<uuid:release_id>")
@requires(Permission.HOLDERS_READ)
def holders(release_id: UUID) -> ResponseReturnValue:
    """Who holds a release: every handing-over of it, by customer (P15)."""
    return render_template(
        "deliveries/holders.html",
        release=releases.get(session(), release_id, visible_to=actor()),
        page=page_of(session(), queries.holders(release_id, visible_to=actor())),
    )


@bp.get("/deliveries/holders/<uuid:release_id>.csv")
@requires(Permission.HOLDERS_READ)
def holders_csv(release_id: UUID) -> ResponseReturnValue:
    """The same as a table for a spreadsheet: UTF-8 with a byte order mark, cells that are never formulas."""
    release = releases.get(session(), release_id, visible_to=actor())
    header = ("customer", "name", "person", "file", "sha256", "issued", "transferred", "confirmed", "state")
    held = session().scalars(queries.holders(release_id, visible_to=actor()))
    table = sheet.sheet(header, (row for delivery in held for row in _rows(delivery)))
    name = f"holders {release.product.code} {release.version}.csv"
    return files.send_text(name, table, content_type="text/csv; charset=utf-8")


def _rows(delivery: Delivery) -> list[tuple[str, ...]]:
    said = [sheet.said(at) for at in (delivery.created_at, delivery.delivered_at, delivery.acknowledged_at)]
    organisation = delivery.organisation
    return [
        (organisation.code, organisation.name, delivery.person_name, item.artifact.name, item.sha256, *said,
         delivery.state.value)
        for item in delivery.items
    ]  # fmt: skip


def _page(delivery: Delivery, form: ConfirmForm) -> str:
    is_download = delivery.channel is Channel.DOWNLOAD
    may_confirm = is_download and actor().may(Permission.DOWNLOAD)
    return render_template(
        "deliveries/show.html",
        delivery=delivery,
        is_download=is_download,
        may=_offered(delivery),
        replacements=queries.replacements_of(session(), delivery),
        ways_on=[way for way in (*WAYS_ON.get(delivery.channel, ()), EVIDENCE_PACK) if _leads_on(way[0])],
        translate=translate,
        basis=wording.basis_in(delivery.decision, translate),
        evidence={event.id: wording.evidence_in(event.evidence, translate) for event in delivery.events},
        first_bad=first_bad(delivery.events),
        form=form if may_confirm and delivery.may_become(DeliveryState.ACKNOWLEDGED) else None,
    )


def _leads_on(endpoint: str) -> bool:
    """The rooms above may or may not be there, and may or may not be open to this reader."""
    return endpoint in current_app.view_functions and guard_of(current_app, endpoint) in actor().permissions


def _offered(delivery: Delivery) -> set[str]:
    """Which verbs the page offers this reader in this state; the verbs themselves check again."""
    by, state = actor(), delivery.state
    may_dispatch = by.may(Permission.DELIVERIES_DISPATCH)
    may_ask = by.may(Permission.DELIVERIES_REQUEST)
    if delivery.channel is Channel.REMOTE_INSTALLATION:
        return set()
    is_open = delivery.channel is not Channel.DOWNLOAD and not delivery.is_closed
    changeable = RECIPIENT_OPEN if may_dispatch else RECIPIENT_OPEN[:1]
    has_left = state is DeliveryState.DISPATCHED
    offered = {
        "approve": may_dispatch and delivery.may_become(DeliveryState.APPROVED) and delivery.stopped_at is None,
        "cancel": may_ask and delivery.may_become(DeliveryState.CANCELLED) and (may_dispatch or not has_left),
        "recipient": may_ask and is_open and state in changeable,
        "fail": may_dispatch and delivery.may_become(DeliveryState.FAILED) and delivery.stopped_at is None,
        "stop": may_dispatch and is_open and delivery.stopped_at is None,
        "resume": may_dispatch and delivery.stopped_at is not None and not steps.reports_that_stand(delivery.events),
    }
    return {verb for verb, is_offered in offered.items() if is_offered}


def _spelled(name: str) -> str:
    """Names are kept in NFC; some systems type them in pieces."""
    return unicodedata.normalize("NFC", name)


def _served(artifact: Artifact) -> ServedFile:
    return ServedFile(
        key=artifact.key,
        name=artifact.name,
        size_bytes=artifact.size_bytes,
        sha256=artifact.sha256,
        modified_at=artifact.release.published_at or artifact.uploaded_at,
    )


def _issue(artifact_id: UUID, name: str, span: Span | None) -> OnSent:
    """Load and decide again in the transaction that writes: the release may have been withdrawn meanwhile."""
    artifact = queries.artifact(session(), artifact_id, _spelled(name), visible_to=actor(), at=now())
    taking = Taking(
        artifact=artifact,
        decision=service.require_entitled(session(), artifact.release, by=actor(), at=now()),
        span=span,
        way=resources().config.downloads if span is None else Downloads.PORTAL,
        user_agent=request.user_agent.string,
    )
    return _on_sent(service.issue(session(), taking, by=actor(), at=now()))


def _on_sent(delivery_id: UUID) -> Callable[[Span], None]:
    sessions, clock, by = resources().sessions, resources().clock, actor()

    def record(sent: Span) -> None:
        with sessions.begin() as fresh:
            service.record_sent(fresh, delivery_id, sent, by=by, at=clock())

    return record
