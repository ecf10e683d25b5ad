"""Acts of acceptance and of return: what was shown, frozen; who signed it, how, and the paper for both sides."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation
from portal.authority.models import AuthorizedPerson
from portal.db import Base, HasId, words
from portal.deliveries.models import Delivery
from portal.documents.act import ActKind
from portal.entitlements.decision import minute
from portal.errors import mark
from portal.handovers.errors import ActNotOpen
from portal.object_keys import NAMES_OBJECT


class ActState(StrEnum):
    OPEN = "open"
    SIGNED = "signed"
    REFUSED = "refused"
    ABANDONED = "abandoned"


ACT_STATE_TITLES = {
    ActState.OPEN: mark("Waits for the signature"),
    ActState.SIGNED: mark("Signed"),
    ActState.REFUSED: mark("Refused"),
    ActState.ABANDONED: mark("Abandoned"),
}
ACT_KIND_TITLES = {ActKind.ACCEPTANCE: mark("Acceptance"), ActKind.RETURN: mark("Return of media")}


class DocumentKind(StrEnum):
    """What a person shows to prove who they are."""

    PASSPORT = "passport"
    ID_CARD = "id-card"
    DRIVING_LICENCE = "driving-licence"
    SERVICE_CARD = "service-card"
    RESIDENCE_PERMIT = "residence-permit"


DOCUMENT_KIND_TITLES = {
    DocumentKind.PASSPORT: mark("passport"),
    DocumentKind.ID_CARD: mark("identity card"),
    DocumentKind.DRIVING_LICENCE: mark("driving licence"),
    DocumentKind.SERVICE_CARD: mark("service card"),
    DocumentKind.RESIDENCE_PERMIT: mark("residence permit"),
}


class SignatureKind(StrEnum):
    """How a person signed: by a drawing, or by typing their name (a simple electronic signature)."""

    DRAWN = "drawn"
    TYPED = "typed"


class Act(HasId, Base):
    """One act that one authorized person signs, for one or more deliveries.

    `record` is the text as it was shown, with every word of it in `language`, and is never written again; `text_sha256`
    is the digest of it as canonical JSON (`texts.digest`). Pages and paper are made of it alone. `recipient` is
    {name, email, phone, language}, `power` {id, number, issued_on, issued_by, valid_until, until}. Of the document
    shown only its kind and the last four characters are kept. `submission` is the key under which the signature is
    sent, as often as the network needs: it has one effect.
    """

    __tablename__ = "acts"
    __table_args__ = (
        UniqueConstraint("number"),
        UniqueConstraint("submission"),
        CheckConstraint("length(document_ending) <= 4", name="ending_of_four"),
        Index("ix_acts_organisation_opened", "organisation_id", "opened_at"),
        Index("ix_acts_state_opened", "state", "opened_at"),
    )

    number: Mapped[str] = mapped_column(String(20))
    kind: Mapped[ActKind] = mapped_column(words(ActKind))
    state: Mapped[ActState] = mapped_column(words(ActState), default=ActState.OPEN)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("authorized_persons.id"), index=True)
    recipient: Mapped[dict[str, Any]]
    power: Mapped[dict[str, Any]]
    document_kind: Mapped[DocumentKind] = mapped_column(words(DocumentKind))
    document_ending: Mapped[str] = mapped_column(String(4))
    language: Mapped[str] = mapped_column(String(8))
    time_zone: Mapped[str] = mapped_column(String(64))
    record: Mapped[dict[str, Any]]
    text_sha256: Mapped[str] = mapped_column(String(64))
    place: Mapped[str] = mapped_column(String(200))
    handed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    handed_by_name: Mapped[str] = mapped_column(String(200))
    wants_witness: Mapped[bool] = mapped_column(default=False)
    submission: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by_name: Mapped[str] = mapped_column(String(200), default="")
    reason: Mapped[str] = mapped_column(String(500), default="")
    code_channel: Mapped[str] = mapped_column(String(20), default="")
    code_address: Mapped[str] = mapped_column(String(254), default="")
    code_confirmed_at: Mapped[datetime | None]
    signed_at: Mapped[datetime | None]
    signature_kind: Mapped[SignatureKind | None] = mapped_column(words(SignatureKind))
    signature_key: Mapped[str | None] = mapped_column(String(200), info=NAMES_OBJECT)
    signature_sha256: Mapped[str | None] = mapped_column(String(64))
    witness_name: Mapped[str] = mapped_column(String(200), default="")
    witness_key: Mapped[str | None] = mapped_column(String(200), info=NAMES_OBJECT)
    witness_sha256: Mapped[str | None] = mapped_column(String(64))
    pdf_key: Mapped[str | None] = mapped_column(String(200), info=NAMES_OBJECT)
    pdf_sha256: Mapped[str | None] = mapped_column(String(64))
    pdf_size_bytes: Mapped[int | None] = mapped_column(Integer)

    organisation: Mapped[Organisation] = relationship(lazy="raise")
    authorized_person: Mapped[AuthorizedPerson] = relationship(lazy="raise")
    items: Mapped[list["ActItem"]] = relationship(lazy="raise", back_populates="act", order_by="ActItem.position")

    @property
    def is_open(self) -> bool:
        return self.state is ActState.OPEN

    def require_open(self) -> None:
        """Raises ActNotOpen, saying who closed it and when."""
        if not self.is_open:
            raise ActNotOpen(
                act=self.number, who=self.closed_by_name, since=minute(self.closed_at or self.opened_at),
                state=self.state.value,
            )  # fmt: skip

    def close(self, state: ActState, by_name: str, at: datetime, reason: str = "") -> None:
        """Sign, refuse or abandon; once and for good. Raises ActNotOpen."""
        self.require_open()
        self.state, self.closed_by_name, self.closed_at, self.reason = state, by_name, at, reason
        if state is ActState.SIGNED:
            self.signed_at = at


class ActItem(HasId, Base):
    """A delivery in an act. In an act of return `medium_serials` are the media of it that came back."""

    __tablename__ = "act_items"
    __table_args__ = (UniqueConstraint("act_id", "delivery_id"), Index("ix_act_items_delivery", "delivery_id"))

    act_id: Mapped[UUID] = mapped_column(ForeignKey("acts.id"))
    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"))
    position: Mapped[int]
    medium_serials: Mapped[list[str]]

    act: Mapped[Act] = relationship(lazy="raise", back_populates="items")
    delivery: Mapped[Delivery] = relationship(lazy="raise")
