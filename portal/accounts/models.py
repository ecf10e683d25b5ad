"""Organisations, the people in them, and what lets a person in: password, one-time link, token."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, HasId, words
from portal.permissions import OrganisationKind, Role, Scope


class EndUse(StrEnum):
    """What a customer does with the products, as export rules ask it."""

    CIVIL = "civil"
    GOVERNMENT = "government"
    MILITARY = "military"


class Organisation(HasId, Base):
    """The vendor, the support centre, or a customer company."""

    __tablename__ = "organisations"
    __table_args__ = (UniqueConstraint("code"), UniqueConstraint("name"))

    kind: Mapped[OrganisationKind] = mapped_column(words(OrganisationKind))
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    country: Mapped[str] = mapped_column(String(2))
    end_use: Mapped[EndUse] = mapped_column(words(EndUse), default=EndUse.CIVIL)
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    language: Mapped[str] = mapped_column(String(8), default="en")
    created_at: Mapped[datetime]
    suspended_at: Mapped[datetime | None]
    suspended_because: Mapped[str | None] = mapped_column(String(500))

    @property
    def is_suspended(self) -> bool:
        return self.suspended_at is not None

    def suspend(self, reason: str, at: datetime) -> None:
        self.suspended_at, self.suspended_because = at, reason

    def resume(self) -> None:
        self.suspended_at = self.suspended_because = None


class Person(HasId, Base):
    """Someone with a sign-in. `session_epoch` stands in every session cookie: raising it ends them all."""

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("email"), CheckConstraint("email = lower(email)", name="email_is_lower"))

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(8), default="en")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    session_epoch: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    last_sign_in_at: Mapped[datetime | None]

    organisation: Mapped[Organisation] = relationship(lazy="raise")
    role_rows: Mapped[list["PersonRole"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", back_populates="person"
    )

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(row.role for row in self.role_rows)

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None and self.password_hash is not None

    def disable(self, at: datetime) -> None:
        self.disabled_at = at
        self.end_sessions()

    def enable(self) -> None:
        self.disabled_at = None

    def set_password_hash(self, password_hash: str) -> None:
        self.password_hash = password_hash
        self.end_sessions()

    def end_sessions(self) -> None:
        self.session_epoch += 1


class PersonRole(Base):
    __tablename__ = "person_roles"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(words(Role), primary_key=True)

    person: Mapped[Person] = relationship(lazy="raise", back_populates="role_rows")


class LinkPurpose(StrEnum):
    INVITATION = "invitation"
    PASSWORD_RESET = "password-reset"  # noqa: S105 - a word, not a secret


class OneTimeLink(HasId, Base):
    """A link that lets one person set a password once; only the hash of its secret is kept."""

    __tablename__ = "one_time_links"
    __table_args__ = (UniqueConstraint("secret_hash"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    purpose: Mapped[LinkPurpose] = mapped_column(words(LinkPurpose))
    secret_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(lazy="raise")

    def is_open(self, at: datetime) -> bool:
        return self.used_at is None and at < self.expires_at


class ApiToken(HasId, Base):
    """A person's key for a program: recognisable, checksummed, kept as a hash, narrower than the person."""

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("secret_hash"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    hint: Mapped[str] = mapped_column(String(16))
    secret_hash: Mapped[str] = mapped_column(String(64))
    scope_words: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(lazy="raise")

    @property
    def scopes(self) -> frozenset[Scope]:
        return frozenset(Scope(word) for word in self.scope_words)

    def is_open(self, at: datetime) -> bool:
        return self.revoked_at is None and at < self.expires_at


class SignInAttempt(HasId, Base):
    """A failed sign-in, kept for a day: what slows down guessing, by address and by account alike."""

    __tablename__ = "sign_in_attempts"

    email: Mapped[str] = mapped_column(String(254), index=True)
    address: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
