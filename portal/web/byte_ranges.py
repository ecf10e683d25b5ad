"""Which bytes of a file a request asks for, and whether it wants any: RFC 9110 §13 (conditions) and §14 (ranges).

Pure: headers in, an answer out. What is unusual is answered with the whole file, which is always allowed: several
ranges, malformed ones, units other than bytes.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from werkzeug.http import parse_date

RANGE = re.compile(r"bytes=[ \t]*(?P<specs>.*)", re.IGNORECASE | re.DOTALL)
SPEC = re.compile(r"(?P<first>[0-9]*)-(?P<last>[0-9]*)")
ENTITY_TAG = re.compile(r'(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*)"')
MOST_DIGITS = 18  # more than any file has, and no work to convert
READS = ("GET", "HEAD")


class HeaderFields(Protocol):
    """Headers of a request by name, in whatever case."""

    def get(self, name: str, /) -> str | None: ...


class Status(IntEnum):
    WHOLE = 200
    PART = 206
    NOT_MODIFIED = 304
    PRECONDITION_FAILED = 412
    UNSATISFIABLE = 416


@dataclass(frozen=True)
class Span:
    """The bytes [start, end) of a file."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start

    def content_range(self, size_bytes: int) -> str:
        """RFC 9110 §14.4; only a span with bytes in it has one."""
        return f"bytes {self.start}-{self.end - 1}/{size_bytes}"


@dataclass(frozen=True)
class Validators:
    """What tells one version of a file from another: `tag` without its quotes, a strong one; UTC to the second."""

    tag: str
    modified_at: datetime

    @property
    def entity_tag(self) -> str:
        return f'"{self.tag}"'


@dataclass(frozen=True)
class Answer:
    status: Status
    span: Span

    @property
    def has_content(self) -> bool:
        return self.status in (Status.WHOLE, Status.PART)


def answer_to(method: str, headers: HeaderFields, *, size_bytes: int, validators: Validators) -> Answer:
    """The answer to a GET or HEAD for a file that exists, in the order of RFC 9110 §13.2.2.

    `span` is what an answer with content carries (the whole file for HEAD, which no range touches: §14.2) and is
    empty otherwise.
    """
    refusal = _condition(method, headers, validators)
    if refusal is not None:
        return Answer(refusal, Span(0, 0))
    whole = Answer(Status.WHOLE, Span(0, size_bytes))
    wanted = headers.get("Range")
    if method != "GET" or wanted is None or not _if_range(headers.get("If-Range"), validators):
        return whole
    spec = _only_spec(wanted)
    if spec is None:
        return whole
    span = _span(spec, size_bytes)
    if span is None:
        return Answer(Status.UNSATISFIABLE, Span(0, 0))
    return Answer(Status.PART, span) if span.length else whole


def _condition(method: str, headers: HeaderFields, validators: Validators) -> Status | None:
    if (tags := headers.get("If-Match")) is not None:
        if not _lists(tags, validators.tag, weakly=False):
            return Status.PRECONDITION_FAILED
    elif (since := _date(headers.get("If-Unmodified-Since"))) and validators.modified_at > since:
        return Status.PRECONDITION_FAILED
    is_read = method in READS
    if (tags := headers.get("If-None-Match")) is not None:
        if _lists(tags, validators.tag, weakly=True):
            return Status.NOT_MODIFIED if is_read else Status.PRECONDITION_FAILED
    elif is_read and (since := _date(headers.get("If-Modified-Since"))) and validators.modified_at <= since:
        return Status.NOT_MODIFIED
    return None


def _lists(tags: str, tag: str, *, weakly: bool) -> bool:
    """Whether a list of entity tags, or `*`, names this one (§13.1.1 compares strongly, §13.1.2 weakly)."""
    if tags.strip() == "*":
        return True
    return any(m["opaque"] == tag and (weakly or not m["weak"]) for m in ENTITY_TAG.finditer(tags))


def _if_range(condition: str | None, validators: Validators) -> bool:
    """§13.1.5: the very same strong tag or the very same date; the bytes never change, so the date is a strong one."""
    if condition is None:
        return True
    condition = condition.strip()
    if condition.startswith(('"', "W/")):
        return condition == validators.entity_tag
    return _date(condition) == validators.modified_at


def _date(text: str | None) -> datetime | None:
    return parse_date(text) if text else None


def _only_spec(header: str) -> tuple[int | None, int | None] | None:
    """First and last byte of the one range that the header names; (None, n) are the last n bytes."""
    found = RANGE.fullmatch(header.strip(" \t"))
    specs = [spec for spec in re.split(r"[ \t]*,[ \t]*", found["specs"].strip(" \t")) if spec] if found else []
    if len(specs) != 1:
        return None
    spec = SPEC.fullmatch(specs[0])
    if spec is None:
        return None
    first, last = _number(spec["first"]), _number(spec["last"])
    is_nothing = first is None and last is None
    is_backwards = first is not None and last is not None and last < first
    return None if is_nothing or is_backwards else (first, last)


def _number(digits: str) -> int | None:
    if not digits:
        return None
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= MOST_DIGITS else 10**MOST_DIGITS


def _span(spec: tuple[int | None, int | None], size_bytes: int) -> Span | None:
    """The part of the file that the range covers, None when there is none (§14.1.2).

    The last n bytes of an empty file are satisfiable and can't be named in a Content-Range: an empty span.
    """
    first, last = spec
    if first is None:
        return Span(max(0, size_bytes - (last or 0)), size_bytes) if last else None
    if first >= size_bytes:
        return None
    return Span(first, size_bytes if last is None else min(last + 1, size_bytes))
