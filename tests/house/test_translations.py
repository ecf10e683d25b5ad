"""Every word that the portal says is said in both languages, and with one meaning."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
PORTAL = ROOT / "portal"
CATALOGS = sorted(PORTAL.glob("*/translations/ru/LC_MESSAGES/messages.po")) + sorted(
    PORTAL.glob("translations/ru/LC_MESSAGES/messages.po")
)
KEYWORDS = {**DEFAULT_KEYWORDS, "_l": None, "_n": (1, 2), "mark": None, "lazy_gettext": None}
PLACES = re.compile(r"%\(\w+\)[sd]")
PLURAL_FORMS = 3


def said():
    """{message: file} of all sources and templates; a plural message is a tuple."""
    methods = [("**.py", "python"), ("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2")]
    found = extract_from_dir(str(PORTAL), method_map=methods, keywords=KEYWORDS)
    return {message: file for file, _, message, _, _ in found if message}


def translated():
    """{message: {catalog: translation}} of every catalog."""
    found = {}
    for path in CATALOGS:
        with path.open("rb") as source:
            catalog = read_po(source, locale="ru")
        for message in catalog:
            if message.id and not message.fuzzy:
                found.setdefault(message.id, {})[str(path.relative_to(PORTAL))] = message.string
    return found


def is_whole(translation):
    forms = (translation,) if isinstance(translation, str) else translation
    return bool(forms) and all(forms) and (isinstance(translation, str) or len(forms) == PLURAL_FORMS)


def test_the_extraction_finds_what_is_said():
    assert len(said()) > 200


def test_nothing_is_left_untranslated():
    catalog = translated()
    missing = {
        message: file for message, file in said().items() if not any(map(is_whole, catalog.get(message, {}).values()))
    }
    assert missing == {}


def test_a_message_has_one_translation():
    """Catalogs are merged into one: with two translations of a message, it is chance which one a page shows."""
    torn = {message: found for message, found in translated().items() if len({str(one) for one in found.values()}) > 1}
    assert torn == {}


def test_translations_name_the_same_facts():
    for message, found in translated().items():
        ids = message if isinstance(message, tuple) else (message,)
        wanted = set(PLACES.findall(ids[-1]))
        for string in found.values():
            for form in (string,) if isinstance(string, str) else string:
                if form:
                    assert set(PLACES.findall(form)) == wanted, message


@pytest.mark.parametrize("path", CATALOGS, ids=[str(path.relative_to(PORTAL)) for path in CATALOGS])
def test_no_translation_is_a_guess(path):
    with path.open("rb") as source:
        catalog = read_po(source, locale="ru")
    assert catalog.charset == "utf-8"
    assert [message.id for message in catalog if message.id and message.fuzzy] == []
