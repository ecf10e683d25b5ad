"""The last screens: the act in full, the code, the signature; or no signature. Each answers a script as well."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.authority import codes
from portal.authority.codes import Checked, Reach
from portal.authority.models import CodeChannel, CodePurpose
from portal.documents.errors import PictureUnusable, SignatureUnusable
from portal.errors import InvalidInput, NotFound
from portal.handovers import closing, queries, signing
from portal.handovers.blueprint import bp
from portal.handovers.errors import CodeRefused
from portal.handovers.forms import CodeForm, ReasonForm, SignForm
from portal.handovers.models import Act
from portal.handovers.signing import Desk
from portal.permissions import Permission
from portal.web.errors import status_of, wants_json
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.unit_of_work import let_go, resources, session


@bp.get("/handovers/acts/<uuid:act_id>/text")
@requires(Permission.DELIVERIES_DISPATCH)
def text(act_id: UUID) -> ResponseReturnValue:
    """The act in full, in the recipient's language, to be read on the tablet before anything is signed."""
    act = queries.act(session(), act_id, visible_to=actor())
    if not act.is_open:
        return _to_act(act)
    return render_template("handovers/text.html", act=act, code_form=_code_form(act))


@bp.post("/handovers/acts/<uuid:act_id>/code")
@requires(Permission.DELIVERIES_DISPATCH)
def code(act_id: UUID) -> ResponseReturnValue:
    act = queries.act(session(), act_id, visible_to=actor())
    form = _code_form(act)
    if not form.is_sent():
        raise NotFound
    channel = CodeChannel(form.channel.data)
    secret = resources().config.secret_key
    signing.send_code(session(), act_id, channel, secret_key=secret, by=actor(), at=now())
    flash(_("A code was sent. It is good for ten minutes."))
    return redirect(url_for(".sign", act_id=act_id), 303)


@bp.route("/handovers/acts/<uuid:act_id>/sign", methods=["GET", "POST"])
@requires(Permission.DELIVERIES_DISPATCH)
def sign(act_id: UUID) -> ResponseReturnValue:
    act = queries.act(session(), act_id, visible_to=actor())
    form = SignForm()
    if not form.is_sent():
        return _to_act(act) if not act.is_open else _sign_page(act, form)
    try:
        _take(act_id, form)
    except InvalidInput as error:
        if wants_json():
            raise
        act = queries.act(session(), act_id, visible_to=actor())
        refuse(form.code if isinstance(error, CodeRefused) else form.typed_name, error)
        return _sign_page(act, form), status_of(error)
    return _to_act(act)


@bp.route("/handovers/acts/<uuid:act_id>/refuse", methods=["GET", "POST"])
@requires(Permission.DELIVERIES_DISPATCH)
def refuse_act(act_id: UUID) -> ResponseReturnValue:
    """The recipient does not take it."""
    act, form = queries.act(session(), act_id, visible_to=actor()), ReasonForm()
    if form.is_sent():
        closing.refuse(session(), act_id, form.reason.data or "", by=actor(), at=now())
        flash(_("Act %(number)s is closed: the recipient refused.", number=act.number))
        return _to_act(act)
    return _close_page(act, form, is_refusal=True)


@bp.route("/handovers/acts/<uuid:act_id>/abandon", methods=["GET", "POST"])
@requires(Permission.DELIVERIES_DISPATCH)
def abandon(act_id: UUID) -> ResponseReturnValue:
    """Nobody signs now; the deliveries can be handed over by another act."""
    act, form = queries.act(session(), act_id, visible_to=actor()), ReasonForm()
    if form.is_sent():
        closing.abandon(session(), act_id, form.reason.data or "", by=actor(), at=now())
        flash(_("Act %(number)s is closed without a signature.", number=act.number))
        return _to_act(act)
    return _close_page(act, form, is_refusal=False)


def _take(act_id: UUID, form: SignForm) -> None:
    """Sign in a transaction of its own, since a wrong code has to be kept although it is refused then.

    Raises CodeRefused, SignatureUnusable and what `signing.sign` raises.
    """
    given, by, at = form.given(), actor(), now()
    desk = Desk(resources().store, resources().config.secret_key)
    let_go()
    try:
        with resources().sessions.begin() as fresh:
            taken = signing.sign(fresh, act_id, given, desk=desk, by=by, at=at)
    except PictureUnusable as error:
        raise SignatureUnusable(reason=str(error.facts.get("reason", ""))) from error
    if isinstance(taken, Checked):
        raise CodeRefused(taken)


def _to_act(act: Act) -> ResponseReturnValue:
    return redirect(url_for(".act", act_id=act.id), 303)


def _code_form(act: Act) -> CodeForm:
    form = CodeForm(formdata=request.form if request.endpoint == "handovers.code" else None)
    named = {channel: act.recipient["phone" if channel is CodeChannel.PHONE else "email"] for channel in CodeChannel}
    shown = {channel: Reach(channel, to, "", "").masked if to else "" for channel, to in named.items()}
    form.offer(email=shown[CodeChannel.EMAIL], phone=shown[CodeChannel.PHONE])
    return form


def _sign_page(act: Act, form: SignForm) -> str:
    form.submission.data, form.text_sha256.data = act.submission, act.text_sha256
    sent = codes.latest(session(), CodePurpose.HAND_OVER, act.id)
    return render_template("handovers/sign.html", act=act, form=form, code_form=_code_form(act), sent=sent)


def _close_page(act: Act, form: ReasonForm, *, is_refusal: bool) -> ResponseReturnValue:
    if not act.is_open:
        return _to_act(act)
    page = render_template("handovers/close.html", act=act, form=form, is_refusal=is_refusal)
    return page, UNPROCESSABLE if form.errors else 200
