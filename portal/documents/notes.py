"""Release notes on paper: Markdown of people we don't trust, laid out as text and never as markup of another kind."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from portal.documents.blocks import blocks
from portal.documents.paper import Paper, pdf
from portal.documents.wording import Wording

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class NotesPaper:
    """`level` and section titles are words in the paper's language; sections are (title, Markdown)."""

    product: str
    version: str
    level: str
    published_on: date | None
    language: str
    sections: tuple[tuple[str, str], ...]
    vendor: str = ""


def render_notes(notes: NotesPaper) -> bytes:
    """The notes as PDF."""
    return pdf(notes_paper(notes))


def notes_paper(notes: NotesPaper) -> Paper:
    wording = Wording(notes.language)
    _ = wording.translate
    release = f"{notes.product} {notes.version}"
    published = wording.day(notes.published_on) if notes.published_on else _("not yet published")
    facts = {
        "name": _("Release notes"),
        "release": release,
        "vendor": notes.vendor,
        "facts": [(_("Level"), notes.level), (_("Published"), published)],
        "sections": [{"title": title, "blocks": blocks(markdown)} for title, markdown in notes.sections],
        "words": {"page": _("Page %(page)s of %(pages)s")},
    }
    title = _("Release notes: %(release)s") % {"release": release}
    return Paper("notes", notes.language, title, notes.published_on or EPOCH, notes.vendor, facts)
