"""What a file of a release may be called, so that every system can keep it and nobody mistakes one for another."""

import re
import unicodedata

from portal.errors import mark
from portal.releases.errors import BadFileName
from signing import KEYS_FOLDER, KIT_SUMS, MANIFEST, SLIP, SUMS, SUMS_SIGNATURE, VERIFIER, VERIFY_PAGE

MAX_NAME_CHARS = 200
MAX_NAME_BYTES = 255
"""What most file systems take; a Cyrillic letter is two bytes."""
_SHOWN_CHARS = 60

EMPTY = mark("it is empty")
TOO_LONG = mark("it is longer than 200 characters or 255 bytes")
SEPARATOR = mark("it contains a slash or backslash")
UNPRINTABLE = mark("it contains NUL, a control character or one that can't be shown")
DOTS = mark("it leads out of its folder")
FIRST_SIGN = mark("it begins with a dot or hyphen")
EDGE = mark("it begins or ends with a space, or ends with a dot")
RESERVED = mark("a signed document stands under that name")
DEVICE = mark("Windows keeps that name for a device")
WINDOWS_SIGN = mark('it contains one of < > : " | ? *, which Windows does not take')

_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{device}{number}" for device in ("com", "lpt") for number in "0123456789¹²³"
}
_WINDOWS_SIGNS = re.compile(r'[<>:"|?*]')


def parse_file_name(text: str) -> str:
    """The name in its one spelling (Unicode NFC). Raises BadFileName; letters of every script are welcome."""
    reason = _why_unfit(text)
    if reason:
        raise BadFileName(name=_shown(text), reason=reason)
    name = unicodedata.normalize("NFC", text)
    reason = _why_unfit(name)
    if reason:
        raise BadFileName(name=_shown(name), reason=reason)
    return name


def folded(name: str) -> str:
    """What two names share that one system or another would take for the same: case and compatible characters."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


_SIGNED = (SUMS, SUMS_SIGNATURE, MANIFEST, SLIP, KEYS_FOLDER, KIT_SUMS, VERIFIER, VERIFY_PAGE)
_RESERVED = {folded(name) for name in _SIGNED}
_NOTES_OF_A_KIT = re.compile(r"notes\.[a-z]{2}\.(html|pdf)")


def is_reserved(name: str) -> bool:
    """Whether a document that the vendor signs, or a paper of a kit, stands under that name."""
    return folded(name) in _RESERVED or _NOTES_OF_A_KIT.fullmatch(folded(name)) is not None


def _why_unfit(text: str) -> str | None:
    checks = (
        (EMPTY, not text),
        (TOO_LONG, len(text) > MAX_NAME_CHARS or len(text.encode(errors="replace")) > MAX_NAME_BYTES),
        (DOTS, text in (".", "..") or ".." in re.split(r"[/\\]", text)),
        (SEPARATOR, "/" in text or "\\" in text),
        (UNPRINTABLE, any(not _can_be_shown(character) for character in text)),
        (FIRST_SIGN, text.startswith((".", "-"))),
        (EDGE, text != text.strip() or text.endswith(".")),
        (RESERVED, is_reserved(text)),
        (DEVICE, folded(text).split(".")[0].rstrip() in _DEVICES),
        (WINDOWS_SIGN, _WINDOWS_SIGNS.search(text) is not None),
    )
    return next((reason for reason, is_so in checks if is_so), None)


def _can_be_shown(character: str) -> bool:
    """No control, no direction mark, no unassigned or half character, no blank other than the plain space; nor the sign
    that stands for what was no text: the name that was sent is not known then."""
    return character == " " or (character.isprintable() and character != "\N{REPLACEMENT CHARACTER}")


def _shown(text: str) -> str:
    cut = text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"
    return cut if cut.isprintable() else ascii(cut)
