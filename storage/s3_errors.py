"""S3's errors, turned into the errors of every store."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from urllib3.exceptions import HTTPError

from storage.errors import (
    ObjectExists,
    ObjectMissing,
    OutOfRange,
    StorageError,
    StoreDenied,
    StoreFailed,
    StoreFull,
    StoreMissing,
    StoreUnavailable,
)

# By the answer's code where S3 gives one; HEAD has no body, so there the status is all that is known.
_FULL_CODES = {"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull"}
# Somebody else's write was first or is under way.
_TAKEN_CODES = {"PreconditionFailed", "ConditionalRequestConflict"}
# An upload is gone when it was swept away, and when it was completed and the answer was lost.
_LATER_CODES = {
    "RequestTimeout",
    "SlowDown",
    "BadDigest",
    "XAmzContentSHA256Mismatch",
    "IncompleteBody",
    "NoSuchUpload",
}
_KINDS_BY_STATUS: dict[int, type[StoreUnavailable | StoreDenied | StoreFull]] = {
    401: StoreDenied,
    403: StoreDenied,
    429: StoreUnavailable,
    507: StoreFull,
}
_SERVER_ERRORS = range(500, 600)


@contextmanager
def translated(key: str) -> Iterator[None]:
    """Let no error of boto3 or of the network out of the block but as a StorageError."""
    try:
        yield
    except ClientError as error:
        raise _translate(error, key) from error
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
        raise StoreDenied(str(error)) from error
    except (BotoConnectionError, HTTPClientError, IncompleteReadError, HTTPError, OSError) as error:
        raise StoreUnavailable(str(error)) from error
    except BotoCoreError as error:
        raise StoreFailed(str(error)) from error


def _translate(error: ClientError, key: str) -> StorageError:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return _about_object(code, status, key) or _about_store(code, status, str(error))


def _about_object(code: str, status: int, key: str) -> StorageError | None:
    if code in {"NoSuchKey", "NotFound", "404"}:
        return ObjectMissing(key)
    if code in _TAKEN_CODES:
        return ObjectExists(key)
    if status == 416:  # noqa: PLR2004 - range not satisfiable, RFC 9110 §15.5.17
        return OutOfRange(key, start=0, length=None)
    return None


def _about_store(code: str, status: int, detail: str) -> StorageError:
    if code == "NoSuchBucket":
        return StoreMissing(detail)
    if code in _FULL_CODES:
        return StoreFull(detail)
    if status in _KINDS_BY_STATUS:
        return _KINDS_BY_STATUS[status](detail)
    if code in _LATER_CODES or status in _SERVER_ERRORS:
        return StoreUnavailable(detail)
    return StoreFailed(detail)
