"""Words for the ear: the same bits in every language, and known answers of BIP-39."""

import hashlib
import re

import pytest
from mnemonic import Mnemonic

from portal.documents.codes import digest_words, qr_png, qr_svg, short_digest

ZERO = "00" * 32
ONES = "ff" * 32
DIGEST = hashlib.sha256(b"firmware").hexdigest()


def numbers(words, language):
    listed = Mnemonic({"en": "english", "ru": "russian"}[language]).wordlist
    return [listed.index(word) for word in words]


@pytest.mark.parametrize(
    ("digest", "language", "words"),
    [
        (ZERO, "en", ["abandon"] * 6),
        (ONES, "en", ["zoo"] * 6),
        (ZERO, "ru", ["абзац"] * 6),
        (ONES, "ru", ["ящик"] * 6),
        (ZERO, "de", ["abandon"] * 6),
        # The words of a BIP-39 test vector with this entropy: all but the last come from the entropy alone.
        ("9e885d952ad362caeb4efe34a8e91bd2" + "00" * 16, "en", ["ozone", "drill", "grab", "fiber", "curtain", "grace"]),
    ],
)
def test_known_digests(digest, language, words):
    assert list(digest_words(digest, language)) == words


def test_the_same_bits_choose_in_every_language():
    english, russian = (digest_words(DIGEST, language, 23) for language in ("en", "ru"))
    assert numbers(english, "en") == numbers(russian, "ru")
    bits = "".join(f"{number:011b}" for number in numbers(english, "en"))
    assert f"{int(DIGEST, 16):0256b}".startswith(bits)


@pytest.mark.parametrize("digest", ["", "abc", "00" * 31, "00" * 33, "zz" * 32])
def test_what_is_no_digest_has_no_words(digest):
    with pytest.raises(ValueError):
        digest_words(digest, "en")


@pytest.mark.parametrize("count", [0, -1, 24])
def test_a_digest_has_so_many_words_only(count):
    with pytest.raises(ValueError):
        digest_words(ZERO, "en", count)


def test_a_short_digest_is_sixteen_digits_in_fours():
    assert short_digest(DIGEST.upper()) == re.sub("(.{4})(?!$)", r"\1 ", DIGEST[:16])


def test_codes_are_pictures_with_a_quiet_zone():
    svg, png = qr_svg("https://releases.example.org/r/1"), qr_png("https://releases.example.org/r/1", scale=3)
    modules = int(re.search(rb'width="(\d+)"', svg)[1])
    assert modules == 29 + 2 * 4
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20]) == 3 * modules
    assert qr_svg("https://releases.example.org/r/1") == svg


def test_a_text_beyond_every_code_is_refused():
    with pytest.raises(ValueError):
        qr_svg("x" * 3000)
