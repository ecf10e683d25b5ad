"""What several papers speak of, as plain values: files, media, deliveries."""

from dataclasses import dataclass

from portal.documents.codes import digest_words
from portal.documents.paper import Exact, Wide
from portal.documents.wording import Wording


@dataclass(frozen=True)
class FileLine:
    """One file: its name as the recipient sees it, and its SHA-256 in hexadecimal."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Medium:
    """A thing that one can hold: `kind` in the paper's language (`USB flash drive`), its serial, its capacity."""

    kind: str
    serial: str
    capacity_bytes: int | None = None


@dataclass(frozen=True)
class ReleaseLine:
    """One version of one product with the files of it that are handed over."""

    product: str
    version: str
    files: tuple[FileLine, ...]


def file_facts(file: FileLine, wording: Wording) -> dict[str, object]:
    return {
        "name": Wide(file.name),
        "bytes": wording.number(file.size_bytes),
        "sha256": Exact(file.sha256),
        "words": " ".join(digest_words(file.sha256, wording.language)),
    }
