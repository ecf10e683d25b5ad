"""How forms ask the parsers that services ask too: their refusal becomes the field's error."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext
from flask_wtf import FlaskForm
from wtforms import Field
from wtforms.validators import ValidationError

from portal.errors import PortalError

UNPROCESSABLE = 422


class Parsed:
    """The field's text must pass `parse`, which raises a PortalError otherwise; what it returns becomes the data."""

    def __init__(self, parse: Callable[..., Any], **facts: Any) -> None:  # noqa: ANN401 - the parser's own
        self.parse, self.facts = parse, facts
        limit = facts.get("limit")
        self.field_flags = {
            **({"maxlength": limit} if limit else {}),
            **({"required": True} if facts.get("required", True) else {}),
        }

    def __call__(self, form: FlaskForm, field: Field) -> None:  # noqa: ARG002 - WTForms' signature
        try:
            field.data = self.parse(field.data or "", **self.facts)
        except PortalError as error:
            raise ValidationError(error.sentence_in(gettext)) from error


def refuse(field: Field, error: PortalError) -> None:
    """Show the service's refusal beside the field that it is about."""
    field.errors = [*field.errors, error.sentence_in(gettext)]
