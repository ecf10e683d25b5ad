"""Lists are read a page at a time; nobody counts a million rows to show fifty."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import request, url_for
from sqlalchemy import Select
from sqlalchemy.orm import Session

T = TypeVar("T")
PER_PAGE = 50
LAST_PAGE = 10_000


@dataclass(frozen=True)
class Page(Generic[T]):
    rows: list[T]
    number: int
    has_next: bool

    def address_of(self, number: int) -> str:
        """The address of the same list at another page, with whatever it is filtered by."""
        arguments = {**(request.view_args or {}), **request.args.to_dict(flat=False), "page": [str(number)]}
        return url_for(request.endpoint or "", **arguments)


def page_of(session: Session, rows: Select[Any], *, per_page: int = PER_PAGE) -> Page[Any]:
    """The page that the request's `page` argument names, of a Select of one entity; a senseless number is page 1."""
    number = _asked()
    found = list(session.scalars(rows.offset((number - 1) * per_page).limit(per_page + 1)).unique())
    return Page(found[:per_page], number, len(found) > per_page)


def page_among(rows: Sequence[T], *, per_page: int = PER_PAGE) -> Page[T]:
    """As `page_of`, of what is at hand already."""
    number = _asked()
    found = list(rows[(number - 1) * per_page : number * per_page + 1])
    return Page(found[:per_page], number, len(found) > per_page)


def _asked() -> int:
    text = request.args.get("page", "1")
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(LAST_PAGE))
    return min(int(text), LAST_PAGE) if is_number and int(text) else 1
