"""Authorized persons, and the powers of attorney that let them receive and sign."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation, Person
from portal.authority.errors import PowerNotOpen
from portal.db import Base, HasId, words
from portal.errors import mark
from portal.object_keys import HOLDS_OBJECT_KEYS
from portal.releases.models import Product


class PowerState(StrEnum):
    """Where a power of attorney stands; what the calendar says of it is asked apart."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    REVOKED = "revoked"


POWER_STATE_TITLES = {
    PowerState.UNCONFIRMED: mark("Waits for the dispatcher"),
    PowerState.CONFIRMED: mark("Confirmed by the dispatcher"),
    PowerState.DECLINED: mark("Declined"),
    PowerState.REVOKED: mark("Was revoked"),
}


class AuthorizedPerson(HasId, Base):
    """Someone a customer names to receive files; with a sign-in of their own (`person_id`) or without.

    Two may bear the same name: the e-mail address tells them apart. What a delivery says of its recipient is copied
    into the delivery. `created_by` named them, or said since who they are and how they are reached.
    """

    __tablename__ = "authorized_persons"
    __table_args__ = (
        UniqueConstraint("organisation_id", "email"),
        CheckConstraint("email = lower(email)", name="email_is_lower"),
    )

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(40), default="")
    language: Mapped[str] = mapped_column(String(8), default="en")
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))

    organisation: Mapped[Organisation] = relationship(lazy="raise")
    person: Mapped[Person | None] = relationship(lazy="raise", foreign_keys=[person_id])
    powers: Mapped[list["PowerOfAttorney"]] = relationship(
        lazy="raise", back_populates="holder", order_by="PowerOfAttorney.valid_from.desc()"
    )


class PowerOfAttorney(HasId, Base):
    """A written power to receive files, and to sign acts, for some products or for all (`covers_all_products`).

    `valid_from` and `valid_until` are days in `time_zone` (the customer's when it was entered), both inclusive; the
    instants [starts_at, ends_at) say the same. `scan` is {key, name, size_bytes, sha256, content_type} or None.
    `created_by` entered it, or changed its holder since; `checked` is what the dispatcher looked at; `asked_at` when
    the dispatchers were last asked to.
    """

    __tablename__ = "powers_of_attorney"
    __table_args__ = (
        CheckConstraint("valid_from <= valid_until", name="starts_before_it_ends"),
        Index("ix_powers_of_attorney_holder", "holder_id"),
    )

    holder_id: Mapped[UUID] = mapped_column(ForeignKey("authorized_persons.id"))
    number: Mapped[str] = mapped_column(String(60))
    issued_on: Mapped[date]
    issued_by: Mapped[str] = mapped_column(String(200))
    covers_all_products: Mapped[bool] = mapped_column(default=False)
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    time_zone: Mapped[str] = mapped_column(String(64))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    may_receive: Mapped[bool] = mapped_column(default=True)
    may_sign: Mapped[bool] = mapped_column(default=False)
    scan: Mapped[dict[str, Any] | None] = mapped_column(info=HOLDS_OBJECT_KEYS)
    state: Mapped[PowerState] = mapped_column(words(PowerState), default=PowerState.UNCONFIRMED)
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    decided_by_name: Mapped[str] = mapped_column(String(200), default="")
    checked: Mapped[str] = mapped_column(String(500), default="")
    declined_because: Mapped[str] = mapped_column(String(500), default="")
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    revoked_because: Mapped[str] = mapped_column(String(500), default="")
    asked_at: Mapped[datetime | None]

    holder: Mapped[AuthorizedPerson] = relationship(lazy="raise", back_populates="powers")
    product_rows: Mapped[list["PowerProduct"]] = relationship(lazy="raise", cascade="all, delete-orphan")

    def set_term(self, first: date, last: date, time_zone: str) -> None:
        """The days, both inclusive, and the instants that they are in that zone."""
        self.valid_from, self.valid_until, self.time_zone = first, last, time_zone
        zone = ZoneInfo(time_zone)
        self.starts_at = datetime.combine(first, time.min, zone).astimezone(UTC)
        self.ends_at = datetime.combine(last + timedelta(days=1), time.min, zone).astimezone(UTC)

    def confirm(self, checked: str, by: UUID | None, by_name: str, at: datetime) -> None:
        """Raises PowerNotOpen unless it waits for the dispatcher."""
        self.require_unconfirmed()
        self.checked = checked
        self.state, self.decided_at, self.decided_by, self.decided_by_name = PowerState.CONFIRMED, at, by, by_name

    def decline(self, reason: str, by: UUID | None, by_name: str, at: datetime) -> None:
        self.require_unconfirmed()
        self.state, self.decided_at, self.decided_by, self.decided_by_name = PowerState.DECLINED, at, by, by_name
        self.declined_because = reason

    def revoke(self, reason: str, by: UUID | None, at: datetime) -> None:
        """At once and for good. Raises PowerNotOpen when there is nothing to revoke any more."""
        if self.state not in (PowerState.UNCONFIRMED, PowerState.CONFIRMED):
            raise PowerNotOpen(number=self.number, state=self.state)
        self.state, self.revoked_at, self.revoked_by, self.revoked_because = PowerState.REVOKED, at, by, reason

    def reopen(self, by: UUID | None) -> None:
        """Its holder became another: what was confirmed has to be confirmed anew, by somebody else than `by`."""
        if self.state is PowerState.CONFIRMED:
            self.state, self.created_by, self.checked = PowerState.UNCONFIRMED, by, ""
            self.decided_at, self.decided_by, self.decided_by_name = None, None, ""

    @property
    def last_asked_at(self) -> datetime:
        """When the dispatchers were last told that it waits."""
        return self.asked_at or self.created_at

    def require_unconfirmed(self) -> None:
        if self.state is not PowerState.UNCONFIRMED:
            raise PowerNotOpen(number=self.number, state=self.state)


class PowerProduct(Base):
    """One product that a power of attorney is limited to."""

    __tablename__ = "power_products"

    power_id: Mapped[UUID] = mapped_column(ForeignKey("powers_of_attorney.id"), primary_key=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"), primary_key=True, index=True)

    product: Mapped[Product] = relationship(lazy="raise")


class CodePurpose(StrEnum):
    """What a one-time code opens; `subject_id` is then the link's, the hand-over's or the parcel's."""

    EMAIL_LINK = "email-link"
    HAND_OVER = "hand-over"
    RECEIPT = "receipt"


class CodeChannel(StrEnum):
    EMAIL = "email"
    PHONE = "phone"


class OneTimeCode(HasId, Base):
    """One code that was sent, without the code: `digest` is its HMAC, `masked` where it went. The newest counts."""

    __tablename__ = "one_time_codes"
    __table_args__ = (UniqueConstraint("purpose", "subject_id", "number"),)

    purpose: Mapped[CodePurpose] = mapped_column(words(CodePurpose))
    subject_id: Mapped[UUID]
    number: Mapped[int]
    channel: Mapped[CodeChannel] = mapped_column(words(CodeChannel))
    masked: Mapped[str] = mapped_column(String(254))
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]
