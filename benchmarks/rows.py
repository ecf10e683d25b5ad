"""What every benchmark gives: one line for the table."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the results: what was measured, against what, their ratio, and what was promised."""

    name: str
    measured: str
    against: str
    ratio: str
    aim: str


def seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def interleaved(rounds: int, ways: dict[str, Callable[[], float]]) -> dict[str, float]:
    """The median of each way, all tried in turn in every round: on a shared machine only neighbours compare."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        names = list(ways)
        for name in names if number % 2 else reversed(names):
            taken[name].append(ways[name]())
    return {name: statistics.median(values) for name, values in taken.items()}


def table(rows: Sequence[Row]) -> str:
    """A Markdown table."""
    lines = ["| what | measured | against | ratio | aim |", "|---|---|---|---|---|"]
    lines += [f"| {row.name} | {row.measured} | {row.against} | {row.ratio} | {row.aim} |" for row in rows]
    return "\n".join(lines) + "\n"
