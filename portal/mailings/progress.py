"""Where a delivery by e-mail stands, in words: what happens next, and what waits for whom. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.deliveries.models import Delivery
from portal.deliveries.states import DeliveryState
from portal.errors import mark
from portal.mailings.models import MailLink, MailMessage, MessageState

_S = DeliveryState


@dataclass(frozen=True)
class Standing:
    """A stable code, and a marked sentence; `since` goes with sentences that end in a time."""

    code: str
    sentence: str
    since: datetime | None = None
    facts: dict[str, Any] = field(default_factory=dict)


SENTENCES = {
    _S.REQUESTED: ("requested", mark("Waits for the dispatcher's approval.")),
    _S.APPROVED: ("approved", mark("Approved. The dispatcher prepares it next.")),
    _S.DELIVERED: ("delivered", mark("All files have been taken. The recipient has not confirmed them yet.")),
    _S.ACKNOWLEDGED: ("acknowledged", mark("The recipient has verified the files. Nothing is left to do.")),
    _S.CANCELLED: ("cancelled", mark("Cancelled.")),
    _S.FAILED: ("failed", mark("The message came back. Check the address, then prepare it again or cancel it.")),
    _S.REFUSED: ("refused", mark("The recipient refused it.")),
}
READY = Standing("ready", mark("Prepared. The message can be sent."))
STOPPED = Standing("stopped", mark("Stopped by an incident."))
SENDING = Standing("sending", mark("Prepared. The message is being sent."))
LINK_ENDED = Standing("link-ended", mark("The message was sent, but its link is no longer open. Send a new one."))
ATTACHED = Standing("attached", mark("The files were sent with the message. The recipient has not confirmed them yet."))
OPENED = Standing("opened", mark("The recipient has opened the link. Not all files have been taken yet."))
SENT = Standing("sent", mark("The message was sent. The recipient has not opened the link yet."))


def standing(delivery: Delivery, messages: Sequence[MailMessage], links: Sequence[MailLink], at: datetime) -> Standing:
    """What the page says first; messages and links with the newest first."""
    waiting = next((one for one in messages if one.state is MessageState.WAITING), None)
    if delivery.stopped_at is not None:
        return STOPPED
    if waiting is not None and waiting.waiting_since is not None:
        return Standing("waits", mark("The message waits for the mail server since"), waiting.waiting_since)
    if waiting is not None:
        return SENDING
    if delivery.state is _S.PREPARED:
        return _prepared(messages)
    if delivery.state is _S.DISPATCHED:
        return _dispatched(links, at, was_attached=bool(messages) and messages[0].carries_files)
    code, sentence = SENTENCES.get(delivery.state, (delivery.state.value, ""))
    return Standing(code, sentence)


def _prepared(messages: Sequence[MailMessage]) -> Standing:
    last = messages[0] if messages else None
    if last is None or not last.last_error:
        return READY
    if last.state is MessageState.BOUNCED:
        return Standing("mail-refused", mark("The mail server refused the message: %(answer)s"),
                        facts={"answer": last.last_error})  # fmt: skip
    return Standing("not-sent", mark("The message was not sent (%(code)s). It can be sent again."),
                    facts={"code": last.last_error})  # fmt: skip


def _dispatched(links: Sequence[MailLink], at: datetime, *, was_attached: bool) -> Standing:
    if was_attached:
        return ATTACHED
    if not links or not links[0].is_open(at):
        return LINK_ENDED
    return OPENED if links[0].opened_count else SENT
