"""When an update is to be done: what people write in the site's own time, as instants."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from portal.inventory.terms import parse_time_zone
from portal.updates.errors import NoSuchHour, WindowBackwards, WindowPast, WindowTooLong

LONGEST = timedelta(days=14)
YEARS = range(2000, 2200)
"""At the ends of the calendar there are instants that some zones have no date for."""


@dataclass(frozen=True)
class Window:
    """[begins_at, ends_at) and the time zone in which people speak of it."""

    begins_at: datetime
    ends_at: datetime
    time_zone: str

    def require_sensible(self, at: datetime) -> None:
        """Raises WindowPast, WindowBackwards, WindowTooLong, NotATimeZone."""
        parse_time_zone(self.time_zone)
        if self.begins_at < at:
            raise WindowPast
        if self.ends_at <= self.begins_at:
            raise WindowBackwards
        if self.ends_at - self.begins_at > LONGEST:
            raise WindowTooLong(days=LONGEST.days)


def window_of(begins: datetime, ends: datetime, time_zone: str) -> Window:
    """From two wall clock times of the zone. Raises NotATimeZone, NoSuchHour."""
    zone = parse_time_zone(time_zone)
    return Window(instant_of(begins, zone), instant_of(ends, zone), zone)


def local_end(ends_at: datetime | None, time_zone: str, at: datetime) -> datetime:
    """The window's end, or two hours from now if that is later, on the clock of the zone."""
    end = max(ends_at or at, at + timedelta(hours=2))
    return end.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None, second=0, microsecond=0)


def instant_of(local: datetime, time_zone: str) -> datetime:
    """The instant at which the zone's clock shows this; of an hour that comes twice the first. Raises NoSuchHour."""
    zone = ZoneInfo(time_zone)
    if local.year not in YEARS:
        raise NoSuchHour(zone=time_zone, time=f"{local:%Y-%m-%d %H:%M}")
    instant = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise NoSuchHour(zone=time_zone, time=f"{local:%H:%M}")
    return instant
