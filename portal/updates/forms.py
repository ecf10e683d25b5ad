"""What the pages of updates take in."""

from datetime import datetime
from typing import cast

from wtforms import (
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    SubmitField,
    TextAreaField,
)
from wtforms.validators import InputRequired, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from portal.deliveries.requests import OFFERED
from portal.deliveries.states import CHANNEL_TITLES
from portal.releases.models import Release
from portal.texts import lines, one_line
from portal.updates.access import MAX_LABEL_CHARS, MAX_SECRET_CHARS
from portal.updates.planning import MAX_NOTE_CHARS
from portal.updates.remote import MAX_FILE_CHARS
from portal.updates.remote import MAX_NOTE_CHARS as MAX_SESSION_CHARS
from portal.updates.states import ORIGIN_TITLES, WAY_TITLES, Origin, StepState, Way
from portal.web.fields import Parsed
from portal.web.forms import Form, _l, choices

MOST_MINUTES = 7 * 24 * 60
DIGEST_CHARS = 100
ENDS = (StepState.DONE, StepState.FAILED, StepState.ROLLED_BACK)


class Ticks(SelectMultipleField):
    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class NewForm(Form):
    devices = Ticks(_l("Devices"))
    release = SelectField(_l("Target release"))
    way = RadioField(_l("Who does it"), default=Way.REMOTE.value)
    origin = SelectField(_l("Origin"), default=Origin.AGREED.value)
    begins = DateTimeLocalField(_l("Begins"), [Optional()], description=_l("On the clock of the site."))
    ends = DateTimeLocalField(_l("Ends"), [Optional()])
    note = TextAreaField(_l("What else to know"), [Parsed(lines, limit=MAX_NOTE_CHARS, required=False)],
                         render_kw={"rows": 3})  # fmt: skip
    submit = SubmitField(_l("Propose"))

    def offer(self, releases: list[Release], devices: list[tuple[str, str]], *, is_staff: bool) -> None:
        """`origin` is staff's to say; what a customer asks for is its demand."""
        self.release.choices = choices((str(one.id), one.version) for one in releases)
        self.devices.choices = choices(devices)
        self.way.choices = choices((way.value, _l(title)) for way, title in WAY_TITLES.items())
        self.origin.choices = choices((one.value, _l(title)) for one, title in ORIGIN_TITLES.items())
        if not is_staff:
            del self.origin


class WindowForm(Form):
    begins = DateTimeLocalField(_l("Begins"), [InputRequired()])
    ends = DateTimeLocalField(_l("Ends"), [InputRequired()])
    time_zone = StringField(_l("Time zone"), [Parsed(one_line, limit=64)])
    submit = SubmitField(_l("Save the window"))

    def times(self) -> tuple[datetime, datetime]:
        """Of a form that is sent and good."""
        return cast("datetime", self.begins.data), cast("datetime", self.ends.data)


class ReasonForm(Form):
    reason = TextAreaField(_l("Why"), [Parsed(lines, limit=MAX_NOTE_CHARS)], render_kw={"rows": 3})
    submit = SubmitField(_l("Cancel the update"))


class EndForm(Form):
    state = HiddenField()
    minutes = IntegerField(
        _l("Service was interrupted for, minutes"),
        [Optional(), NumberRange(0, MOST_MINUTES)],
        description=_l("Empty: from the begin of the step until now."),
    )
    note = TextAreaField(
        _l("What was seen"),
        [Parsed(lines, limit=MAX_NOTE_CHARS, required=False)],
        description=_l("Needed when it failed or went back."),
        render_kw={"rows": 4},
    )


class AccessForm(Form):
    until = DateTimeLocalField(_l("Until"), [InputRequired()], description=_l("On the clock of the site."))
    submit = SubmitField(_l("Allow remote access"))

    @classmethod
    def until_then(cls, then: datetime) -> "AccessForm":
        return cls(data={"until": then})

    def then(self) -> datetime:
        """Of a form that is sent and good."""
        return cast("datetime", self.until.data)


class SecretForm(Form):
    label = StringField(_l("What it is"), [Parsed(one_line, limit=MAX_LABEL_CHARS)],
                        description=_l("VPN address, jump host, user and password of a device…"))  # fmt: skip
    text = PasswordField(_l("The information itself"), [Parsed(lines, limit=MAX_SECRET_CHARS)],
                         render_kw={"autocomplete": "off"})  # fmt: skip
    submit = SubmitField(_l("Seal and keep"))


class SessionNoteForm(Form):
    text = TextAreaField(_l("Commands and what was seen"), [Parsed(lines, limit=MAX_SESSION_CHARS)],
                         render_kw={"rows": 4})  # fmt: skip
    submit = SubmitField(_l("Write down"))


class FileForm(Form):
    name = StringField(_l("Name of the file"), [Parsed(one_line, limit=MAX_FILE_CHARS)])
    digest = StringField("SHA-256", [Parsed(one_line, limit=DIGEST_CHARS)])
    submit = SubmitField(_l("Note the file"))


class FinishForm(Form):
    result = TextAreaField(_l("Result"), [Parsed(lines, limit=MAX_SESSION_CHARS)], render_kw={"rows": 3})
    submit = SubmitField(_l("End the session"))


class FilesForm(Form):
    channel = SelectField(_l("How"))
    recipient = SelectField(_l("To whom"))
    address = SelectField(_l("Address, for a courier"))
    submit = SubmitField(_l("Ask for the delivery"))

    def offer(self, recipients: list[tuple[str, str]], addresses: list[tuple[str, str]]) -> None:
        self.channel.choices = choices((one.value, _l(CHANNEL_TITLES[one])) for one in OFFERED)
        self.recipient.choices = choices(recipients)
        self.address.choices = choices([("", "—"), *addresses])
