"""A customer's contracts against the releases of a product, as places on a line from 0 to 1000."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from portal.entitlements.models import Contract
from portal.entitlements.queries import Standing, standing_of
from portal.releases.models import Release

WIDTH = 1000
LEAST_WIDTH = 4
MARGIN = timedelta(days=45)


@dataclass(frozen=True)
class Bar:
    contract: Contract
    standing: Standing
    x: int
    width: int


@dataclass(frozen=True)
class Tick:
    release: Release
    may_take: bool
    is_subject: bool
    x: int


@dataclass(frozen=True)
class Timeline:
    """`years` are the places where each year begins; `now` is today's."""

    bars: list[Bar]
    ticks: list[Tick]
    years: list[tuple[int, int]]
    now: int
    first: datetime
    last: datetime


def draw(
    contracts: Sequence[Contract], releases: Sequence[tuple[Release, bool]], subject: Release, at: datetime
) -> Timeline:
    """The line reaches from the first of all days to the last, today among them."""
    dated = [(release, may, release.published_at) for release, may in releases if release.published_at]
    days = [at, *(c.starts_at for c in contracts), *(c.ends_at for c in contracts), *(d for _, _, d in dated)]
    first, last = min(days) - MARGIN, max(days) + MARGIN
    span = last - first

    def place(day: datetime) -> int:
        return round(WIDTH * ((day - first) / span))

    return Timeline(
        bars=[
            Bar(
                contract,
                standing_of(contract, at),
                place(contract.starts_at),
                max(place(contract.ends_at) - place(contract.starts_at), LEAST_WIDTH),
            )
            for contract in contracts
        ],
        ticks=[Tick(release, may, release.id == subject.id, place(day)) for release, may, day in dated],
        years=[(place(datetime(y, 1, 1, tzinfo=UTC)), y) for y in range(first.year + 1, last.year + 1)],
        now=place(at),
        first=first,
        last=last,
    )
