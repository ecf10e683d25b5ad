"""Stores by address, so that a setting chooses the backend."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from storage.contract import ObjectStore
from storage.errors import InvalidAddress
from storage.files import FileStore


def open_store(address: str) -> ObjectStore:
    """The store at `file:///absolute/folder`; nothing is read or written yet. Raises InvalidAddress."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        path = Path(unquote(parts.path))
        if parts.netloc not in {"", "localhost"} or not path.is_absolute() or parts.query:
            raise InvalidAddress(address, "write it as file:///absolute/folder")
        return FileStore(path)
    raise InvalidAddress(address, "it must begin with file: or s3:")
