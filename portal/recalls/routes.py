"""Pages of recalls: how far each has come, who holds what, and the answer of a holder."""

import csv
import io
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.actors import Actor, Via
from portal.couriers.papers import sender
from portal.deliveries.states import CHANNEL_TITLES
from portal.errors import PortalError
from portal.permissions import Permission
from portal.recalls import papers, queries, service
from portal.recalls.forms import AnswerForm, NamedAnswerForm, ToldForm
from portal.recalls.models import ANSWER_TITLES, Answer, Holding
from portal.recalls.queries import Progress
from portal.recalls.wording import medium_in
from portal.web.files import send_text
from portal.web.formats import now
from portal.web.guard import actor, public, requires
from portal.web.headers import keep_to_itself
from portal.web.paging import page_of
from portal.web.spreadsheets import neutral
from portal.web.unit_of_work import resources, session

bp = Blueprint("recalls", __name__, template_folder="templates")


@bp.context_processor
def _words() -> dict[str, object]:
    return {"answer_titles": ANSWER_TITLES, "channel_titles": CHANNEL_TITLES, "medium_in": medium_in}


@bp.after_request
def _keep_the_link(response: Response) -> Response:
    return keep_to_itself(response) if request.endpoint == "recalls.answer_by_link" else response


@bp.get("/recalls")
@requires(Permission.DELIVERIES_READ)
def index() -> ResponseReturnValue:
    page = page_of(session(), queries.recalls(visible_to=actor()))
    progress = queries.progress(session(), [recall.id for recall in page.rows], visible_to=actor())
    return render_template("recalls/index.html", page=page, progress=progress, nobody=Progress())


@bp.get("/recalls/<uuid:release_id>")
@requires(Permission.DELIVERIES_READ)
def show(release_id: UUID) -> ResponseReturnValue:
    """How far the recall has come, down to the last holder; for a customer, what it holds and has to answer."""
    recall = queries.get(session(), release_id, visible_to=actor())
    return render_template(
        "recalls/show.html",
        recall=recall,
        release=recall.release,
        page=page_of(session(), queries.holdings(recall, visible_to=actor())),
        progress=queries.progress(session(), [recall.id], visible_to=actor()).get(recall.id, Progress()),
    )


@bp.get("/recalls/<uuid:release_id>.csv")
@requires(Permission.DELIVERIES_READ)
def show_csv(release_id: UUID) -> ResponseReturnValue:
    recall = queries.get(session(), release_id, visible_to=actor())
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(("customer", "holder", "e-mail", "channel", "medium", "place", "told", "how", "answer", "reason",
                    "answered", "by"))  # fmt: skip
    for holding in session().scalars(queries.holdings(recall, visible_to=actor())):
        table.writerow([neutral(cell) for cell in _row(holding)])
    name = f"recall {recall.release.product.code} {recall.release.version}.csv"
    return send_text(name, text.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")


@bp.route("/recalls/holdings/<uuid:holding_id>", methods=["GET", "POST"])
@requires(Permission.DELIVERIES_RECEIVE)
def answer(holding_id: UUID) -> ResponseReturnValue:
    """A customer says what became of what it holds."""
    holding = queries.holding(session(), holding_id, visible_to=actor())
    form = AnswerForm()
    status = _take_answer(holding, form, actor()) if form.is_sent() else 200
    if status is None:
        return redirect(url_for(".show", release_id=holding.recall.release_id), 303)
    return render_template("recalls/answer.html", holding=holding, form=form), status


@bp.route("/recalls/answer/<token>", methods=["GET", "POST"])
@public
def answer_by_link(token: str) -> ResponseReturnValue:
    """The same for a recipient without a sign-in, by the link in the letter or on the printed notice."""
    holding = queries.of_link(session(), service.holding_of(token, resources().config.secret_key))
    form = NamedAnswerForm()
    by = Actor(Via.NOBODY, name=(form.name.data or "").strip(), address=actor().address)
    status = _take_answer(holding, form, by) if form.is_sent() else 200
    if status is None:
        return redirect(url_for(".answer_by_link", token=token), 303)
    return render_template("recalls/answer.html", holding=holding, form=form), status


@bp.route("/recalls/holdings/<uuid:holding_id>/told", methods=["GET", "POST"])
@requires(Permission.DELIVERIES_DISPATCH)
def told(holding_id: UUID) -> ResponseReturnValue:
    """The dispatcher notes that a holder was told by post, by telephone or in person."""
    holding = queries.holding(session(), holding_id, visible_to=actor())
    form, status = ToldForm(), 200
    if form.is_sent():
        try:
            word = service.Told(form.how.data or "", form.instant)
            service.note_told(session(), holding, word, by=actor(), at=now())
        except PortalError as error:
            status = form.refuse(error, "told_at")
        else:
            flash(_("Noted: %(name)s was told.", name=holding.holder_name))
            return redirect(url_for(".show", release_id=holding.recall.release_id), 303)
    return render_template("recalls/told.html", holding=holding, form=form), status


@bp.get("/recalls/holdings/<uuid:holding_id>/notice.pdf")
@requires(Permission.DELIVERIES_DISPATCH)
def notice(holding_id: UUID) -> ResponseReturnValue:
    """The letter to print for a holder that is told by post or in person, with the answering link as a QR code."""
    holding = queries.holding(session(), holding_id, visible_to=actor())
    release, config = holding.recall.release, resources().config
    token = service.answer_token(holding, config.secret_key)
    paper = papers.notice(
        holding,
        queries.known_replacement(session(), release, holding.organisation_id, now()),
        sender=sender(session()),
        address=config.base_url + url_for(".answer_by_link", token=token),
        at=now(),
    )
    return send_text(f"notice {release.version}.pdf", paper, content_type="application/pdf")


def _take_answer(holding: Holding, form: AnswerForm, by: Actor) -> int | None:
    """The status of the refusal, or None when the answer was taken."""
    try:
        service.answer(session(), holding, Answer(form.answer.data), form.reason.data or "", by=by, at=now())
    except PortalError as error:
        return form.refuse(error, "reason")
    flash(_("Thank you. The answer is recorded."))
    return None


def _row(holding: Holding) -> tuple[str, ...]:
    times = [at.isoformat(timespec="seconds") if at else "" for at in (holding.told_at, holding.answered_at)]
    said = holding.answer.value if holding.answer else ""
    who = (holding.organisation.name, holding.holder_name, holding.holder_email, holding.channel.value)
    told = (holding.medium, holding.place, times[0], holding.told_how)
    return (*who, *told, said, holding.answer_reason, times[1], holding.answered_name)
