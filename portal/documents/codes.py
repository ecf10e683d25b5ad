"""A digest for the ear and the eye: words, short groups and QR codes."""

import io
from functools import cache

import segno
from mnemonic import Mnemonic

BITS_PER_WORD = 11
WORDS = 6
SHORT_DIGITS = 16
WORD_LISTS = {"en": "english", "ru": "russian"}
QUIET_ZONE = 4
"""Light modules around a code; ISO/IEC 18004 asks for four."""


def digest_words(sha256: str, language: str, count: int = WORDS) -> tuple[str, ...]:
    """The first `count` * 11 bits of a SHA-256 in hexadecimal, as words to read out over the telephone.

    Eleven bits choose one of the 2,048 words of a BIP-39 list (bitcoin/bips, BIP 39), in English or, from the list of
    the `mnemonic` library, in Russian; a language without a list gets English. The same bits choose in every language:
    words side by side in two lists name the same number, and each side compares with its own paper.

    Six words are 66 bits. That finds a mixed-up or damaged file and makes a forgery that sounds alike expensive, but it
    is a convenience for the ear: the full digest decides. Raises ValueError for what is no SHA-256.
    """
    digest = bytes.fromhex(sha256)
    if len(digest) != 32 or not 0 < count * BITS_PER_WORD <= 256:  # noqa: PLR2004 - bytes and bits of a SHA-256
        raise ValueError(sha256, count)
    bits = int.from_bytes(digest) >> (256 - count * BITS_PER_WORD)
    words = _word_list(WORD_LISTS.get(language, WORD_LISTS["en"]))
    mask = (1 << BITS_PER_WORD) - 1
    return tuple(words[bits >> BITS_PER_WORD * place & mask] for place in reversed(range(count)))


def short_digest(sha256: str) -> str:
    """The first 16 hexadecimal digits (64 bits) in groups of four: `1f2e 3d4c 5b6a 7988`."""
    return " ".join(sha256[start : start + 4].lower() for start in range(0, SHORT_DIGITS, 4))


def qr_svg(text: str) -> bytes:
    """A QR code as an SVG document with its quiet zone, black on nothing, one unit a module.

    Raises ValueError (segno's DataOverflowError) for a text that no code can hold, about 2,300 bytes.
    """
    out = io.BytesIO()
    _qr(text).save(out, kind="svg", border=QUIET_ZONE, nl=False)
    return out.getvalue()


def qr_png(text: str, scale: int = 6) -> bytes:
    """A QR code as a PNG with its quiet zone, `scale` pixels a module, black on white. Raises as `qr_svg`."""
    out = io.BytesIO()
    _qr(text).save(out, kind="png", border=QUIET_ZONE, scale=scale)
    return out.getvalue()


def _qr(text: str) -> segno.QRCode:
    return segno.make(text, error="m", boost_error=True, micro=False)


@cache
def _word_list(name: str) -> tuple[str, ...]:
    return tuple(Mnemonic(name).wordlist)
