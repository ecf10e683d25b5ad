"""People: who is there, who is let in, with which roles, and who is shut out."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts import invitations, policy, queries, service
from portal.accounts.blueprint import bp
from portal.accounts.errors import BadEmail, BadName, EmailTaken, LastAdministrator, NoRole
from portal.accounts.forms import InviteForm, PeopleFilterForm, RolesForm
from portal.accounts.models import Organisation
from portal.accounts.service import NewPerson
from portal.actors import Actor
from portal.errors import NotFound, PortalError
from portal.permissions import ROLE_TITLES, Permission
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.paging import page_of
from portal.web.unit_of_work import resources, session


@bp.get("/people")
@requires(Permission.PEOPLE_READ)
def people() -> ResponseReturnValue:
    chosen = _asked_organisation()
    form = None
    if policy.sees_every_organisation(actor()):
        form = PeopleFilterForm(session().scalars(queries.organisations(visible_to=actor())), formdata=request.args)
    page = page_of(session(), queries.people(visible_to=actor(), organisation_id=chosen))
    return render_template("accounts/people.html", page=page, form=form, role_titles=ROLE_TITLES, chosen=chosen)


@bp.route("/people/invite", methods=["GET", "POST"])
@requires(Permission.PEOPLE_MANAGE)
def invite() -> ResponseReturnValue:
    organisation = _organisation_to_invite_into(actor())
    if organisation is None:
        where = PeopleFilterForm(session().scalars(queries.organisations(visible_to=actor())))
        return render_template("accounts/invite_where.html", form=where)
    form = InviteForm(policy.roles_of_kind(organisation.kind), language=organisation.language)
    status = 200
    if form.is_sent():
        new = NewPerson(form.email.data or "", form.name.data or "", form.chosen(), form.language.data)
        try:
            person, link = invitations.invite(
                session(), organisation, new, by=actor(), at=now(), base_url=resources().config.base_url
            )
        except (BadEmail, BadName, EmailTaken, NoRole) as error:
            status = form.refuse(error, _field_of(error))
        else:
            return render_template("accounts/invited.html", person=person, link=link)
    return render_template("accounts/invite.html", form=form, organisation=organisation), status


@bp.get("/people/<uuid:person_id>")
@requires(Permission.PEOPLE_READ)
def person(person_id: UUID) -> ResponseReturnValue:
    return _person_page(person_id)


@bp.post("/people/<uuid:person_id>/roles")
@requires(Permission.PEOPLE_MANAGE)
def roles(person_id: UUID) -> ResponseReturnValue:
    found = queries.person(session(), person_id, visible_to=actor())
    form = RolesForm(policy.roles_of_kind(found.organisation.kind))
    if not form.is_sent():
        return _person_page(person_id, form)
    try:
        service.change_roles(session(), found, form.chosen(), by=actor(), at=now())
    except (NoRole, LastAdministrator) as error:
        status = form.refuse(error, "roles")
        return _person_page(person_id, form, status)
    flash(_("The roles are saved."))
    return redirect(url_for(".person", person_id=person_id), 303)


@bp.post("/people/<uuid:person_id>/disable")
@requires(Permission.PEOPLE_MANAGE)
def disable_person(person_id: UUID) -> ResponseReturnValue:
    found = queries.person(session(), person_id, visible_to=actor())
    service.disable(session(), found, by=actor(), at=now())
    flash(_("%(name)s can't sign in any more.", name=found.name))
    return redirect(url_for(".person", person_id=person_id), 303)


@bp.post("/people/<uuid:person_id>/enable")
@requires(Permission.PEOPLE_MANAGE)
def enable_person(person_id: UUID) -> ResponseReturnValue:
    found = queries.person(session(), person_id, visible_to=actor())
    service.enable(session(), found, by=actor(), at=now())
    flash(_("%(name)s can sign in again.", name=found.name))
    return redirect(url_for(".person", person_id=person_id), 303)


@bp.post("/people/<uuid:person_id>/invite-again")
@requires(Permission.PEOPLE_MANAGE)
def invite_again(person_id: UUID) -> ResponseReturnValue:
    found = queries.person(session(), person_id, visible_to=actor())
    base_url = resources().config.base_url
    link = invitations.invite_again(session(), found, by=actor(), at=now(), base_url=base_url)
    return render_template("accounts/invited.html", person=found, link=link)


def _person_page(person_id: UUID, form: RolesForm | None = None, status: int = 200) -> ResponseReturnValue:
    found = queries.person(session(), person_id, visible_to=actor())
    may_manage = policy.may_manage_people_of(actor(), found.organisation_id)
    if form is None and may_manage:
        offered = policy.roles_of_kind(found.organisation.kind)
        form = RolesForm(offered, data={"roles": sorted(found.roles)})
    page = render_template(
        "accounts/person.html", person=found, form=form, may_manage=may_manage, role_titles=ROLE_TITLES
    )
    return page, status


def _asked_organisation() -> UUID | None:
    """The organisation that the address is filtered by. Raises NotFound for one that nobody could mean."""
    text = request.args.get("organisation", "")
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound from error


def _organisation_to_invite_into(by: Actor) -> Organisation | None:
    """The one that was chosen; a customer's manager has only their own. None while the vendor still has to choose."""
    asked = _asked_organisation()
    if asked is None and by.is_customer:
        asked = by.organisation_id
    return None if asked is None else queries.organisation(session(), asked, visible_to=by)


def _field_of(error: PortalError) -> str:
    if isinstance(error, (BadEmail, EmailTaken)):
        return "email"
    return "name" if isinstance(error, BadName) else "roles"
