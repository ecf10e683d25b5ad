"""A published release moves the tickets that it cures, and a withdrawn one moves them back (DESIGN 3.4).

Whether a release cures a ticket, and whether its customer may take it, is asked of fixes.py each time. What is kept is
only that the customer was told, once for each ticket and release, so that it is told once and hears of a withdrawal.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import Session, joinedload

from portal.accounts.models import Organisation
from portal.actors import PORTAL_JOB, Actor, Via
from portal.audit.service import Tag
from portal.config import Config
from portal.errors import mark
from portal.mail.service import post
from portal.mail.words import translator
from portal.permissions import OrganisationKind
from portal.releases.models import Issue, IssueRelation, Release, ReleaseAudience, ReleaseIssue, ReleaseState
from portal.tickets import fixes, queries, service, standing
from portal.tickets.fixes import Fix
from portal.tickets.merging import plain
from portal.tickets.models import (
    Ticket,
    TicketEventKind,
    TicketFix,
    TicketIssue,
    TicketRelease,
    TicketState,
)
from portal.tickets.participants import followers
from portal.tickets.telling import automatic_letter

FIXED = mark("Published: %(release)s, with the fix for what ticket %(ticket)s is about.")
WITHDRAWN = mark("Withdrawn: %(release)s, which was to cure ticket %(ticket)s. Do not install it. %(reason)s")
TAKE = mark("%(issue)s: the lowest version with the fix that you may take is %(release)s. %(clause)s")
DOWNLOAD = mark("Download it: %(address)s")
DELIVER = mark("Have it delivered: %(address)s")
MISSING = mark("%(issue)s: %(release)s has the fix, but you can't take it as things stand. %(missing)s")
SEE = mark("More about it: %(address)s")
NO_FIX = mark("%(issue)s: no release fixes it yet.")
CONFIRM = mark(
    "When you have tried it, say on the ticket's page whether it works: the ticket is closed only when you confirm it."
)
MOST_SHOWN = 200

Say = Callable[[str], str]


@dataclass(frozen=True)
class _News:
    """What a ticket's customer is told: releases that came or went, and how each of its issues stands now."""

    template: str
    releases: tuple[Release, ...]
    fixes: Sequence[Fix]
    base_url: str

    def lines(self, ticket: Ticket, say: Say, shown: Callable[[str], str]) -> list[str]:
        """One sentence each; `shown` makes a fact safe for where it will stand."""
        told = [
            say(self.template)
            % {"release": shown(_named(release)), "ticket": ticket, "reason": shown(release.withdrawn_because or "")}
            for release in self.releases
        ]
        told += [line for fix in self.fixes for line in self._of(fix, say, shown)]
        return [*told, say(CONFIRM)] if any(fix.release for fix in self.fixes) else told

    def _of(self, fix: Fix, say: Say, shown: Callable[[str], str]) -> list[str]:
        issue = shown(fix.issue.public_id)
        if fix.release is None or fix.decision is None:
            return [say(NO_FIX) % {"issue": issue}]
        page = f"{self.base_url}/products/{quote(fix.release.product.code)}/{quote(fix.release.version, safe='')}"
        facts = {"issue": issue, "release": shown(_named(fix.release))}
        if not fix.decision.is_granted:
            missing = shown(fix.decision.sentence_in(say))
            return [say(MISSING) % {**facts, "missing": missing}, say(SEE) % {"address": page}]
        delivery = f"{self.base_url}/deliveries/new?release={fix.release.id}"
        return [
            say(TAKE) % {**facts, "clause": shown(fix.decision.clause_in(say))},
            say(DOWNLOAD) % {"address": page},
            say(DELIVER) % {"address": delivery},
        ]


