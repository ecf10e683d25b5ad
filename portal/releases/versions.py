"""Which version comes after which: one parser, and a key that a database can order by.

`Version.key` is plain ASCII, so that SQLite's BINARY, PostgreSQL's `COLLATE "C"` and Python agree on its order, which
is the order of the versions of one scheme. Keys of different schemes are not comparable.

Numbers inside a key are written as two hexadecimal digits of length and the digits without leading zeros (`9` → `019`,
`10` → `0210`), so that comparing text compares numbers of any size.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import total_ordering

from portal.errors import InvalidInput, mark

MAX_VERSION_CHARS = 100
MAX_KEY_CHARS = 512
"""What a column for keys must hold; no version of `MAX_VERSION_CHARS` makes a longer key."""


class Scheme(StrEnum):
    """How a product numbers its releases."""

    SEMANTIC = "semantic"
    DEBIAN = "debian"
    NATURAL = "natural"


_SCHEME_WORDS = {
    Scheme.SEMANTIC: mark("semantic"),
    Scheme.DEBIAN: mark("Debian"),
    Scheme.NATURAL: mark("natural"),
}

EMPTY = mark("it is empty")
TOO_LONG = mark("it is longer than 100 characters")
NOT_ASCII = mark("only unaccented Latin letters, digits and signs can be ordered")
BLANK = mark("it contains a space or a control character")
NOT_SEMANTIC = mark("it is not of the form 1.2.3, 1.2.3-rc.1 or 1.2.3+build")
LEADING_ZERO = mark("a number begins with zero")
BAD_EPOCH = mark("the part before the colon is not a number")
NO_LEADING_DIGIT = mark("it does not begin with a digit")
EMPTY_REVISION = mark("nothing follows the last hyphen")
NOT_DEBIAN = mark("it contains a character other than letters, digits and . + - ~")
NOT_NATURAL = mark("it is not letters and digits joined by single . - _ + , or parentheses")


class MalformedVersion(InvalidInput):
    """The text is no version of the scheme. Facts: `text` (safe to show), `scheme`, `reason` (both translatable)."""

    code = "malformed-version"
    sentence = mark("%(text)s is not a %(scheme)s version: %(reason)s.")

    def __init__(self, text: str, scheme: Scheme, reason: str) -> None:
        super().__init__(text=_shown(text), scheme=_SCHEME_WORDS[scheme], reason=reason)

    def sentence_in(self, translate: Callable[[str], str]) -> str:
        scheme, reason = translate(str(self.facts["scheme"])), translate(str(self.facts["reason"]))
        return translate(self.sentence) % {**self.facts, "scheme": scheme, "reason": reason}


def _shown(text: str) -> str:
    cut = text if len(text) <= MAX_VERSION_CHARS else text[:MAX_VERSION_CHARS] + "…"
    return cut if cut.isprintable() else ascii(cut)


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A version as written, and the key it is ordered and compared by.

    Two versions of one scheme with the same key are the same version, however they are written: semantic versions that
    differ in build metadata only (SemVer 2.0.0 §10), `1.0` and `1.00` in Debian's order, `R21A` and `r21a` in the
    natural one. A unique constraint on product and key therefore refuses a second release that could not be ordered
    against the first. Versions of different schemes are unequal and have no order (TypeError).
    """

    text: str
    scheme: Scheme
    key: str

    @classmethod
    def parse(cls, text: str, scheme: Scheme) -> "Version":
        """The version written as `text`; at most 100 printable ASCII characters, nothing is trimmed.

        Semantic is SemVer 2.0.0, Debian is Debian Policy §5.6.12 as dpkg enforces it. Natural order, for everything
        else that vendors write, is defined by `_natural_key`. Raises MalformedVersion.
        """
        reason = _why_unfit(text)
        if reason:
            raise MalformedVersion(text, scheme, reason)
        return cls(text, scheme, _KEYS[scheme](text))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Version):
            return NotImplemented
        return (self.scheme, self.key) == (other.scheme, other.key)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Version) or other.scheme != self.scheme:
            return NotImplemented
        return self.key < other.key

    def __hash__(self) -> int:
        return hash((self.scheme, self.key))

    def __str__(self) -> str:
        return self.text


def _why_unfit(text: str) -> str | None:
    if not text:
        return EMPTY
    if len(text) > MAX_VERSION_CHARS:
        return TOO_LONG
    if any(character.isspace() or not character.isprintable() for character in text):
        return BLANK
    return None if text.isascii() else NOT_ASCII


def _number(digits: str) -> str:
    significant = digits.lstrip("0")
    return f"{len(significant):02x}{significant}"


# --- semantic ---------------------------------------------------------------------------------------------------------

_SEMANTIC = re.compile(
    r"(?P<core>[0-9]+\.[0-9]+\.[0-9]+)"
    r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)


def _semantic_key(text: str) -> str:
    """Core numbers, then `1` for a release, or `0` and the pre-release identifiers, each list ended by `!`."""
    parts = _SEMANTIC.fullmatch(text)
    if not parts:
        raise MalformedVersion(text, Scheme.SEMANTIC, NOT_SEMANTIC)
    core = parts["core"].split(".")
    identifiers = parts["pre"].split(".") if parts["pre"] else []
    if any(part.isdigit() and part.startswith("0") and part != "0" for part in core + identifiers):
        raise MalformedVersion(text, Scheme.SEMANTIC, LEADING_ZERO)
    key = "".join(map(_number, core))
    return f"{key}0{''.join(map(_semantic_identifier, identifiers))}!" if identifiers else f"{key}1"


