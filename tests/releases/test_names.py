"""What a file may be called."""

import unicodedata

import pytest

from portal.releases import names
from portal.releases.errors import BadFileName
from portal.releases.names import folded, parse_file_name


@pytest.mark.parametrize(
    "name",
    ["image.bin", "прошивка 2.0 (финал).bin", "固件.img", "a" * 200, "v1.0-rc+1~2.tar.gz", "[1] {2} #3 %41.bin",
     "console.txt", "x", "SHA256SUMS.txt", "it's.bin", "ﬁrmware.bin"],
)  # fmt: skip
def test_names_that_are_welcome(name):
    assert parse_file_name(name) == name


def test_one_spelling_of_characters_that_have_two():
    decomposed = unicodedata.normalize("NFD", "Й-образ.bin")
    assert parse_file_name(decomposed) == "Й-образ.bin"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", names.EMPTY),
        ("n" * 201, names.TOO_LONG),
        ("n" * 300, names.TOO_LONG),
        ("ж" * 128, names.TOO_LONG),
        ("../etc/passwd", names.DOTS),
        ("..\\boot.ini", names.DOTS),
        ("..", names.DOTS),
        (".", names.DOTS),
        ("a/b", names.SEPARATOR),
        ("a\\b", names.SEPARATOR),
        ("a\0b", names.UNPRINTABLE),
        ("a\nb", names.UNPRINTABLE),
        ("a\x7f", names.UNPRINTABLE),
        ("a\u202efdp.exe", names.UNPRINTABLE),
        ("a\u200bb", names.UNPRINTABLE),
        ("a\u00a0b", names.UNPRINTABLE),
        ("a\ud800", names.UNPRINTABLE),
        ("\ufffd.bin", names.UNPRINTABLE),
        (".bashrc", names.FIRST_SIGN),
        ("-rf", names.FIRST_SIGN),
        (" a", names.EDGE),
        ("a ", names.EDGE),
        ("a.", names.EDGE),
        ("SHA256SUMS", names.RESERVED),
        ("sha256sums", names.RESERVED),
        ("SHA256SUMS.sig", names.RESERVED),
        ("Manifest.DSSE.json", names.RESERVED),
        ("ＳＨＡ256SUMS", names.RESERVED),
        ("Verify.HTML", names.RESERVED),
        ("keys", names.RESERVED),
        ("notes.ru.pdf", names.RESERVED),
        ("CON", names.DEVICE),
        ("nul.bin", names.DEVICE),
        ("Lpt1.tar.gz", names.DEVICE),
        ("com¹", names.DEVICE),
        ("a:b", names.WINDOWS_SIGN),
        ('a"b', names.WINDOWS_SIGN),
        ("what?.bin", names.WINDOWS_SIGN),
    ],
)
def test_names_that_are_refused(name, reason):
    with pytest.raises(BadFileName) as refusal:
        parse_file_name(name)
    assert refusal.value.facts["reason"] == reason
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 250


@pytest.mark.parametrize(
    ("one", "other"), [("A.bin", "a.BIN"), ("Образ", "ОБРАЗ"), ("straße", "STRASSE"), ("ﬁx", "fix")]
)
def test_names_that_one_system_or_another_takes_for_the_same(one, other):
    assert folded(one) == folded(other)


def test_names_that_differ():
    assert folded("a1.bin") != folded("a2.bin")
