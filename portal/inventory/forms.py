"""What the pages of devices take in."""

from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField, StringField, SubmitField

from portal.inventory.service import MAX_SERIAL_CHARS, MAX_SITE_CHARS
from portal.inventory.sheets import COLUMNS
from portal.releases.models import Product
from portal.releases.versions import MAX_VERSION_CHARS
from portal.texts import one_line
from portal.web.fields import Parsed
from portal.web.forms import Form, _l, choices

CUSTOMER_FIELD = {"list": "customers", "autocomplete": "off"}


class DeviceForm(Form):
    """`customer` is for staff and taken off the customer's form."""

    customer = StringField(
        _l("Customer"),
        [Parsed(one_line, limit=200)],
        description=_l("Its code or its full name."),
        render_kw=CUSTOMER_FIELD,
    )
    product = SelectField(_l("Product"))
    serial = StringField(_l("Serial number"), [Parsed(one_line, limit=MAX_SERIAL_CHARS)])
    site = StringField(_l("Site"), [Parsed(one_line, limit=MAX_SITE_CHARS, required=False)])
    installed_version = StringField(
        _l("Installed version"), [Parsed(one_line, limit=MAX_VERSION_CHARS, required=False)]
    )
    submit = SubmitField(_l("Add the device"))

    def offer(self, products: list[Product], *, is_staff: bool) -> None:
        self.product.choices = choices((product.code, product.name) for product in products)
        if not is_staff:
            del self.customer


class SheetForm(Form):
    """`customer` is for staff and taken off the customer's form."""

    customer = StringField(
        _l("Customer"),
        [Parsed(one_line, limit=200)],
        description=_l("Its code or its full name."),
        render_kw=CUSTOMER_FIELD,
    )
    sheet = FileField(
        _l("CSV file"),
        [FileRequired(_l("Choose a file."))],
        description=_l(
            "In UTF-8, with the columns %(columns)s; all lines are taken in, or none.", columns=", ".join(COLUMNS)
        ),
        render_kw={"accept": ".csv,text/csv"},
    )
    submit = SubmitField(_l("Take in"))

    def offer(self, *, is_staff: bool) -> None:
        if not is_staff:
            del self.customer
