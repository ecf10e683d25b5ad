"""`portal demo` as a newcomer runs it: made, served at once, and a paper drawn by the server that was forked."""

import re
import subprocess
import sys
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

from portal.demo.people import PASSWORD
from tests.servers.granian import free_port, wait_for

PORTAL = str(Path(sys.executable).parent / "portal")


def test_an_evidence_pack_is_drawn_and_verified_right_after_the_world_was_made(tmp_path):
    port, log = free_port(), tmp_path / "demo.log"
    with log.open("wb") as output:
        command = [PORTAL, "demo", "--port", str(port)]
        process = subprocess.Popen(command, cwd=tmp_path, stdout=output, stderr=output)
    try:
        wait_for(port, process, log, seconds=120)
        pack, key = _taken(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(30)
    (tmp_path / "pack.zip").write_bytes(pack)
    (tmp_path / "vendor.pem").write_bytes(key)
    verify = [PORTAL, "evidence", "verify", "pack.zip", "--key", "vendor.pem"]
    done = subprocess.run(verify, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    assert PASSWORD in log.read_text()


def _taken(address: str) -> tuple[bytes, bytes]:
    """An evidence pack of the first delivery on the list, and the vendor's key from its page of keys."""
    browser = build_opener(HTTPCookieProcessor(CookieJar()))

    def page(path: str, data: bytes | None = None) -> bytes:
        return browser.open(address + path, data, timeout=20).read()

    def found(pattern: str, text: bytes) -> str:
        match = re.search(pattern, text.decode())
        assert match, pattern
        return match[1]

    token = found('name="csrf_token"[^>]*value="([^"]+)"', page("/sign-in"))
    page("/sign-in", urlencode({"csrf_token": token, "email": "manager@volga.example", "password": PASSWORD}).encode())
    delivery = found('href="(/deliveries/[0-9a-f-]{36})"', page("/deliveries"))
    return page(f"{delivery}/evidence.zip"), page(found('href="(/keys/[0-9a-f]+.pem)"', page("/keys")))
