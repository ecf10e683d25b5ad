"""What is the customer's own to do: access information, consent to remote access, its own way of updating."""

from uuid import UUID

from flask import flash, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.authority import queries as authority
from portal.deliveries import queries as deliveries
from portal.deliveries.candidates import candidates
from portal.deliveries.errors import AddressMissing
from portal.deliveries.states import Channel
from portal.permissions import Permission
from portal.updates import access, installing, own_way, queries
from portal.updates.blueprint import WORDS, back, bp, sealer
from portal.updates.errors import ConsentPast, NoSuchHour
from portal.updates.forms import AccessForm, FilesForm, SecretForm
from portal.updates.history import require_customer
from portal.updates.models import UpdateRequest
from portal.updates.windows import instant_of, local_end
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.unit_of_work import session


def _load(update_id: UUID) -> UpdateRequest:
    return queries.get(session(), update_id, visible_to=actor())


@bp.route("/updates/<uuid:update_id>/secrets", methods=["GET", "POST"])
@requires(Permission.UPDATES_AGREE)
def secrets(update_id: UUID) -> ResponseReturnValue:
    update = _load(update_id)
    require_customer(update, actor())
    form = SecretForm()
    if form.is_sent():
        piece = access.Piece(form.label.data or "", form.text.data or "")
        access.enter_secret(session(), update, piece, sealer=sealer(), by=actor(), at=now())
        flash(_("Sealed. It is shown only to the engineer of the running update, and you see every look."))
        return back(update, "access")
    return render_template("updates/secret.html", update=update, form=form), UNPROCESSABLE if form.errors else 200


@bp.route("/updates/<uuid:update_id>/access", methods=["GET", "POST"])
@requires(Permission.UPDATES_AGREE)
def give_access(update_id: UUID) -> ResponseReturnValue:
    update = _load(update_id)
    require_customer(update, actor())
    form = AccessForm.until_then(local_end(update.ends_at, update.time_zone, now()))
    if form.is_sent():
        try:
            until = instant_of(form.then(), update.time_zone)
            access.give_access(session(), update, until, by=actor(), at=now())
        except (ConsentPast, NoSuchHour) as error:
            refuse(form.until, error)
        else:
            flash(_("The support centre may reach the devices until then. You can end that at any moment."))
            return back(update, "access")
    return render_template("updates/access.html", update=update, form=form), UNPROCESSABLE if form.errors else 200


@bp.post("/updates/<uuid:update_id>/access/end")
@requires(Permission.UPDATES_AGREE)
def end_access(update_id: UUID) -> ResponseReturnValue:
    update = _load(update_id)
    stopped = access.end_access(session(), update, by=actor(), at=now())
    flash(ngettext("Your consent has ended; %(num)s remote session was stopped.",
                   "Your consent has ended; %(num)s remote sessions were stopped.", stopped))  # fmt: skip
    return back(update, "access")


@bp.post("/updates/<uuid:update_id>/prepare")
@requires(Permission.UPDATES_AGREE)
def prepare(update_id: UUID) -> ResponseReturnValue:
    update = _load(update_id)
    own_way.prepare(session(), update, by=actor(), at=now())
    return back(update, "checklist")


@bp.post("/updates/<uuid:update_id>/confirm")
@requires(Permission.UPDATES_AGREE)
def confirm(update_id: UUID) -> ResponseReturnValue:
    update = _load(update_id)
    installing.confirm(session(), update, by=actor(), at=now())
    flash(_("The installation is confirmed."))
    return back(update, "files")


@bp.route("/updates/<uuid:update_id>/files", methods=["GET", "POST"])
@requires(Permission.UPDATES_AGREE)
def files(update_id: UUID) -> ResponseReturnValue:
    update = _load(update_id)
    require_customer(update, actor())
    people = candidates(
        session(), update.organisation_id, {update.release.product_id}, now(), visible_to=actor()
    )  # fmt: skip
    addresses = session().scalars(deliveries.addresses(update.organisation_id, visible_to=actor())).all()
    form = FilesForm()
    form.offer(
        [(str(one.person.id), one.person.name) for one in people if one.may_receive],
        [(str(one.id), one.label) for one in addresses],
    )
    if form.is_sent():
        try:
            made = own_way.ask_for_files(session(), update, _handing(form), by=actor(), at=now())
        except AddressMissing as error:
            refuse(form.address, error)
        else:
            numbers = ", ".join(one.number or "" for one in made)
            flash(_("Asked for: %(numbers)s. The dispatcher has been told.", numbers=numbers))
            return back(update, "files")
    page = render_template(
        "updates/files.html", update=update, form=form, people=people,
        releases=own_way.releases_of(session(), update), **WORDS,
    )  # fmt: skip
    return page, UNPROCESSABLE if form.errors else 200


def _handing(form: FilesForm) -> own_way.Handing:
    recipient = authority.get(session(), UUID(form.recipient.data), visible_to=actor())
    address = deliveries.address(session(), UUID(form.address.data), visible_to=actor()) if form.address.data else None
    return own_way.Handing(Channel(form.channel.data), recipient, address)
