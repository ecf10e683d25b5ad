"""What the pages of couriers take in; what makes sense, the services say."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast
from zoneinfo import ZoneInfo

from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    DecimalField,
    Field,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    SubmitField,
    TextAreaField,
    URLField,
)
from wtforms.validators import DataRequired, Length, NumberRange, StopValidation, ValidationError

from portal.couriers import carriers, dispatching, incidents, media, troubles
from portal.couriers.models import Carrier
from portal.couriers.states import (
    INCIDENT_OUTCOME_TITLES,
    INCIDENT_TITLES,
    MEDIUM_KIND_TITLES,
    MEDIUM_STATE_TITLES,
    IncidentKind,
    IncidentOutcome,
    MediumState,
)
from portal.deliveries.models import DeliveryAddress
from portal.texts import lines, one_line
from portal.web.fields import Parsed
from portal.web.forms import Form, _l, choices
from portal.web.locale import chosen_time_zone

needed = DataRequired(_l("This is needed."))
PROOF_FILE = {"accept": ".pdf,.png,.jpg,.jpeg,application/pdf,image/png,image/jpeg"}
OFF = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
GB = 10**9
LONGEST_PICTURE = 200 * 1024
LONGEST_CODE = 40
SENSIBLE_YEARS = range(2000, 3000)


def finite(_form: Form, field: Field) -> None:
    """“sNaN” is a decimal too, and one that nothing can be compared with."""
    if field.data is not None and not field.data.is_finite():
        raise StopValidation(field.gettext("Not a valid decimal value."))


class WithMoment(Form):
    """A form that asks when something happened, in the reader's zone."""

    happened_at = DateTimeLocalField(_l("When"), [needed], render_kw={"required": True})

    def validate_happened_at(self, field: Field) -> None:
        """A year that no zone can carry over is a slip of the pen, and would be no instant."""
        if field.data is not None and field.data.year not in SENSIBLE_YEARS:
            raise ValidationError(_l("No such day can be meant."))

    @property
    def instant(self) -> datetime:
        return cast("datetime", self.happened_at.data).replace(tzinfo=ZoneInfo(chosen_time_zone())).astimezone(UTC)

    def offer_now(self, now: datetime) -> None:
        """Unless the form was sent, the moment is now."""
        if not self.is_submitted() and self.happened_at.data is None:  # type: ignore[no-untyped-call]
            self.happened_at.data = now.astimezone(ZoneInfo(chosen_time_zone())).replace(tzinfo=None)


class PackForm(Form):
    seal = StringField(
        _l("Number of the bag or seal"), [Parsed(one_line, limit=dispatching.MAX_SEAL_CHARS)], render_kw=OFF
    )
    carrier = SelectField(_l("Carrier"))
    submit = SubmitField(_l("Save and make the papers"))

    def offer(self, known: Sequence[Carrier]) -> None:
        self.carrier.choices = choices((str(one.id), one.name) for one in known)


class DispatchForm(WithMoment):
    tracking = StringField(
        _l("Tracking number"), [Parsed(one_line, limit=dispatching.MAX_TRACKING_CHARS)], render_kw=OFF
    )
    happened_at = DateTimeLocalField(_l("Handed over to the carrier at"), [needed], render_kw={"required": True})
    submit = SubmitField(_l("It is handed over"))


class ProofForm(WithMoment):
    reason = TextAreaField(_l("What has happened"), [Parsed(lines, limit=troubles.MAX_REASON_CHARS)])
    proof = TextAreaField(
        _l("What proves it"),
        [Parsed(lines, limit=media.MAX_REASON_CHARS, required=False)],
        description=_l("The carrier’s letter, its number and date; who said so and how. Or attach it."),
    )
    file = FileField(_l("File: PDF, PNG or JPEG"), render_kw=PROOF_FILE)
    submit = SubmitField(_l("Save"))


class MediumStateForm(Form):
    state = SelectField(_l("Where it is now"))
    reason = TextAreaField(_l("What has happened"), [Parsed(lines, limit=troubles.MAX_REASON_CHARS)])
    proof = TextAreaField(
        _l("What proves it"),
        [Parsed(lines, limit=media.MAX_REASON_CHARS, required=False)],
        description=_l("Not needed for a medium that goes into stock."),
    )
    file = FileField(_l("File: PDF, PNG or JPEG"), render_kw=PROOF_FILE)
    submit = SubmitField(_l("Save"))

    def offer(self, states: Sequence[MediumState]) -> None:
        self.state.choices = choices((state.value, _l(MEDIUM_STATE_TITLES[state])) for state in states)


class ReasonForm(Form):
    reason = TextAreaField(_l("Why"), [Parsed(lines, limit=troubles.MAX_REASON_CHARS)])
    submit = SubmitField(_l("Save"))


class ReplaceForm(Form):
    to = SelectField(_l("Address"))
    submit = SubmitField(_l("Ask for a replacement"))

    def offer(self, book: Sequence[DeliveryAddress]) -> None:
        self.to.choices = choices((str(one.id), f"{one.label}: {', '.join(one.lines)}") for one in book)


