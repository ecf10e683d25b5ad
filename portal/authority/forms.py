"""What the pages of authority take in; what makes sense, the parsers and services say."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    EmailField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    SubmitField,
    TelField,
)
from wtforms.validators import DataRequired
from wtforms.widgets import CheckboxInput, ListWidget

from portal.accounts.emails import parse_email
from portal.accounts.service import checked_name
from portal.authority.mending import Draft
from portal.authority.models import AuthorizedPerson
from portal.authority.terms import (
    ISSUER_CHARS,
    NAME_CHARS,
    NUMBER_CHARS,
    PHONE_CHARS,
    REASON_CHARS,
    NewPower,
    RecipientFacts,
    parse_phone,
)
from portal.days import parse_day
from portal.releases.models import Product
from portal.texts import one_line
from portal.web.fields import Parsed
from portal.web.forms import Form, _l, choices
from portal.web.locale import LANGUAGE_NAMES

DAY = {"type": "date", "required": True}
CUSTOMER = {"list": "customers", "autocomplete": "off"}
SCAN = {"accept": ".pdf,.png,.jpg,.jpeg,application/pdf,image/png,image/jpeg"}
needed = DataRequired(_l("This is needed."))
ALL, SOME = "all", "some"


class RecipientForm(Form):
    """`customer` is taken off for a customer's own manager, and where the person is there already."""

    customer = StringField(
        _l("Customer"), [Parsed(one_line, limit=200)], description=_l("Its code or its full name."), render_kw=CUSTOMER
    )
    name = StringField(_l("Full name"), [needed, Parsed(checked_name)], render_kw={"maxlength": NAME_CHARS})
    email = EmailField(
        _l("E-mail"),
        [needed, Parsed(parse_email)],
        description=_l("Links and one-time codes go there: an address that only this person reads."),
        render_kw={"maxlength": 254},
    )
    phone = TelField(
        _l("Telephone"),
        [Parsed(parse_phone)],
        description=_l("For codes at a hand-over, with the country's code: +7 916 123-45-67."),
        render_kw={"maxlength": PHONE_CHARS},
    )
    language = SelectField(_l("Language of letters and papers"), choices=choices(LANGUAGE_NAMES.items()))
    submit = SubmitField(_l("Save"))

    def facts(self) -> RecipientFacts:
        return RecipientFacts(self.name.data or "", self.email.data or "", self.phone.data or "", self.language.data)

    @classmethod
    def of(cls, holder: AuthorizedPerson) -> "RecipientForm":
        form = cls(data={name: getattr(holder, name) for name in ("name", "email", "phone", "language")})
        del form.customer
        return form


class Checks(SelectMultipleField):
    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class PowerForm(Form):
    number = StringField(_l("Number"), [Parsed(one_line, limit=NUMBER_CHARS)])
    issued_on = StringField(_l("Date of the document"), [needed, Parsed(parse_day)], render_kw=DAY)
    issued_by = StringField(
        _l("Issued by"),
        [Parsed(one_line, limit=ISSUER_CHARS)],
        description=_l("Who signed it, with their position."),
    )
    valid_from = StringField(_l("First day"), [needed, Parsed(parse_day)], render_kw=DAY)
    valid_until = StringField(_l("Last day, inclusive"), [needed, Parsed(parse_day)], render_kw=DAY)
    may_receive = BooleanField(_l("May receive files"), default=True)
    may_sign = BooleanField(_l("May sign acts of acceptance"))
    scope = RadioField(
        _l("Products"),
        choices=choices(((ALL, _l("All products")), (SOME, _l("Only these")))),
        default=ALL,
    )
    products = Checks(_l("Only these products"))
    scan = FileField(_l("Scan"), description=_l("PDF, PNG or JPEG, 20 MB at most."), render_kw=SCAN)
    submit = SubmitField(_l("Send to the dispatcher"))

    def offer(self, products: Iterable[Product]) -> None:
        self.products.choices = choices((str(product.id), product.name) for product in products)

    def power(self) -> NewPower:
        chosen = frozenset(UUID(text) for text in self.products.data or ())
        return NewPower(
            number=self.number.data or "",
            issued_on=parse_day(self.issued_on.data or ""),
            issued_by=self.issued_by.data or "",
            valid_from=parse_day(self.valid_from.data or ""),
            valid_until=parse_day(self.valid_until.data or ""),
            product_ids=None if self.scope.data == ALL else chosen,
            may_receive=bool(self.may_receive.data),
            may_sign=bool(self.may_sign.data),
        )


def power_form(draft: Draft) -> PowerForm:
    """The form as the draft begins it."""
    data: dict[str, Any] = {
        "number": draft.number,
        "issued_on": draft.issued_on.isoformat(),
        "issued_by": draft.issued_by,
        "valid_from": draft.valid_from.isoformat(),
        "valid_until": draft.valid_until.isoformat(),
        "may_receive": draft.may_receive,
        "may_sign": draft.may_sign,
        "scope": ALL if draft.product_ids is None else SOME,
        "products": [str(one) for one in draft.product_ids or ()],
    }
    return PowerForm(data=data)


class ScanForm(Form):
    scan = FileField(_l("Scan"), description=_l("PDF, PNG or JPEG, 20 MB at most."), render_kw=SCAN)
    submit = SubmitField(_l("Attach"))


class ConfirmForm(Form):
    checked = StringField(
        _l("What you checked"),
        [Parsed(one_line, limit=REASON_CHARS)],
        description=_l("Such as: the scan, the signature, a call back to the company's switchboard."),
    )
    submit = SubmitField(_l("Confirm"))


class ReasonForm(Form):
    """Why it is declined or revoked; the button says which."""

    reason = StringField(_l("Reason"), [Parsed(one_line, limit=REASON_CHARS)])
    submit = SubmitField()

    @classmethod
    def called(cls, label: str, act: str) -> "ReasonForm":
        """`act` tells the fields of two such forms on one page apart."""
        form = cls()
        form.submit.label.text = label
        form.reason.id = form.reason.label.field_id = f"{act}-reason"
        form.submit.id = f"{act}-submit"
        return form
