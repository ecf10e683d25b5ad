"""The pages of tickets."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from portal.accounts.customers import customer, customers
from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.errors import InvalidInput, NotFound
from portal.permissions import Permission
from portal.releases import queries as releases
from portal.releases.models import Product, Release
from portal.releases.versions import Version
from portal.texts import lines, searchable
from portal.tickets import clock_words, fixes, fixing, policy, queries, rules, service, timing, turns
from portal.tickets.errors import SubmissionReused, UnknownCustomer, UnknownIssue, UnknownRelease
from portal.tickets.forms import AnswerForm, LinkIssueForm, LinkReleaseForm, NoteForm, OpenForm
from portal.tickets.models import (
    STEP_TITLES,
    TICKET_CHANNEL_TITLES,
    TICKET_KIND_TITLES,
    TICKET_SEVERITY_TITLES,
    TICKET_STATE_TITLES,
    TICKET_STATE_TITLES_FOR_CUSTOMER,
    Step,
    Ticket,
    TicketChannel,
    TicketEventKind,
    TicketKind,
    TicketSeverity,
    TicketState,
)
from portal.web.errors import status_of
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.forms import Form
from portal.web.guard import actor, requires
from portal.web.locale import chosen_language
from portal.web.paging import page_of
from portal.web.unit_of_work import session

bp = Blueprint("tickets", __name__, template_folder="templates")

OFFERED_CUSTOMERS = 200
LARGEST_FORM_BYTES = 8 << 20
"""Room for a megabyte as a form escapes it, so that it is refused beside its field and not lost."""
KIND_OF_BADGE = {
    TicketState.NEW: "warn",
    TicketState.OPEN: "info",
    TicketState.WAITING_FOR_CUSTOMER: "warn",
    TicketState.FIX_AVAILABLE: "good",
    TicketState.RESOLVED: "good",
}


@bp.url_value_preprocessor
def _expect_long_texts(_endpoint: str | None, _values: object) -> None:
    request.max_content_length = request.max_form_memory_size = LARGEST_FORM_BYTES


@bp.context_processor
def _words() -> dict[str, object]:
    staff = actor().is_staff
    return {"ticket_states": TICKET_STATE_TITLES if staff else TICKET_STATE_TITLES_FOR_CUSTOMER,
            "ticket_badges": KIND_OF_BADGE, "ticket_kinds": TICKET_KIND_TITLES,
            "ticket_severities": TICKET_SEVERITY_TITLES, **clock_words.words()}  # fmt: skip


@bp.app_context_processor
def _on_the_releases_page() -> dict[str, object]:
    """For the page of a release, which stands below tickets and can't ask for them itself."""
    return {"cured_by": lambda release_id: fixing.cured_by(session(), release_id, visible_to=actor())}


@bp.get("/tickets")
@requires(Permission.TICKETS_READ)
def index() -> ResponseReturnValue:
    products = _products(session(), actor())
    wanted = _wanted(products)
    return render_template(
        "tickets/index.html",
        page=page_of(session(), queries.tickets(wanted, visible_to=actor())),
        wanted=wanted,
        products=products,
        states=TicketState,
    )


@bp.route("/tickets/new", methods=["GET", "POST"])
@requires(Permission.TICKETS_OPEN)
def new() -> ResponseReturnValue:
    products = _products(session(), actor())
    form = OpenForm()
    form.offer(products, is_staff=actor().is_staff)
    if request.method == "GET" and request.args.get("product") in {product.code for product in products}:
        form.product.data = request.args["product"]
    if form.is_sent():
        try:
            facts = _facts(session(), form, {product.code: product for product in products})
            ticket = service.open_ticket(session(), facts, by=actor(), at=now())
        except SubmissionReused as error:
            form.renew()
            refuse(form.title, error)
        except UnknownCustomer as error:
            refuse(form.customer, error)
        except InvalidInput as error:
            refuse(form.product, error)
        else:
            flash(_("Ticket %(number)s is open.", number=str(ticket)))
            return redirect(url_for(".show", number=str(ticket)), 303)
    offered = session().scalars(customers(OFFERED_CUSTOMERS)).all() if actor().is_staff else []
    return render_template("tickets/new.html", form=form, customers=offered), _status(form)


