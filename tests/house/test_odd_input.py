"""Odd input on every route: whatever stands in the query and in the form, the portal answers and makes no mistake.

Every name that a page asks for is there, with a text that some parser, column or calendar can't follow, now and then
with a sensible one, so that the rooms behind the forms are reached too.
"""

from collections.abc import Iterator
from urllib.parse import parse_qsl
from zlib import crc32

import pytest
from flask import Request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.utils import cached_property
from wtforms import SelectField, SelectMultipleField

from tests.house.test_access import AUTHORIZED, Frozen, frozen, rows
from tests.portals import CSRF

__all__ = ["frozen"]

WHO = ("dispatcher", "manager A", "administrator", "publisher", "approver", "auditor", AUTHORIZED)
"""Between them they are let in everywhere; each route is tried by the first whom it lets in."""
TURNS = 4
ODD = (
    "", "\0", "a\0b", "-1", "0", "1" + "0" * 30, "9" * 6000, "9223372036854775808", "2147483648", "1e999", "sNaN",
    "%", "_", "\\", "'\"`", "=1+1", "#[$]{{7*7}}${x}%(x)s%s{0}<script>", "0001-01-01", "9999-12-31",
    "0001-01-01T00:00", "9999-12-31T23:59", "9999-12", "0001-01", "00000000-0000-0000-0000-000000000000", "[" * 3000,
    "x" * 100_000, "\r\nX: y", "\u202e\ufeff\ud7ff", "../../etc/passwd", "²", "١٢", "T-" + "9" * 30, "D-" + "9" * 30,
    "\x1b\x7f\x85",
)  # fmt: skip
SENSIBLE = ("ok", "1", "12", "a@b.example", "2026-06-01", "2026-06-01T10:00", "10:00", "1.0", "ABC", "+79990000000")
VALUES = ODD + SENSIBLE * 2


class Whatever(ImmutableMultiDict[str, str]):
    """Has a value for every name that it is asked for; which one, `turn` and the name decide.

    In every other turn what the address says stays, so that a page finds the thing that it is about.
    """

    turn = 0

    def getlist(self, key: str, type: object = None) -> list[str]:  # noqa: A002 - werkzeug's name
        if key == CSRF:
            return []
        if self.turn % 2 and dict.__contains__(self, key):
            return super().getlist(key)
        return [VALUES[crc32(f"{self.turn} {key}".encode()) % len(VALUES)]]

    def get(self, key: str, default: object = None, type: object = None) -> object:  # noqa: A002 - as above
        return next(iter(self.getlist(key)), default)

    def __getitem__(self, key: str) -> str:
        return self.getlist(key)[0]

    def __contains__(self, key: object) -> bool:
        return key != CSRF


class OddRequest(Request):
    @cached_property
    def args(self) -> Whatever:
        return Whatever(parse_qsl(self.query_string.decode()) or [("page", "-1")])

    @cached_property
    def form(self) -> Whatever:
        return self.args

    @cached_property
    def values(self) -> Whatever:
        return self.args

    @cached_property
    def files(self) -> ImmutableMultiDict[str, object]:
        return ImmutableMultiDict()


@pytest.fixture
def odd(frozen: Frozen, monkeypatch: pytest.MonkeyPatch) -> Frozen:
    """Requests carry whatever they are asked for; where a form offers a choice, one that it offers is taken."""

    def one_of_them(field: SelectField, _form: object) -> None:
        offered = [choice[0] for choice in field.iter_choices()] if field.choices else []
        field.data = field.data if field.data in offered else field.coerce(offered[-1]) if offered else None

    def one_or_none(field: SelectMultipleField, _form: object) -> None:
        field.data = [choice[0] for choice in field.iter_choices()][:1] if field.choices else []

    app = frozen.world.portal.app
    app.testing = False
    monkeypatch.setattr(app, "request_class", OddRequest)
    monkeypatch.setattr(SelectField, "pre_validate", one_of_them)
    monkeypatch.setattr(SelectMultipleField, "pre_validate", one_or_none)
    return frozen


def faults(odd: Frozen, method: str, address: str) -> Iterator[str]:
    for who in WHO:
        for Whatever.turn in range(TURNS):
            browser, headers = odd.browser(who)
            answer = browser.open(address, method=method, headers=headers)
            answer.close()
            if answer.status_code >= 500:
                yield f"{who} {method} {address}, turn {Whatever.turn}: {answer.status_code}"
            if answer.status_code in (401, 403):
                break  # not for them
        else:
            return


def test_no_query_and_no_form_is_a_fault_of_the_portal(odd: Frozen) -> None:
    found = [fault for _endpoint, method, address in rows(odd.world) for fault in faults(odd, method, address)]
    assert not found, "\n".join(found)
