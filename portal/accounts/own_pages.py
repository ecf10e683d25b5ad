"""One's own account: name, language, password, sessions, tokens."""

from datetime import timedelta
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts import presence, queries, recovery, service, tokens
from portal.accounts.blueprint import bp
from portal.accounts.errors import BadName, BadToken, WeakPassword, WrongPassword
from portal.accounts.forms import ChangePasswordForm, OwnFactsForm, TokenForm
from portal.accounts.sign_in import Attempt
from portal.accounts.titles import SCOPE_TITLES
from portal.accounts.tokens import NewToken
from portal.permissions import ROLE_TITLES, Permission, Scope
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.unit_of_work import let_go, resources, session


@bp.route("/account", methods=["GET", "POST"])
@requires(Permission.ACCOUNT_OWN)
def account() -> ResponseReturnValue:
    person = queries.oneself(session(), actor())
    form = OwnFactsForm(obj=person)
    status = 200
    if form.is_sent():
        name, language = form.name.data or "", form.language.data
        try:
            service.change_own_facts(session(), person, name=name, language=language, by=actor(), at=now())
        except BadName as error:
            status = form.refuse(error, "name")
        else:
            flash(_("Saved."))
            return redirect(url_for(".account"), 303)
    return render_template("accounts/account.html", person=person, form=form, role_titles=ROLE_TITLES), status


@bp.route("/account/password", methods=["GET", "POST"])
@requires(Permission.ACCOUNT_OWN)
def change_password() -> ResponseReturnValue:
    form = ChangePasswordForm()
    status = 200
    if form.is_sent():
        email = queries.oneself(session(), actor()).email
        let_go()  # the check of the present password has transactions of its own
        attempt = Attempt(email, form.current.data or "", request.remote_addr or "")
        try:
            person = recovery.change_password(
                resources().sessions, attempt, form.password.data or "", by=actor(), at=now()
            )
        except (WrongPassword, WeakPassword) as error:
            status = form.refuse(error, "current" if isinstance(error, WrongPassword) else "password")
        else:
            presence.begin_session(person, now())
            flash(_("The password is changed. Every other session has ended."))
            return redirect(url_for(".account"), 303)
    return render_template("accounts/change_password.html", form=form), status


@bp.post("/account/sessions/end")
@requires(Permission.ACCOUNT_OWN)
def end_sessions() -> ResponseReturnValue:
    person = queries.oneself(session(), actor())
    service.end_sessions(session(), person, by=actor(), at=now())
    presence.begin_session(person, now())
    flash(_("Every other session has ended."))
    return redirect(url_for(".account"), 303)


@bp.route("/account/tokens", methods=["GET", "POST"], endpoint="tokens")
@requires(Permission.TOKENS_OWN)
def tokens_page() -> ResponseReturnValue:
    form = TokenForm(tokens.scopes_held(actor().permissions))
    status, text = 200, None
    if form.is_sent():
        person = queries.oneself(session(), actor())
        wanted = NewToken(
            form.name.data or "", frozenset(Scope(s) for s in form.scopes.data or ()), timedelta(days=form.days.data)
        )
        try:
            _made, text = tokens.create_token(session(), person, wanted, by=actor(), at=now())
        except (BadToken, BadName) as error:
            status = form.refuse(error, "name" if isinstance(error, BadName) else "scopes")
        else:
            form = TokenForm(tokens.scopes_held(actor().permissions), formdata=None)
    own = session().scalars(queries.tokens_of(visible_to=actor())).all()
    return render_template("accounts/tokens.html", form=form, tokens=own, text=text, titles=SCOPE_TITLES), status


@bp.post("/account/tokens/<uuid:token_id>/revoke")
@requires(Permission.TOKENS_OWN)
def revoke_token(token_id: UUID) -> ResponseReturnValue:
    token = queries.token(session(), token_id, visible_to=actor())
    tokens.revoke_token(session(), token, by=actor(), at=now())
    flash(_("The token %(name)s is revoked.", name=token.name))
    return redirect(url_for(".tokens"), 303)
