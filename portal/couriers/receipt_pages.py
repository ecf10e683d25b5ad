"""The receipt's pages, for whoever holds the parcel's papers: no sign-in, a telephone in hand, the bag in the other."""

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import refresh

from portal.actors import Actor
from portal.authority import codes
from portal.authority.models import CodePurpose
from portal.config import LANGUAGES
from portal.couriers import incidents, receipts, slips
from portal.couriers.blueprint import receipt_bp as bp
from portal.couriers.errors import (
    NotTheRecipient,
    ReceiptUnknown,
    SeenDiffers,
    SignatureMissing,
    TooManyCodes,
    TooManyIncidents,
)
from portal.couriers.forms import CodeForm, DifferenceForm, ReceiptForm
from portal.couriers.models import Consignment
from portal.couriers.proofs import keep_signature, signature_of
from portal.couriers.receipts import Attempt, Receipt
from portal.documents.codes import digest_words, short_digest
from portal.documents.errors import SignatureEmpty, SignatureUnusable
from portal.texts import TextMissing, searchable
from portal.web.errors import status_of
from portal.web.fields import UNPROCESSABLE, refuse
from portal.web.formats import now
from portal.web.guard import public
from portal.web.locale import COOKIE, chosen_language
from portal.web.unit_of_work import let_go, resources, session


@bp.route("", methods=["GET", "POST"], strict_slashes=False)
@public
def enter() -> ResponseReturnValue:
    """Who can't scan the code types it, with the delivery's number."""
    form = CodeForm()
    if request.method == "GET":
        form.number.data = searchable(request.args.get("number", ""), limit=receipts.MAX_NUMBER_CHARS)
    if form.is_sent():
        let_go()  # a wrong code is counted in a transaction of its own
        attempt = Attempt(form.number.data or "", form.code.data or "", _address())
        try:
            found = receipts.by_code(resources().sessions, attempt, at=now())
        except (ReceiptUnknown, TooManyCodes) as error:
            refuse(form.code, error)
            return render_template("couriers/enter.html", form=form), status_of(error)
        return redirect(url_for(".show", secret=slips.secret_of(found.id, resources().config.secret_key)), 303)
    return render_template("couriers/enter.html", form=form), UNPROCESSABLE if form.errors else 200


@bp.get("/<secret>")
@public
def show(secret: str) -> ResponseReturnValue:
    return _page(secret, ReceiptForm(formdata=None))


@bp.post("/<secret>/code")
@public
def code(secret: str) -> ResponseReturnValue:
    """Send the recipient a one-time code."""
    found = _found(secret)
    receipts.ask_code(session(), found.id, secret_key=resources().config.secret_key, by=_signer(found), at=now())
    flash(_("The code is sent. It is good for 10 minutes."))
    return redirect(url_for(".show", secret=secret, _anchor="sign"), 303)


@bp.post("/<secret>")
@public
def confirm(secret: str) -> ResponseReturnValue:
    """Everything is as it was sent. The one-time code is tried last: a slip of the pen must not use it up."""
    found = _found(secret)
    form = ReceiptForm()
    if found.received_at is None and not (form.is_sent() and _compared(found, form) and _signed(found, form)):
        return _page(secret, form), UNPROCESSABLE
    return redirect(url_for(".show", secret=secret), 303)


def _compared(found: Consignment, form: ReceiptForm) -> bool:
    """Whether what was typed is what was sent, and the name the recipient's; if not, the fields say so."""
    name, seen = form.name.data or "", (form.serial.data or "", form.seal.data or "", form.digest.data or "")
    differs = receipts.check(found, *seen)
    for field in differs:
        refuse(form[field], SeenDiffers(field=field))
    is_recipient = receipts.is_called(name, (found.delivery.recipient or {}).get("name", ""))
    if not is_recipient:
        refuse(form.name, NotTheRecipient())
    return not differs and is_recipient


def _signed(found: Consignment, form: ReceiptForm) -> bool:
    """Whether the receipt is signed, the code right, and the receipt entered."""
    try:
        content = signature_of(form.signature.data or "", (form.name.data or "") if form.is_typed.data else "")
    except (SignatureMissing, SignatureEmpty, SignatureUnusable) as error:
        refuse(form.is_typed, error)
        return False
    signature, by = {}, _signer(found)
    if codes.is_waiting(session(), CodePurpose.RECEIPT, found.id, at=now()):
        signature = keep_signature(content)
    let_go()  # where no code can be right, whoever found the papers fills no store
    checked = receipts.try_code(resources().sessions, found.id, form.code.data or "",
                                secret_key=resources().config.secret_key, by=by, at=now())  # fmt: skip
    if not checked.is_right:
        form.code.errors = [*form.code.errors, _(checked.sentence)]
        return receipts.by_id(session(), found.id).received_at is not None  # sent twice at once: the other has done it
    receipt = Receipt(
        name=form.name.data or "",
        serial=form.serial.data or "",
        seal=form.seal.data or "",
        signature=signature,
        code_confirmed_at=now(),
        digest=form.digest.data or "",
        is_verified=bool(form.is_verified.data),
    )
    receipts.confirm(session(), found.id, receipt, by=by, at=now())
    return True


@bp.route("/<secret>/difference", methods=["GET", "POST"])
@public
def difference(secret: str) -> ResponseReturnValue:
    """Something is not as it was sent: no code is asked for, whoever holds the papers may say it."""
    found = _found(secret)
    if not receipts.is_open(found):
        return redirect(url_for(".show", secret=secret), 303)
    form = DifferenceForm()
    if form.is_sent():
        try:
            incidents.report(session(), found.delivery_id, form.difference(), base_url=resources().config.base_url,
                             by=_signer(found), at=now())  # fmt: skip
        except (TextMissing, TooManyIncidents) as error:
            refuse(form.text, error)
        else:
            flash(_("Thank you. The delivery is stopped, and support is told. Do not use what arrived."))
            return redirect(url_for(".show", secret=secret), 303)
    status = UNPROCESSABLE if form.errors else 200
    return render_template("couriers/difference.html", found=found, secret=secret, form=form), status


def _page(secret: str, form: ReceiptForm) -> str:
    found = _found(secret)
    sha256 = found.writing.kit_sha256
    return render_template(
        "couriers/receipt.html",
        found=found,
        secret=secret,
        form=form,
        is_open=receipts.is_open(found),
        words=digest_words(sha256, chosen_language()),
        short=short_digest(sha256),
        sent=codes.latest(session(), CodePurpose.RECEIPT, found.id),
        masked=receipts.masked(found),
    )


def _found(secret: str) -> Consignment:
    """The parcel of this secret; the page speaks the recipient's language unless the reader chose one."""
    found = receipts.by_secret(session(), secret)
    language = (found.delivery.recipient or {}).get("language")
    if request.cookies.get(COOKIE) not in LANGUAGES and language in LANGUAGES:
        g.language = language
        refresh()
    return found


def _signer(found: Consignment) -> Actor:
    return receipts.signer(found, _address())


def _address() -> str:
    return request.remote_addr or ""
