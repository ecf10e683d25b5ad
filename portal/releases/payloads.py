"""What the API takes in and gives out, as strict JSON: every field known, every value of its type."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from portal.errors import mark
from portal.releases.errors import NOT_INSTANT, NOT_MINUTES, BadField, BadJson
from portal.releases.models import Artifact, Level, Product, Publication, Release
from portal.releases.rules import Problem
from portal.releases.texts import UNSTORABLE, UNSTORABLE_SIGN

Choice = TypeVar("Choice", bound=StrEnum)

MISSING = mark("it is missing")
UNKNOWN = mark("there is no such field")
NOT_TEXT = mark("a text is expected")
NOT_BOOLEAN = mark("true or false is expected")
NOT_CHOICE = mark("one of these is expected: %(choices)s")
NOT_TEXTS = mark("an object of texts by section is expected")

LEVELS = {level.word: level for level in Level}


def parse_object(data: bytes) -> dict[str, Any]:
    """One JSON object. Raises BadJson, also for a name that occurs twice and for nesting beyond reason."""
    try:
        value = json.loads(data.decode(), object_pairs_hook=_without_twins)
    except (ValueError, RecursionError) as error:
        raise BadJson from error
    if not isinstance(value, dict):
        raise BadJson
    return value


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice")
    return members


class Fields:
    """The fields of one object, asked for by type; `finish` refuses those that nobody asked for. Raises BadField."""

    def __init__(self, members: dict[str, Any]) -> None:
        self._members, self._asked = members, set[str]()

    def text(self, name: str, default: str | None = None) -> str:
        value = self._take(name, default)
        if not isinstance(value, str):
            raise BadField(field=name, reason=NOT_TEXT)
        if UNSTORABLE_SIGN.search(value):
            raise BadField(field=name, reason=UNSTORABLE)
        return value

    def boolean(self, name: str) -> bool:
        value = self._take(name, default=False)
        if not isinstance(value, bool):
            raise BadField(field=name, reason=NOT_BOOLEAN)
        return value

    def instant(self, name: str) -> datetime | None:
        text = self.text(name, "")
        return parse_instant(name, text) if text else None

    def minutes(self, name: str) -> int | None:
        self._asked.add(name)
        value = self._members.get(name)
        if value is not None and type(value) is not int:  # True is an int, and no number of minutes
            raise BadField(field=name, reason=NOT_MINUTES)
        return value

    def level(self, name: str) -> Level:
        word = self.text(name)
        if word not in LEVELS:
            raise BadField(field=name, reason=NOT_CHOICE, choices=", ".join(LEVELS))
        return LEVELS[word]

    def finish(self) -> None:
        for name in self._members.keys() - self._asked:
            raise BadField(field=name[:60], reason=UNKNOWN)

    def _take(self, name: str, default: object) -> object:
        self._asked.add(name)
        value = self._members.get(name)
        if value is None:
            value = default
        if value is None:
            raise BadField(field=name, reason=MISSING)
        return value


def parse_instant(name: str, text: str) -> datetime:
    """RFC 3339. Raises BadField."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else _refuse_instant(name)
    except (ValueError, OverflowError) as error:
        raise BadField(field=name, reason=NOT_INSTANT) from error


def _refuse_instant(name: str) -> NoReturn:
    raise BadField(field=name, reason=NOT_INSTANT)


def parse_choice(kind: type[Choice], name: str, text: str) -> Choice:
    """A word of the enum. Raises BadField."""
    try:
        return kind(text)
    except ValueError as error:
        raise BadField(field=name, reason=NOT_CHOICE, choices=", ".join(member.value for member in kind)) from error


