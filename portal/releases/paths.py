"""The way from an installed version to another through a product's releases (DESIGN 3.1, P16).

A release may state the lowest version that it can be installed over, and may be *required*: no step may pass over it.
A withdrawn release neither can be taken nor is required any more. Pure: versions are their sort keys.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Stop:
    """A published release as a place to go through. `lowest_from` None: it can be installed over any version."""

    id: UUID
    version: str
    key: str
    lowest_from: str | None = None
    is_required: bool = False


@dataclass(frozen=True)
class Gap:
    """Why there is no way: `stop` could be reached from nowhere that the way has come to.

    `needs` is the sort key of the lowest version that it can be installed over; the furthest that can be reached below
    it is `reached` (None: the installed version itself).
    """

    stop: Stop
    needs: str | None
    reached: Stop | None


def way(
    start: str, target: Stop, stops: Iterable[Stop], may_take: Callable[[Stop], bool] | None = None
) -> tuple[Stop, ...] | Gap:
    """The shortest way from the version with the key `start` to the target, the target last; of several the one whose
    steps go furthest first. Empty when the target is installed already or is older.

    `may_take` says which stops may be taken; the others can't be gone through, but required ones still can't be
    passed over. A Gap when there is none.
    """
    between = sorted((stop for stop in stops if start < stop.key <= target.key), key=lambda stop: stop.key)
    if target.key <= start:
        return ()
    usable = [stop for stop in between if may_take is None or may_take(stop)]
    required = [stop.key for stop in between if stop.is_required]
    best: dict[str, tuple[Stop, ...]] = {start: ()}
    for stop in usable:
        found = [best[key] for key in best if _is_step(key, stop, required)]
        if found:
            shortest = min(len(steps) for steps in found)
            # Later entries come from further on: of equally short ways the one that goes furthest first is kept.
            best[stop.key] = (*[steps for steps in found if len(steps) == shortest][-1], stop)
    return best.get(target.key) or _gap(target, between, best)


def _is_step(key: str, stop: Stop, required: Sequence[str]) -> bool:
    """The release can be installed over the version with the key, and nothing required lies between."""
    is_over = stop.lowest_from is None or key >= stop.lowest_from
    return key < stop.key and is_over and not any(key < other < stop.key for other in required)


def _gap(target: Stop, between: Sequence[Stop], best: dict[str, tuple[Stop, ...]]) -> Gap:
    """The first release that every way has to go through and none reaches: a required one, or the target."""
    missing = next((stop for stop in between if stop.is_required and stop.key not in best), target)
    reached = [steps[-1] for steps in best.values() if steps and steps[-1].key < missing.key]
    furthest = max(reached, key=lambda stop: stop.key, default=None)
    return Gap(missing, missing.lowest_from, furthest)
