"""What the pages of devices and sites take in."""

from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField, StringField, SubmitField, TextAreaField

from portal.inventory import terms
from portal.inventory.models import Device, Site
from portal.inventory.sheets import COLUMNS
from portal.inventory.terms import DeviceChanges, SiteFacts
from portal.releases.models import Product
from portal.releases.versions import MAX_VERSION_CHARS
from portal.texts import lines, one_line
from portal.web.fields import Parsed
from portal.web.forms import Form, _l, choices

CUSTOMER_FIELD = {"list": "customers", "autocomplete": "off"}
SITE_FIELD = {"list": "sites", "autocomplete": "off"}


def _text(limit: int, *, required: bool = False) -> list[Parsed]:
    return [Parsed(one_line, limit=limit, required=required)]


class _OfCustomer(Form):
    """`customer` is for staff and taken off the customer's form."""

    customer = StringField(
        _l("Customer"),
        _text(200, required=True),
        description=_l("Its code or its full name."),
        render_kw=CUSTOMER_FIELD,
    )

    def for_staff(self, *, is_staff: bool) -> None:
        if not is_staff:
            del self.customer


class DeviceForm(_OfCustomer):
    product = SelectField(_l("Product"))
    serial = StringField(_l("Serial number"), _text(terms.MAX_SERIAL_CHARS, required=True))
    name = StringField(_l("Name"), _text(terms.MAX_NAME_CHARS), description=_l("The host name, for example."))
    site = StringField(
        _l("Site"), _text(terms.MAX_SITE_CODE_CHARS), description=_l("The code of a site."), render_kw=SITE_FIELD
    )
    installed_version = StringField(_l("Installed version"), _text(MAX_VERSION_CHARS))
    submit = SubmitField(_l("Add the device"))

    def offer(self, products: list[Product], *, is_staff: bool) -> None:
        self.product.choices = choices((product.code, product.name) for product in products)
        self.for_staff(is_staff=is_staff)


class ChangeForm(Form):
    serial = StringField(_l("Serial number"), _text(terms.MAX_SERIAL_CHARS, required=True))
    name = StringField(_l("Name"), _text(terms.MAX_NAME_CHARS), description=_l("The host name, for example."))
    site = StringField(
        _l("Site"), _text(terms.MAX_SITE_CODE_CHARS), description=_l("The code of a site."), render_kw=SITE_FIELD
    )
    installed_version = StringField(_l("Installed version"), _text(MAX_VERSION_CHARS))
    submit = SubmitField(_l("Save"))

    @classmethod
    def of(cls, device: Device) -> "ChangeForm":
        known = {"serial": device.serial, "name": device.name, "installed_version": device.installed_version or ""}
        return cls(data={**known, "site": device.site.code if device.site else ""})

    def changes(self) -> DeviceChanges:
        return DeviceChanges(
            self.serial.data or "", self.name.data or "", self.site.data or "", self.installed_version.data or ""
        )


class RemoveForm(Form):
    reason = StringField(
        _l("Why"), _text(terms.MAX_REASON_CHARS, required=True), description=_l("Replaced by another, sold, scrapped…")
    )
    submit = SubmitField(_l("Remove the device"))


class SiteForm(_OfCustomer):
    code = StringField(
        _l("Code"),
        _text(terms.MAX_SITE_CODE_CHARS, required=True),
        description=_l("Short, as your tables name the site; kept in capitals."),
    )
    name = StringField(_l("Name"), _text(terms.MAX_SITE_NAME_CHARS, required=True))
    address = TextAreaField(
        _l("Address"), [Parsed(lines, limit=terms.MAX_ADDRESS_CHARS, required=False)], render_kw={"rows": 3}
    )
    time_zone = StringField(_l("Time zone"), _text(64), description=_l("Such as Europe/Moscow; empty: the customer's."))
    contact_name = StringField(_l("Contact"), _text(terms.MAX_CONTACT_CHARS))
    contact_phone = StringField(_l("Telephone"), _text(terms.MAX_PHONE_CHARS), render_kw={"type": "tel"})
    contact_email = StringField(_l("E-mail"), _text(254), render_kw={"type": "email"})
    night_contact = StringField(
        _l("Whom to call at night"), _text(terms.MAX_NIGHT_CHARS), description=_l("Who, and how to reach them.")
    )
    submit = SubmitField(_l("Save"))

    @classmethod
    def of(cls, site: Site) -> "SiteForm":
        names = ("code", "name", "time_zone", "contact_name", "contact_phone", "contact_email", "night_contact")
        form = cls(data={**{name: getattr(site, name) for name in names}, "address": "\n".join(site.address)})
        form.for_staff(is_staff=False)  # a site stays its customer's
        return form

    def facts(self) -> SiteFacts:
        fields = {name: field.data or "" for name, field in self._fields.items()}
        return SiteFacts(**{name: str(fields[name]) for name in SiteFacts.__dataclass_fields__})


class SheetForm(_OfCustomer):
    sheet = FileField(
        _l("CSV file"),
        [FileRequired(_l("Choose a file."))],
        description=_l("In UTF-8, with these columns: %(columns)s.", columns=", ".join(COLUMNS)),
        render_kw={"accept": ".csv,text/csv"},
    )
    submit = SubmitField(_l("Look at what it changes"))
