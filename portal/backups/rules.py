"""Which backups are kept: the newest three of a device, the newest of each kind, and everything of 90 days.

One rule in two forms: for rows at hand, and in SQL. A backup that does not open any more stands behind every good one.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from portal.backups.models import DeviceBackup

KEPT_NEWEST = 3
KEPT_FOR = timedelta(days=90)


def superfluous(backups: Iterable[DeviceBackup], at: datetime) -> set[UUID]:
    """Ids of those of the backups (all of every device they are of) that need not be kept any longer."""
    counts: dict[Any, int] = {}
    found = set()
    for backup in sorted(backups, key=lambda b: (b.problem is None, b.stored_at, str(b.id)), reverse=True):
        for place in (backup.device_id, (backup.device_id, backup.kind)):
            counts[place] = counts.get(place, 0) + 1
        is_old = backup.stored_at < at - KEPT_FOR
        is_spare = counts[backup.device_id] > KEPT_NEWEST and counts[backup.device_id, backup.kind] > 1
        if is_old and is_spare:
            found.add(backup.id)
    return found


def superfluous_rows(at: datetime) -> Select[DeviceBackup]:
    """The SQL twin."""
    row = DeviceBackup
    order = (row.problem.is_not(None), row.stored_at.desc(), row.id.desc())
    ranked = select(
        row.id,
        func.row_number().over(partition_by=row.device_id, order_by=order).label("place"),
        func.row_number().over(partition_by=(row.device_id, row.kind), order_by=order).label("place_in_kind"),
    ).subquery()
    spare = select(ranked.c.id).where(ranked.c.place > KEPT_NEWEST, ranked.c.place_in_kind > 1)
    return select(row).where(row.stored_at < at - KEPT_FOR, row.id.in_(spare))
