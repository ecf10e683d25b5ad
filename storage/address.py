"""Stores by address, so that a setting chooses the backend."""

from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from storage.contract import ObjectStore
from storage.errors import InvalidAddress, InvalidKey
from storage.files import FileStore
from storage.s3 import S3Settings, S3Store

_OPTIONS = {"endpoint", "public_endpoint", "region"}


def open_store(address: str, *, access_key: str | None = None, secret_key: str | None = None) -> ObjectStore:
    """The store at an address; nothing is read or written yet (see `ObjectStore.check`).

    - `file:///absolute/folder`, made at the first write
    - `s3://bucket/prefix?endpoint=https://s3.example.net&region=eu-1&public_endpoint=https://files.example.net`, all
      but the bucket optional. Keys are given here or found where boto3 looks: `AWS_ACCESS_KEY_ID` and so on. They are
      never part of an address, for addresses are shown in logs.

    Raises InvalidAddress.
    """
    parts = urlsplit(address)
    if "@" in parts.netloc:
        raise InvalidAddress(f"{parts.scheme}:", "it must not hold credentials")
    if parts.scheme == "file":
        return _file_store(address, parts)
    if parts.scheme == "s3":
        return S3Store(_s3_settings(address, parts, access_key, secret_key))
    raise InvalidAddress(address, "it must begin with file: or s3:")


def check_address(address: str) -> None:
    """Raises InvalidAddress where `open_store` would, and opens nothing."""
    parts = urlsplit(address)
    if parts.scheme == "s3" and "@" not in parts.netloc:
        _s3_settings(address, parts, None, None)
    else:
        open_store(address)


def _file_store(address: str, parts: SplitResult) -> FileStore:
    path = Path(unquote(parts.path))
    if parts.netloc not in {"", "localhost"} or not path.is_absolute() or parts.query or parts.fragment:
        raise InvalidAddress(address, "write it as file:///absolute/folder")
    return FileStore(path)


def _s3_settings(address: str, parts: SplitResult, access_key: str | None, secret_key: str | None) -> S3Settings:
    options = dict(parse_qsl(parts.query))
    if unknown := options.keys() - _OPTIONS:
        raise InvalidAddress(address, f"unknown option {', '.join(sorted(unknown))}")
    if (access_key is None) != (secret_key is None):
        raise InvalidAddress(address, "an access key and a secret key go together")
    for name in ("endpoint", "public_endpoint"):
        if name in options and urlsplit(options[name]).scheme not in {"http", "https"}:
            raise InvalidAddress(address, f"{name} must begin with http:// or https://")
    prefix = unquote(parts.path).strip("/")
    try:
        return S3Settings(parts.netloc, prefix=prefix, access_key=access_key, secret_key=secret_key, **options)
    except InvalidKey as error:
        raise InvalidAddress(address, error.reason) from error