@bp.get("/tickets/<number>")
@requires(Permission.TICKETS_READ)
def show(number: str) -> ResponseReturnValue:
    return _page(_ticket(number))


@bp.post("/tickets/<number>/answer")
@requires(Permission.TICKETS_ANSWER)
def answer(number: str) -> ResponseReturnValue:
    ticket = _ticket(number)
    form = AnswerForm()
    form.offer(policy.steps_after_answer(ticket, actor()) if actor().is_staff else None)
    if not form.is_sent():
        return _page(ticket, answer=form), UNPROCESSABLE
    try:
        service.answer(session(), ticket, form.body.data or "", by=actor(), at=now(), submission=form.submission.data)
        if "then" in form and form.then.data:
            service.change_state(session(), ticket, Step(form.then.data), by=actor(), at=now())
    except SubmissionReused as error:
        form.renew()
        refuse(form.body, error)
        return _page(ticket, answer=form), status_of(error)
    flash(_("Your answer is sent."))
    return _back(ticket)


@bp.post("/tickets/<number>/note")
@requires(Permission.TICKETS_WORK)
def note(number: str) -> ResponseReturnValue:
    ticket = _ticket(number)
    form = NoteForm(prefix="note")
    if not form.is_sent():
        return _page(ticket, note=form), UNPROCESSABLE
    try:
        words, once = form.body.data or "", form.submission.data
        service.add_note(session(), ticket, words, by=actor(), at=now(), submission=once)
    except SubmissionReused as error:
        form.renew()
        refuse(form.body, error)
        return _page(ticket, note=form), status_of(error)
    return _back(ticket)


@bp.post("/tickets/<number>/state")
@requires(Permission.TICKETS_ANSWER)
def state(number: str) -> ResponseReturnValue:
    ticket = _ticket(number)
    try:
        step = Step(request.form.get("step", ""))
    except ValueError as error:
        raise NotFound from error
    reason = lines(request.form.get("reason", ""), limit=service.MAX_REASON_CHARS, required=step is Step.REOPEN)
    service.change_state(session(), ticket, step, by=actor(), at=now(), reason=reason)
    return _back(ticket)


@bp.post("/tickets/<number>/issues")
@requires(Permission.TICKETS_WORK)
def link_issue(number: str) -> ResponseReturnValue:
    ticket = _ticket(number)
    form = LinkIssueForm(prefix="issue")
    if form.is_sent():
        try:
            issue = releases.get_issue(session(), form.issue.data or "", visible_to=actor())
        except NotFound:
            refuse(form.issue, UnknownIssue(issue=form.issue.data))
        else:
            service.link_issue(session(), ticket, issue, by=actor(), at=now())
            return _back(ticket)
    return _page(ticket, link_issue=form), UNPROCESSABLE


@bp.post("/tickets/<number>/issues/<public_id>/unlink")
@requires(Permission.TICKETS_WORK)
def unlink_issue(number: str, public_id: str) -> ResponseReturnValue:
    ticket = _ticket(number)
    issue = releases.get_issue(session(), public_id, visible_to=actor())
    service.unlink_issue(session(), ticket, issue, by=actor(), at=now())
    return _back(ticket)


@bp.post("/tickets/<number>/releases")
@requires(Permission.TICKETS_WORK)
def link_release(number: str) -> ResponseReturnValue:
    ticket = _ticket(number)
    form = LinkReleaseForm(prefix="release")
    if form.is_sent():
        try:
            release = _release(session(), form.product.data or "", form.version.data or "")
        except (NotFound, InvalidInput):
            refuse(form.version, UnknownRelease(version=form.version.data))
        else:
            service.link_release(session(), ticket, release, by=actor(), at=now())
            return _back(ticket)
    return _page(ticket, link_release=form), UNPROCESSABLE


@bp.post("/tickets/<number>/releases/<uuid:release_id>/unlink")
@requires(Permission.TICKETS_WORK)
def unlink_release(number: str, release_id: UUID) -> ResponseReturnValue:
    ticket = _ticket(number)
    release = releases.get(session(), release_id, visible_to=actor())
    service.unlink_release(session(), ticket, release, by=actor(), at=now())
    return _back(ticket)


