import hashlib
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import SumsEntry, digests_in, parse_sums, render_sums
from signing.errors import MalformedSums, SigningError
from tests.signing.making import run, sha256

D = "d" * 64
E = "e" * 64


def usable(name: str) -> bool:
    parts = re.split(r"\\", name)
    return len(name.encode()) < 250 and not {".", ".."} & set(parts) and name.casefold() not in RESERVED


RESERVED = {"-", "sha256sums", "sha256sums.sig", "manifest.dsse.json"}
letters = st.one_of(st.sampled_from("\\\n\r *а"), st.characters(exclude_categories=["Cs"], exclude_characters="/\0"))
file_names = st.text(letters, min_size=1, max_size=40).filter(usable)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(file_names, st.binary(max_size=8), min_size=1, max_size=5))
def test_what_is_rendered_is_what_coreutils_writes_and_accepts(files: dict[str, bytes]):
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        rendered = render_sums({name: sha256(data) for name, data in files.items()})
        assert run("sha256sum", "--", *sorted(files), cwd=folder).stdout == rendered
        assert digests_in(rendered) == {name: sha256(data) for name, data in files.items()}
        (folder / "SHA256SUMS").write_bytes(rendered)
        assert run("sha256sum", "--strict", "-c", "SHA256SUMS", cwd=folder).returncode == 0


def test_binary_mode_is_written_and_read_as_coreutils_does(tmp_path: Path):
    (tmp_path / "a\\b").write_bytes(b"x")
    rendered = render_sums([SumsEntry("a\\b", sha256(b"x"), binary=True)])
    assert run("sha256sum", "-b", "a\\b", cwd=tmp_path).stdout == rendered
    assert parse_sums(rendered) == (SumsEntry("a\\b", sha256(b"x"), binary=True),)


@settings(max_examples=500)
@given(st.lists(st.sampled_from([*"ab\\nr*/. \r\n\0й", D, E, f"{D}  x\n", f"\\{E}  x\\\\y\n", ".."]), max_size=8))
def test_a_file_that_is_accepted_has_one_reading(pieces: list[str]):
    data = "".join(pieces).encode()
    try:
        entries = parse_sums(data)
    except SigningError:
        return
    assert sorted(render_sums(entries).split(b"\n")) == sorted(data.split(b"\n"))


MALFORMED = {
    "empty": (b"", 1),
    "no last newline": (f"{D}  a".encode(), 1),
    "cut in the digest": (f"{D}  a\n{E[:30]}\n".encode(), 2),
    "blank line": (f"{D}  a\n\n{E}  b\n".encode(), 2),
    "blank line at the end": (f"{D}  a\n\n".encode(), 2),
    "comment": (f"# files\n{D}  a\n".encode(), 1),
    "byte order mark": (f"\ufeff{D}  a\n".encode(), 1),
    "CRLF": (f"{D}  a\r\n".encode(), 1),
    "bare carriage return": (f"{D}  a\r{E}  b\n".encode(), 1),
    "bare carriage return in an escaped name": (f"\\{D}  a\\\\b\r\n".encode(), 1),
    "upper-case digest": (f"{D.upper()}  a\n".encode(), 1),
    "short digest": (f"{D[:63]}  a\n".encode(), 1),
    "SHA-512 digest": (f"{D}{E}  a\n".encode(), 1),
    "BSD form": (f"SHA256 (a) = {D}\n".encode(), 1),
    "one space": (f"{D} a\n".encode(), 1),
    "tab": (f"{D}\ta\n".encode(), 1),
    "no name": (f"{D}  \n".encode(), 1),
    "name twice": (f"{D}  a\n{E}  a\n".encode(), 2),
    "name twice, same digest": (f"{D}  a\n{D}  a\n".encode(), 2),
    "name twice, one binary": (f"{D}  a\n{E} *a\n".encode(), 2),
    "parent folder": (f"{D}  ..\n".encode(), 1),
    "traversal": (f"{D}  ../../etc/passwd\n".encode(), 1),
    "traversal on Windows": (f"\\{D}  ..\\\\evil.dll\n".encode(), 1),
    "absolute": (f"{D}  /etc/passwd\n".encode(), 1),
    "in a folder": (f"{D}  sub/a\n".encode(), 1),
    "standard input": (f"{D}  -\n".encode(), 1),
    "NUL": (f"{D}  a\0b\n".encode(), 1),
    "not UTF-8": (f"{D}  a\n{D}  ".encode() + b"\xff\n", 2),
    "escape mark without need": (f"\\{D}  a\n".encode(), 1),
    "backslash without escape mark": (f"{D}  a\\b\n".encode(), 1),
    "unknown escape": (f"\\{D}  a\\tb\n".encode(), 1),
    "dangling escape": (f"\\{D}  a\\\n".encode(), 1),
    "a signed document's own name": (f"{D}  sha256sums\n".encode(), 1),
}


@pytest.mark.parametrize(("data", "line"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_file_is_refused_by_line(data: bytes, line: int):
    with pytest.raises(MalformedSums) as refused:
        parse_sums(data)
    assert (refused.value.code, refused.value.facts["line"]) == ("malformed-sums", line)


@pytest.mark.parametrize(
    "name", ["", "-", ".", "..", "a/b", "a\0", "..\\x", "x\\..\\y", "\ud800", "SHA256SUMS", "Manifest.DSSE.json"]
)
def test_an_unsafe_name_is_never_written(name: str):
    with pytest.raises(SigningError) as refused:
        render_sums({name: D})
    assert refused.value.code == "unsafe-name"


@pytest.mark.parametrize("digest", ["", "d" * 63, "D" * 64, "g" * 64, hashlib.sha512(b"").hexdigest()])
def test_a_malformed_digest_is_never_written(digest: str):
    with pytest.raises(MalformedSums):
        render_sums({"a": digest})


def test_nothing_to_list_is_refused():
    with pytest.raises(MalformedSums):
        render_sums({})
