"""The answer to "may this customer take this release": what was decided, why, until when, what would change it.

Sentences are marked templates filled from `facts`, so that one decision reads in the language of whoever looks at it.
Facts are plain values: text, numbers, ISO days and instants as text, and `Words` for what is itself translated.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from portal.errors import mark

Translate = Callable[[str], str]


class Basis(StrEnum):
    """Why a customer may take a release, in the order in which they are asked (DESIGN 3.2)."""

    GRANT = "grant"
    SECURITY_EXEMPTION = "security-exemption"
    ACTIVE_CONTRACT = "active-contract"
    ISSUED_DURING_TERM = "issued-during-term"
    BACKUP_COPY = "backup-copy"


class RefusalCode(StrEnum):
    """Why not; the words go to clients and never change."""

    NOT_PUBLISHED = "not-published"
    WITHDRAWN = "withdrawn"
    NOT_IN_AUDIENCE = "not-in-audience"
    EXPORT_RESTRICTED = "export-restricted"
    SUSPENDED = "suspended"
    NO_CONTRACT = "no-contract"
    CONTRACT_NOT_STARTED = "contract-not-started"
    CONTRACT_EXPIRED = "contract-expired"
    LEVEL_NOT_COVERED = "level-not-covered"
    AGREEMENT_REQUIRED = "agreement-required"
    AUTHORITY_MISSING = "authority-missing"
    AUTHORITY_EXPIRED = "authority-expired"
    AUTHORITY_OUT_OF_SCOPE = "authority-out-of-scope"
    AUTHORITY_UNCONFIRMED = "authority-unconfirmed"


BASIS_TITLES = {
    Basis.GRANT: mark("Exception"),
    Basis.SECURITY_EXEMPTION: mark("Free security fix"),
    Basis.ACTIVE_CONTRACT: mark("Contract in force"),
    Basis.ISSUED_DURING_TERM: mark("Issued during the contract"),
    Basis.BACKUP_COPY: mark("Backup copy"),
}
REFUSAL_TITLES = {
    RefusalCode.NOT_PUBLISHED: mark("Not published"),
    RefusalCode.WITHDRAWN: mark("Withdrawn"),
    RefusalCode.NOT_IN_AUDIENCE: mark("Not open to this customer"),
    RefusalCode.EXPORT_RESTRICTED: mark("Export restricted"),
    RefusalCode.SUSPENDED: mark("On hold"),
    RefusalCode.NO_CONTRACT: mark("No contract"),
    RefusalCode.CONTRACT_NOT_STARTED: mark("Contract not started"),
    RefusalCode.CONTRACT_EXPIRED: mark("Contract ended"),
    RefusalCode.LEVEL_NOT_COVERED: mark("Not in the contract's scope"),
    RefusalCode.AGREEMENT_REQUIRED: mark("Agreement to accept first"),
    RefusalCode.AUTHORITY_MISSING: mark("No right to receive"),
    RefusalCode.AUTHORITY_EXPIRED: mark("Right to receive has ended"),
    RefusalCode.AUTHORITY_OUT_OF_SCOPE: mark("Outside the right to receive"),
    RefusalCode.AUTHORITY_UNCONFIRMED: mark("Right to receive waits for confirmation"),
}


class Words(tuple[str, ...]):
    """Marked words inside a sentence, put into the reader's language with the sentence."""

    __slots__ = ()

    def words_in(self, translate: Translate) -> str:
        return ", ".join(translate(word) for word in self)

    def __str__(self) -> str:
        return ", ".join(self)


def in_words(template: str, facts: Mapping[str, Any], translate: Translate) -> str:
    """A marked template in the reader's language; `translate` is gettext."""
    if not template:
        return ""
    shown = {n: v.words_in(translate) if isinstance(v, Words) else v for n, v in facts.items()}
    return translate(template) % shown


def minute(at: datetime) -> str:
    """An instant inside a sentence: to the minute, in UTC and saying so."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True)
class Granted:
    """The customer may take the release. `until`: when this basis ends (None: it does not); `contract`: its number."""

    basis: Basis
    clause: str
    until: datetime | None = None
    contract: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_granted(self) -> bool:
        return True

    @property
    def code(self) -> str:
        return self.basis.value

    @property
    def title(self) -> str:
        """A marked word or two, for badges."""
        return BASIS_TITLES[self.basis]

    def clause_in(self, translate: Translate) -> str:
        """The rule that decided, as one sentence."""
        return in_words(self.clause, self.facts, translate)

    def sentence_in(self, translate: Translate) -> str:
        return self.clause_in(translate)

    def to_json(self) -> dict[str, Any]:
        """The decision as the ledger keeps it for ever; sentences in English."""
        return {
            "granted": True,
            "basis": self.basis.value,
            "clause": self.clause_in(str),
            "until": self.until.isoformat() if self.until else None,
            "contract": self.contract,
            "facts": _plain(self.facts),
        }


@dataclass(frozen=True)
class Refused:
    """The customer may not take the release. `until`: the instant at which that changes by itself, if it does.

    `remedy` says what would change it, or is empty where nothing would.
    """

    code: RefusalCode
    clause: str
    until: datetime | None = None
    remedy: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_granted(self) -> bool:
        return False

    @property
    def title(self) -> str:
        """A marked word or two, for badges."""
        return REFUSAL_TITLES[self.code]

    def clause_in(self, translate: Translate) -> str:
        """The rule that decided, as one sentence."""
        return in_words(self.clause, self.facts, translate)

    def remedy_in(self, translate: Translate) -> str:
        """What would change it, as one sentence; empty where nothing would."""
        return in_words(self.remedy, self.facts, translate)

    def sentence_in(self, translate: Translate) -> str:
        return f"{self.clause_in(translate)} {self.remedy_in(translate)}".strip()

    def to_json(self) -> dict[str, Any]:
        return {
            "granted": False,
            "code": self.code.value,
            "clause": self.clause_in(str),
            "until": self.until.isoformat() if self.until else None,
            "remedy": self.remedy_in(str),
            "facts": _plain(self.facts),
        }


Decision = Granted | Refused


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in facts.items()}
