"""The papers in a kit: they open from a disk, load nothing from anywhere, and what they tell to type works."""

import ast
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from portal.config import LANGUAGES
from signing.offline import verifier
from tests.kits.conftest import FILES, Workshop, unpacked

ELSEWHERE = re.compile(
    r"(?:src|srcset|data|poster|action)\s*=|<(?:script|link|iframe|img|object|form)|@import|url\(", re.IGNORECASE
)


@pytest.fixture(scope="module")
def folder(shared: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked(shared, shared.prepared(delivery_number="D-papers"), tmp_path_factory.mktemp("papers"))


def page(folder: Path, name: str = "VERIFY.html") -> str:
    return (folder / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["VERIFY.html", "notes.en.html", "notes.ru.html"])
def test_a_page_loads_nothing_and_runs_nothing(folder: Path, name: str):
    text = page(folder, name)
    assert not ELSEWHERE.search(text)
    assert "default-src 'none'; style-src 'sha256-" in text
    assert not re.search(r"\son\w+\s*=|\sstyle\s*=|javascript:", text, re.IGNORECASE)


def test_the_page_says_what_it_is_about_in_both_languages(folder: Path):
    text = page(folder)
    for language in LANGUAGES:
        assert f'lang="{language}"' in text
    for fact in ("Анна Петрова", "Альфа Телеком", "ALPHA", "D-papers", "USB-0042", "Маршрутизатор «Край»", "4.9"):
        assert text.count(fact) >= 2, fact
    for name in FILES:
        assert text.count(f"<code>{name}</code>") == 2
    assert "How to check this kit" in text
    assert "Как проверить этот комплект" in text


def test_the_page_names_every_file_of_the_kit(folder: Path):
    listed = set(re.findall(r"<tr><td><code>(.*?)</code>", page(folder)))
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {unescape(name) for name in listed} == there


def test_notes_hold_the_text_of_their_language(folder: Path):
    assert "<strong>Лучше</strong>" in page(folder, "notes.ru.html")
    assert "Инструкции по откату" in page(folder, "notes.ru.html") or "откат" in page(folder, "notes.ru.html").lower()
    assert "&lt;script&gt;x&lt;/script&gt;" in page(folder, "notes.en.html")
    for language in LANGUAGES:
        assert (folder / f"notes.{language}.pdf").read_bytes().startswith(b"%PDF-")


def commands(folder: Path) -> list[str]:
    """What one language's chapter tells to type, block by block; those for Windows left out."""
    chapter = page(folder).split("</section>")[0]
    return [unescape(one) for one in re.findall(r"<pre>(.*?)</pre>", chapter, re.DOTALL) if "Get-" not in one]


def typed(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    script = script.replace("python3", sys.executable)
    return subprocess.run(["sh", "-ec", script], cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_what_the_page_tells_to_type_works(shared: Workshop, folder: Path):
    key_id = shared.portal.resources.keys.active().key_id
    fingerprint, program, release, slip = commands(folder)
    assert typed(fingerprint, folder).stdout.split()[0] == key_id
    assert typed(program, folder).returncode == 1, (
        "it must not be ready to be copied: the reader brings the fingerprint"
    )
    done = typed(program.replace("FINGERPRINT", key_id).replace("CUSTOMER", "ALPHA"), folder)
    assert done.returncode == 0, done.stdout
    done = typed(release, folder)
    assert done.returncode == 0
    assert done.stdout.startswith("Verified OK\n")
    done = typed(slip, folder)
    assert done.returncode == 0, done.stderr
    assert "Verified OK" in done.stdout
    assert "verify.py: OK" in done.stdout
    assert '"delivery":"D-papers"' in done.stdout
    [digest] = re.findall(r"^([0-9a-f]{64})  KIT.SHA256SUMS$", done.stdout, re.MULTILINE)
    assert f'{{"digest":{{"sha256":"{digest}"}},"name":"KIT.SHA256SUMS"}}' in done.stdout


def test_the_page_s_commands_notice_a_forged_slip(folder: Path, tmp_path: Path):
    text = (folder / "slip.dsse.json").read_text()
    sound = typed(commands(folder)[3], folder)
    forged = tmp_path / "forged"
    forged.mkdir()
    for path in folder.iterdir():
        (forged / path.name).symlink_to(path)
    (forged / "slip.dsse.json").unlink()
    (forged / "slip.dsse.json").write_text(text.replace('"payload": "ey', '"payload": "fy'))
    assert "Verified OK" in sound.stdout
    assert "Verified OK" not in typed(commands(folder)[3], forged).stdout


def test_the_program_is_what_an_old_python_reads():
    """3.8 by syntax, and by what it imports; the tampering table can be run by such a one (PORTAL_TEST_OLD_PYTHON)."""
    tree = ast.parse(verifier(), feature_version=(3, 8))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert used.isdisjoint({"removeprefix", "removesuffix", "is_relative_to", "hardlink_to", "readlink", "file_digest"})
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Match)]


@pytest.mark.parametrize(("environment", "said"), [
    ({"LANG": "ru_RU.UTF-8"}, "ПРОВЕРЕНО"), ({"LC_ALL": "C", "LANG": "ru_RU.UTF-8"}, "VERIFIED"), ({}, "VERIFIED"),
])  # fmt: skip
def test_the_program_speaks_the_reader_s_language(
    shared: Workshop, folder: Path, environment: dict[str, str], said: str
):
    fingerprint = shared.portal.resources.keys.active().key_id
    command = [sys.executable, "-X", "utf8", str(folder / "verify.py"), "--fingerprint", fingerprint]
    done = subprocess.run(
        command, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith(said)


def test_without_openssl_nothing_is_known(folder: Path):
    command = [sys.executable, str(folder / "verify.py"), "--language", "en"]
    done = subprocess.run(command, env={"PATH": "/nowhere"}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "The program openssl is needed and was not found.\n"


def test_a_console_that_shows_no_cyrillic_does_not_stop_it(folder: Path):
    command = [sys.executable, str(folder / "verify.py"), "--language", "ru"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "")