def _ticket(number: str) -> Ticket:
    return queries.get(session(), number, visible_to=actor())


def _back(ticket: Ticket) -> ResponseReturnValue:
    return redirect(url_for(".show", number=str(ticket)), 303)


def _status(form: Form) -> int:
    return UNPROCESSABLE if form.errors else 200


def _page(ticket: Ticket, **sent: Form) -> str:
    """The ticket's page; `sent` are forms that came back with something wrong."""
    by, at = actor(), now()
    issues = queries.linked_issues(session(), ticket, visible_to=by, at=at)
    releases_linked = queries.linked_releases(session(), ticket, visible_to=by, at=at)
    events = queries.thread(session(), ticket, visible_to=by)
    programme = timing.programme_of(session(), ticket)
    clock = timing.clock_of(session(), ticket, events, at=at, programme=programme)
    return render_template(
        "tickets/show.html",
        ticket=ticket,
        events=events,
        clock=clock,
        turns=turns.turns_of(events, clock, programme),
        alarms=turns.alarms_after(session(), ticket, events, visible_to=by),
        programme=programme,
        fixes=fixes.fixes_of(session(), ticket, issues, at=at),
        answers=fixes.answers_of(session(), ticket, releases_linked, at=at),
        steps=policy.steps_for(ticket, by),
        language=chosen_language(),
        kinds=TicketEventKind,
        states=TicketState,
        next_steps=rules.NEXT_STEP_TITLES,
        channels=TICKET_CHANNEL_TITLES,
        step_titles=STEP_TITLES,
        forms={**_forms(ticket), **sent},
    )


def _forms(ticket: Ticket) -> dict[str, Form]:
    """The page's forms with nothing filled in, whichever of them was sent."""
    answer_form = AnswerForm(formdata=None)
    answer_form.offer(policy.steps_after_answer(ticket, actor()) if actor().is_staff else None)
    product = {"product": ticket.product.code} if ticket.product else {}
    return {
        "answer": answer_form,
        "note": NoteForm(prefix="note", formdata=None),
        "link_issue": LinkIssueForm(prefix="issue", formdata=None),
        "link_release": LinkReleaseForm(prefix="release", formdata=None, data=product),
    }


def _products(db: Session, by: Actor) -> list[Product]:
    """What a ticket of this actor may be about; staff choose among all, and the service holds it to the customer."""
    if not by.is_staff and by.organisation_id is None:
        return []
    return list(db.scalars(queries.products_for(None if by.is_staff else by.organisation_id, now())))


def _wanted(products: list[Product]) -> queries.Wanted:
    """What the address asks for; a word that means nothing narrows nothing."""
    asked = request.args
    return queries.Wanted(
        state=TicketState(asked["state"]) if asked.get("state") in set(TicketState) else None,
        product_id=next((product.id for product in products if product.code == asked.get("product")), None),
        customer=searchable(asked.get("customer", "")) if actor().is_staff else "",
        text=searchable(asked.get("q", "")),
    )


def _facts(db: Session, form: OpenForm, products: dict[str, Product]) -> service.TicketFacts:
    is_staff = actor().is_staff
    organisation = customer(db, form.customer.data or "") if is_staff else db.get(Organisation, actor().organisation_id)
    if organisation is None:
        raise UnknownCustomer(customer=form.customer.data if is_staff else "")
    return service.TicketFacts(
        organisation=organisation,
        kind=TicketKind(form.kind.data),
        severity=TicketSeverity(form.severity.data),
        channel=TicketChannel(form.channel.data) if is_staff else TicketChannel.WEB,
        title=form.title.data or "",
        body=form.body.data or "",
        product=products.get(form.product.data),
        installed_version=form.installed_version.data or "",
        submission=form.submission.data,
    )


def _release(db: Session, code: str, written: str) -> Release:
    """Raises NotFound, or MalformedVersion where the product could have no such version."""
    product = releases.get_product(db, code, visible_to=actor())
    version = Version.parse(written, product.scheme)
    release_id = releases.version_holder(db, product.id, version.key)
    if release_id is None:
        raise NotFound
    return releases.get(db, release_id, visible_to=actor())
