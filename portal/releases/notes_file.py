"""Release notes as one Markdown file: headings that name a section begin it, what stands before is the summary."""

import re

from portal.releases.models import SECTION_TITLES, Section

_HEADING = re.compile(r"#{1,3}\s+(?P<title>.*?)\s*#*\s*")
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_SECTIONS = {
    **{section.value: section for section in Section},
    **{title.casefold(): section for section, title in SECTION_TITLES.items()},
}


def split_notes(markdown: str) -> dict[str, str]:
    """{section: Markdown}. A heading names a section by its word (`rollback`) or title (`Rollback instructions`)."""
    written: dict[str, list[str]] = {}
    section, in_code = Section.SUMMARY, False
    for line in markdown.splitlines():
        in_code ^= _FENCE.match(line) is not None
        heading = None if in_code else _HEADING.fullmatch(line)
        named = _SECTIONS.get(heading["title"].casefold()) if heading else None
        if named is not None:
            section = named
            continue
        written.setdefault(section.value, []).append(line)
    texts = {name: "\n".join(lines).strip() for name, lines in written.items()}
    return {name: text for name, text in texts.items() if text}
