"""S3 objects written in parts: either all of them become an object, or none."""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from storage.errors import StorageError
from storage.s3_errors import translated
from storage.streams import Block

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART_BYTES = 8 * 1024 * 1024
MAX_PARTS = 10_000
# Two parts travel while a third fills: enough to keep the network busy, and 24 MiB of memory.
PARTS_UNDER_WAY = 2
# S3 copies at most 5 GiB in one request; a tenth of that keeps each request well inside the read timeout.
COPY_PART_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """A full key in a bucket, with the client that reaches it."""

    client: "S3Client"
    bucket: str
    key: str


class MultipartUpload:
    """Parts on their way to one place. Leaving the block without `complete` aborts it; nothing is visible then."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._pool = ThreadPoolExecutor(PARTS_UNDER_WAY, thread_name_prefix="s3-part")
        self._parts: list[Future[str]] = []
        self._completed = False
        with translated(place.key):
            answer = place.client.create_multipart_upload(Bucket=place.bucket, Key=place.key)
        self._upload_id = answer["UploadId"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        if self._completed:
            return
        place = self._place
        with suppress(StorageError), translated(place.key):  # `sweep` comes round; the first error is the one to tell
            place.client.abort_multipart_upload(Bucket=place.bucket, Key=place.key, UploadId=self._upload_id)

    def add(self, block: Block) -> None:
        """Send the block as the next part; its buffer is busy until that is done."""
        body = block.buffer if block.full else bytearray(block.view)
        part = self._pool.submit(self._send, len(self._parts) + 1, body)
        block.busy.append(part)
        self._parts.append(part)

    def copy(self, source_key: str, size_bytes: int) -> None:
        """Let the server copy an object of the same bucket, not empty, as the parts."""
        for start in range(0, size_bytes, COPY_PART_BYTES):
            span = f"bytes={start}-{min(start + COPY_PART_BYTES, size_bytes) - 1}"
            self._parts.append(self._pool.submit(self._send_copy, len(self._parts) + 1, source_key, span))
        for part in self._parts:
            part.result()

    def complete(self) -> None:
        """Make the object visible, if its key is free; raises ObjectExists otherwise."""
        place = self._place
        parts = [{"PartNumber": number, "ETag": part.result()} for number, part in enumerate(self._parts, start=1)]
        with translated(place.key):
            place.client.complete_multipart_upload(
                Bucket=place.bucket,
                Key=place.key,
                UploadId=self._upload_id,
                IfNoneMatch="*",
                MultipartUpload={"Parts": parts},  # type: ignore[typeddict-item]
            )
        self._completed = True

    def _send(self, number: int, body: bytearray) -> str:
        place = self._place
        with translated(place.key):
            answer = place.client.upload_part(
                Bucket=place.bucket,
                Key=place.key,
                UploadId=self._upload_id,
                PartNumber=number,
                Body=cast("bytes", body),  # boto3 takes a bytearray too, which its stubs do not know
            )
        return answer["ETag"]

    def _send_copy(self, number: int, source_key: str, span: str) -> str:
        place = self._place
        with translated(place.key):
            answer = place.client.upload_part_copy(
                Bucket=place.bucket,
                Key=place.key,
                UploadId=self._upload_id,
                PartNumber=number,
                CopySource={"Bucket": place.bucket, "Key": source_key},
                CopySourceRange=span,
            )
        return answer["CopyPartResult"]["ETag"]
