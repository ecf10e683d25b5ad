"""What the auditor looks for."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from wtforms import DateField, SelectField, StringField
from wtforms.validators import Length, Optional

from portal.audit.queries import Filter
from portal.audit.wording import TAG_TITLES
from portal.web.forms import Form, _l, choices


class FilterForm(Form):
    """Sent by GET, so it carries no token."""

    class Meta:
        csrf = False

    tag = SelectField(_l("Event"), default="")
    person = StringField(_l("Person"), [Length(max=200)], description=_l("A part of the name, or an id."))
    organisation = SelectField(_l("Organisation"), default="")
    subject = StringField(_l("Subject"), [Length(max=300)], description=_l("A part of the name, or an id."))
    since = DateField(_l("From"), [Optional()])
    until = DateField(_l("Until"), [Optional()])

    def __init__(self, organisations: Iterable[tuple[UUID, str]], **arguments: Any) -> None:  # noqa: ANN401 - WTForms'
        super().__init__(**arguments)
        self.tag.choices = choices(
            [("", _("All")), *sorted(((tag.value, _(title)) for tag, title in TAG_TITLES.items()), key=_title)]
        )
        named = ((str(organisation_id), name) for organisation_id, name in organisations)
        self.organisation.choices = choices([("", _("All")), *named])

    def filter(self, time_zone: str) -> Filter:
        """The days are those of the reader's time zone, first and last inclusive."""
        return Filter(
            tag=self.tag.data or "",
            person=_words(self.person.data),
            organisation_id=UUID(self.organisation.data) if self.organisation.data else None,
            subject=_words(self.subject.data),
            since=_beginning(self.since.data, time_zone),
            before=_beginning(self.until.data, time_zone, days_later=1),
        )


def _title(choice: tuple[str, str]) -> str:
    return choice[1].casefold()


def _words(text: str | None) -> str:
    return (text or "").replace("\0", "\N{REPLACEMENT CHARACTER}").strip()  # no database keeps a NUL to be found


def _beginning(day: date | None, time_zone: str, *, days_later: int = 0) -> datetime | None:
    """When the day begins; None also for one at the very edge of the calendar, which narrows nothing."""
    try:
        later = day + timedelta(days=days_later) if day else None
        return datetime.combine(later, time(), ZoneInfo(time_zone)).astimezone(UTC) if later else None
    except OverflowError:
        return None
