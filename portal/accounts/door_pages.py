"""The pages in front of the door: signing in and out, an invitation, a forgotten password."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts import invitations, presence, recovery, sign_in
from portal.accounts.blueprint import bp
from portal.accounts.errors import BadName, SignInFailed, WeakPassword
from portal.accounts.forms import AskResetForm, JoinForm, NewPasswordForm, SignInForm
from portal.accounts.invitations import Joining
from portal.permissions import Permission
from portal.web.formats import now
from portal.web.guard import actor, public, requires
from portal.web.locale import here_or_home
from portal.web.unit_of_work import let_go, resources, session

REFERRER_WITHOUT_PATH = "strict-origin"
"""For pages whose address is a secret: no path is told to anybody. With `no-referrer` the form's own POST would come
without its origin too, and the check of forged requests over HTTPS would refuse it."""


@bp.route("/sign-in", methods=["GET", "POST"], endpoint="sign_in")
@public
def sign_in_page() -> ResponseReturnValue:
    form = SignInForm(next=here_or_home(request.args.get("next")))
    status = 200
    if form.is_sent():
        let_go()  # the sign-in has transactions of its own
        attempt = sign_in.Attempt(form.email.data or "", form.password.data or "", request.remote_addr or "")
        try:
            person = sign_in.sign_in(resources().sessions, attempt, at=now())
        except SignInFailed as error:
            status = form.refuse(error, "password")
        else:
            presence.begin_session(person, now())
            return redirect(here_or_home(form.next.data), 303)
    return render_template("accounts/sign_in.html", form=form), status


@bp.post("/sign-out")
@requires(Permission.ACCOUNT_OWN)
def sign_out() -> ResponseReturnValue:
    sign_in.note_sign_out(session(), by=actor(), at=now())
    presence.end_session()
    return redirect(url_for(".sign_in"), 303)


@bp.route("/invitation/<secret>", methods=["GET", "POST"])
@public
def invitation(secret: str) -> ResponseReturnValue:
    person = invitations.invited(session(), secret, at=now())
    form = JoinForm(name=person.name)
    status = 200
    if form.is_sent():
        joining = Joining(form.name.data or "", form.password.data or "", request.remote_addr or "")
        try:
            invitations.join(session(), secret, joining, at=now())
        except (WeakPassword, BadName) as error:
            status = form.refuse(error, "name" if isinstance(error, BadName) else "password")
        else:
            presence.begin_session(person, now())
            flash(_("Welcome. You are signed in."))
            return redirect("/", 303)
    return _keeping_its_address(render_template("accounts/invitation.html", form=form, person=person), status)


@bp.route("/reset", methods=["GET", "POST"])
@public
def ask_reset() -> ResponseReturnValue:
    form = AskResetForm()
    if form.is_sent():
        recovery.ask_reset(session(), email=form.email.data or "", address=request.remote_addr or "", at=now())
        flash(_("If the address belongs to someone who may sign in, a letter with a link is on its way to it."))
        return redirect(url_for(".sign_in"), 303)
    return render_template("accounts/ask_reset.html", form=form)


@bp.route("/reset/<secret>", methods=["GET", "POST"])
@public
def reset(secret: str) -> ResponseReturnValue:
    person = recovery.resetting(session(), secret, at=now())
    form = NewPasswordForm()
    status = 200
    if form.is_sent():
        password, address = form.password.data or "", request.remote_addr or ""
        try:
            recovery.reset_password(session(), secret, password=password, address=address, at=now())
        except WeakPassword as error:
            status = form.refuse(error, "password")
        else:
            presence.end_session()
            flash(_("The password is set. Sign in with it."))
            return redirect(url_for(".sign_in"), 303)
    return _keeping_its_address(render_template("accounts/reset.html", form=form, person=person), status)


def _keeping_its_address(page: str, status: int) -> ResponseReturnValue:
    response = make_response(page, status)
    response.headers["Referrer-Policy"] = REFERRER_WITHOUT_PATH
    return response