def offer(session: Session, ticket: Ticket, *, config: Config, at: datetime) -> bool:
    """Tell the customer, once, of each release by now that cures the ticket and that it may know of.

    An open ticket becomes "fix available"; its thread says so and each follower gets one letter in their language.
    False when there is nothing new to tell: a closed ticket, a release that this customer may not know of.
    """
    service.hold(session, ticket)
    if ticket.state is TicketState.CLOSED:
        return False
    known = set(session.scalars(select(TicketFix.release_id).where(TicketFix.ticket_id == ticket.id)))
    issues = _issues(session, ticket, at)
    cures = fixes.cures_of(session, ticket, issues, at=at)
    new = {release.id: release for found in cures.values() for release in found if release.id not in known}
    if not new:
        return False
    session.add_all(TicketFix(ticket_id=ticket.id, release_id=release_id, told_at=at) for release_id in new)
    now_fixed = fixes.fixes_of(session, ticket, issues, at=at)
    news = _News(FIXED, tuple(new.values()), now_fixed, config.base_url)
    _tell(session, ticket, news, TicketState.FIX_AVAILABLE, config=config, at=at)
    return True


def take_back(session: Session, ticket: Ticket, *, config: Config, at: datetime) -> bool:
    """Tell the customer, once, of each release that was to cure the ticket and is withdrawn.

    What waited for its confirmation waits for a release again, unless another release that the customer may know of
    cures it; the letter names that one. False when there is nothing to tell.
    """
    service.hold(session, ticket)
    rows = session.scalars(_gone(ticket.id)).all()
    if not rows:
        return False
    for row in rows:
        row.taken_back_at = at
    if ticket.state is TicketState.CLOSED:
        return False  # who holds the release is told by its recall
    now_fixed = fixes.fixes_of(session, ticket, _issues(session, ticket, at), at=at)
    news = _News(WITHDRAWN, tuple(row.release for row in rows), now_fixed, config.base_url)
    _tell(session, ticket, news, _after_withdrawal(ticket, now_fixed), config=config, at=at)
    return True


def to_offer(at: datetime, release_id: UUID | None = None) -> Select[UUID]:
    """Ids of the open tickets with a fix that is published and not told of; of this release, or of any."""
    told = exists().where(TicketFix.ticket_id == Ticket.id, TicketFix.release_id == Release.id)
    rows = (
        select(Ticket.id)
        .distinct()
        .join(TicketIssue, TicketIssue.ticket_id == Ticket.id)
        .join(Issue, Issue.id == TicketIssue.issue_id)
        .join(ReleaseIssue, ReleaseIssue.issue_id == Issue.id)
        .join(Release, Release.id == ReleaseIssue.release_id)
        .where(
            Ticket.state != TicketState.CLOSED,
            Issue.is_public,
            ReleaseIssue.relation == IssueRelation.FIXED,
            Release.state == ReleaseState.PUBLISHED,
            _may_be_open(at),
            ~told.correlate(Ticket, Release),
        )
    )
    return rows.where(Release.id == release_id) if release_id else rows


def to_take_back(release_id: UUID | None = None) -> Select[UUID]:
    """Ids of the tickets whose customer was told of a fix that is withdrawn, and not of that."""
    rows = (
        select(TicketFix.ticket_id)
        .distinct()
        .join(Release, Release.id == TicketFix.release_id)
        .where(TicketFix.taken_back_at.is_(None), Release.state == ReleaseState.WITHDRAWN)
    )
    return rows.where(Release.id == release_id) if release_id else rows


@dataclass(frozen=True)
class Cured:
    """A ticket that a release resolves. `told_at` is None where its customer may not know of the release."""

    ticket: Ticket
    told_at: datetime | None

    @property
    def waits(self) -> bool:
        """The customer has not confirmed."""
        return self.ticket.state is not TicketState.CLOSED


