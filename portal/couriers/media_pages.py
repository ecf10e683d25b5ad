"""The register of media: list, search, CSV, one medium with its history."""

import csv
import io
from contextlib import suppress
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from portal.accounts.customers import customer, customers
from portal.accounts.models import Organisation
from portal.authority.errors import NotAScan, ScanTooLarge
from portal.authority.scanning import LARGEST_POST_BYTES
from portal.couriers import media, queries, troubles
from portal.couriers.blueprint import bp
from portal.couriers.errors import NoProof, OwnerMissing, SerialTaken
from portal.couriers.forms import MediumForm, MediumStateForm
from portal.couriers.media import Change, MediumFacts
from portal.couriers.models import Medium
from portal.couriers.proofs import proof_of, serve_proof
from portal.couriers.queries import MediumFilter
from portal.couriers.states import MEDIUM_MOVES, MediumKind, MediumState
from portal.errors import NotFound
from portal.permissions import Permission
from portal.texts import searchable
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.files import send_text
from portal.web.formats import now
from portal.web.guard import accepts_up_to, actor, requires
from portal.web.paging import page_of
from portal.web.spreadsheets import neutral
from portal.web.unit_of_work import session

OFFERED_CUSTOMERS = 200
COLUMNS = ("serial", "kind", "capacity_bytes", "owner", "customer", "state", "since", "note")


@bp.get("/media")
@requires(Permission.HOLDERS_READ)
def register() -> ResponseReturnValue:
    chosen = _chosen()
    page = page_of(session(), queries.media(chosen, visible_to=actor()))
    return render_template("couriers/media.html", page=page, chosen=chosen, states=list(MediumState))


@bp.get("/media.csv")
@requires(Permission.HOLDERS_READ)
def register_csv() -> ResponseReturnValue:
    """The register as it is narrowed, all of it: UTF-8 with a byte order mark, cells that are never formulas."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for one in session().scalars(queries.media(_chosen(), visible_to=actor())):
        owner = one.organisation.name if one.organisation else ""
        since = one.changed_at.isoformat(timespec="seconds")
        row = (one.serial, one.kind.value, str(one.capacity_bytes), one.owner.value, owner, one.state.value, since,
               one.note)  # fmt: skip
        table.writerow([neutral(cell) for cell in row])
    return send_text("media.csv", text.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")


@bp.route("/media/new", methods=["GET", "POST"])
@requires(Permission.DELIVERIES_DISPATCH)
def new_medium() -> ResponseReturnValue:
    form = MediumForm()
    if form.is_sent() and (medium := _added(session(), form)):
        flash(_("The medium %(serial)s is added.", serial=medium.serial))
        return redirect(url_for(".medium", medium_id=medium.id), 303)
    offered = session().scalars(customers(OFFERED_CUSTOMERS)).all()
    status = UNPROCESSABLE if form.errors else 200
    return render_template("couriers/new_medium.html", form=form, customers=offered), status


def _added(session: Session, form: MediumForm) -> Medium | None:
    """The medium, or None: the field says why not."""
    try:
        own = _owner(session, form.customer.data or "")
        facts = MediumFacts(
            kind=MediumKind(form.kind.data),
            serial=form.serial.data or "",
            capacity_bytes=form.capacity_bytes,
            customer=own,
            note=form.note.data or "",
        )
        return media.add(session, facts, by=actor(), at=now())
    except OwnerMissing as error:
        refuse(form.customer, error)
    except SerialTaken as error:
        refuse(form.serial, error)
    return None


def _owner(session: Session, written: str) -> Organisation | None:
    """Raises OwnerMissing where something is written that names no customer."""
    found = customer(session, written) if written else None
    if written and found is None:
        raise OwnerMissing
    return found


@bp.get("/media/<uuid:medium_id>")
@requires(Permission.HOLDERS_READ)
def medium(medium_id: UUID) -> ResponseReturnValue:
    return _page(medium_id, MediumStateForm(formdata=None))


@bp.post("/media/<uuid:medium_id>/state")
@accepts_up_to(LARGEST_POST_BYTES)
@requires(Permission.DELIVERIES_DISPATCH)
def change_medium(medium_id: UUID) -> ResponseReturnValue:
    """In stock again, come back, lost, destroyed: by hand, with proof."""
    form = MediumStateForm()
    form.offer(_offered(queries.medium(session(), medium_id, visible_to=actor())))
    if form.is_sent():
        try:
            proof = proof_of(form.proof.data or "", form.file.data)
            state = MediumState(form.state.data)
            if state is MediumState.DESTROYED:
                troubles.destroyed(session(), medium_id, form.reason.data or "", proof, by=actor(), at=now())
            else:
                needed = state is not MediumState.IN_STOCK or proof.text or proof.file
                change = Change(form.reason.data or "", proof=proof.require() if needed else None)
                media.change_state(session(), medium_id, state, change=change, by=actor(), at=now())
        except (NotAScan, ScanTooLarge) as error:
            refuse(form.file, error)
        except NoProof as error:
            refuse(form.proof, error)
        else:
            flash(_("It is noted."))
            return redirect(url_for(".medium", medium_id=medium_id), 303)
    return _page(medium_id, form), UNPROCESSABLE


@bp.get("/media/<uuid:medium_id>/proofs/<int:number>")
@requires(Permission.HOLDERS_READ)
def medium_proof(medium_id: UUID, number: int) -> ResponseReturnValue:
    for move in queries.medium(session(), medium_id, visible_to=actor()).moves:
        if move.number == number:
            return serve_proof(move.proof, move.at)
    raise NotFound


def _page(medium_id: UUID, form: MediumStateForm) -> str:
    found = queries.medium(session(), medium_id, visible_to=actor())
    holder = queries.holder(session(), medium_id)
    offered = _offered(found) if actor().may(Permission.DELIVERIES_DISPATCH) else []
    if holder is not None and holder.delivery.state not in media.OVER:
        # It moves with its delivery, but may be destroyed on the way.
        offered = [state for state in offered if state is MediumState.DESTROYED]
    form.offer(offered)
    return render_template(
        "couriers/medium.html",
        medium=found,
        writings=queries.writings(session(), medium_id),
        holder=holder,
        form=form if offered else None,
    )


def _offered(medium: Medium) -> list[MediumState]:
    """Where a clerk may put it from where it is."""
    by_hand = (*media.BY_HAND, MediumState.DESTROYED)
    return [state for state in by_hand if state in MEDIUM_MOVES[medium.state]]


def _chosen() -> MediumFilter:
    state = None
    with suppress(ValueError):
        state = MediumState(request.args.get("state", ""))
    return MediumFilter(searchable(request.args.get("q", "")), state)
