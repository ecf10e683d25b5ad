"""Reading the record."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select

from portal.actors import Actor
from portal.audit.models import AuditEvent
from portal.errors import NotFound
from portal.permissions import Permission


@dataclass(frozen=True)
class Filter:
    """What is looked for; an empty field does not narrow. `since` is inclusive, `before` exclusive.

    `person` and `subject` are an id, or a part of a name.
    """

    tag: str = ""
    person: str = ""
    organisation_id: UUID | None = None
    subject: str = ""
    since: datetime | None = None
    before: datetime | None = None


def events(wanted: Filter, *, visible_to: Actor) -> Select[AuditEvent]:
    """Newest first. Raises NotFound for whoever may not read the record."""
    if not visible_to.may(Permission.AUDIT_READ):
        raise NotFound
    query = select(AuditEvent).order_by(AuditEvent.sequence.desc())
    if wanted.tag:
        query = query.where(AuditEvent.tag == wanted.tag)
    if wanted.organisation_id:
        query = query.where(AuditEvent.organisation_id == wanted.organisation_id)
    if wanted.person:
        person_id = _id(wanted.person)
        query = query.where(
            AuditEvent.person_id == person_id
            if person_id
            else AuditEvent.person_name.icontains(wanted.person, autoescape=True)
        )
    if wanted.subject:
        query = query.where(
            AuditEvent.subject_id == str(_id(wanted.subject))
            if _id(wanted.subject)
            else AuditEvent.subject_name.icontains(wanted.subject, autoescape=True)
        )
    if wanted.since:
        query = query.where(AuditEvent.at >= wanted.since)
    if wanted.before:
        query = query.where(AuditEvent.at < wanted.before)
    return query


def _id(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None
