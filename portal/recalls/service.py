"""The verbs of a recall: find the holders, tell them, take their answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.accounts.models import Person
from portal.actors import PORTAL_JOB, Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.deliveries import holders, ledger
from portal.deliveries.models import Delivery, DeliveryEvent
from portal.deliveries.states import Channel, EventKind
from portal.documents.act import ActKind
from portal.entitlements.decision import minute
from portal.errors import NotFound
from portal.handovers.models import Act, ActItem, ActState
from portal.recalls.errors import AnsweredTooOften, ReasonNeeded, ToldBefore, ToldByMail
from portal.recalls.models import Answer, Holding, Recall
from portal.releases.models import Release
from portal.texts import lines, one_line

REASON_CHARS, NAME_CHARS, HOW_CHARS = 1000, 200, 300
SALT = "recall"
REMIND_EVERY = timedelta(days=7)
MOST_ANSWERS = 20
"""Of one holding: whoever finds a letter with its link fills no ledger."""


@dataclass(frozen=True)
class Told:
    """How and when somebody told a holder: by post, by telephone, in person."""

    how: str
    at: datetime


def open_recall(session: Session, release: Release, *, at: datetime) -> Recall:
    """The recall of a withdrawn release with everybody who holds it. Called again it finds those who came since."""
    recall = session.scalar(select(Recall).where(Recall.release_id == release.id).with_for_update())
    if recall is None:
        recall = Recall(release_id=release.id, opened_at=at)
        session.add(recall)
        session.flush()  # holdings point to it
    known = set(session.scalars(select(Holding.key).where(Holding.recall_id == recall.id)))
    places = _places_of_acts(session, release.id)
    for delivery in _given_out(session, release.id):
        holding = _holding(recall, delivery, places)
        if holding.key not in known:
            known.add(holding.key)
            session.add(holding)
    session.flush()  # they get their ids
    return recall


def lately_opened(session: Session, *, at: datetime) -> Sequence[UUID]:
    """Releases whose recall is younger than a week."""
    return session.scalars(select(Recall.release_id).where(Recall.opened_at > at - REMIND_EVERY)).all()


def untold(session: Session, recall: Recall) -> Iterable[Holding]:
    """Those whom the portal itself tells, by e-mail, and has not yet."""
    mailed = (Channel.DOWNLOAD, Channel.EMAIL)
    rows = select(Holding).where(Holding.recall_id == recall.id, Holding.told_at.is_(None), Holding.channel.in_(mailed))
    return session.scalars(rows.options(joinedload(Holding.delivery))).all()


def answer_token(holding: Holding, secret_key: str) -> str:
    """What stands in the link by which somebody without a sign-in answers: the holding, signed; always the same."""
    return URLSafeSerializer(secret_key, salt=SALT).dumps(holding.id.hex)


def holding_of(token: str, secret_key: str) -> UUID:
    """Raises NotFound for a link that is not ours."""
    try:
        return UUID(URLSafeSerializer(secret_key, salt=SALT).loads(token))
    except (BadSignature, ValueError, TypeError) as error:
        raise NotFound from error


def note_mailed(session: Session, holding: Holding, *, at: datetime) -> None:
    """The letter is in the outbox."""
    holding.told_at, holding.told_how = at, "e-mail"
    _note(session, holding, EventKind.RECALL_TOLD, {"how": "e-mail", "recipient": holding.holder_email}, PORTAL_JOB, at)


def note_told(session: Session, holding: Holding, told: Told, *, by: Actor, at: datetime) -> None:
    """Somebody of the vendor or the support centre told the holder by post, by telephone or in person.

    Needs the holding's recall. Raises ToldByMail, ToldBefore and what `one_line` raises.
    """
    if holding.is_mailed:
        raise ToldByMail
    if not holding.recall.opened_at <= told.at <= at:
        raise ToldBefore
    how = one_line(told.how, limit=HOW_CHARS)
    holding.told_at, holding.told_how = told.at, how
    _note(session, holding, EventKind.RECALL_TOLD, {"how": how, "happened_at": minute(told.at)}, by, at)


def answer(session: Session, holding: Holding, given: Answer, reason: str, *, by: Actor, at: datetime) -> None:
    """Take a holder's word: removed, or kept and why. A later answer replaces it; both stay in the ledger.

    Raises ReasonNeeded, AnsweredTooOften and what `lines` raises.
    """
    text = lines(reason, limit=REASON_CHARS, required=False)
    if given is Answer.KEPT and not text:
        raise ReasonNeeded
    ledger.locked(session, holding.delivery_id)  # of two at once the second sees the first, and is counted
    session.refresh(holding, ["answer", "answer_reason"])
    if (holding.answer, holding.answer_reason) == (given, text):
        return
    _require_few_answers(session, holding)
    name = one_line(by.name, limit=NAME_CHARS)
    holding.answer, holding.answer_reason, holding.answered_at, holding.answered_name = given, text, at, name
    _note(session, holding, EventKind.RECALL_ANSWERED, {"answer": given.value, "reason": text}, by, at)
    audit.record(
        session, Tag.RECALL_ANSWER, by=by, at=at, subject=holding, named=holding.holder_name, answer=given.value
    )


def _require_few_answers(session: Session, holding: Holding) -> None:
    rows = select(func.count()).where(
        DeliveryEvent.delivery_id == holding.delivery_id, DeliveryEvent.kind == EventKind.RECALL_ANSWERED
    )
    if (session.scalar(rows) or 0) >= MOST_ANSWERS:
        raise AnsweredTooOften(times=MOST_ANSWERS)


def to_remind(session: Session, *, at: datetime) -> Iterable[Holding]:
    """Those who were told, have not answered, and have heard nothing since for a week."""
    heard = at - REMIND_EVERY
    rows = (
        select(Holding)
        .where(
            Holding.answer.is_(None),
            Holding.told_at <= heard,
            Holding.reminded_at.is_(None) | (Holding.reminded_at <= heard),
        )
        .options(joinedload(Holding.recall).joinedload(Recall.release).joinedload(Release.product))
        .with_for_update(of=Holding)
    )
    return session.scalars(rows).all()


def _note(
    session: Session, holding: Holding, kind: EventKind, evidence: dict[str, Any], by: Actor, at: datetime
) -> None:
    ledger.note(session, ledger.locked(session, holding.delivery_id), kind, evidence, by=by, at=at)


def _given_out(session: Session, release_id: UUID) -> Iterable[Delivery]:
    """By what the release is held, newest first."""
    rows = (
        holders.given_out(session, release_id)
        .options(joinedload(Delivery.person), joinedload(Delivery.organisation), selectinload(Delivery.events))
        .order_by(Delivery.created_at.desc(), Delivery.id)
    )
    return session.scalars(rows).all()


def _holding(recall: Recall, delivery: Delivery, places: Mapping[UUID, str]) -> Holding:
    """What one delivery, or one person's downloads, put where."""
    person, recipient = delivery.person, delivery.recipient or {}
    is_download = delivery.channel is Channel.DOWNLOAD
    return Holding(
        recall_id=recall.id,
        organisation_id=delivery.organisation_id,
        delivery_id=delivery.id,
        key=f"download:{delivery.person_id}" if is_download else f"delivery:{delivery.id}",
        channel=delivery.channel,
        holder_name=recipient.get("name") or delivery.person_name,
        holder_email=recipient.get("email") or (person.email if person else ""),
        language=recipient.get("language") or _language(person, delivery),
        place=_place(delivery) or places.get(delivery.id, ""),
        medium=_medium(delivery),
    )


def _language(person: Person | None, delivery: Delivery) -> str:
    return person.language if person else delivery.organisation.language


def _place(delivery: Delivery) -> str:
    destination = delivery.destination
    return ", ".join([*destination["lines"], destination["country"]])[:600] if destination else ""


def _places_of_acts(session: Session, release_id: UUID) -> dict[UUID, str]:
    """Where what was handed over in person changed hands, by delivery."""
    rows = (
        select(ActItem.delivery_id, Act.place)
        .join(Act, Act.id == ActItem.act_id)
        .join(Delivery, Delivery.id == ActItem.delivery_id)
        .where(Delivery.release_id == release_id, Act.kind == ActKind.ACCEPTANCE, Act.state == ActState.SIGNED)
    )
    return {row.delivery_id: row.place for row in session.execute(rows)}


def _medium(delivery: Delivery) -> str:
    """Kind and serial number as the entry of the preparation has them; nothing where no medium travelled."""
    prepared = [event.evidence for event in delivery.events if event.kind is EventKind.PREPARED]
    last = prepared[-1] if prepared else {}
    return " ".join(str(last[name]) for name in ("medium_kind", "medium_serial") if last.get(name))[:200]