def _semantic_identifier(identifier: str) -> str:
    return f"0{_number(identifier)}" if identifier.isdigit() else f"1{identifier}!"


# --- Debian -----------------------------------------------------------------------------------------------------------

_DEBIAN_RUNS = re.compile(r"([^0-9]*)([0-9]*)")
# Tilde sorts before the end of a run of non-digits, the end before letters, letters before all other signs.
_DEBIAN_END = "#"
_DEBIAN_SIGNS = str.maketrans("~+-.:", "!{|}~")


def _debian_key(text: str) -> str:
    """Epoch, upstream version and revision; a missing epoch or revision counts as `0`."""
    epoch, colon, rest = text.partition(":")
    if not colon:
        epoch, rest = "0", text
    upstream, hyphen, revision = rest.rpartition("-")
    if not hyphen:
        upstream, revision = rest, "0"
    reason = _why_not_debian(epoch, upstream, revision)
    if reason:
        raise MalformedVersion(text, Scheme.DEBIAN, reason)
    return _number(epoch) + _debian_part(upstream) + _debian_part(revision)


def _why_not_debian(epoch: str, upstream: str, revision: str) -> str | None:
    if not epoch.isdigit():
        return BAD_EPOCH
    if not upstream[:1].isdigit():
        return NO_LEADING_DIGIT
    if not revision:
        return EMPTY_REVISION
    fits = re.fullmatch(r"[0-9A-Za-z.+~:-]+", upstream) and re.fullmatch(r"[0-9A-Za-z.+~]+", revision)
    return None if fits else NOT_DEBIAN


def _debian_part(part: str) -> str:
    runs = [(signs, digits) for signs, digits in _DEBIAN_RUNS.findall(part) if signs or digits]
    return "".join(f"{signs.translate(_DEBIAN_SIGNS)}{_DEBIAN_END}{_number(digits)}" for signs, digits in runs) + "#"


# --- natural ----------------------------------------------------------------------------------------------------------

# Linear: at each step one character decides which branch is taken.
_NATURAL = re.compile(
    r"[0-9A-Za-z](?:[-._+,]?(?:[0-9A-Za-z]|\([0-9A-Za-z](?:[-._+,]?[0-9A-Za-z])*\)))*",
)
_NATURAL_TOKENS = re.compile(r"(?P<sign>[-._+,()]*)(?:(?P<digits>[0-9]+)|(?P<word>[A-Za-z]+))")
_LEADING_V = re.compile(r"[Vv](?=[0-9])")

# In the order in which a release ripens. Words with another meaning in a vendor's scheme are left out on purpose: `EA`
# and `M` are Cisco trains, single `A`, `B`, `I` and `P` are letters of many schemes.
_PRE_RELEASE_WORDS = (
    "dev", "nightly", "snapshot", "test", "alpha", "beta", "milestone", "preview", "pre", "prerelease", "rc",
)  # fmt: skip

_PRE_RELEASE, _END, _WORD, _REVISION, _PART = "01234"


def _natural_key(text: str) -> str:
    """The order of what vendors write: `4.9 < 4.10`, `15.1R7-S9 < 15.1R7-S10`, `R21A < R22A`, `2.0-rc1 < 2.0`.

    A version is its words and numbers in turn. Two versions are compared at the first place where they differ:

    1. pre-release word (`dev nightly snapshot test alpha beta milestone preview pre prerelease rc`, in this order)
    2. before the end of the version
    3. before any other word, in alphabetical order (`1.0 < 1.0a < 1.0b`, `C00 < C00SPC300`)
    4. before a number set off by `-`, `_`, `+` or `,` from a number: a rebuild (`1.0a < 1.0-1 < 1.0-2`)
    5. before a number after `.` or `(`, or right after a word: a further part (`1.0-1 < 1.0.1`).

    Numbers compare as numbers (`2023.01` is `2023.1`), words without regard to case, and signs beside a word say
    nothing (`2.0-rc1` is `2.0rc.1`). Trailing zeros count: `1.0 < 1.0.0`. A first `v` before a digit is dropped.
    """
    if not _NATURAL.fullmatch(text):
        raise MalformedVersion(text, Scheme.NATURAL, NOT_NATURAL)
    key, after_number = "", False
    for token in _NATURAL_TOKENS.finditer(_LEADING_V.sub("", text, count=1) if text[0] in "Vv" else text):
        if token["word"]:
            key += _natural_word(token["word"].lower())
        else:
            rebuild = after_number and any(sign in token["sign"] for sign in "-_+,")
            key += (_REVISION if rebuild else _PART) + _number(token["digits"])
        after_number = not token["word"]
    return key + _END


def _natural_word(word: str) -> str:
    if word in _PRE_RELEASE_WORDS:
        return f"{_PRE_RELEASE}{_PRE_RELEASE_WORDS.index(word):02}"
    return f"{_WORD}{word}!"


_KEYS: dict[Scheme, Callable[[str], str]] = {
    Scheme.SEMANTIC: _semantic_key,
    Scheme.DEBIAN: _debian_key,
    Scheme.NATURAL: _natural_key,
}
