"""What the pages of entitlements take in; what makes sense, the parsers and services say."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, HiddenField, SelectField, SelectMultipleField, StringField, SubmitField, TextAreaField
from wtforms.validators import DataRequired, InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from portal.days import parse_day
from portal.entitlements.models import Contract, ContractLine
from portal.entitlements.sheet import COLUMNS
from portal.entitlements.terms import (
    DEFAULT_PROGRAMME,
    REASON_CHARS,
    LineTerms,
    Terms,
    parse_devices,
    parse_number,
    parse_programme,
    parse_time_zone,
)
from portal.releases.models import ALL_LEVELS, LEVEL_TITLES, Level, Product, ProductFamily
from portal.texts import one_line
from portal.web.fields import Parsed
from portal.web.forms import Form, _l, choices
from portal.web.locale import translate

DAY = {"type": "date", "required": True}
CUSTOMER = {"list": "customers", "autocomplete": "off"}
needed = DataRequired(_l("This is needed."))


class TermForm(Form):
    programme = StringField(_l("Service programme"), [Parsed(parse_programme)], default=DEFAULT_PROGRAMME)
    starts_on = StringField(_l("First day"), [needed, Parsed(parse_day)], render_kw=DAY)
    ends_on = StringField(_l("Last day, inclusive"), [needed, Parsed(parse_day)], render_kw=DAY)
    time_zone = StringField(
        _l("Time zone"),
        [needed, Parsed(parse_time_zone)],
        description=_l("The days are counted in this zone, such as Europe/Moscow."),
        render_kw={"list": "zones", "autocomplete": "off"},
    )
    submit = SubmitField(_l("Save"))

    def terms(self, number: str) -> Terms:
        return Terms(
            number,
            self.programme.data or "",
            parse_day(self.starts_on.data or ""),
            parse_day(self.ends_on.data or ""),
            self.time_zone.data or "",
        )

    @classmethod
    def of(cls, contract: Contract) -> "TermForm":
        return cls(
            data={
                "programme": contract.programme,
                "starts_on": contract.starts_on.isoformat(),
                "ends_on": contract.ends_on.isoformat(),
                "time_zone": contract.time_zone,
            }
        )


class ContractForm(TermForm):
    number = StringField(_l("Contract number"), [Parsed(parse_number)])
    customer = StringField(
        _l("Customer"), [Parsed(one_line, limit=200)], description=_l("Its code or its full name."), render_kw=CUSTOMER
    )
    field_order = ("number", "customer", "programme", "starts_on", "ends_on", "time_zone", "submit")


class Checkboxes(SelectMultipleField):
    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class LineForm(Form):
    """`covers` is `product:<id>` or `family:<id>`, and taken off where a line keeps its product."""

    covers = SelectField(_l("Product or family"))
    levels = Checkboxes(_l("Levels of releases"), [InputRequired(_l("Choose at least one level."))], coerce=int)
    devices = StringField(
        _l("Devices"), [Parsed(parse_devices)], description=_l("How many are covered; empty means all.")
    )
    has_back_catalogue = BooleanField(_l("With the back catalogue: also releases issued before the contract starts"))
    submit = SubmitField(_l("Save"))

    def offer(self, families: Iterable[ProductFamily], products: Iterable[Product]) -> None:
        offered = [(f"family:{family.id}", _("Family %(name)s", name=family.name)) for family in families]
        offered += [(f"product:{product.id}", product.name) for product in products]
        self.covers.choices = choices(offered)
        self.offer_levels()

    def chosen(self) -> str:
        """The chosen product's or family's name as it is offered."""
        return next(
            (str(label) for value, label, *_more in self.covers.iter_choices() if value == self.covers.data), ""
        )

    def offer_levels(self) -> None:
        self.levels.choices = [(level.value, translate(LEVEL_TITLES[level])) for level in Level]

    def terms(self, target: tuple[UUID | None, UUID | None] | None = None) -> LineTerms:
        """The line as the form says; `target` is (product, family) of a line that is there already."""
        product_id, family_id = target or self._target()
        devices = parse_devices(str(self.devices.data or ""))
        levels = Level(0)
        for level in self.levels.data or ():
            levels |= Level(level)
        return LineTerms(product_id, family_id, levels, devices, bool(self.has_back_catalogue.data))

    def _target(self) -> tuple[UUID | None, UUID | None]:
        kind, _, identity = self.covers.data.partition(":")
        return (UUID(identity), None) if kind == "product" else (None, UUID(identity))

    @classmethod
    def of(cls, line: ContractLine | None) -> "LineForm":
        levels = line.levels if line else ALL_LEVELS
        data: dict[str, Any] = {
            "levels": [level.value for level in Level if level & levels],
            "devices": str(line.devices or "") if line else "",
            "has_back_catalogue": line.has_back_catalogue if line else True,
        }
        form = cls(data=data)
        if line:
            del form.covers
            form.offer_levels()
        return form


class HoldForm(Form):
    reason = StringField(_l("Reason"), [Parsed(one_line, limit=REASON_CHARS)])
    submit = SubmitField(_l("Put on hold"))


class ImportForm(Form):
    sheet = FileField(
        _l("CSV file"),
        [FileRequired(_l("Choose a file."))],
        description=_l("In UTF-8, with the columns %(columns)s.", columns=", ".join(COLUMNS)),
        render_kw={"accept": ".csv,text/csv"},
    )
    keep_going = BooleanField(_l("Import the contracts that are good as a whole, and report the rest"))
    submit = SubmitField(_l("Import"))


class GrantForm(Form):
    customer = StringField(
        _l("Customer"), [Parsed(one_line, limit=200)], description=_l("Its code or its full name."), render_kw=CUSTOMER
    )
    product = StringField(
        _l("Product"),
        [Parsed(one_line, limit=60)],
        description=_l("Its code."),
        render_kw={"list": "products", "autocomplete": "off"},
    )
    version = StringField(_l("Version"), [Parsed(one_line, limit=100)])
    last_day = StringField(
        _l("Last day, inclusive"),
        [needed, Parsed(parse_day)],
        description=_l("In the customer's time zone."),
        render_kw=DAY,
    )
    reason = StringField(_l("Reason"), [Parsed(one_line, limit=REASON_CHARS)])
    submit = SubmitField(_l("Grant the exception"))


class AgreementForm(Form):
    """`code` is taken off where a new version of an agreement is written."""

    code = StringField(_l("Code"), [Parsed(one_line, limit=60)])
    title_en = StringField(_l("Title in English"), [needed])
    body_en = TextAreaField(_l("Text in English (Markdown)"), [needed], render_kw={"rows": 12})
    title_ru = StringField(_l("Title in Russian"), [needed])
    body_ru = TextAreaField(_l("Text in Russian (Markdown)"), [needed], render_kw={"rows": 12})
    products = StringField(
        _l("Products that ask for it"),
        [Parsed(one_line, limit=4000, required=False)],
        description=_l("Their codes, parted by spaces or commas."),
    )
    submit = SubmitField(_l("Put into force"))


class AcceptForm(Form):
    next = HiddenField()
    submit = SubmitField(_l("I accept for my organisation"))