def cured_by(session: Session, release_id: UUID, *, visible_to: Actor) -> list[Cured]:
    """Every ticket that the release resolves, with its customer, those that wait first; for staff alone."""
    if not visible_to.is_staff:
        return []
    fixed = (
        select(TicketIssue.ticket_id)
        .join(ReleaseIssue, ReleaseIssue.issue_id == TicketIssue.issue_id)
        .where(ReleaseIssue.release_id == release_id, ReleaseIssue.relation == IssueRelation.FIXED)
    )
    linked = select(TicketRelease.ticket_id).where(TicketRelease.release_id == release_id)
    told = and_(TicketFix.ticket_id == Ticket.id, TicketFix.release_id == release_id)
    rows = (
        select(Ticket, TicketFix.told_at)
        .outerjoin(TicketFix, told)
        .where(or_(Ticket.id.in_(fixed), Ticket.id.in_(linked)), Ticket.merged_into_id.is_(None))
        .options(joinedload(Ticket.organisation))
        .order_by(Ticket.state == TicketState.CLOSED, Ticket.number.desc())
    )
    return [Cured(ticket, told_at) for ticket, told_at in session.execute(rows.limit(MOST_SHOWN))]


def _may_be_open(at: datetime) -> ColumnElement[bool]:
    """Narrows what is asked of rules and visibility, which decide: the release is open to the ticket's customer."""
    named = exists().where(
        ReleaseAudience.release_id == Release.id,
        ReleaseAudience.organisation_id == Ticket.organisation_id,
        ReleaseAudience.opens_at <= at,
    )
    return or_(Release.open_from <= at, named.correlate(Release, Ticket))


def _gone(ticket_id: UUID) -> Select[TicketFix]:
    return (
        select(TicketFix)
        .join(TicketFix.release)
        .where(TicketFix.ticket_id == ticket_id, TicketFix.taken_back_at.is_(None))
        .where(Release.state == ReleaseState.WITHDRAWN)
        .options(joinedload(TicketFix.release).joinedload(Release.product))
        .order_by(Release.version_key)
    )


def _issues(session: Session, ticket: Ticket, at: datetime) -> Sequence[Issue]:
    """As the customer sees them, whoever asks."""
    customer = Actor(Via.JOB, organisation_id=ticket.organisation_id, kind=OrganisationKind.CUSTOMER)
    return queries.linked_issues(session, ticket, visible_to=customer, at=at)


def _after_withdrawal(ticket: Ticket, now_fixed: Sequence[Fix]) -> TicketState:
    rested_on_it = ticket.state in (TicketState.FIX_AVAILABLE, TicketState.RESOLVED)
    has_other = any(fix.release for fix in now_fixed)
    return TicketState.WAITING_FOR_RELEASE if rested_on_it and not has_other else ticket.state


def _tell(session: Session, ticket: Ticket, news: _News, state: TicketState, *, config: Config, at: datetime) -> None:
    """A message that no human wrote, the change of state, and a letter to each follower; it stops no clock."""
    say = translator(session.get_one(Organisation, ticket.organisation_id).language)
    body = "\n\n".join(news.lines(ticket, say, plain))
    event = service.append(session, ticket, TicketEventKind.MESSAGE, by=PORTAL_JOB, at=at, body=body, is_automatic=True)
    session.flush()  # the next event counts this one, and the letters' keys need its id
    service.record(session, Tag.TICKET_ANSWER, ticket, by=PORTAL_JOB, at=at, internal=False)
    before, ticket.state = ticket.state, state
    if state is not before:
        service.append(
            session, ticket, TicketEventKind.STATE, by=PORTAL_JOB, at=at, detail=state.value, is_automatic=True
        )
        service.record(session, Tag.TICKET_STATE, ticket, by=PORTAL_JOB, at=at, before=before.value, after=state.value)
    for one in followers(session, ticket):
        if one.email:
            text = "\n".join(news.lines(ticket, translator(one.language), str)) + "\n"
            letter = automatic_letter(ticket, one, text, config=config)
            key = f"tickets.fix:{event.id}:{hashlib.sha256(one.email.encode()).hexdigest()[:16]}"
            post(session, key=key, recipient=letter.recipient, subject=letter.subject, text=letter.text, at=at,
                 headers=letter.headers)  # fmt: skip
    standing.keep(session, ticket, at=at)


def _named(release: Release) -> str:
    return f"{release.product.name} {release.version}"
