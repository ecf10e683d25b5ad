"""The names of the time zones, read once: asking the system for them walks hundreds of files each time."""

import zoneinfo
from functools import cache


@cache
def time_zones() -> frozenset[str]:
    """Every zone of the IANA database that this machine has."""
    return frozenset(zoneinfo.available_timezones())
