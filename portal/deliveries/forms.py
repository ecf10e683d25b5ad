"""What the pages of the ledger ask."""

from contextlib import suppress
from uuid import UUID, uuid4

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, DateField, HiddenField, RadioField, StringField, SubmitField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from portal.deliveries.addresses import MAX_LABEL_CHARS, MAX_PHONE_CHARS, address_lines, country
from portal.deliveries.queries import Filter
from portal.deliveries.requests import MAX_NOTE_CHARS, MAX_REASON_CHARS, OFFERED
from portal.deliveries.states import CHANNEL_TITLES, Channel, DeliveryState
from portal.texts import lines, one_line
from portal.web.fields import Parsed
from portal.web.forms import Form, _l, choices
from portal.web.locale import translate

MOST_DIGEST_CHARS = 200
LONGEST_SEARCH = 200
MAX_SUBMISSION_CHARS = 80


def as_address(text: str) -> str:
    """The address with its lines put in order. Raises what `address_lines` raises."""
    return "\n".join(address_lines(text))


def new_submission() -> str:
    return str(uuid4())


class AskForm(Form):
    """What a delivery is asked for with; releases and their files stand beside it as plain fields of the page.

    A second sending, by a double click or a reload, asks for nothing more.
    """

    submission = HiddenField(default=new_submission, validators=[Length(max=MAX_SUBMISSION_CHARS)])
    channel = RadioField(_l("How it travels"), [InputRequired(_l("Choose how it travels."))])
    recipient = RadioField(_l("Who receives it"), [InputRequired(_l("Choose who receives it."))], validate_choice=False)
    address = RadioField(_l("Where it goes"), [Optional()], validate_choice=False)
    wanted_by = DateField(
        _l("Wanted by"), [Optional()], description=_l("The last day on which it is still of use. Empty: no hurry.")
    )
    note = TextAreaField(
        _l("A word to the dispatcher"),
        [Parsed(lines, limit=MAX_NOTE_CHARS, required=False)],
        description=_l("When somebody is there, which gate, whom to call."),
        render_kw={"rows": 3},
    )
    submit = SubmitField(_l("Ask for the delivery"))

    def offer(self) -> None:
        """Name the channels; the page itself shows who and where can be chosen, and the verb checks the choice."""
        self.channel.choices = choices((channel.value, translate(CHANNEL_TITLES[channel])) for channel in OFFERED)
        self.recipient.choices = self.address.choices = []

    def renew(self) -> None:
        """Let what is in the form now be sent as something of its own."""
        self.submission.data = new_submission()


class AddressForm(Form):
    label = StringField(
        _l("Name of the place"), [Parsed(one_line, limit=MAX_LABEL_CHARS)], description=_l("As you call it yourselves.")
    )
    text = TextAreaField(
        _l("Address"),
        [Parsed(as_address)],
        description=_l("As it stands on a label: at most five lines of sixty characters."),
        render_kw={"rows": 5, "required": True},
    )
    country = StringField(
        _l("Country"),
        [Parsed(country)],
        description=_l("Two letters, as DE or RU."),
        render_kw={"maxlength": 2, "required": True, "autocomplete": "country"},
    )
    phone = StringField(_l("Telephone for the courier"), [Parsed(one_line, limit=MAX_PHONE_CHARS, required=False)])
    submit = SubmitField(_l("Add the address"))


class PolicyForm(Form):
    may_attach = BooleanField(
        _l("Small files may be attached to letters"),
        description=_l("Otherwise a letter only holds a link that asks for a one-time code."),
    )
    wants_witness = BooleanField(
        _l("A witness signs at a hand-over"), description=_l("A second person of yours signs the act too.")
    )
    submit = SubmitField(_l("Save"))


class ReasonForm(Form):
    reason = TextAreaField(_l("Reason"), [Parsed(lines, limit=MAX_REASON_CHARS)], render_kw={"rows": 2})
    submit = SubmitField(_l("Save"))


class RecipientForm(Form):
    recipient = RadioField(
        _l("Who receives it instead"), [InputRequired(_l("Choose who receives it."))], validate_choice=False
    )
    reason = StringField(_l("Reason"), [Parsed(one_line, limit=MAX_REASON_CHARS)])
    submit = SubmitField(_l("Change the recipient"))


class ConfirmForm(Form):
    sha256 = StringField(
        _l("SHA-256 that you computed (optional)"),
        [Length(max=MOST_DIGEST_CHARS)],
        description=_l("What sha256sum or Get-FileHash printed for your copy. Empty: you state that you checked it."),
    )
    submit = SubmitField(_l("I have verified this file"))


def chosen_filter(arguments: MultiDict[str, str]) -> Filter:
    """What the arguments of an address narrow the list to; senseless ones narrow nothing."""
    state, channel, customer = arguments.get("state", ""), arguments.get("channel", ""), None
    with suppress(ValueError):
        customer = UUID(arguments.get("customer", ""))
    return Filter(
        text=arguments.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH],
        state=DeliveryState(state) if state in set(DeliveryState) else None,
        organisation_id=customer,
        channel=Channel(channel) if channel in set(Channel) else None,
    )
