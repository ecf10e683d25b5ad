import pytest

from storage import InvalidKey, content_key
from storage.keys import check_key, check_prefix, digest_in


def test_a_content_key_and_its_digest():
    digest = "0123456789abcdef" * 4
    key = content_key(digest.upper())
    assert key == f"sha256/01/{digest[2:]}"
    assert check_key(key) == key
    assert digest_in(key) == digest


@pytest.mark.parametrize(
    "key", ["sha256/01/ab", "sha256/0/1" + "a" * 62, "x/sha256/01/" + "a" * 62, "SHA256/01/" + "a" * 62]
)
def test_other_keys_state_no_digest(key):
    assert digest_in(key) is None


@pytest.mark.parametrize("key", ["a", "a.b", "a..b", "A_b-c+d=e@f~g", "a/b/c.json", "x" * 255, "a/" * 255 + "aa"])
def test_keys(key):
    assert check_key(key) == key


@pytest.mark.parametrize("key", ["a\n", "a b", "a/b ", "a%2e", "a:b", "a?b", "a*b", "-\u0000", "é"])
def test_no_keys(key):
    with pytest.raises(InvalidKey) as refused:
        check_key(key)
    assert refused.value.code == "invalid-key"


def test_prefixes():
    for prefix in ("", "a", "a/", "a/b"):
        assert check_prefix(prefix) == prefix
    for prefix in ("/", "a//", "../", ".incoming/"):
        with pytest.raises(InvalidKey):
            check_prefix(prefix)
