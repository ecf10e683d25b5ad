"""Who does a thing: passed to every verb and every query, never read from the web session there."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from portal.permissions import OrganisationKind, Permission, Role


class Via(StrEnum):
    """By what means the actor reached the portal."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    COMMAND = "command"
    JOB = "job"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Actor:
    """A person with what they may do now, or the portal itself (`person_id` None).

    `address` is the network address that the request came from, as the record keeps it.
    """

    via: Via
    name: str = ""
    person_id: UUID | None = None
    organisation_id: UUID | None = None
    kind: OrganisationKind | None = None
    roles: frozenset[Role] = field(default_factory=frozenset)
    permissions: frozenset[Permission] = field(default_factory=frozenset)
    language: str = "en"
    time_zone: str = "UTC"
    address: str = ""

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    @property
    def is_somebody(self) -> bool:
        return self.via is not Via.NOBODY

    @property
    def is_staff(self) -> bool:
        """The vendor or its support centre, or the portal itself: not limited to one customer."""
        if self.kind is None:
            return self.via in (Via.COMMAND, Via.JOB)
        return self.kind in (OrganisationKind.VENDOR, OrganisationKind.SUPPORT)

    @property
    def is_customer(self) -> bool:
        return self.kind is OrganisationKind.CUSTOMER


NOBODY = Actor(Via.NOBODY)
PORTAL_JOB = Actor(Via.JOB, name="portal")
PORTAL_COMMAND = Actor(Via.COMMAND, name="portal command", permissions=frozenset(Permission))
