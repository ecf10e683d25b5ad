"""A paper is made by typst from a template of ours and facts as JSON: text of others never becomes markup."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path

import typst

from portal.documents.errors import PaperFailed, PictureUnusable

TEMPLATES = Path(__file__).parent / "layouts"

LONG_WORD_CHARS, LONG_WIDE_WORD_CHARS = 29, 49
PIECE_CHARS = 16
BREAK = "\u200b"
"""A zero-width space: where a line may end inside a word that would run off the page otherwise."""

# Control characters, halves of surrogate pairs (no UTF-8 has them), what Unicode says is no character, and the signs
# that turn the direction of writing, with which a digest or a file name can be shown other than it is.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
_LONG_WORD = re.compile(rf"[^\s{BREAK}]{{{LONG_WORD_CHARS},}}")
_LONG_WIDE_WORD = re.compile(rf"[^\s{BREAK}]{{{LONG_WIDE_WORD_CHARS},}}")
_PIECE = re.compile(rf"[^-_./:@+,;=&?\\]{{0,{PIECE_CHARS - 1}}}[-_./:@+,;=&?\\]|.{{{PIECE_CHARS}}}", re.DOTALL)


class Wide(str):
    """Text with a wide column to itself, a file's name or an address: whole as long as it can be, to be copied."""

    __slots__ = ()


class Exact(str):
    """Text without places to break it: a digest, an address to open, a drawing."""

    __slots__ = ()


@dataclass(frozen=True)
class Paper:
    """One document to print: a template's name, the language, and what the PDF says of itself.

    `facts` hold texts, numbers, lists and mappings. The same paper makes the same bytes.
    """

    template: str
    language: str
    title: str
    at: datetime | date
    author: str
    facts: Mapping[str, object]


def pdf(paper: Paper) -> bytes:
    """The paper for ten years and for everybody: PDF/A-2a (ISO 19005-2) and PDF/UA-1 (ISO 14289-1).

    The fonts are the bundled ones (Latin, Greek, Cyrillic and some more), the same on every machine. A text with a
    letter that none of them draws can't be archival: it becomes a plain PDF with a box in the letter's place.
    Raises PictureUnusable, and PaperFailed for a template that does not fit its facts.
    """
    inputs = _inputs(paper)
    try:
        return _compile(paper, inputs, archival=True)
    except typst.TypstError:
        return _plain(paper, inputs)


def png(paper: Paper, ppi: float = 96) -> list[bytes]:
    """The paper's pages as pictures, to look at. Raises as `pdf`."""
    compiler = typst.Compiler(_source(paper), TEMPLATES, _fonts(), True, _inputs(paper))
    try:
        made = compiler.compile(format="png", ppi=ppi, timestamp=_seconds(paper.at))
    except typst.TypstError as error:
        raise _failed(paper, error) from error
    return made if isinstance(made, list) else [made or b""]


def _plain(paper: Paper, inputs: dict[str, str]) -> bytes:
    try:
        return _compile(paper, inputs, archival=False)
    except typst.TypstError as error:
        raise _failed(paper, error) from error


def _failed(paper: Paper, error: typst.TypstError) -> PaperFailed | PictureUnusable:
    if "decode image" in error.message or "SVG" in error.message:
        return PictureUnusable(error.message)
    return PaperFailed(paper.template, error.message)


def _compile(paper: Paper, inputs: dict[str, str], *, archival: bool) -> bytes:
    return typst.compile(
        _source(paper),
        root=TEMPLATES,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs=inputs,
        timestamp=_seconds(paper.at),
        pdf_standards=["a-2a", "ua-1"] if archival else [],
    )


def _source(paper: Paper) -> Path:
    return TEMPLATES / f"{paper.template}.typ"


def _seconds(at: datetime | date) -> int:
    return int((at if isinstance(at, datetime) else datetime.combine(at, time(), UTC)).timestamp())


def _inputs(paper: Paper) -> dict[str, str]:
    about = {"language": paper.language, "title": paper.title, "author": paper.author}
    return {"data": json.dumps(_printable({**about, **paper.facts}), ensure_ascii=False)}


def _printable(value: object) -> object:
    """The facts with every text such that it can be drawn and broken into lines."""
    if isinstance(value, Exact):
        return _UNSHOWABLE.sub("\ufffd", value)
    if isinstance(value, str):
        long_word = _LONG_WIDE_WORD if isinstance(value, Wide) else _LONG_WORD
        return long_word.sub(_with_breaks, _UNSHOWABLE.sub("\ufffd", value))
    if isinstance(value, Mapping):
        return {key: _printable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(inner) for inner in value]
    return value


def _with_breaks(word: re.Match[str]) -> str:
    return _PIECE.sub(rf"\g<0>{BREAK}", word.group()).removesuffix(BREAK)


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False)
