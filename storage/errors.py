"""What can go wrong with a store, whichever it is: every backend's own error is turned into one of these.

Each class has a stable `code`, and keeps its facts as attributes for pages, answers and logs.
"""

from typing import ClassVar


class StorageError(Exception):
    """Base of all; the sentence never holds a secret."""

    code: ClassVar[str] = "storage"


class InvalidKey(StorageError):
    code = "invalid-key"

    def __init__(self, key: str, reason: str) -> None:
        self.key, self.reason = key, reason
        super().__init__(f"{key[:80]!r} cannot name an object: {reason}")


class InvalidDigest(StorageError):
    """A declared digest that no SHA-256 can be: not 64 hexadecimal digits."""

    code = "invalid-digest"

    def __init__(self, digest: str) -> None:
        self.digest = digest
        super().__init__(f"{digest[:80]!r} is not a SHA-256 digest of 64 hexadecimal digits")


class InvalidAddress(StorageError):
    code = "invalid-address"

    def __init__(self, address: str, reason: str) -> None:
        self.address, self.reason = address, reason
        super().__init__(f"{address!r} is not the address of an object store: {reason}")


class ObjectMissing(StorageError):
    code = "object-missing"

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"There is no object {key!r}")


class ObjectExists(StorageError):
    """The name is taken by other bytes; the same bytes again are no error."""

    code = "object-exists"

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"Object {key!r} exists already with other bytes")


class OutOfRange(StorageError):
    code = "out-of-range"

    def __init__(self, key: str, *, start: int, length: int | None, size_bytes: int | None = None) -> None:
        self.key, self.start, self.length, self.size_bytes = key, start, length, size_bytes
        wanted = f"from byte {start}" if length is None else f"{length} bytes from byte {start}"
        super().__init__(f"{wanted} do not lie inside object {key!r}")


class DigestMismatch(StorageError):
    code = "digest-mismatch"

    def __init__(self, *, expected: str, received: str) -> None:
        self.expected, self.received = expected, received
        super().__init__(f"SHA-256 {expected} was declared, the bytes received have {received}")


class SizeMismatch(StorageError):
    """A stream that ended early or went on too long, or a stored object of another length than it must have."""

    code = "size-mismatch"

    def __init__(self, *, expected: int, received: int) -> None:
        self.expected, self.received = expected, received
        super().__init__(f"{expected} bytes were expected, {received} came")


class TooLarge(StorageError):
    code = "too-large"

    def __init__(self, *, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        super().__init__(f"The object is larger than the limit of {limit_bytes} bytes")


class StoreProblem(StorageError):
    """The store itself, not what was asked of it; `detail` is the backend's own sentence, for the log."""

    code = "store-problem"
    sentence: ClassVar[str] = "The object store failed"

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(f"{self.sentence}: {detail}")


class StoreFull(StoreProblem):
    code = "store-full"
    sentence = "The object store is full"


class StoreUnavailable(StoreProblem):
    """Down, unreachable, too slow or overloaded; the same request may succeed later."""

    code = "store-unavailable"
    sentence = "The object store cannot be reached"


class StoreMissing(StoreUnavailable):
    """The bucket or the folder that should hold everything is not there."""

    code = "store-missing"
    sentence = "The object store does not exist"


class StoreDenied(StoreProblem):
    code = "store-denied"
    sentence = "The object store refuses these credentials"


class StoreFailed(StoreProblem):
    """An answer that fits nothing else; repeating the request is not known to help."""

    code = "store-failed"
