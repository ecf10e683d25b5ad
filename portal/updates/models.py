"""Updates as planned work: the request, its devices and steps, consents, access information, remote sessions."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation, Person
from portal.db import Base, HasId, words
from portal.inventory.models import Device
from portal.releases.models import Release
from portal.tickets.models import Ticket
from portal.updates.errors import SecretDestroyed, SessionEnded, StepOrder, UpdateStepNotPossible
from portal.updates.states import (
    CLOSED,
    STEP_TRANSITIONS,
    TRANSITIONS,
    UPDATE_STATE_TITLES,
    WINDOW_OPEN,
    Check,
    Origin,
    StepState,
    UpdateEventKind,
    UpdateState,
    Way,
)


class UpdateRequest(HasId, Base):
    """Bring these devices of one customer to this release within [begins_at, ends_at).

    `time_zone` is the site's, in which people speak of the window. A consent is {person_id, name, at} of one side.
    `salt` is this request's part of the key under which its access information lies; it goes with it.
    """

    __tablename__ = "update_requests"
    __table_args__ = (
        UniqueConstraint("number"),
        Index("ix_update_requests_organisation", "organisation_id", "created_at"),
        Index("ix_update_requests_window", "begins_at"),
    )

    number: Mapped[str] = mapped_column(String(20))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"), index=True)
    origin: Mapped[Origin] = mapped_column(words(Origin))
    way: Mapped[Way] = mapped_column(words(Way))
    state: Mapped[UpdateState] = mapped_column(words(UpdateState), default=UpdateState.DRAFT)
    note: Mapped[str] = mapped_column(Text, default="")
    time_zone: Mapped[str] = mapped_column(String(64))
    begins_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    customer_consent: Mapped[dict[str, Any] | None]
    support_consent: Mapped[dict[str, Any] | None]
    engineer_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    delivery_request_id: Mapped[UUID | None]
    salt: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    created_by_name: Mapped[str] = mapped_column(String(200))
    closed_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=0)

    organisation: Mapped[Organisation] = relationship(lazy="raise")
    release: Mapped[Release] = relationship(lazy="raise")
    engineer: Mapped[Person | None] = relationship(lazy="raise", foreign_keys=[engineer_id])
    devices: Mapped[list["UpdateDevice"]] = relationship(lazy="raise", order_by="UpdateDevice.place")
    events: Mapped[list["UpdateEvent"]] = relationship(lazy="raise", order_by="UpdateEvent.sequence")
    checks: Mapped[list["UpdateCheck"]] = relationship(lazy="raise")
    secrets: Mapped[list["AccessSecret"]] = relationship(lazy="raise", order_by="AccessSecret.created_at")
    access: Mapped[list["AccessConsent"]] = relationship(lazy="raise", order_by="AccessConsent.given_at")
    sessions: Mapped[list["RemoteSession"]] = relationship(lazy="raise", order_by="RemoteSession.started_at")

    def __str__(self) -> str:
        return self.number

    @property
    def is_closed(self) -> bool:
        return self.state in CLOSED

    @property
    def is_window_open(self) -> bool:
        return self.state in WINDOW_OPEN

    @property
    def is_agreed_by_both(self) -> bool:
        return self.customer_consent is not None and self.support_consent is not None

    def may_become(self, state: UpdateState) -> bool:
        return state in TRANSITIONS[self.state]

    def become(self, state: UpdateState) -> None:
        """Raises UpdateStepNotPossible."""
        if not self.may_become(state):
            raise UpdateStepNotPossible(
                number=self.number, state=UPDATE_STATE_TITLES[self.state], wanted=UPDATE_STATE_TITLES[state]
            )
        self.state = state

    def require(self, *states: UpdateState) -> None:
        """Raises UpdateStepNotPossible unless the request is in one of the states."""
        if self.state not in states:
            raise UpdateStepNotPossible(
                number=self.number, state=UPDATE_STATE_TITLES[self.state], wanted=UPDATE_STATE_TITLES[states[0]]
            )


class UpdateDevice(HasId, Base):
    """One device of an update with its way. `ticket_id`: what was opened when it failed, once."""

    __tablename__ = "update_devices"
    __table_args__ = (UniqueConstraint("update_id", "device_id"), UniqueConstraint("ticket_id"))

    update_id: Mapped[UUID] = mapped_column(ForeignKey("update_requests.id"))
    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id"), index=True)
    place: Mapped[int]
    from_version: Mapped[str] = mapped_column(String(100))
    ticket_id: Mapped[UUID | None] = mapped_column(ForeignKey("tickets.id"))

    device: Mapped[Device] = relationship(lazy="raise")
    ticket: Mapped[Ticket | None] = relationship(lazy="raise")
    steps: Mapped[list["UpdateStep"]] = relationship(lazy="raise", order_by="UpdateStep.place")

    @property
    def state(self) -> StepState:
        """What became of the device: the first step that is not done speaks."""
        return next((step.state for step in self.steps if step.state is not StepState.DONE), StepState.DONE)

    @property
    def due(self) -> "UpdateStep | None":
        """The step that is to be taken next, or is under way, or failed and may be repeated or rolled back."""
        step = next((step for step in self.steps if step.state is not StepState.DONE), None)
        return None if step is None or step.state is StepState.ROLLED_BACK else step

    @property
    def last_done(self) -> "UpdateStep | None":
        """The step that the device can be taken back from; None while a later one is under way or failed."""
        done = [step for step in self.steps if step.state is StepState.DONE]
        following = self.steps[len(done) :]
        is_at_work = bool(following) and following[0].state in (StepState.STARTED, StepState.FAILED)
        return done[-1] if done and not is_at_work else None

    @property
    def is_half_way(self) -> bool:
        """Something was done on it, and more was to follow."""
        return self.state is StepState.PLANNED and self.last_done is not None

    def before(self, step: "UpdateStep") -> str:
        """The version that runs on the device before this step."""
        return self.steps[step.place - 1].version if step.place else self.from_version

    @property
    def is_settled(self) -> bool:
        return self.state in (StepState.DONE, StepState.FAILED, StepState.ROLLED_BACK)

    @property
    def downtime_seconds(self) -> int:
        return sum(step.downtime_seconds or 0 for step in self.steps)


class UpdateStep(HasId, Base):
    """One installation on one device. `version` is the release's as it was planned; downtime is as measured."""

    __tablename__ = "update_steps"
    __table_args__ = (UniqueConstraint("update_device_id", "place"),)

    update_device_id: Mapped[UUID] = mapped_column(ForeignKey("update_devices.id"))
    place: Mapped[int]
    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id"))
    version: Mapped[str] = mapped_column(String(100))
    planned_minutes: Mapped[int | None]
    state: Mapped[StepState] = mapped_column(words(StepState), default=StepState.PLANNED)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    downtime_seconds: Mapped[int | None]
    note: Mapped[str] = mapped_column(Text, default="")

    release: Mapped[Release] = relationship(lazy="raise")

    def require(self, state: StepState, *, serial: str) -> None:
        """Raises StepOrder."""
        if state not in STEP_TRANSITIONS[self.state]:
            raise StepOrder(serial=serial)

    def become(self, state: StepState, at: datetime, *, serial: str) -> None:
        """Raises StepOrder."""
        self.require(state, serial=serial)
        self.state = state
        if state is StepState.STARTED:
            self.started_at, self.ended_at = self.started_at or at, None
        else:
            self.ended_at = at


