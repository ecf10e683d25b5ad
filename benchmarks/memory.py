"""5 GiB in and out of the portal as it is served: how much its memory rises. The test of that name, at full size."""

import os
import re
import subprocess
import sys

from benchmarks.rows import Row

SIZE_MIB = 5120


def run() -> list[Row]:
    """Needs 11 GiB of disk where temporary files are."""
    command = [sys.executable, "-m", "pytest", "-n", "0", "-s", "tests/deliveries/test_memory.py"]
    environment = os.environ | {"PORTAL_TEST_LARGE_MIB": str(SIZE_MIB)}
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    found = re.search(r"upload (\+?-?[\d.]+ MiB), download (\+?-?[\d.]+ MiB)", told)
    assert found, told
    ways = (("upload", found[1]), ("download", found[2]))
    return [Row(f"memory of the server, {way} of 5 GiB", rise, "before", "—", "< 64 MiB") for way, rise in ways]
