"""Pages: the backups of a device, and the releases that a customer may always fall back on."""

from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.backups import policy, queries, rules, serving
from portal.backups.models import KIND_TITLES
from portal.backups.serving import ask_updates
from portal.entitlements.lists import decide_many
from portal.errors import NotFound
from portal.inventory.queries import get_device
from portal.permissions import Permission
from portal.texts import searchable
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.locale import translate
from portal.web.paging import page_of
from portal.web.unit_of_work import resources, session

__all__ = ["ask_updates", "bp"]

bp = Blueprint("backups", __name__, template_folder="templates")


@bp.get("/devices/<uuid:device_id>/backups")
@requires(Permission.BACKUPS)
def of_device(device_id: UUID) -> ResponseReturnValue:
    device = get_device(session(), device_id, visible_to=actor())
    page = page_of(session(), queries.backups_of(device.id, visible_to=actor()))
    # who may look into one backup of a device may look into each
    may_read = bool(page.rows) and policy.may_read(
        session(), page.rows[0], actor(), is_engineer=serving.is_engineer()
    )  # fmt: skip
    return render_template(
        "backups/device.html",
        device=device,
        page=page,
        may_read=may_read,
        limit_bytes=resources().config.max_artifact_bytes,
        kept_newest=rules.KEPT_NEWEST,
        kept_days=rules.KEPT_FOR.days,
        KIND_TITLES=KIND_TITLES,
    )


@bp.get("/backups/<uuid:backup_id>")
@requires(Permission.BACKUPS)
def download(backup_id: UUID) -> ResponseReturnValue:
    return serving.serve(backup_id)


@bp.get("/backup-copies")
@requires(Permission.CATALOGUE_READ)
def copies() -> ResponseReturnValue:
    """Every release that the customer ever received, and why it may be taken now, or why not (P11)."""
    organisation_id = actor().organisation_id
    if organisation_id is None:
        raise NotFound
    text = searchable(request.args.get("q", ""))
    page = page_of(session(), queries.copies(text, visible_to=actor()))
    return render_template(
        "backups/copies.html",
        page=page,
        text=text,
        decisions=decide_many(session(), organisation_id=organisation_id, releases=page.rows, at=now()),
        received=queries.received_at(session(), organisation_id, page.rows),
        translate=translate,
    )