@dataclass(frozen=True)
class NewRelease:
    """POST /releases; product and train by their names."""

    product: str
    version: str
    level: Level
    train: str
    is_required: bool
    is_security_fix: bool
    is_free_security_fix: bool
    lowest_from_version: str
    embargo_until: datetime | None
    downtime_minutes: int | None

    @classmethod
    def parse(cls, data: bytes) -> "NewRelease":
        fields = Fields(parse_object(data))
        made = cls(
            product=fields.text("product"),
            version=fields.text("version"),
            level=fields.level("level"),
            train=fields.text("train", ""),
            is_required=fields.boolean("is_required"),
            is_security_fix=fields.boolean("is_security_fix"),
            is_free_security_fix=fields.boolean("is_free_security_fix"),
            lowest_from_version=fields.text("lowest_from_version", ""),
            embargo_until=fields.instant("embargo_until"),
            downtime_minutes=fields.minutes("downtime_minutes"),
        )
        fields.finish()
        return made


@dataclass(frozen=True)
class Withdrawal:
    """POST /releases/<id>/withdraw; the replacement by its version."""

    reason: str
    replacement: str

    @classmethod
    def parse(cls, data: bytes) -> "Withdrawal":
        fields = Fields(parse_object(data))
        made = cls(reason=fields.text("reason"), replacement=fields.text("replacement", ""))
        fields.finish()
        return made


@dataclass(frozen=True)
class Return:
    """POST /releases/<id>/return."""

    reason: str

    @classmethod
    def parse(cls, data: bytes) -> "Return":
        fields = Fields(parse_object(data))
        made = cls(reason=fields.text("reason"))
        fields.finish()
        return made


def parse_texts(data: bytes) -> dict[str, dict[str, str]]:
    """PUT /releases/<id>/notes: {language: {section: Markdown}}; which ones there are, the service says."""
    texts = parse_object(data)
    for language, sections in texts.items():
        if not isinstance(sections, dict) or not all(isinstance(text, str) for text in sections.values()):
            raise BadField(field=language[:60], reason=NOT_TEXTS)
    return texts


def product_payload(product: Product) -> dict[str, Any]:
    return {
        "code": product.code,
        "name": product.name,
        "category": product.category.value,
        "scheme": product.scheme.value,
    }


def artifact_payload(artifact: Artifact) -> dict[str, Any]:
    """Sizes in bytes, digests in hex; `read_back` is null until the store was asked, then whether all was well."""
    return {
        "id": str(artifact.id),
        "name": artifact.name,
        "role": artifact.role.value,
        "platform": artifact.platform,
        "size_bytes": artifact.size_bytes,
        "sha256": artifact.sha256,
        "read_back": None if artifact.read_back_at is None else artifact.read_back_problem is None,
    }


def release_payload(release: Release) -> dict[str, Any]:
    """A release in lists; product and train must be loaded. Instants are UTC, RFC 3339."""
    return {
        "id": str(release.id),
        "product": release.product.code,
        "version": release.version,
        "level": release.level.word,
        "train": release.train.name if release.train else None,
        "state": release.state.value,
        "is_required": release.is_required,
        "is_security_fix": release.is_security_fix,
        "is_free_security_fix": release.is_free_security_fix,
        "lowest_from_version": release.lowest_from_version,
        "downtime_minutes": release.downtime_minutes,
        "embargo_until": _written(release.embargo_until),
        "open_from": _written(release.open_from),
        "published_at": _written(release.published_at),
        "counter": release.counter,
        "withdrawn_at": _written(release.withdrawn_at),
        "withdrawn_because": release.withdrawn_because,
    }


def whole_payload(release: Release, publication: Publication | None, problems: Iterable[Problem]) -> dict[str, Any]:
    """One release with its files, what still stands in its way, and what was signed."""
    return {
        **release_payload(release),
        "artifacts": [artifact_payload(artifact) for artifact in release.artifacts],
        "problems": [
            {"code": one.code, "about": one.about, "waivable": one.is_waivable, "waived": not one.is_open}
            for one in problems
        ],
        "key_id": publication.key_id if publication else None,
    }


def _written(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
