"""`python -m benchmarks [transfer] [kits] [memory] [entitlements] [desk]`: runs them (all, when none is named), prints
the table, and writes it to benchmarks/results.md."""

import platform
import sys
from datetime import UTC, datetime
from os import cpu_count
from pathlib import Path

from benchmarks import desk, entitlements, kits, memory, transfer
from benchmarks.rows import table

MODULES = {"transfer": transfer, "kits": kits, "memory": memory, "entitlements": entitlements, "desk": desk}
RESULTS = Path(__file__).with_name("results.md")
HEAD = """# Results of `python -m benchmarks`

{day}, {system}, Python {python}, {cores} cores. Medians of interleaved rounds; on a shared machine read them as ratios.
A ratio above 1 is in the portal's favour.

"""


def main() -> None:
    chosen = sys.argv[1:] or list(MODULES)
    rows = [row for name in chosen for row in MODULES[name].run()]
    text = HEAD.format(
        day=datetime.now(UTC).date(), system=platform.system(), python=platform.python_version(), cores=cpu_count()
    ) + table(rows)
    print(text)
    if not sys.argv[1:]:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
