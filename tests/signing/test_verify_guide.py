"""The commands that docs/verify.md tells a customer to type, typed."""

import re
from pathlib import Path

from signing import ExitCode
from tests.signing.making import key, received, run

GUIDE = (Path(__file__).parents[2] / "docs" / "verify.md").read_text()


def shell_blocks() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    return [block for block in blocks if not re.search(r"^portal ", block, re.MULTILINE)]


def test_the_commands_for_linux_work_as_written(tmp_path: Path):
    came = received(tmp_path / "release")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "release.pub.pem").write_text(key().public_pem)
    fingerprint, release = shell_blocks()
    printed = run("sh", "-ec", fingerprint, cwd=tmp_path / "keys").stdout.decode()
    assert printed.split()[0] == key().key_id
    judged = run("sh", "-ec", release, cwd=came.folder, HOME=str(tmp_path))
    assert judged.returncode == 0
    assert judged.stdout.startswith(b"Verified OK\n")


def test_the_exit_codes_are_all_told():
    told = re.findall(r"^\| (\d) \|", GUIDE, re.MULTILINE)
    assert told == [str(int(code)) for code in ExitCode]
