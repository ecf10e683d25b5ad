"""Objects by key, in files or in S3, behind one contract (`ObjectStore`). It knows nothing of who uses it."""

from storage.address import check_address, open_store
from storage.contract import ObjectStore, Received
from storage.errors import (
    DigestMismatch,
    InvalidAddress,
    InvalidDigest,
    InvalidKey,
    ObjectExists,
    ObjectMissing,
    OutOfRange,
    SizeMismatch,
    StorageError,
    StoreDenied,
    StoreFailed,
    StoreFull,
    StoreMissing,
    StoreProblem,
    StoreUnavailable,
    TooLarge,
)
from storage.files import FileStore
from storage.keys import content_key, digest_in
from storage.reader import ObjectReader
from storage.s3 import S3Settings, S3Store
from storage.streams import Source
from storage.values import StoredObject

__all__ = [
    "DigestMismatch",
    "FileStore",
    "InvalidAddress",
    "InvalidDigest",
    "InvalidKey",
    "ObjectExists",
    "ObjectMissing",
    "ObjectReader",
    "ObjectStore",
    "OutOfRange",
    "Received",
    "S3Settings",
    "S3Store",
    "SizeMismatch",
    "Source",
    "StorageError",
    "StoreDenied",
    "StoreFailed",
    "StoreFull",
    "StoreMissing",
    "StoreProblem",
    "StoreUnavailable",
    "StoredObject",
    "TooLarge",
    "check_address",
    "content_key",
    "digest_in",
    "open_store",
]
