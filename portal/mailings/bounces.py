"""What mail servers say of our messages (RFC 3464), held against what was sent, and noted in the ledger.

Anybody can write such a report, so it counts only when it names a message of ours and the very recipient it went to.
"""

import logging
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actors import PORTAL_JOB
from portal.deliveries import ledger
from portal.deliveries.models import Delivery
from portal.deliveries.states import DeliveryState, EventKind
from portal.mail.receiving import Incoming, NotYet, Outcome, takes
from portal.mail.reports import Action, RecipientReport, StatusReport, status_report
from portal.mailings.models import MailLink, MailMessage, MessageKind, MessageState
from portal.resources import Resources

log = logging.getLogger(__name__)

MOST_REPORTS = 20
"""Of one message: a mail server that repeats itself for days fills no ledger."""
KINDS = {
    Action.FAILED: EventKind.BOUNCED,
    Action.DELAYED: EventKind.DELAYED,
    Action.DELIVERED: EventKind.MESSAGE_ARRIVED,
    Action.RELAYED: EventKind.MESSAGE_ARRIVED,
    Action.EXPANDED: EventKind.MESSAGE_ARRIVED,
}
STATES = {
    EventKind.BOUNCED: MessageState.BOUNCED,
    EventKind.DELAYED: MessageState.DELAYED,
    EventKind.MESSAGE_ARRIVED: MessageState.ARRIVED,
}
FINAL = (MessageState.BOUNCED, MessageState.ARRIVED)


@takes("mailings.reports", automatic=True)
def take(resources: Resources, incoming: Incoming, at: datetime) -> Outcome | None:
    """A report about a message of ours is noted; one about anything else is put aside and changes nothing.

    Raises NotYet when the message it is about is just being sent, BadMessage for a report that says nothing.
    """
    report = status_report(incoming.message)
    if report is None:
        return None
    with resources.sessions.begin() as session:
        message = _message_of(session, report)
        if message is None:
            log.warning("report %s is about no message of ours: %s", report.id, report.message_id or report.envelope_id)
            return Outcome.ASIDE
        about = [one for one in report.recipients if message.recipient.lower() in one.addresses]
        if not about:
            log.warning("report %s names another recipient than message %s had", report.id, message.message_id)
            return Outcome.ASIDE
        if message.state is MessageState.WAITING:
            raise NotYet
        for one in about:
            _note(session, message, report, one, at)
    return Outcome.TAKEN


def _message_of(session: Session, report: StatusReport) -> MailMessage | None:
    """By the Message-ID in what was returned, else by the id that we gave the envelope."""
    if report.message_id:
        found = session.scalar(select(MailMessage).where(MailMessage.message_id == report.message_id))
        if found is not None:
            return found
    try:
        return session.get(MailMessage, UUID(hex=report.envelope_id))
    except ValueError:
        return None


def _note(session: Session, message: MailMessage, report: StatusReport, one: RecipientReport, at: datetime) -> None:
    delivery = ledger.locked(session, message.delivery_id)
    session.refresh(message)
    told = {
        "action": one.action.value,
        "status": one.status,
        "diagnostic": one.diagnostic,
        "reported_by": report.reported_by,
        "report_id": report.id,
    }
    known = [{name: kept[name] for name in told} for kept in message.reports]
    if told in known or len(known) >= MOST_REPORTS:
        return
    message.reports = [*message.reports, told | {"at": at.isoformat()}]
    kind = KINDS[one.action]
    if message.state not in FINAL or kind is EventKind.BOUNCED:
        message.state = STATES[kind]
    evidence = {"message_id": message.message_id, "recipient": message.recipient, **told}
    ledger.note(session, delivery, kind, evidence, by=PORTAL_JOB, at=at)
    if kind is EventKind.BOUNCED and _decides(session, message, delivery):
        reason = f"{one.status} {one.diagnostic}".strip() or "the message came back"
        ledger.step(session, delivery, DeliveryState.FAILED, {"reason": reason}, by=PORTAL_JOB, at=at)


def _decides(session: Session, message: MailMessage, delivery: Delivery) -> bool:
    """Whether the delivery fails with this message: it is the newest that carried it, and nobody has opened its link.

    Whoever showed the code reads the mailbox, whatever some server says.
    """
    if delivery.state is not DeliveryState.DISPATCHED or delivery.stopped_at is not None:
        return False
    if session.get_one(MailLink, message.link_id).code_confirmed_at is not None:
        return False
    rows = select(MailMessage.id).where(
        MailMessage.delivery_id == delivery.id,
        MailMessage.kind != MessageKind.REMINDER,
        MailMessage.state != MessageState.STOPPED,
    )
    newest = session.scalar(rows.order_by(MailMessage.created_at.desc(), MailMessage.id).limit(1))
    return newest == message.id
