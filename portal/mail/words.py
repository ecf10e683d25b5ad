"""The words of messages in a recipient's language, where no request says which: jobs and commands."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from babel.support import NullTranslations, Translations

PACKAGES = Path(__file__).parents[1]


@cache
def translator(language: str) -> Callable[[str], str]:
    """`gettext` of one language over the catalogs of every package; what is not translated stays as it is."""
    merged = Translations()
    for folder in sorted(PACKAGES.glob("*/translations")):
        catalog: NullTranslations = Translations.load(folder, [language])
        if isinstance(catalog, Translations):
            merged.merge(catalog)
    return merged.gettext
