"""Message catalogs: compiled when the package is built, brought up to date by `make messages`.

Each package below `portal/` keeps its own `translations/<language>/LC_MESSAGES/messages.po`, so that a domain's words
live with the domain. The kernel, the modules right below `portal/`, has no catalog of its own: its words are in that of
`portal/web`.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parent
LANGUAGES = ("ru",)
SPEAKS_FOR_THE_KERNEL = "web"
KEYWORDS = ("_l", "_n:1,2", "mark", "lazy_gettext")

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a script, without the build back-end
    BuildHookInterface = object  # type: ignore[assignment,misc]


class TranslationsHook(BuildHookInterface):  # type: ignore[misc,type-arg]
    """Compiles the catalogs into a wheel or an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the hook's own shape
        compile_catalogs()


def compile_catalogs() -> None:
    """Write a `messages.mo` beside every `messages.po`."""
    for source in sorted(ROOT.glob("portal/**/messages.po")):
        with source.open("rb") as po:
            catalog = read_po(po, locale=source.parts[-3])
        with source.with_suffix(".mo").open("wb") as mo:
            write_mo(mo, catalog)


def update_catalogs() -> None:
    """Extract each package's messages and merge them into its catalogs."""
    for package in sorted(p for p in (ROOT / "portal").iterdir() if (p / "__init__.py").exists()):
        template = package / "messages.pot"
        keywords = [word for keyword in KEYWORDS for word in ("-k", keyword)]
        babel(
            "extract", "-F", "babel.cfg", *keywords, "--no-location", "--omit-header", "--sort-output",
            "--no-wrap", "-o", str(template), *sources_of(package),
        )  # fmt: skip
        if template.stat().st_size > 1:
            for language in LANGUAGES:
                target = package / "translations" / language / "LC_MESSAGES" / "messages.po"
                verb = "update" if target.exists() else "init"
                target.parent.mkdir(parents=True, exist_ok=True)
                options = (
                    ("--no-fuzzy-matching", "--ignore-obsolete", "--omit-header", "--no-wrap")
                    if verb == "update"
                    else ()
                )
                babel(verb, "-i", str(template), "-o", str(target), "-l", language, *options)
        template.unlink()


def sources_of(package: Path) -> list[str]:
    """What is read for messages of the package's catalog, relative to the root."""
    kernel = sorted((ROOT / "portal").glob("*.py")) if package.name == SPEAKS_FOR_THE_KERNEL else []
    return [str(path.relative_to(ROOT)) for path in (package, *kernel)]


def babel(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "babel.messages.frontend", "-q", *arguments], cwd=ROOT, check=True)


if __name__ == "__main__":
    if "--update" in sys.argv:
        update_catalogs()
    compile_catalogs()
