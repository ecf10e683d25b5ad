"""What a file of a release may be called, and how a name is shown."""

import re

from signing.errors import UnsafeName

SUMS = "SHA256SUMS"
SUMS_SIGNATURE = "SHA256SUMS.sig"
MANIFEST = "manifest.dsse.json"
SLIP = "slip.dsse.json"
KIT_SUMS, VERIFY_PAGE, VERIFIER = "KIT.SHA256SUMS", "VERIFY.html", "verify.py"
KEYS_FOLDER = "keys"
DOCUMENTS = frozenset({SUMS, SUMS_SIGNATURE, MANIFEST, SLIP})
_RESERVED = frozenset(name.casefold() for name in DOCUMENTS)


def checked(name: str) -> str:
    r"""`name`, if a file in a release's folder may bear it. Raises UnsafeName.

    A backslash is an ordinary character here and a separator on Windows, so `..\x` is refused as well.
    """
    if not name or "\0" in name or "/" in name:
        raise UnsafeName(name=shown(name), reason="it is empty or holds a slash or NUL.")
    if any(part in {".", ".."} for part in re.split(r"\\", name)):
        raise UnsafeName(name=shown(name), reason="it leads out of its folder.")
    if name.casefold() in _RESERVED:
        raise UnsafeName(name=shown(name), reason="a signed document stands under that name.")
    if name == "-":
        raise UnsafeName(name=name, reason="sha256sum takes it for the standard input.")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise UnsafeName(name=shown(name), reason="it is not Unicode text.") from error
    return name


def checked_kit_path(path: str) -> str:
    """`path`, if a slip may list it: a file beside the slip, or one in the folder of keys. Raises UnsafeName."""
    folder, slash, name = path.rpartition("/")
    if slash and folder != KEYS_FOLDER:
        raise UnsafeName(name=shown(path), reason=f"a kit has no folder but {KEYS_FOLDER}.")
    if not slash and name.casefold() == KEYS_FOLDER:
        raise UnsafeName(name=shown(path), reason="the folder of keys stands under that name.")
    checked(name)
    return path


def shown(name: str) -> str:
    """`name` for a terminal: what is not printable is escaped, so that no name can write a line of its own."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in name)