class UpdateEvent(HasId, Base):
    """What happened, who did it; rows are added and never changed. `detail` holds no secret."""

    __tablename__ = "update_events"
    __table_args__ = (UniqueConstraint("update_id", "sequence"),)

    update_id: Mapped[UUID] = mapped_column(ForeignKey("update_requests.id"))
    sequence: Mapped[int]
    at: Mapped[datetime]
    kind: Mapped[UpdateEventKind] = mapped_column(words(UpdateEventKind))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    person_name: Mapped[str] = mapped_column(String(200))
    by_staff: Mapped[bool]
    detail: Mapped[str] = mapped_column(Text, default="")


class UpdateCheck(HasId, Base):
    """A point of the checklist that is done: of the whole update, or of one device (`key` is its id, else "").

    `note` says what it rests on: the backup or the delivery that there is, or why it is done without.
    """

    __tablename__ = "update_checks"
    __table_args__ = (UniqueConstraint("update_id", "name", "key"),)

    update_id: Mapped[UUID] = mapped_column(ForeignKey("update_requests.id"))
    name: Mapped[Check] = mapped_column(words(Check))
    key: Mapped[str] = mapped_column(String(36), default="")
    at: Mapped[datetime]
    by_name: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(Text, default="")


class AccessSecret(HasId, Base):
    """A piece of access information. `sealed` is what `sealing` made of it; overwritten when it is destroyed."""

    __tablename__ = "access_secrets"
    __table_args__ = (Index("ix_access_secrets_update", "update_id"),)

    update_id: Mapped[UUID] = mapped_column(ForeignKey("update_requests.id"))
    label: Mapped[str] = mapped_column(String(100))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    created_by_name: Mapped[str] = mapped_column(String(200))
    destroyed_at: Mapped[datetime | None]

    def require_there(self) -> None:
        if self.destroyed_at is not None:
            raise SecretDestroyed


