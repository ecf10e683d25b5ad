"""Objects in a bucket of any S3."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from storage.contract import FRESH, SMALL_OBJECT_BYTES, Received
from storage.errors import (
    InvalidAddress,
    ObjectExists,
    ObjectMissing,
    OutOfRange,
    SizeMismatch,
    StorageError,
    StoreFailed,
    StoreMissing,
    StoreUnavailable,
)
from storage.keys import check_key, check_prefix, content_key, digest_in
from storage.reader import READ_BLOCK_BYTES, ObjectReader
from storage.s3_errors import translated
from storage.s3_multipart import MAX_PARTS, PART_BYTES, PARTS_UNDER_WAY, MultipartUpload, Place
from storage.streams import Block, Expected, Intake, Source, read_small
from storage.values import StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

# A leading dot, so that no key can ever lead here.
INCOMING = ".incoming/"
MAX_OBJECT_BYTES = MAX_PARTS * PART_BYTES
PAGE_KEYS = 1000
CONNECT_SECONDS = 3
READ_SECONDS = 30
ATTEMPTS = 3
COMPLETING_LOCKS = 16


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Where a bucket is. Without an endpoint it is AWS; without keys, boto3's usual chain finds them.

    `public_endpoint` is the address that customers reach, where it differs from the portal's own way to the server:
    presigned URLs are made for it.
    """

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    public_endpoint: str | None = None
    region: str | None = None
    access_key: str | None = None
    secret_key: str | None = None

    def __post_init__(self) -> None:
        if not self.bucket:
            raise InvalidAddress("s3:", "it names no bucket")
        if self.prefix:
            check_key(self.prefix)

    def __repr__(self) -> str:
        return f"S3Settings(s3://{self.bucket}/{self.prefix} at {self.endpoint or 'AWS'})"


