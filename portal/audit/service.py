"""Record what was done, in the transaction that does it, chained so that no row can be altered unseen (DESIGN 4)."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.audit.models import AuditEvent, AuditHead
from portal.db import Base, Sessions

GENESIS = "0" * 64
PENDING = "audit events of this transaction"


class Tag(StrEnum):
    """Every kind of event there is; a tag never changes its meaning."""

    REFUSED = "request.refused"
    SIGN_IN = "account.sign-in"
    SIGN_IN_FAILED = "account.sign-in-failed"
    SIGN_OUT = "account.sign-out"
    PASSWORD_CHANGE = "account.password-change"  # noqa: S105 - a word, not a secret
    PASSWORD_RESET_ASKED = "account.password-reset-asked"  # noqa: S105 - a word, not a secret
    SESSIONS_END = "account.sessions-end"
    TOKEN_CREATE = "token.create"  # noqa: S105 - a word, not a secret
    TOKEN_REVOKE = "token.revoke"  # noqa: S105 - a word, not a secret
    ORGANISATION_CREATE = "organisation.create"
    ORGANISATION_CHANGE = "organisation.change"
    ORGANISATION_SUSPEND = "organisation.suspend"
    ORGANISATION_RESUME = "organisation.resume"
    PERSON_INVITE = "person.invite"
    PERSON_JOIN = "person.join"
    PERSON_CHANGE = "person.change"
    PERSON_ROLES = "person.roles"
    PERSON_DISABLE = "person.disable"
    PERSON_ENABLE = "person.enable"
    PRODUCT_CREATE = "product.create"
    PRODUCT_CHANGE = "product.change"
    TRAIN_SAVE = "train.save"
    EXPORT_RULE_ADD = "export-rule.add"
    EXPORT_RULE_REMOVE = "export-rule.remove"
    RELEASE_CREATE = "release.create"
    RELEASE_CHANGE = "release.change"
    RELEASE_SUBMIT = "release.submit"
    RELEASE_RETURN = "release.return"
    RELEASE_APPROVE = "release.approve"
    RELEASE_PUBLISH = "release.publish"
    RELEASE_WITHDRAW = "release.withdraw"
    RELEASE_RECOMMEND = "release.recommend"
    RELEASE_AUDIENCE = "release.audience"
    ARTIFACT_ADD = "artifact.add"
    ARTIFACT_REMOVE = "artifact.remove"
    NOTES_SAVE = "notes.save"
    NOTES_CORRECT = "notes.correct"
    WAIVER_GIVE = "waiver.give"
    ISSUE_CREATE = "issue.create"
    ISSUE_CHANGE = "issue.change"
    ISSUE_LINK = "issue.link"
    KEY_ROTATE = "key.rotate"
    KIT_PREPARE = "kit.prepare"
    DEVICE_ADD = "device.add"
    DEVICE_CHANGE = "device.change"
    DEVICE_REMOVE = "device.remove"
    SITE_SAVE = "site.save"
    SITE_REMOVE = "site.remove"
    CONTRACT_CREATE = "contract.create"
    CONTRACT_CHANGE = "contract.change"
    CONTRACT_HOLD = "contract.hold"
    CONTRACT_RESUME = "contract.resume"
    CONTRACT_IMPORT = "contract.import"
    GRANT_GIVE = "grant.give"
    GRANT_REVOKE = "grant.revoke"
    AGREEMENT_SAVE = "agreement.save"
    AGREEMENT_ACCEPT = "agreement.accept"
    DELIVERY_GRANTED = "delivery.granted"
    DELIVERY_COMPLETED = "delivery.completed"
    DELIVERY_CONFIRMED = "delivery.confirmed"
    DELIVERY_REQUEST = "delivery.request"
    DELIVERY_STEP = "delivery.step"
    DELIVERY_STOP = "delivery.stop"
    DELIVERY_RECIPIENT = "delivery.recipient"
    CARRIER_SAVE = "carrier.save"
    ADDRESS_SAVE = "address.save"
    ADDRESS_REMOVE = "address.remove"
    DELIVERY_POLICY = "delivery.policy"
    AUTHORITY_NAME = "authority.name"
    POWER_GIVE = "power.give"
    POWER_CONFIRM = "power.confirm"
    POWER_DECLINE = "power.decline"
    POWER_REVOKE = "power.revoke"
    MEDIUM_ADD = "medium.add"
    MEDIUM_STATE = "medium.state"
    LINK_WITHDRAW = "link.withdraw"
    ACT_SIGN = "act.sign"
    RECALL_ANSWER = "recall.answer"
    TICKET_OPEN = "ticket.open"
    TICKET_ANSWER = "ticket.answer"
    TICKET_STATE = "ticket.state"
    TICKET_LINK = "ticket.link"
    TICKET_MERGE = "ticket.merge"
    TICKET_SPLIT = "ticket.split"
    TICKET_FILE = "ticket.file"
    TICKET_PEOPLE = "ticket.people"
    TICKET_RATE = "ticket.rate"
    CONTACT_SAVE = "contact.save"
    CONTACT_REMOVE = "contact.remove"
    MAIL_HOLD = "mail.hold"
    MAIL_POST = "mail.post"
    MAIL_DISCARD = "mail.discard"
    TICKET_ASSIGN = "ticket.assign"
    TICKET_ASSESS = "ticket.assess"
    PROGRAMME_SAVE = "programme.save"
    ROTA_CHANGE = "rota.change"
    SHIFT_NOTE = "shift.note"
    UPDATE_STATE = "update.state"
    UPDATE_WINDOW = "update.window"
    UPDATE_CONSENT = "update.consent"
    UPDATE_STEP = "update.step"
    ACCESS_CONSENT = "access.consent"
    ACCESS_CONSENT_END = "access.consent-end"
    ACCESS_SECRET_SAVE = "access-secret.save"  # noqa: S105 - a word, not a secret
    ACCESS_SECRET_SHOWN = "access-secret.shown"  # noqa: S105 - a word, not a secret
    ACCESS_SECRET_DESTROY = "access-secret.destroy"  # noqa: S105 - a word, not a secret
    REMOTE_SESSION = "remote-session.step"
    CALENDAR_FEED = "calendar-feed.change"
    BACKUP_STORE = "backup.store"
    BACKUP_READ = "backup.read"
    BACKUP_DELETE = "backup.delete"
    BACKUP_REWRAP = "backup.rewrap"
    STATEMENT_ISSUE = "statement.issue"
    JOB_RETRY = "job.retry"
    OBJECT_REMOVE = "object.remove"
    AUDIT_CHECKPOINT = "audit.checkpoint"


@dataclass(frozen=True)
class Pending:
    tag: Tag
    by: Actor
    at: datetime
    subject: Base | None
    named: str
    facts: dict[str, Any]


def record(session: Session, tag: Tag, *, by: Actor, at: datetime, subject: Base | None = None, named: str = "",
           **facts: Any) -> None:  # fmt: skip  # noqa: ANN401 - facts are whatever JSON holds
    """Note an event about `subject` (a row, and the name to show when it is gone); facts hold no secrets.

    Links are added to the chain just before the commit: the head is locked for that moment only.
    """
    if not session.in_transaction():
        session.begin()  # so that a rollback has something to end, and tells us
    session.info.setdefault(PENDING, []).append(Pending(tag, by, at, subject, named, facts))


def chain_on(sessions: Sessions) -> None:
    """Add what was recorded to the chain at each commit of these sessions, and forget it at each rollback."""
    event.listen(sessions, "before_commit", _link)
    event.listen(sessions, "after_rollback", lambda session: session.info.pop(PENDING, None))


def _link(session: Session) -> None:
    pending: list[Pending] = session.info.pop(PENDING, [])
    if not pending:
        return
    session.flush()  # subjects get their ids
    head = session.scalars(select(AuditHead).where(AuditHead.id == 1).with_for_update()).one()
    for item in pending:
        row = _row(item, head.sequence + 1, head.hash)
        session.add(row)
        head.sequence, head.hash = row.sequence, row.hash


def _row(item: Pending, sequence: int, previous_hash: str) -> AuditEvent:
    row = AuditEvent(
        sequence=sequence,
        at=item.at.astimezone(UTC),
        tag=item.tag.value,
        via=item.by.via,
        person_id=item.by.person_id,
        person_name=item.by.name,
        organisation_id=item.by.organisation_id,
        address=item.by.address,
        subject_kind=item.subject.__tablename__ if item.subject else "",
        subject_id=str(getattr(item.subject, "id", "")) if item.subject else "",
        subject_name=item.named.replace("\0", "")[:300],
        facts=json.loads(json.dumps(item.facts, default=str)),
        previous_hash=previous_hash,
    )
    row.hash = hash_of(row)
    return row


def hash_of(row: AuditEvent, *, sequence: int | None = None) -> str:
    """SHA-256 over the row's content and the hash before it, as canonical JSON; hex.

    With a `sequence`, what it would be had the row stood there.
    """
    content = [
        sequence or row.sequence, row.at.astimezone(UTC).isoformat(), row.tag, row.via.value, str(row.person_id or ""),
        row.person_name, str(row.organisation_id or ""), row.address, row.subject_kind, row.subject_id,
        row.subject_name, row.facts, row.previous_hash,
    ]  # fmt: skip
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
