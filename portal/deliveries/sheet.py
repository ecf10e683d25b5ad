"""Deliveries as a table for a spreadsheet: UTF-8 with a byte order mark, cells that are never formulas."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from portal.deliveries.models import Delivery
from portal.deliveries.progress import next_step
from portal.web.spreadsheets import neutral

MOST_ROWS = 10_000
COLUMNS = ("number", "asked_or_issued", "customer", "name", "product", "version", "files", "channel", "recipient",
           "state", "stopped", "due", "delivered", "acknowledged", "next")  # fmt: skip


def sheet(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The table as bytes (RFC 4180)."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(header)
    for row in rows:
        table.writerow([neutral(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def rows_of(deliveries: Iterable[Delivery], translate: Callable[[str], str]) -> Iterable[tuple[str, ...]]:
    """One row for each delivery, with customer, release, product and files loaded; instants UTC by RFC 3339."""
    for delivery in deliveries:
        following = next_step(delivery)
        release, recipient = delivery.release, delivery.recipient or {}
        yield (
            delivery.number or "",
            said(delivery.created_at),
            delivery.organisation.code,
            delivery.organisation.name,
            release.product.name,
            release.version,
            ", ".join(item.artifact.name for item in delivery.items),
            delivery.channel.value,
            recipient.get("name") or delivery.person_name,
            delivery.state.value,
            said(delivery.stopped_at),
            said(delivery.due_at),
            said(delivery.delivered_at),
            said(delivery.acknowledged_at),
            following.sentence_in(translate) if following else "",
        )


def said(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
