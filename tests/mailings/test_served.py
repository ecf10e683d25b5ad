"""A link of a portal that is really served, taken by curl as an engineer would: broken off, resumed, verified."""

import hashlib
import re
import subprocess
import time
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from tests.deliveries.test_clients import needs, run
from tests.mailings.conftest import furnish
from tests.servers.cutting_proxy import cutting_proxy
from tests.servers.granian import served

SIZE = 6 * 1024 * 1024 + 123
CONTENT = hashlib.shake_256(b"firmware by link").digest(SIZE)
CUT_AT = 2 * 1024 * 1024


class Curl:
    """curl with a cookie jar, which fills in a form's token by reading its page."""

    def __init__(self, folder):
        self.jar = folder / "cookies"

    def get(self, address, *more):
        return run("curl", "-sS", "-b", self.jar, "-c", self.jar, *more, address).stdout

    def submit(self, address, page, **fields):
        token = re.search(r'name="csrf_token" type="hidden" value="([^"]+)"|name="csrf_token" value="([^"]+)"',
                          self.get(page))  # fmt: skip
        data = {"csrf_token": token[1] or token[2], **fields}
        given = [part for name, value in data.items() for part in ("--data-urlencode", f"{name}={value}")]
        return self.get(address, "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", *given)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_curl_resumes_behind_the_code(portal, tmp_path):
    needs("curl")
    portal.clock.at = datetime.now(UTC)
    desk = furnish(portal, CONTENT)
    delivery_id = desk.sent()
    curl, got, link = Curl(tmp_path), tmp_path / "got", desk.link()
    with served(portal) as server:
        door = server.address + link
        assert curl.submit(f"{door}/code", door).startswith("303")
        portal.clock.at = datetime.now(UTC)
        portal.work()
        status, where = curl.submit(door, door, one_time_code=desk.codes()[-1]).split()
        assert status == "303"
        first, second = sorted(desk.items(delivery_id), key=lambda item: -item.size_bytes)
        path = where.removeprefix(server.address)
        address = f"{path}/files/{first.artifact_id}/{quote(first.artifact.name)}"
        with cutting_proxy(server.address, after_bytes=CUT_AT, downwards=True, cuts=1) as proxy:
            run("curl", "-sS", "-f", "-b", curl.jar, "-o", got, proxy.endpoint + address, expect=18)
            assert 0 < got.stat().st_size < SIZE
            run("curl", "-sS", "-f", "-b", curl.jar, "-C", "-", "-o", got, proxy.endpoint + address)
        assert got.read_bytes() == CONTENT
        curl.get(f"{where}/files/{second.artifact_id}/{second.artifact.name}", "-o", tmp_path / "second.bin")
        for name in ("SHA256SUMS", "SHA256SUMS.sig"):
            curl.get(f"{where}/papers/{name}", "-o", tmp_path / name)
        got.rename(tmp_path / first.artifact.name)
        subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True)
        for _ in range(600):
            if desk.state(delivery_id) == "delivered":
                break
            time.sleep(0.05)
        assert desk.state(delivery_id) == "delivered"
        assert curl.submit(f"{where}/verified", where).startswith("303")
    assert desk.state(delivery_id) == "acknowledged"
    assert link not in (portal.folder / "served.log").read_text()
