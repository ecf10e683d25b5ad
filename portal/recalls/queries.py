"""Recalls and holdings, loaded for whoever may see them: a customer sees its own holdings and nobody else's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, case, exists, false, func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.entitlements.visibility import visible
from portal.errors import NotFound
from portal.recalls.models import Answer, Holding, Recall
from portal.releases.models import Release


@dataclass(frozen=True)
class Progress:
    """How many holders there are, were told, have answered, and of these keep the release."""

    holders: int = 0
    told: int = 0
    answered: int = 0
    kept: int = 0

    @property
    def percent(self) -> int:
        """Whole percent answered; 100 only when nobody is left."""
        return 100 * self.answered // self.holders if self.holders else 100


def recalls(*, visible_to: Actor) -> Select[Recall]:
    """Every recall, newest first, with its release; for a customer those that concern it."""
    rows = (
        select(Recall)
        .join(Recall.release)
        .options(contains_eager(Recall.release).joinedload(Release.product))
        .order_by(Recall.opened_at.desc(), Recall.id)
    )
    if visible_to.is_staff:
        return rows
    return rows.where(exists(_seen(select(Holding.id).where(Holding.recall_id == Recall.id), visible_to)))


def get(session: Session, release_id: UUID, *, visible_to: Actor) -> Recall:
    """The recall of a release. Raises NotFound, for a customer whom it does not concern too."""
    found = session.scalar(recalls(visible_to=visible_to).where(Recall.release_id == release_id))
    if found is None:
        raise NotFound
    return found


def holdings(recall: Recall, *, visible_to: Actor) -> Select[Holding]:
    """Who holds the release: first who has not answered, by customer and name."""
    rows = (
        select(Holding)
        .join(Holding.organisation)
        .where(Holding.recall_id == recall.id)
        .options(contains_eager(Holding.organisation), joinedload(Holding.delivery))
        .order_by(Holding.answer.is_not(None), Organisation.name, Holding.holder_name, Holding.id)
    )
    return _seen(rows, visible_to)


def holding(session: Session, holding_id: UUID, *, visible_to: Actor) -> Holding:
    """One holding, locked, with customer, delivery and release. Raises NotFound, for another customer's too."""
    release = joinedload(Holding.recall).joinedload(Recall.release)
    options = (
        joinedload(Holding.organisation),
        joinedload(Holding.delivery),
        release.joinedload(Release.product),
        release.joinedload(Release.replacement),
    )
    rows = _seen(select(Holding).where(Holding.id == holding_id), visible_to)
    found: Holding | None = session.scalar(rows.options(*options).with_for_update(of=Holding))
    if found is None:
        raise NotFound
    return found


def of_link(session: Session, holding_id: UUID) -> Holding:
    """The holding that an answering link leads to, locked, with customer, delivery and release. Raises NotFound."""
    rows = (
        select(Holding)
        .where(Holding.id == holding_id)
        .options(
            joinedload(Holding.organisation),
            joinedload(Holding.delivery),
            joinedload(Holding.recall).joinedload(Recall.release).joinedload(Release.product),
        )
        .with_for_update(of=Holding)
    )
    found = session.scalar(rows)
    if found is None:
        raise NotFound
    return found


def progress(session: Session, recall_ids: Sequence[UUID], *, visible_to: Actor) -> dict[UUID, Progress]:
    """How far each recall has come, in one statement; for a customer, with its own holdings only."""
    rows = select(
        Holding.recall_id,
        func.count(),
        func.count(Holding.told_at),
        func.count(Holding.answer),
        func.sum(case((Holding.answer == Answer.KEPT, 1), else_=0)),
    ).where(Holding.recall_id.in_(recall_ids))
    found = session.execute(_seen(rows, visible_to).group_by(Holding.recall_id))
    return {
        recall_id: Progress(holders, told, answered, int(kept or 0))
        for recall_id, holders, told, answered, kept in found
    }


def known_replacement(session: Session, release: Release, organisation_id: UUID, at: datetime) -> Release | None:
    """The release to take instead, unless it is still kept from this company: then nothing is said of it."""
    known = visible(organisation_id, at).where(Release.id == release.replacement_id)
    return release.replacement if session.scalar(known) else None


def _seen(rows: Select, visible_to: Actor) -> Select:  # type: ignore[type-arg]
    if visible_to.is_staff:
        return rows
    if visible_to.organisation_id is None:
        return rows.where(false())
    return rows.where(Holding.organisation_id == visible_to.organisation_id)
