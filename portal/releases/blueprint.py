"""The pages of the releases room, spread over several files by what they are about."""

from flask import Blueprint, request

bp = Blueprint(
    "releases", __name__, template_folder="templates", static_folder="static", static_url_path="/static/releases"
)

LARGEST_NOTES_BYTES = 24 << 20
"""Eleven sections of 100,000 Cyrillic characters, as a form escapes them (six bytes each), with room to spare."""


@bp.url_value_preprocessor
def expect_long_notes(endpoint: str | None, values: object) -> None:  # noqa: ARG001 - Flask's signature
    """Before anything looks at the body: notes are longer than other forms, and their refusal has its own code."""
    if endpoint == "releases.notes":
        request.max_content_length = request.max_form_memory_size = LARGEST_NOTES_BYTES
