"""Texts that people type, as every database keeps them."""

import re

from portal.errors import mark
from portal.releases.errors import BadText

BLANK = mark("nothing is written there")
TOO_LONG = mark("at most %(limit)s characters fit")
UNSTORABLE = mark("a character in it can't be stored")

# PostgreSQL keeps no NUL, and UTF-8 has no halves of surrogate pairs.
UNSTORABLE_SIGN = re.compile("[\x00\ud800-\udfff]")


def clean(text: str, *, field: str, limit: int, required: bool = False) -> str:
    """The text without blanks around it. `field` is what the form calls it (marked). Raises BadText."""
    text = text.strip()
    if required and not text:
        raise BadText(field=field, reason=BLANK, limit=limit)
    if len(text) > limit:
        raise BadText(field=field, reason=TOO_LONG, limit=limit)
    if UNSTORABLE_SIGN.search(text):
        raise BadText(field=field, reason=UNSTORABLE, limit=limit)
    return text
