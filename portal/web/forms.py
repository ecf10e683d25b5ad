"""The form of every page: Flask-WTF's, with the types that it does not state."""

from collections.abc import Iterable
from typing import Any, cast

from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its stubs

from portal.errors import PortalError
from portal.web.errors import status_of


def _l(text: str, **facts: object) -> str:
    """A label that is put into the reader's language when the page is drawn."""
    return cast("str", lazy_gettext(text, **facts))


def choices(pairs: Iterable[tuple[str, str]]) -> list[Any]:
    """What a SelectField offers, of (value, label)."""
    return [SelectChoice(value, label) for value, label in pairs]


class Form(FlaskForm):
    def __init__(self, **arguments: Any) -> None:  # noqa: ANN401 - whatever WTForms takes
        super().__init__(**arguments)  # type: ignore[no-untyped-call]

    def is_sent(self) -> bool:
        """Whether the form was posted and all of it is good (`validate_on_submit`)."""
        return bool(super().validate_on_submit())  # type: ignore[no-untyped-call]

    def refuse(self, error: PortalError, field: str) -> int:
        """Show at a field why the input is refused; the status that the page is answered with."""
        self[field].errors = [*self[field].errors, error.sentence_in(gettext)]
        return status_of(error)
