"""CVE ids, as the CVE programme writes them."""

import re

from portal.errors import InvalidInput, mark

FIRST_YEAR = 1999
_CVE = re.compile(r"CVE-(?P<year>[0-9]{4})-(?P<sequence>[0-9]{4}|[1-9][0-9]{4,18})", re.IGNORECASE | re.ASCII)
_SHOWN_CHARS = 40


class MalformedCve(InvalidInput):
    code = "malformed-cve"
    sentence = mark("%(text)s is not a CVE id; one looks like CVE-2024-12345.")

    def __init__(self, text: str) -> None:
        cut = text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"
        super().__init__(text=cut if cut.isprintable() else ascii(cut))


def parse_cve(text: str) -> str:
    """The id in its one official spelling: `cve-2024-12345` → `CVE-2024-12345`.

    Four digits of a year from 1999 on, then 4 to 19 digits (CVE record format 5); only a sequence of four may begin
    with zero (CVE id syntax of 2014). Blanks around it, as pasting leaves them, are dropped. Raises MalformedCve.
    """
    parts = _CVE.fullmatch(text.strip())
    if not parts or int(parts["year"]) < FIRST_YEAR:
        raise MalformedCve(text)
    return f"CVE-{parts['year']}-{parts['sequence']}"
