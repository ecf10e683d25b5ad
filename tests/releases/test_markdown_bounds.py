"""Bounded work: the operating system ends the process that takes too much time or memory for a text."""

import subprocess
import sys
from pathlib import Path

from portal.releases.markdown import MAX_NOTES_CHARS

CPU_SECONDS_EACH = 10
"""Five times what the slowest takes; what is quadratic takes minutes."""
MEMORY_BYTES = 2 << 30

BOUNDED = f"""
import resource, sys
from portal.releases.markdown import MAX_NOTES_CHARS, render

resource.setrlimit(resource.RLIMIT_AS, ({MEMORY_BYTES}, {MEMORY_BYTES}))
for line in sys.stdin:
    head, unit, tail = eval(line)
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + {CPU_SECONDS_EACH}
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
    room = MAX_NOTES_CHARS - len(head) - len(tail)
    html = render(head + (unit * (room // len(unit) + 1))[:room] + tail)
    print(line.strip(), len(html), flush=True)
"""

HALF = MAX_NOTES_CHARS // 2
REPEATED = [
    "[", "![", "[![](", "[a](", "![a](", "[a][", "[a]: b\n", "[a\n\n", "*", "*a ", "*a_ ", "a**b", "~~a ", "`", "``a`",
    "> ", "> a\n", ">>>>>>>>>>>>>>>>>>>>\n\n", "> " * 19 + "a\na\n", "- a\n  ", "- " * 11 + "a\nb\n",
    "> - " * 8 + "a\n\n", "> ```\nb\n", "> " * 8 + "```\nb\n", "> " * 8 + "    a\nb\n", "> " * 12 + "[a\nb\n",
    "<", "<!--", "&", "\\", "|a\n", "|\n|-|\n", "#\n", "a\n=\n", "a\n", "```\n", "\n", "\ud800",
    "[a](http://" + "ж" * 60 + ") ",
]  # fmt: skip
AROUND = [
    ("", "[", "]" * HALF), ("", "[", "](b)" * (HALF // 4)), ("", "![", "](b)" * (HALF // 4)),
    ("", "[![", "](b)" * (HALF // 4)),
    ("", "[", "*" * HALF), ("", "![", "*" * HALF), ("", "*a ", "b* " * (HALF // 3)),
    ("", "**a *b ", "c** " * (HALF // 4)),
    ("", "~~a ", "b~~ " * (HALF // 4)), ("", "*", "a" + "*" * HALF), ("[a](https://ok.example/", "ж", ")"),
    ("[a](https://", "ж", ")"), ("<http://xn--", "a9", ">"), ('[a](b "', '\\"', '")'), ("> " * 19 + "a\n", "a\n", ""),
    ("- " * 9 + "a\n", "a\n", ""), ("[a]: https://ok.example/" + "x" * HALF + "\n\n", "[a]", ""),
    ("[a]: https://ok.example/" + "x" * 1900 + "\n\n", "[a]", ""), ("[" + "x" * HALF + "]: b\n\n", "[a]", ""),
    ("", "|a" * 100 + "\n" + "|-" * 100 + "\n" + "a\n" * 655 + "\n", ""),
    ("|a" * 20 + "\n" + "|-" * 20 + "\n" + "|" * HALF + "\n", "a\n", ""),
    ("```\n", "a\n", ""), ("> ```\n", "> a\n", ""), ("", " " * 2000 + "a\n", ""),
]  # fmt: skip


def test_the_most_awkward_texts_are_rendered_within_seconds_and_bounds():
    cases = [("", unit, "") for unit in REPEATED] + AROUND
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED],
        input="".join(f"{case!a}\n" for case in cases),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    answered = done.stdout.splitlines()
    assert done.returncode == 0, f"stopped at {str(cases[len(answered)])[:200]}: {done.stderr[-500:]}"
    assert len(answered) == len(cases)
    assert max(int(line.rpartition(" ")[2]) for line in answered) < 40 * MAX_NOTES_CHARS
