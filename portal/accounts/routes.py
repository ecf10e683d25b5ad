"""Pages of accounts: signing in and out, one's own account."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts import presence, queries, service, sign_in
from portal.accounts.errors import SignInFailed
from portal.accounts.forms import OwnFactsForm, SignInForm
from portal.permissions import Permission
from portal.web.formats import now
from portal.web.guard import actor, public, requires
from portal.web.locale import here_or_home
from portal.web.unit_of_work import let_go, resources, session

bp = Blueprint("accounts", __name__, template_folder="templates")


@bp.route("/sign-in", methods=["GET", "POST"], endpoint="sign_in")
@public
def sign_in_page() -> ResponseReturnValue:
    form = SignInForm(next=here_or_home(request.args.get("next")))
    if form.is_sent():
        let_go()  # the sign-in has transactions of its own
        attempt = sign_in.Attempt(form.email.data or "", form.password.data or "", request.remote_addr or "")
        try:
            person = sign_in.sign_in(resources().sessions, attempt, at=now())
        except SignInFailed as error:
            form.password.errors = [error.sentence_in(_)]
            return render_template("accounts/sign_in.html", form=form), error.status
        presence.begin_session(person, now())
        return redirect(here_or_home(form.next.data), 303)
    return render_template("accounts/sign_in.html", form=form)


@bp.post("/sign-out")
@requires(Permission.ACCOUNT_OWN)
def sign_out() -> ResponseReturnValue:
    sign_in.note_sign_out(session(), by=actor(), at=now())
    presence.end_session()
    return redirect(url_for(".sign_in"), 303)


@bp.route("/account", methods=["GET", "POST"])
@requires(Permission.ACCOUNT_OWN)
def account() -> ResponseReturnValue:
    person = queries.oneself(session(), actor())
    form = OwnFactsForm(obj=person)
    if form.is_sent():
        service.change_own_facts(person, name=form.name.data or "", language=form.language.data)
        flash(_("Saved."))
        return redirect(url_for(".account"), 303)
    return render_template("accounts/account.html", person=person, form=form)


@bp.get("/people")
@requires(Permission.PEOPLE_READ)
def people() -> ResponseReturnValue:
    return ""