class S3Store:
    """Objects in a bucket, below a prefix if there is one.

    Every request's body is signed (SHA-256), so that what arrives is what was hashed, and no newer checksum headers
    are sent that older servers do not know. The credentials need to get, put, delete and list objects, and to list and
    abort multipart uploads; without the right to list, S3 answers 403 where an object is only missing.
    """

    def __init__(self, settings: S3Settings, *, page_keys: int = PAGE_KEYS) -> None:
        self.settings = settings
        self._bucket = settings.bucket
        self._prefix = f"{settings.prefix}/" if settings.prefix else ""
        self._page_keys = page_keys
        self._completing = tuple(Lock() for _ in range(COMPLETING_LOCKS))
        self._client = _client(settings, settings.endpoint)
        public = settings.public_endpoint
        self._public_client = _client(settings, public) if public else self._client

    def receive(
        self,
        source: Source,
        *,
        limit_bytes: int,
        expected_sha256: str | None = None,
        expected_size: int | None = None,
    ) -> Received:
        """As the contract says; at most 78 GiB (10,000 parts of 8 MiB), for then memory stays bounded.

        Up to 8 MiB go in one PUT. More goes in parts, straight to its key where the digest was declared; else to
        `.incoming/`, from where the server copies it. Staging in a local file instead measures the same on one machine
        (9.5 s against 10 s for 1 GiB), needs a disk as large as all uploads at once, and begins to send only when the
        client has ended; a server of its own copies without costing this one anything.
        """
        expected = Expected(min(limit_bytes, MAX_OBJECT_BYTES), expected_sha256, expected_size)
        with Intake(source, expected, block_bytes=PART_BYTES, block_count=PARTS_UNDER_WAY + 1) as intake:
            blocks = iter(intake)
            first = next(blocks, None)
            if first is None or not first.full:
                return self._receive_small(intake, blocks, bytes(first.view) if first else b"")
            if expected.sha256 is None:
                return self._receive_unknown(intake, first, blocks)
            return self._receive_known(intake, first, blocks, content_key(expected.sha256))

    def put(self, key: str, content: bytes | Source, *, limit_bytes: int = SMALL_OBJECT_BYTES) -> StoredObject:
        check_key(key)
        whole = read_small(content, limit_bytes=limit_bytes)
        created = self._if_absent(key, lambda: self._put(key, whole))
        stored = self._confirm(key)
        if not created and not self._holds(stored, whole):
            raise ObjectExists(key)
        return stored

    def open_range(
        self, key: str, start: int = 0, length: int | None = None, *, block_bytes: int = READ_BLOCK_BYTES
    ) -> ObjectReader:
        check_key(key)
        if start < 0 or (length or 0) < 0:
            raise OutOfRange(key, start=start, length=length)
        try:
            if length != 0:
                return self._open(key, start, length, block_bytes)
        except OutOfRange as error:  # the start is at the end, or past it
            cause: OutOfRange | None = error
        else:
            cause = None
        stored = self.stat(key)
        if start > stored.size_bytes or (length and start + length > stored.size_bytes):
            raise OutOfRange(key, start=start, length=length, size_bytes=stored.size_bytes) from cause
        return ObjectReader(
            stored, start=start, length=0, block_bytes=block_bytes, read=lambda _: b"", close=lambda: None
        )

    def stat(self, key: str) -> StoredObject:
        check_key(key)
        try:
            return self._head(key)
        except ObjectMissing:
            self._require_bucket()
            raise

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        for key, size_bytes, modified_at in self._pages(self._prefix + check_prefix(prefix)):
            if not key.startswith("."):
                yield StoredObject(key, size_bytes, digest_in(key), modified_at)

    def delete(self, key: str) -> None:
        check_key(key)
        self._delete(key)

    def presigned_get(
        self,
        key: str,
        *,
        expires_in: timedelta,
        content_disposition: str | None = None,
        content_type: str | None = None,
    ) -> str | None:
        parameters = {"Bucket": self._bucket, "Key": self._prefix + check_key(key)}
        if content_disposition is not None:
            parameters["ResponseContentDisposition"] = content_disposition
        if content_type is not None:
            parameters["ResponseContentType"] = content_type
        with translated(key):
            return self._public_client.generate_presigned_url(
                "get_object", Params=parameters, ExpiresIn=int(expires_in.total_seconds()), HttpMethod="GET"
            )

    def local_path(self, key: str) -> Path | None:
        check_key(key)
        return None

    def sweep(self, *, older_than: datetime) -> int:
        removed = 0
        for key, _, modified_at in self._pages(self._prefix + INCOMING):
            if modified_at < older_than:
                self._delete(key)
                removed += 1
        with translated(INCOMING):
            uploads = self._client.get_paginator("list_multipart_uploads")
            for page in uploads.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for upload in page.get("Uploads", ()):
                    if upload["Initiated"] < older_than:
                        self._abort(upload["Key"], upload["UploadId"])
                        removed += 1
        return removed

    def check(self) -> None:
        probe = INCOMING + token_hex(16)
        self._put(probe, b"1")
        self._delete(probe)

    def _receive_small(self, intake: Intake, blocks: Iterator[Block], whole: bytes) -> Received:
        for _ in blocks:  # there is none; the loop lets the intake come to its end and verify
            pass
        key = content_key(intake.sha256)
        created = self._if_absent(key, lambda: self._put(key, whole))
        return self._received(key, intake, created=created)

    def _receive_known(self, intake: Intake, first: Block, blocks: Iterator[Block], key: str) -> Received:
        if self._is_fresh(key):
            for _ in blocks:  # read all the same: only who has the bytes may say that they are these
                pass
            return self._received(key, intake, created=False)
        with MultipartUpload(self._place(key)) as upload:
            upload.add(first)
            for block in blocks:
                upload.add(block)
            created = self._complete(upload, key)
        return self._received(key, intake, created=created)

    def _receive_unknown(self, intake: Intake, first: Block, blocks: Iterator[Block]) -> Received:
        incoming = INCOMING + token_hex(16)
        with MultipartUpload(self._place(incoming)) as upload:
            upload.add(first)
            for block in blocks:
                upload.add(block)
            self._if_absent(incoming, upload.complete)  # the name is random: whatever is there is ours
        key = content_key(intake.sha256)
        try:
            created = not self._there(key) and self._copy(incoming, key, intake.size_bytes)
        finally:
            with suppress(StorageError):  # `sweep` comes round; the outcome of the upload is what counts here
                self._delete(incoming)
        return self._received(key, intake, created=created)

    def _copy(self, incoming: str, key: str, size_bytes: int) -> bool:
        with MultipartUpload(self._place(key)) as upload:
            try:
                upload.copy(self._prefix + incoming, size_bytes)
            except ObjectMissing as error:
                raise StoreUnavailable("the upload was swept away before its end") from error
            return self._complete(upload, key)

    def _complete(self, upload: MultipartUpload, key: str) -> bool:
        """Complete if absent; whether it was.

        SeaweedFS 4.48 looks and completes in two steps, so that of several at once each may hear that it was first (a
        PUT is atomic there). Between threads the lock sees to it; between processes the same bytes come to the same
        name, and `created` is all that may err.
        """
        with self._completing[int(digest_in(key) or "0", 16) % len(self._completing)]:
            return not self._there(key) and self._if_absent(key, upload.complete)

    def _if_absent(self, key: str, write: Callable[[], None]) -> bool:
        """Write; whether it was this write that made the object, as far as can be known."""
        try:
            write()
        except ObjectExists:
            return False
        except StoreUnavailable:  # the answer may have been lost, and not the write
            if not self._there(key):
                raise
            return False
        return True

    def _received(self, key: str, intake: Intake, *, created: bool) -> Received:
        stored = self._confirm(key)
        if stored.size_bytes != intake.size_bytes:
            raise SizeMismatch(expected=intake.size_bytes, received=stored.size_bytes)
        return Received(key, intake.sha256, intake.size_bytes, created)

    def _confirm(self, key: str) -> StoredObject:
        try:
            return self._head(key)
        except ObjectMissing as error:  # another's write made ours give way, and then failed itself
            raise StoreUnavailable(f"{key} was not kept; the upload may be repeated") from error

    def _there(self, key: str) -> bool:
        try:
            self._head(key)
        except ObjectMissing:
            return False
        return True

    def _is_fresh(self, key: str) -> bool:
        try:
            return datetime.now(UTC) - self._head(key).modified_at < FRESH
        except ObjectMissing:
            return False

    def _holds(self, stored: StoredObject, content: bytes) -> bool:
        if stored.size_bytes != len(content):
            return False
        with self.open_range(stored.key) as reader:
            return reader.read() == content

    def _open(self, key: str, start: int, length: int | None, block_bytes: int) -> ObjectReader:
        last = "" if length is None else start + length - 1
        with translated(key):
            full_key = self._prefix + key
            if start == 0 and length is None:
                answer = self._client.get_object(Bucket=self._bucket, Key=full_key)
            else:
                answer = self._client.get_object(Bucket=self._bucket, Key=full_key, Range=f"bytes={start}-{last}")
        body, received = answer["Body"], answer["ContentLength"]
        size_bytes = _whole_size(answer)
        if received != (size_bytes - start if length is None else length):
            body.close()
            if start + received == size_bytes:
                raise OutOfRange(key, start=start, length=length, size_bytes=size_bytes)
            raise StoreFailed(f"{received} bytes offered of {key} from byte {start}, asked for {length}")
        stored = StoredObject(key, size_bytes, digest_in(key), answer["LastModified"].astimezone(UTC))

        def read(size: int) -> bytes:
            with translated(key):
                return body.read(size)

        return ObjectReader(stored, start=start, length=received, block_bytes=block_bytes, read=read, close=body.close)

    def _head(self, key: str) -> StoredObject:
        with translated(key):
            answer = self._client.head_object(Bucket=self._bucket, Key=self._prefix + key)
        return StoredObject(key, answer["ContentLength"], digest_in(key), answer["LastModified"].astimezone(UTC))

    def _require_bucket(self) -> None:
        """HEAD answers a missing object and a missing bucket alike."""
        try:
            with translated(self._bucket):
                self._client.head_bucket(Bucket=self._bucket)
        except ObjectMissing as error:
            raise StoreMissing(f"bucket {self._bucket}") from error

    def _pages(self, full_prefix: str) -> Iterator[tuple[str, int, datetime]]:
        with translated(full_prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=full_prefix, PaginationConfig={"PageSize": self._page_keys}
            )
            for page in pages:
                for found in page.get("Contents", ()):
                    yield found["Key"].removeprefix(self._prefix), found["Size"], found["LastModified"].astimezone(UTC)

    def _place(self, key: str) -> Place:
        return Place(self._client, self._bucket, self._prefix + key)

    def _put(self, key: str, content: bytes) -> None:
        # SeaweedFS 4.48 keeps an empty object when the connection breaks off between the headers and the body, signed
        # body or not; with this header it does not, and every S3 knows it.
        digest = b64encode(md5(content, usedforsecurity=False).digest()).decode()
        with translated(key):
            self._client.put_object(
                Bucket=self._bucket, Key=self._prefix + key, Body=content, ContentMD5=digest, IfNoneMatch="*"
            )

    def _abort(self, full_key: str, upload_id: str) -> None:
        with suppress(StoreUnavailable), translated(full_key):  # it has just ended by itself; else next time
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=full_key, UploadId=upload_id)

    def _delete(self, key: str) -> None:
        with suppress(ObjectMissing), translated(key):
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)


def _whole_size(answer: "GetObjectOutputTypeDef") -> int:
    """The size of the object, of which the answer may be a part (`bytes 0-9/100`, RFC 9110 §14.4)."""
    whole = answer.get("ContentRange", "").rpartition("/")[2]
    return int(whole) if whole.isdecimal() else answer["ContentLength"]


def _client(settings: S3Settings, endpoint: str | None) -> "S3Client":
    config = Config(
        signature_version="s3v4",
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=64,
        tcp_keepalive=True,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if endpoint else "auto", "payload_signing_enabled": True},
    )
    with translated(settings.bucket):
        return boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint,
            region_name=settings.region or ("us-east-1" if endpoint else None),
            aws_access_key_id=settings.access_key,
            aws_secret_access_key=settings.secret_key,
            config=config,
        )
