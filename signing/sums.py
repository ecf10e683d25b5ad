"""`SHA256SUMS` as GNU coreutils writes and reads it, byte for byte.

A line is `<64 hex>  <name>` (or ` *` before the name: binary mode; the same on every system that matters). A name
with a backslash, newline or carriage return is escaped and its line begins with a backslash. Parsing accepts only
what rendering can produce, so a file has one reading: no CRLF, no blank line, no comment, no name twice.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from signing import names
from signing.errors import MalformedSums, UnsafeName

_LINE = re.compile(r"(\\?)([0-9a-f]{64}) ([ *])(.+)", re.DOTALL)
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_UNESCAPES = {escaped: plain for plain, escaped in _ESCAPES.items()}
_ESCAPE = re.compile(r"\\.?", re.DOTALL)


@dataclass(frozen=True)
class SumsEntry:
    """One line: `sha256` is lower-case hex."""

    name: str
    sha256: str
    binary: bool = False


def render_sums(digests: Mapping[str, str] | Iterable[SumsEntry]) -> bytes:
    """The text of `SHA256SUMS` for name → digest, sorted by name. Raises MalformedSums, UnsafeName."""
    entries = (
        [SumsEntry(name, sha256) for name, sha256 in digests.items()] if isinstance(digests, Mapping) else list(digests)
    )
    text = "".join(_line(entry) for entry in sorted(entries, key=lambda entry: entry.name)).encode()
    parse_sums(text)  # what can't be read back must not be signed
    return text


def parse_sums(data: bytes) -> tuple[SumsEntry, ...]:
    """Read `SHA256SUMS`. Raises MalformedSums, which names the line, and UnsafeName."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise MalformedSums(line=data.count(b"\n", 0, error.start) + 1, reason="it is not UTF-8.") from error
    if not text.endswith("\n"):
        raise MalformedSums(line=text.count("\n") + 1, reason="it is empty or cut off; every line ends with a newline.")
    entries = [_entry(line, number) for number, line in enumerate(text[:-1].split("\n"), start=1)]
    seen: set[str] = set()
    for number, entry in enumerate(entries, start=1):
        if entry.name in seen:
            raise MalformedSums(line=number, reason=f"{names.shown(entry.name)} is listed twice.")
        seen.add(entry.name)
    return tuple(entries)


def digests_in(data: bytes) -> dict[str, str]:
    """`SHA256SUMS` as name → digest. Raises as parse_sums does."""
    return {entry.name: entry.sha256 for entry in parse_sums(data)}


def _line(entry: SumsEntry) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", entry.sha256):
        raise MalformedSums(line=0, reason=f"the digest of {names.shown(entry.name)} is not 64 lower-case hex digits.")
    names.checked(entry.name)
    escaped = "".join(_ESCAPES.get(char, char) for char in entry.name)
    mark = "\\" if escaped != entry.name else ""
    return f"{mark}{entry.sha256} {'*' if entry.binary else ' '}{escaped}\n"


def _entry(line: str, number: int) -> SumsEntry:
    match = _LINE.fullmatch(line)
    if match is None:
        raise MalformedSums(line=number, reason="64 lower-case hex digits, two spaces and a name were expected.")
    mark, sha256, mode, written = match.groups()
    if "\r" in written:
        raise MalformedSums(line=number, reason="it holds a carriage return; the lines must end with a newline alone.")
    name = _unescaped(written, number) if mark else written
    if bool(mark) != any(char in _ESCAPES for char in name):
        raise MalformedSums(line=number, reason="the escaping of the name is not as sha256sum writes it.")
    try:
        return SumsEntry(names.checked(name), sha256, binary=mode == "*")
    except UnsafeName as error:
        raise MalformedSums(line=number, reason=str(error)) from error


def _unescaped(written: str, number: int) -> str:
    def plain(match: re.Match[str]) -> str:
        try:
            return _UNESCAPES[match[0]]
        except KeyError as error:
            raise MalformedSums(line=number, reason="the name holds an unknown escape.") from error

    return _ESCAPE.sub(plain, written)
