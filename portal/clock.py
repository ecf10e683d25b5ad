"""The one place where the time is read. Everything else is handed the instant."""

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)
