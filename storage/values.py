"""What a store says about an object."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object: `sha256` is known for content keys, else None; `modified_at` is aware UTC, by the store's clock."""

    key: str
    size_bytes: int
    sha256: str | None
    modified_at: datetime
