"""Pages of contracts: list, new, one with its lines, hold, import."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.accounts.customers import customer, customers
from portal.accounts.models import Organisation
from portal.entitlements import queries, service
from portal.entitlements.blueprint import bp
from portal.entitlements.errors import EndsBeforeItStarts, LineTwice, NumberTaken, UnknownCustomer
from portal.entitlements.forms import ContractForm, HoldForm, ImportForm, LineForm, TermForm
from portal.entitlements.importing import Report, import_contracts
from portal.entitlements.models import Contract, ContractLine
from portal.entitlements.queries import STANDING_TITLES, Standing, Wanted, standing_of
from portal.errors import NotFound
from portal.permissions import Permission
from portal.releases.models import LEVEL_TITLES, Level
from portal.texts import searchable
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.forms import Form
from portal.web.guard import actor, requires
from portal.web.locale import translate
from portal.web.paging import page_of
from portal.web.unit_of_work import session

OFFERED_CUSTOMERS = 200
OFFERED_ZONES = ("UTC", "Europe/Berlin", "Europe/Moscow", "Asia/Yekaterinburg", "Asia/Almaty", "Asia/Vladivostok")
STANDING_BADGES = {Standing.RUNNING: "good", Standing.COMING: "info", Standing.ENDED: "calm", Standing.ON_HOLD: "bad"}


@bp.context_processor
def _words() -> dict[str, object]:
    return {
        "standing_of": standing_of,
        "STANDING_TITLES": STANDING_TITLES,
        "STANDING_BADGES": STANDING_BADGES,
        "LEVEL_TITLES": LEVEL_TITLES,
        "translate": translate,
        "levels_in": lambda levels: [level for level in Level if level & levels],
    }


def offered_customers() -> list[Organisation]:
    return list(session().scalars(customers(OFFERED_CUSTOMERS)))


def found_customer(written: str | None) -> Organisation:
    """Raises UnknownCustomer."""
    found = customer(session(), written or "")
    if found is None:
        raise UnknownCustomer(text=written or "")
    return found


def status_of_form(form: Form) -> int:
    return UNPROCESSABLE if form.errors else 200


def wanted() -> Wanted:
    standing = request.args.get("state", "")
    return Wanted(searchable(request.args.get("q", "")), Standing(standing) if standing in set(Standing) else None)


@bp.get("/contracts")
@requires(Permission.CONTRACTS_READ)
def contracts() -> ResponseReturnValue:
    rows = queries.contracts(wanted(), now(), visible_to=actor())
    page = page_of(session(), rows)
    return render_template("entitlements/contracts.html", page=page, wanted=wanted(), standings=Standing)


@bp.route("/contracts/new", methods=["GET", "POST"])
@requires(Permission.CONTRACTS_MANAGE)
def new_contract() -> ResponseReturnValue:
    form = ContractForm()
    contract = _create(form) if form.is_sent() else None
    if contract is not None:
        session().flush()  # the address of its page needs its id
        flash(_("Contract %(number)s is made; now say what it covers.", number=contract.number))
        return redirect(url_for(".contract", contract_id=contract.id), 303)
    page = render_template(
        "entitlements/new_contract.html", form=form, customers=offered_customers(), zones=OFFERED_ZONES
    )
    return page, status_of_form(form)


def _create(form: ContractForm) -> Contract | None:
    try:
        organisation = found_customer(form.customer.data)
        terms = form.terms(form.number.data or "")
        return service.create_contract(session(), organisation, terms, by=actor(), at=now())
    except UnknownCustomer as error:
        refuse(form.customer, error)
    except NumberTaken as error:
        refuse(form.number, error)
    except EndsBeforeItStarts as error:
        refuse(form.ends_on, error)
    return None


def load(contract_id: UUID) -> Contract:
    return queries.contract(session(), contract_id, visible_to=actor())


def _back(contract: Contract) -> ResponseReturnValue:
    return redirect(url_for(".contract", contract_id=contract.id), 303)


@bp.get("/contracts/<uuid:contract_id>")
@requires(Permission.CONTRACTS_READ)
def contract(contract_id: UUID) -> ResponseReturnValue:
    return render_template("entitlements/contract.html", contract=load(contract_id), form=HoldForm())


@bp.route("/contracts/<uuid:contract_id>/term", methods=["GET", "POST"])
@requires(Permission.CONTRACTS_MANAGE)
def contract_term(contract_id: UUID) -> ResponseReturnValue:
    contract = load(contract_id)
    form = TermForm.of(contract)
    if form.is_sent():
        try:
            service.change_term(session(), contract, form.terms(contract.number), by=actor(), at=now())
        except EndsBeforeItStarts as error:
            refuse(form.ends_on, error)
        else:
            flash(_("Saved."))
            return _back(contract)
    page = render_template("entitlements/contract_term.html", contract=contract, form=form, zones=OFFERED_ZONES)
    return page, status_of_form(form)


@bp.post("/contracts/<uuid:contract_id>/hold")
@requires(Permission.CONTRACTS_MANAGE)
def hold_contract(contract_id: UUID) -> ResponseReturnValue:
    contract, form = load(contract_id), HoldForm()
    if not form.is_sent():
        return render_template("entitlements/contract.html", contract=contract, form=form), UNPROCESSABLE
    service.hold(session(), contract, reason=form.reason.data or "", by=actor(), at=now())
    flash(_("Contract %(number)s is on hold: it gives nothing now.", number=contract.number))
    return _back(contract)


@bp.post("/contracts/<uuid:contract_id>/resume")
@requires(Permission.CONTRACTS_MANAGE)
def resume_contract(contract_id: UUID) -> ResponseReturnValue:
    contract = load(contract_id)
    service.resume(session(), contract, by=actor(), at=now())
    flash(_("Contract %(number)s is no longer on hold.", number=contract.number))
    return _back(contract)


@bp.route("/contracts/<uuid:contract_id>/lines/new", methods=["GET", "POST"])
@requires(Permission.CONTRACTS_MANAGE)
def new_line(contract_id: UUID) -> ResponseReturnValue:
    contract, form = load(contract_id), LineForm.of(None)
    form.offer(*queries.coverable(session()))
    if form.is_sent():
        try:
            service.add_line(session(), contract, form.terms(), by=actor(), at=now())
        except LineTwice as error:
            error.facts["product"] = form.chosen()
            refuse(form.covers, error)
        else:
            flash(_("The line is added."))
            return _back(contract)
    page = render_template("entitlements/line.html", contract=contract, line=None, form=form)
    return page, status_of_form(form)


def _line(contract: Contract) -> ContractLine:
    """The line that the address names by `?line=`, or that the form does."""
    written = request.values.get("line", "")
    for line in contract.lines:
        if str(line.id) == written:
            return line
    raise NotFound


@bp.route("/contracts/<uuid:contract_id>/line", methods=["GET", "POST"])
@requires(Permission.CONTRACTS_MANAGE)
def edit_line(contract_id: UUID) -> ResponseReturnValue:
    contract = load(contract_id)
    line = _line(contract)
    form = LineForm.of(line)
    if form.is_sent():
        terms = form.terms((line.product_id, line.family_id))
        service.change_line(session(), contract, line, terms, by=actor(), at=now())
        flash(_("Saved."))
        return _back(contract)
    page = render_template("entitlements/line.html", contract=contract, line=line, form=form)
    return page, status_of_form(form)


@bp.post("/contracts/<uuid:contract_id>/line/remove")
@requires(Permission.CONTRACTS_MANAGE)
def remove_line(contract_id: UUID) -> ResponseReturnValue:
    contract = load(contract_id)
    service.remove_line(session(), contract, _line(contract), by=actor(), at=now())
    flash(_("The line is removed."))
    return _back(contract)


@bp.route("/contracts/import", methods=["GET", "POST"], endpoint="import_")
@requires(Permission.CONTRACTS_MANAGE)
def import_sheet() -> ResponseReturnValue:
    form, report = ImportForm(), Report()
    if form.is_sent():
        keep_going = bool(form.keep_going.data)
        report = import_contracts(session(), form.sheet.data.read(), keep_going=keep_going, by=actor(), at=now())
        if not report.problems:
            count = len(report.imported)
            flash(ngettext("%(num)s contract is imported.", "%(num)s contracts are imported.", count))
            return redirect(url_for(".contracts"), 303)
    refused = bool(form.errors) or (bool(report.problems) and not report.imported)
    page = render_template("entitlements/import.html", form=form, report=report)
    return page, UNPROCESSABLE if refused else 200
