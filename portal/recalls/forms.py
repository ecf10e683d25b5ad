"""What the pages of a recall ask."""

from datetime import UTC, datetime
from typing import cast
from zoneinfo import ZoneInfo

from wtforms import DateTimeLocalField, RadioField, StringField, SubmitField, TextAreaField
from wtforms.validators import DataRequired, Length

from portal.recalls.errors import ToldBefore
from portal.recalls.models import Answer
from portal.recalls.service import HOW_CHARS, NAME_CHARS, REASON_CHARS
from portal.web.forms import Form, _l, choices
from portal.web.locale import chosen_time_zone

needed = DataRequired(_l("This is needed."))


class AnswerForm(Form):
    answer = RadioField(
        _l("What became of it?"),
        [needed],
        choices=choices(
            [
                (Answer.REMOVED, _l("It is removed everywhere we had it.")),
                (Answer.KEPT, _l("It is kept, for the reason below.")),
            ]
        ),
    )
    reason = TextAreaField(_l("Reason, where it is kept"), [Length(max=REASON_CHARS)])
    submit = SubmitField(_l("Answer"))


class NamedAnswerForm(AnswerForm):
    name = StringField(_l("Your name"), [needed, Length(max=NAME_CHARS)])


class ToldForm(Form):
    how = StringField(_l("How: registered letter 4711, telephone, in person…"), [needed, Length(max=HOW_CHARS)])
    told_at = DateTimeLocalField(_l("When"), [needed])
    submit = SubmitField(_l("Note that the holder was told"))

    @property
    def instant(self) -> datetime:
        """The moment that was entered, in the reader's zone. Raises ToldBefore for one that no clock shows."""
        try:
            return cast("datetime", self.told_at.data).replace(tzinfo=ZoneInfo(chosen_time_zone())).astimezone(UTC)
        except OverflowError as error:
            raise ToldBefore from error
