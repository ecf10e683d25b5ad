"""Every template, read as Jinja reads it and as a browser would."""

import re
from pathlib import Path

import pytest
from jinja2 import nodes

PORTAL = Path(__file__).parents[2] / "portal"
PATHS = sorted(path for folder in PORTAL.glob("*/templates") for path in folder.rglob("*") if path.is_file())
IDS = [str(path.relative_to(PORTAL)) for path in PATHS]

every_template = pytest.mark.parametrize("path", PATHS, ids=IDS)
every_page = pytest.mark.parametrize(
    "path", [p for p in PATHS if p.suffix == ".html"], ids=[name for name in IDS if name.endswith(".html")]
)

INLINE = (
    re.compile(r"<script(?![^>]*\ssrc=)", re.IGNORECASE),
    re.compile(r"<style\b", re.IGNORECASE),
    re.compile(r"<[^<]*\sstyle\s*=", re.IGNORECASE),
    re.compile(r"<[a-z][^<]*\son[a-z]+\s*=", re.IGNORECASE),
    re.compile(r"javascript:", re.IGNORECASE),
    re.compile(r"(?:src|href)=[\"']?(?:https?:)?//", re.IGNORECASE),
)
JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
INLINE_NAMES = re.compile(r"style|on[a-z]+")


def text(path):
    return path.read_text(encoding="utf-8")


def tree(app, path):
    return app.jinja_env.parse(text(path), filename=str(path))


def test_there_are_templates():
    assert len(PATHS) > 10


@every_template
def test_it_parses_and_is_the_one_that_its_name_means(app, path):
    name = str(path.relative_to(next(p for p in path.parents if p.name == "templates")))
    assert Path(app.jinja_env.get_template(name).filename).resolve() == path.resolve()


@every_template
def test_it_lies_in_its_domains_folder(path):
    domain, templates, again, *_ = path.relative_to(PORTAL).parts
    assert (templates, again) == ("templates", domain)
    assert path.suffix in (".html", ".txt")


@every_template
def test_it_imports_only_what_it_uses(app, path):
    found = tree(app, path)
    imported = [
        name if isinstance(name, str) else name[1] for one in found.find_all(nodes.FromImport) for name in one.names
    ]
    imported += [one.target for one in found.find_all(nodes.Import)]
    used = {one.name for one in found.find_all(nodes.Name) if one.ctx == "load"}
    assert sorted(set(imported) - used) == []
    assert len(imported) == len(set(imported))


@every_page
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(app, path):
    source = JINJA.sub("…", text(path))
    assert [pattern.pattern for pattern in INLINE if pattern.search(source)] == []
    given = [one.key for one in tree(app, path).find_all(nodes.Keyword)]  # attributes that a macro would write
    assert [key for key in given if INLINE_NAMES.fullmatch(key)] == []


@pytest.mark.parametrize("evil", [
    "<script>x</script>", "<p style='x'>", "<a onclick=x>", "<style>", "<img src=//evil/x>", '<a href="javascript:x">',
    '<a class="x"\n onfocus="y">',
])  # fmt: skip
def test_what_is_inline_would_be_seen(evil):
    assert any(pattern.search(evil) for pattern in INLINE)


@every_template
def test_nothing_goes_past_escaping(app, path):
    """Rendered Markdown alone is HTML already, and says so itself: no template marks anything as safe."""
    found = tree(app, path)
    assert [one.name for one in found.find_all(nodes.Filter) if one.name == "safe"] == []
    assert list(found.find_all((nodes.MarkSafe, nodes.MarkSafeIfAutoescape))) == []
    assert not re.search(r"\{%-?\s*autoescape\s+false", text(path))


@every_page
def test_every_form_that_changes_something_carries_its_token(path):
    for form in re.findall(r"<form\b.*?</form>", text(path), flags=re.DOTALL | re.IGNORECASE):
        if re.search(r"method=[\"']?post", form, flags=re.IGNORECASE):
            assert "csrf" in form or ".hidden_tag(" in form, form[:200]


@every_template
def test_every_address_has_an_endpoint(app, path):
    domain = path.relative_to(PORTAL).parts[0]
    for call in tree(app, path).find_all(nodes.Call):
        named = isinstance(call.node, nodes.Name) and call.node.name == "url_for" and call.args
        if named and isinstance(call.args[0], nodes.Const):
            endpoint = call.args[0].value
            whole = f"{domain}{endpoint}" if endpoint.startswith(".") else endpoint
            assert whole in app.view_functions, endpoint


@every_page
def test_wide_tables_can_be_scrolled_by_keyboard(path):
    for wide in re.findall(r"<div class=\"wide\"[^>]*>", text(path)):
        assert 'tabindex="0"' in wide, wide
        assert 'role="region"' in wide, wide
        assert "aria-label" in wide, wide


@every_page
def test_pages_extend_the_base_and_have_a_title(path):
    source = text(path)
    if path.parent.name != "web" and "{% macro" not in source:
        assert '{% extends "web/base.html" %}' in source
        assert "{% block title %}" in source
