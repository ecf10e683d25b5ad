"""The ways that are found equal those of a search that tries everything."""

from itertools import combinations
from random import Random
from uuid import uuid4

import pytest

from portal.releases.paths import Gap, Stop, way


def stop(key: int, lowest: int | None = None, *, required: bool = False) -> Stop:
    return Stop(uuid4(), str(key), f"{key:03}", None if lowest is None else f"{lowest:03}", required)


def keys(found) -> list[int]:
    assert not isinstance(found, Gap)
    return [int(step.key) for step in found]


def test_without_conditions_one_step_is_enough():
    stops = [stop(number) for number in range(1, 9)]
    assert keys(way("000", stops[-1], stops)) == [8]


def test_a_required_release_is_not_passed_over():
    stops = [stop(1), stop(2, required=True), stop(3), stop(4)]
    assert keys(way("000", stops[-1], stops)) == [2, 4]
    assert keys(way("002", stops[-1], stops)) == [4]


def test_a_lowest_version_is_kept():
    stops = [stop(1), stop(2), stop(3, 1), stop(4, 3)]
    assert keys(way("000", stops[-1], stops)) == [2, 3, 4]


def test_what_is_installed_or_older_needs_no_step():
    stops = [stop(1), stop(2)]
    assert way("002", stops[1], stops) == ()
    assert way("002", stops[0], stops) == ()


@pytest.mark.parametrize(
    ("stops", "missing", "reached"),
    [
        ([stop(1), stop(3, 2)], 3, 1),
        ([stop(2, 1, required=True), stop(3)], 2, None),
        ([stop(1), stop(2, required=True), stop(3, 9)], 3, 2),
    ],
)
def test_where_there_is_no_way_the_release_that_can_not_be_reached_is_named(stops, missing, reached):
    gap = way("000", stops[-1], stops)
    assert isinstance(gap, Gap)
    assert int(gap.stop.key) == missing
    assert (int(gap.reached.key) if gap.reached else None) == reached


def test_a_required_release_that_may_not_be_taken_bars_the_way():
    stops = [stop(1), stop(2, required=True), stop(3)]
    gap = way("000", stops[-1], stops, may_take=lambda one: int(one.key) != 2)
    assert isinstance(gap, Gap)
    assert int(gap.stop.key) == 2


def search(start: str, target: Stop, stops: list[Stop], may_take) -> list[Stop] | None:
    """The shortest way by trying every set of releases in between, the smallest sets first and of equally small ones
    those whose steps go furthest."""
    inner = [one for one in stops if start < one.key < target.key and may_take(one)]
    inner.sort(key=lambda one: one.key, reverse=True)
    required = [one.key for one in stops if one.is_required and start < one.key <= target.key]
    if not may_take(target):
        return None
    for size in range(len(inner) + 1):
        for chosen in combinations(inner, size):
            steps = [*sorted(chosen, key=lambda one: one.key), target]
            before = [start, *(step.key for step in steps)]
            if all(
                (step.lowest_from is None or at >= step.lowest_from)
                and not any(at < key < step.key for key in required)
                for at, step in zip(before, steps, strict=False)
            ):
                return steps
    return None


def world(random: Random) -> list[Stop]:
    count = random.randrange(1, 11)
    return [
        stop(
            number,
            random.randrange(max(0, number - 4), number) if random.random() < 0.5 else None,
            required=random.random() < 0.2,
        )
        for number in range(1, count + 1)
    ]


def test_two_hundred_devices_over_twenty_products_go_the_ways_that_a_search_of_everything_finds():
    random = Random(4)
    ways = gaps = 0
    for stops in [world(random) for _ in range(20)]:
        for _ in range(10):
            start = f"{random.randrange(len(stops)):03}"
            forbidden = {one.key for one in stops if random.random() < 0.15}
            for target in stops:
                if target.key <= start:
                    continue
                found = way(
                    start, target, random.sample(stops, len(stops)), lambda one, barred=forbidden: one.key not in barred
                )
                expected = search(start, target, stops, lambda one, barred=forbidden: one.key not in barred)
                if expected is None:
                    gaps += 1
                    assert isinstance(found, Gap)
                else:
                    ways += 1
                    assert list(found) == expected
    assert min(ways, gaps) > 100
