"""The rules of the house that a reader would otherwise have to remember."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from portal.audit.service import Tag
from portal.jobs.service import HANDLERS, RECURRING

ROOT = Path(__file__).parents[2]
PACKAGES = ("portal", "storage", "signing")
SOURCES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "versions" not in path.parts
)
IDS = [str(path.relative_to(ROOT)) for path in SOURCES]
MOST_LINES_OF_A_FILE, MOST_LINES_OF_A_FUNCTION = 400, 40
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

LONG_FILES = {
    "portal/releases/models.py": "twenty tables of one domain, and the words that their pages show",
    "signing/offline/verify.py": "it travels alone: one file with all that it needs, in two languages",
}
LONG_FUNCTIONS = {}
EMPTY_WORDS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}

every_source = pytest.mark.parametrize("path", SOURCES, ids=IDS)


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name(path):
    return str(path.relative_to(ROOT))


def calls(path, *names):
    """Calls of a function or method of one of these names."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            if called in names:
                yield node


def test_the_import_contracts_hold():
    program = Path(sys.executable).with_name("lint-imports")
    outcome = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout[-3000:]


def test_commit_stands_in_one_file():
    assert [name(path) for path in SOURCES if list(calls(path, "commit"))] == ["portal/web/unit_of_work.py"]


@every_source
def test_nothing_is_imported_inside_a_function(path):
    inside = [
        f"{function.name}:{node.lineno}"
        for function in ast.walk(tree(path))
        if isinstance(function, FUNCTIONS)
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    assert inside == []


@every_source
def test_files_and_functions_can_be_taken_in(path):
    length = len(path.read_text(encoding="utf-8").splitlines())
    assert length <= MOST_LINES_OF_A_FILE or name(path) in LONG_FILES, length
    for function in ast.walk(tree(path)):
        if isinstance(function, FUNCTIONS):
            lines = function.end_lineno - function.lineno + 1
            assert lines <= MOST_LINES_OF_A_FUNCTION or f"{name(path)}:{function.name}" in LONG_FUNCTIONS, function.name


def test_no_exception_is_kept_for_nothing():
    for file in LONG_FILES:
        assert len((ROOT / file).read_text().splitlines()) > MOST_LINES_OF_A_FILE, file
    for place in LONG_FUNCTIONS:
        file, _, function = place.partition(":")
        found = [n for n in ast.walk(tree(ROOT / file)) if isinstance(n, FUNCTIONS) and n.name == function]
        assert max(n.end_lineno - n.lineno + 1 for n in found) > MOST_LINES_OF_A_FUNCTION, place


def test_names_say_what_a_thing_is():
    parts = {part for path in SOURCES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert sorted(parts & EMPTY_WORDS) == []


# jobs


def job_names():
    """(file, name) of each job that is queued anywhere, with the constants' own values."""
    for path in SOURCES:
        for call in calls(path, "enqueue"):
            given = call.args[1] if len(call.args) > 1 else None
            if isinstance(given, ast.Constant):
                yield name(path), given.value
            elif isinstance(given, ast.Name) and name(path) != "portal/jobs/service.py":
                module = importlib.import_module(name(path).removesuffix(".py").replace("/", "."))
                yield name(path), getattr(module, given.id)


def test_every_job_has_a_handler(app):
    queued = list(job_names())
    assert len(queued) > 3
    assert [(file, job) for file, job in queued if job not in HANDLERS] == []


def test_every_handler_is_queued_by_somebody(app):
    assert sorted(set(HANDLERS) - {job for _, job in job_names()} - set(RECURRING)) == []


def test_every_call_that_queues_says_what(app):
    """The names above are read from the source, so a name that is put together at run time would escape them."""
    for path in SOURCES:
        if name(path) != "portal/jobs/service.py":
            for call in calls(path, "enqueue"):
                assert isinstance(call.args[1], (ast.Constant, ast.Name)), name(path)


# audit


def tags_used():
    for path in SOURCES:
        if name(path) == "portal/audit/service.py":
            continue
        for node in ast.walk(tree(path)):
            is_tag = isinstance(node, ast.Attribute) and isinstance(node.value, (ast.Name, ast.Attribute))
            if is_tag and getattr(node.value, "id", getattr(node.value, "attr", "")) == "Tag":
                yield name(path), node.attr


def test_every_audit_tag_is_used():
    used = {tag for _, tag in tags_used()}
    assert sorted(tag.name for tag in Tag if tag.name not in used) == []


PAGES = re.compile(r"(?:^|/)(?:\w*pages|routes|api|forms|payloads)\.py$")


def test_audit_is_written_by_services():
    """Not by pages: what a command or a job does would be missing."""
    readers = "portal/audit/"  # the page that shows the record names tags to filter by
    assert [place for place in tags_used() if PAGES.search(place[0]) and not place[0].startswith(readers)] == []


PURE = {"portal.web.byte_ranges"}
"""Parts of the web room that read no request: arithmetic of RFC 9110."""


def test_services_know_nothing_of_a_request():
    """Only what is Flask's may read from it: pages, forms, payloads' addresses, sign-in, and the room called web."""
    for path in SOURCES:
        if path.name not in ("service.py", "rules.py", "models.py", "policy.py", "queries.py", "jobs.py", "errors.py"):
            continue
        if path.parent.name == "web":
            continue
        for node in ast.walk(tree(path)):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            wrong = [m for m in modules if m.startswith(("flask", "portal.web")) and m not in PURE]
            assert wrong == [], name(path)


def test_codes_of_refusals_are_plain_and_stable():
    """A code is what programs compare: lower-case words joined by hyphens, and one meaning for each."""
    for path in SOURCES:
        if name(path).startswith("portal/") and "migrations" not in path.parts:
            importlib.import_module(name(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    kinds, pending = [], [importlib.import_module("portal.errors").PortalError]
    while pending:
        kind = pending.pop()
        kinds.append(kind)
        pending.extend(kind.__subclasses__())
    assert len(kinds) > 30
    for kind in kinds:
        assert re.fullmatch(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", kind.code), kind
        assert kind.sentence.strip(), kind
