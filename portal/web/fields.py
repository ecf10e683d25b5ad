"""How forms ask the parsers that services ask too: their refusal becomes the field's error."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext
from wtforms import Field
from wtforms.validators import ValidationError

from portal.errors import PortalError
from portal.web.forms import Form

UNPROCESSABLE = 422


class Parsed:
    """The field's text must pass `parse`, which raises a PortalError otherwise; what it returns becomes the data."""

    def __init__(self, parse: Callable[..., Any], **facts: Any) -> None:  # noqa: ANN401 - the parser's own
        self.parse, self.facts = parse, facts
        self.field_flags: dict[str, Any] = {}
        if "limit" in facts:
            self.field_flags = {"maxlength": facts["limit"]}
            if facts.get("required", True):
                self.field_flags["required"] = True

    def __call__(self, form: Form, field: Field) -> None:  # noqa: ARG002 - WTForms' signature
        try:
            field.data = self.parse(field.data or "", **self.facts)
        except PortalError as error:
            raise ValidationError(error.sentence_in(gettext)) from error


def refuse(field: Field, error: PortalError) -> None:
    """Show the service's refusal beside the field that it is about."""
    field.errors = [*field.errors, error.sentence_in(gettext)]