OF_ONE = "(update_id IS NULL) <> (ticket_id IS NULL)"
"""Remote access belongs to an update or to a ticket."""


class AccessConsent(HasId, Base):
    """The customer lets the support centre reach its devices until `until`, unless it ends that before."""

    __tablename__ = "access_consents"
    __table_args__ = (
        Index("ix_access_consents_update", "update_id"),
        Index("ix_access_consents_ticket", "ticket_id"),
        CheckConstraint(OF_ONE, name="of_one"),
    )

    update_id: Mapped[UUID | None] = mapped_column(ForeignKey("update_requests.id"))
    ticket_id: Mapped[UUID | None] = mapped_column(ForeignKey("tickets.id"))
    given_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    given_name: Mapped[str] = mapped_column(String(200))
    given_at: Mapped[datetime]
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_name: Mapped[str] = mapped_column(String(200), default="")

    def is_open(self, at: datetime) -> bool:
        return self.ended_at is None and self.given_at <= at < self.until


class RemoteSession(HasId, Base):
    """One remote access to one device. `notes` are [{at, text}], `files` [{name, sha256, at}]; both only grow."""

    __tablename__ = "remote_sessions"
    __table_args__ = (
        Index("ix_remote_sessions_update", "update_id"),
        Index("ix_remote_sessions_ticket", "ticket_id"),
        Index("ix_remote_sessions_device", "device_id"),
        CheckConstraint(OF_ONE, name="of_one"),
    )

    update_id: Mapped[UUID | None] = mapped_column(ForeignKey("update_requests.id"))
    ticket_id: Mapped[UUID | None] = mapped_column(ForeignKey("tickets.id"))
    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id"))
    consent_id: Mapped[UUID] = mapped_column(ForeignKey("access_consents.id"))
    engineer_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    engineer_name: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str] = mapped_column(String(40), default="")
    notes: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    files: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    result: Mapped[str] = mapped_column(Text, default="")

    device: Mapped[Device] = relationship(lazy="raise")
    consent: Mapped[AccessConsent] = relationship(lazy="raise")

    def is_running(self, at: datetime) -> bool:
        return self.ended_at is None and self.consent.is_open(at)

    def require_running(self, at: datetime) -> None:
        if not self.is_running(at):
            raise SessionEnded

    def write(self, text: str, at: datetime) -> None:
        self.notes = [*self.notes, {"at": at.isoformat(), "text": text}]

    def take(self, name: str, sha256: str, at: datetime) -> None:
        """A file of the device was taken along."""
        self.files = [*self.files, {"name": name, "sha256": sha256, "at": at.isoformat()}]

    def end(self, because: str, at: datetime) -> None:
        self.ended_at, self.ended_because = min(at, self.consent.until), because

    def lasted(self, at: datetime) -> timedelta:
        return (self.ended_at or at) - self.started_at


class SecretLook(HasId, Base):
    """That a secret was shown in a session: once in each."""

    __tablename__ = "secret_looks"
    __table_args__ = (UniqueConstraint("secret_id", "session_id"),)

    secret_id: Mapped[UUID] = mapped_column(ForeignKey("access_secrets.id"))
    session_id: Mapped[UUID] = mapped_column(ForeignKey("remote_sessions.id"))
    at: Mapped[datetime]
    by_name: Mapped[str] = mapped_column(String(200))


class CalendarFeed(HasId, Base):
    """A person's own secret address of the calendar; only a digest of it is kept."""

    __tablename__ = "calendar_feeds"
    __table_args__ = (UniqueConstraint("secret_hash"), UniqueConstraint("person_id"))

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    secret_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]

    person: Mapped[Person] = relationship(lazy="raise")