class CloseForm(Form):
    outcome = RadioField(
        _l("What was found"),
        [needed],
        choices=choices((one.value, _l(title)) for one, title in INCIDENT_OUTCOME_TITLES.items()),
    )
    text = TextAreaField(_l("How it was found, and what follows"), [Parsed(lines, limit=incidents.MAX_TEXT_CHARS)])
    submit = SubmitField(_l("Close the incident"))

    @property
    def chosen(self) -> IncidentOutcome:
        return IncidentOutcome(self.outcome.data)


class MediumForm(Form):
    kind = SelectField(_l("Kind"), choices=choices((one.value, _l(title)) for one, title in MEDIUM_KIND_TITLES.items()))
    serial = StringField(_l("Serial number"), [Parsed(one_line, limit=media.MAX_SERIAL_CHARS)], render_kw=OFF)
    capacity = DecimalField(
        _l("Capacity in GB, as printed on it"),
        [needed, finite, NumberRange(min=0, max=10**6)],
        render_kw={"min": "0", "step": "any"},
    )
    customer = StringField(
        _l("Customer, if it is the customer’s own"),
        [Parsed(one_line, limit=200, required=False)],
        description=_l("Its code or its full name."),
        render_kw={"list": "customers", "autocomplete": "off"},
    )
    note = TextAreaField(_l("Note"), [Parsed(lines, limit=media.MAX_NOTE_CHARS, required=False)])
    submit = SubmitField(_l("Add the medium"))

    @property
    def capacity_bytes(self) -> int:
        return max(1, int(self.capacity.data * GB)) if self.capacity.data else 1


class CarrierForm(Form):
    name = StringField(_l("Name"), [Parsed(one_line, limit=carriers.MAX_NAME_CHARS)])
    tracking_url = URLField(
        _l("Address where a parcel can be followed"),
        [Parsed(carriers.tracking_template)],
        description=_l("https://carrier.example/track?number={tracking}, or empty."),
        render_kw={"maxlength": carriers.MAX_ADDRESS_CHARS},
    )
    phone = StringField(_l("Telephone"), [Parsed(one_line, limit=carriers.MAX_PHONE_CHARS, required=False)])
    submit = SubmitField(_l("Save"))

    def facts(self) -> dict[str, str]:
        return {name: self[name].data or "" for name in ("name", "tracking_url", "phone")}


class CodeForm(Form):
    number = StringField(
        _l("Number of the delivery"), [Parsed(one_line, limit=20)], render_kw=OFF | {"placeholder": "D-000017"}
    )
    code = StringField(_l("Receipt code"), [Parsed(one_line, limit=LONGEST_CODE)], render_kw=OFF)
    submit = SubmitField(_l("Go on"))


def _digest() -> StringField:
    return StringField(
        _l("Digest that you see: its words, or its first 16 digits (optional)"),
        [Parsed(one_line, limit=incidents.MAX_SEEN_CHARS, required=False)],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class ReceiptForm(Form):
    """What the recipient reads off the parcel; nothing is filled in beforehand."""

    serial = StringField(
        _l("Serial number that you read on the medium"), [Parsed(one_line, limit=media.MAX_SERIAL_CHARS)], render_kw=OFF
    )
    seal = StringField(
        _l("Number that you read on the bag or seal"), [Parsed(one_line, limit=dispatching.MAX_SEAL_CHARS)],
        render_kw=OFF,
    )  # fmt: skip
    digest = _digest()
    is_verified = BooleanField(_l("verify.py or VERIFY.html found every file right"))
    name = StringField(_l("Your full name"), [Parsed(one_line, limit=incidents.MAX_NAME_CHARS)])
    code = StringField(
        _l("One-time code from the letter"),
        [Parsed(one_line, limit=LONGEST_CODE)],
        render_kw={"inputmode": "numeric", "autocomplete": "one-time-code"},
    )
    signature = HiddenField(validators=[Length(max=LONGEST_PICTURE)])
    is_typed = BooleanField(_l("I sign with my name as typed above, instead of drawing"))
    submit = SubmitField(_l("All is right: confirm the receipt"))


class DifferenceForm(Form):
    kind = RadioField(
        _l("What is wrong?"),
        [needed],
        choices=choices((one.value, _l(title)) for one, title in INCIDENT_TITLES.items()),
    )
    serial = StringField(
        _l("Serial number that you read on the medium"),
        [Parsed(one_line, limit=incidents.MAX_SEEN_CHARS, required=False)],
        render_kw=OFF,
    )
    seal = StringField(
        _l("Number that you read on the bag or seal"),
        [Parsed(one_line, limit=incidents.MAX_SEEN_CHARS, required=False)],
        render_kw=OFF,
    )
    digest = _digest()
    text = TextAreaField(_l("What you see"), [Parsed(lines, limit=incidents.MAX_TEXT_CHARS, required=False)])
    name = StringField(_l("Your full name"), [Parsed(one_line, limit=incidents.MAX_NAME_CHARS)])
    submit = SubmitField(_l("Report it and stop the delivery"))

    def difference(self) -> incidents.Difference:
        return incidents.Difference(
            kind=IncidentKind(self.kind.data),
            reporter=self.name.data or "",
            serial=self.serial.data or "",
            seal=self.seal.data or "",
            digest=self.digest.data or "",
            text=self.text.data or "",
        )
