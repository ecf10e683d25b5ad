"""Every refusal has a stable code, a sentence for its facts, and one status."""

import importlib
import pkgutil
import re

import pytest

import portal
from portal.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    PortalError,
    Refused,
    SignInRequired,
    Unavailable,
    WrongState,
)
from portal.web.errors import status_of

for module in pkgutil.walk_packages(portal.__path__, "portal."):
    if ".migrations." not in module.name and not module.name.endswith("env"):
        importlib.import_module(module.name)


def every_kind(kind=PortalError):
    for one in kind.__subclasses__():
        yield one
        yield from every_kind(one)


KINDS = sorted(
    {kind for kind in every_kind() if kind.__module__.startswith("portal.")}, key=lambda kind: kind.__qualname__
)


def test_there_are_many():
    assert len(KINDS) > 30


def test_codes_are_words_with_hyphens():
    for kind in KINDS:
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", kind.code), kind


def test_a_code_has_one_status():
    statuses = {}
    for kind in KINDS:
        statuses.setdefault(kind.code, set()).add(status_of(kind.__new__(kind)))
    del statuses["bad-json"]  # 400 where the releases' API is sent no JSON, 422 in the tickets' API
    assert {code: found for code, found in statuses.items() if len(found) > 1} == {}


def test_a_sentence_is_put_into_words_with_its_facts():
    for kind in KINDS:
        if kind.__str__ is not PortalError.__str__ or kind.sentence_in is not PortalError.sentence_in:
            continue  # it speaks for something else that does
        error = kind.__new__(kind)
        names = re.findall(r"%\((\w+)\)[sd]", kind.sentence)
        error.facts = {name: f"<{name}>" for name in names}
        assert all(f"<{name}>" in str(error) for name in names), kind
        assert str(error)[0].isupper() or names, kind
        assert error.sentence_in(str.upper if not names else str) != ""


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (SignInRequired, 401),
        (Forbidden, 403),
        (Refused, 403),
        (NotFound, 404),
        (Conflict, 409),
        (WrongState, 409),
        (InvalidInput, 422),
        (Unavailable, 503),
        (PortalError, 500),
    ],
)
def test_each_kind_has_its_status(kind, status):
    assert status_of(kind(reason="x")) == status


def test_a_kind_of_its_own_may_say_its_status():
    class Teapot(NotFound):
        status = 418

    assert status_of(Teapot()) == 418
