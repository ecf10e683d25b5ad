"""What people write, before it is kept: within bounds, and of characters that every database and page can hold."""

import re
import unicodedata

from portal.errors import InvalidInput, mark

# Control characters (PostgreSQL holds no NUL), halves of surrogate pairs (no UTF-8 has them; JSON can spell them), and
# the signs that turn the direction of writing, with which one text can be shown as another.
_UNKEEPABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class TextMissing(InvalidInput):
    code = "text-missing"
    sentence = mark("Something has to be written here.")


class TextTooLong(InvalidInput):
    """The text has `length` characters, and `limit` are the most that are kept."""

    code = "text-too-long"
    sentence = mark("The text has %(length)s characters; at most %(limit)s are possible.")


class TextUnkeepable(InvalidInput):
    """`character` is the code point (U+0000) that no text may hold."""

    code = "text-unkeepable"
    sentence = mark("The text holds a character that can't be kept or shown: %(character)s.")


def one_line(text: str, *, limit: int, required: bool = True) -> str:
    """The text in one line without spaces around it. Raises TextMissing, TextTooLong, TextUnkeepable."""
    return _checked(" ".join(text.split()) if len(text) <= limit else text.strip(), limit, required=required)


def lines(text: str, *, limit: int, required: bool = True) -> str:
    """The text with line feeds for line ends and nothing around it. Raises TextMissing, TextTooLong, TextUnkeepable."""
    return _checked(text.replace("\r\n", "\n").replace("\r", "\n").strip(), limit, required=required)


def searchable(text: str, *, limit: int = 200) -> str:
    """What somebody searches for, in one line, cut to the limit and without what no kept text holds."""
    return " ".join(_UNKEEPABLE.sub(" ", text[:limit]).split())


def keepable(text: str) -> str:
    """The text with a space for every character that no kept text holds."""
    return _UNKEEPABLE.sub(" ", text)


def folded(text: str) -> str:
    """The text as a search compares it: letters without case, in one spelling."""
    return unicodedata.normalize("NFKC", text).casefold()


def _checked(text: str, limit: int, *, required: bool) -> str:
    if required and not text:
        raise TextMissing
    if len(text) > limit:
        raise TextTooLong(length=len(text), limit=limit)
    bad = _UNKEEPABLE.search(text)
    if bad:
        raise TextUnkeepable(character=f"U+{ord(bad.group()):04X}")
    return text
