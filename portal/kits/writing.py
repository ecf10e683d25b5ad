"""The papers of a kit as files that open from a disk with no network: notes, and the page that says how to check."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from portal.config import LANGUAGES
from portal.documents.notes import NotesPaper, render_notes
from portal.documents.wording import Wording
from portal.kits.layout import StoredFile
from portal.kits.planning import KitPlan
from portal.mail.words import translator
from portal.releases.markdown import render
from portal.releases.models import LEVEL_TITLES, SECTION_TITLES, Section
from signing import KIT_SUMS, MANIFEST, SLIP, SUMS, SUMS_SIGNATURE, VERIFY_PAGE, PublicKey

_PAPERS = Path(__file__).parent / "papers"
_CSS = (_PAPERS / "kit.css").read_text(encoding="utf-8")
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_PAPERS), autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
)
_LANGUAGE_NAMES = {"en": "English", "ru": "Русский"}


@dataclass(frozen=True)
class KeyInKit:
    path: str
    public: PublicKey

    @property
    def fingerprint(self) -> str:
        return self.public.fingerprint


@dataclass(frozen=True)
class _Chapter:
    """The page in one language."""

    language: str

    @property
    def name(self) -> str:
        return _LANGUAGE_NAMES.get(self.language, self.language)

    @property
    def translate(self) -> Callable[[str], str]:
        return translator(self.language)


def notes_papers(plan: KitPlan) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of the notes in each language, as HTML and as PDF."""
    for language, texts in plan.texts.items():
        sections = _sections(language, texts)
        if sections:
            yield f"notes.{language}.html", _notes_html(plan, language, sections)
            yield f"notes.{language}.pdf", _notes_pdf(plan, language, sections)


def verify_page(
    plan: KitPlan, issued_at: datetime, keys: tuple[KeyInKit, ...], others: tuple[StoredFile, ...]
) -> bytes:
    """`VERIFY.html` in every language; `others` are the kit's files that the manifest does not list, so far.

    The first of the keys is the one that signs the slip. It can't hold its own digest, nor those that depend on it.
    """
    sent = [file.stored for file in plan.files if file.is_sent]
    return _rendered(
        "verify.html",
        language=LANGUAGES[0],
        title=f"{plan.product_name} {plan.version} · {plan.spec.delivery_number}",
        chapters=[_Chapter(language) for language in LANGUAGES],
        plan=plan,
        spec=plan.spec,
        issued_at=issued_at,
        keys=keys,
        signing_keys=[key for key in keys if key.public.key_id == plan.key_id],
        files=sorted([*sent, *others], key=lambda file: file.path),
        without_digest=[SUMS, SUMS_SIGNATURE, MANIFEST, SLIP, KIT_SUMS, VERIFY_PAGE],
        left_out=[file.name for file in plan.files if not file.is_sent],
        is_part=not all(file.is_sent for file in plan.files),
    )


def _sections(language: str, texts: Mapping[str, str]) -> list[tuple[str, str]]:
    words = translator(language)
    return [(words(SECTION_TITLES[part]), texts[part]) for part in Section if texts.get(part)]


def _notes_html(plan: KitPlan, language: str, sections: list[tuple[str, str]]) -> bytes:
    return _rendered(
        "notes.html",
        language=language,
        _=translator(language),
        title=f"{plan.product_name} {plan.version}",
        level=translator(language)(LEVEL_TITLES[plan.level]),
        published=Wording(language).day(plan.published_at.date()),
        revision=plan.notes_revision,
        sections=[(title, render(markdown)) for title, markdown in sections],
    )


def _notes_pdf(plan: KitPlan, language: str, sections: list[tuple[str, str]]) -> bytes:
    paper = NotesPaper(
        product=plan.product_name,
        version=plan.version,
        level=translator(language)(LEVEL_TITLES[plan.level]),
        published_on=plan.published_at.date(),
        language=language,
        sections=tuple(sections),
    )
    return render_notes(paper)


def _rendered(template: str, **facts: object) -> bytes:
    digest = b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()
    css = Markup(_CSS)  # noqa: S704 - our own file, and HTML has no entities in a style sheet
    return _ENVIRONMENT.get_template(template).render(css=css, css_digest=digest, **facts).encode()
