"""Delivery status notifications as mail servers write them (RFC 3464), read into facts. Pure: a message in, facts out.

What is read is a claim: anybody can write such a message. Whoever acts on it compares message and recipient with what
was sent.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage, Message
from email.parser import BytesParser, HeaderParser
from email.policy import EmailPolicy, compat32
from enum import StrEnum
from typing import cast

from portal.errors import InvalidInput, mark
from portal.mailer import clean

LARGEST_MESSAGE_BYTES = 30 * 1024 * 1024
MOST_PARTS = 200
DIAGNOSTIC_CHARS = 300
MOST_RECIPIENTS = 50
MOST_HEADER_CHARS, MOST_STRUCTURED_CHARS = 100_000, 1_000
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,180}>")
_HEX = re.compile(r"\+([0-9A-F]{2})")


class _Bounded(EmailPolicy):
    """Headers cut before anything looks into them: the library's parser of structured ones takes the square of their
    length, and half a minute for a sender that is nothing but commas."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        is_structured = name.lower().startswith("content-") or name.lower() in _STRUCTURED
        return name, value[: MOST_STRUCTURED_CHARS if is_structured else MOST_HEADER_CHARS]


_STRUCTURED = frozenset({"from", "sender", "reply-to", "date", "mime-version", "message-id"})
_POLICY = _Bounded()


class BadMessage(InvalidInput):
    code = "mail-unreadable"
    sentence = mark("This is not a message that can be read: %(reason)s")


class Action(StrEnum):
    """RFC 3464 §2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True)
class RecipientReport:
    """What became of the message for one recipient. `addresses` are its final and original ones, in lower case."""

    addresses: frozenset[str]
    action: Action
    status: str
    diagnostic: str


@dataclass(frozen=True)
class StatusReport:
    """`message_id` and `envelope_id` name what was sent, `id` the report itself; "" where nothing is said."""

    id: str
    message_id: str
    envelope_id: str
    reported_by: str
    recipients: tuple[RecipientReport, ...]


def read(content: bytes) -> EmailMessage:
    """A message (RFC 5322). Raises BadMessage for what is too large, empty or without headers."""
    if len(content) > LARGEST_MESSAGE_BYTES:
        raise BadMessage(reason=f"more than {LARGEST_MESSAGE_BYTES} bytes")
    if content.lower().count(b"boundary") > MOST_PARTS:  # each level makes the parser look at every line once more
        raise BadMessage(reason=f"more than {MOST_PARTS} parts")
    try:
        message = cast("EmailMessage", BytesParser(policy=_POLICY).parsebytes(content))  # as EmailPolicy makes them
        parts = sum(1 for _ in message.walk())
    except Exception as error:  # the parser is lenient, and fails in ways of its own on what was made to break it
        raise BadMessage(reason=type(error).__name__) from error
    if not message.keys():
        raise BadMessage(reason="no headers")
    if parts > MOST_PARTS:
        raise BadMessage(reason=f"more than {MOST_PARTS} parts")
    return message


def header(message: Message, name: str) -> str:
    """A header's words in one line; "" where there is none or where it can't be read."""
    try:
        return clean(str(message.get(name, "")))
    except Exception:  # noqa: BLE001 - parsing of structured headers fails in ways of its own
        return ""


def is_automatic(message: EmailMessage) -> bool:
    """Whether a machine wrote it (RFC 3834 §5, and what was usual before): nobody waits for an answer to it."""
    said = header(message, "Auto-Submitted").lower().partition(";")[0].strip()
    if said and said != "no":
        return True
    if header(message, "Precedence").lower() in ("bulk", "junk", "list", "auto_reply"):
        return True
    return any(name in message for name in ("X-Autoreply", "X-Autorespond", "List-Id")) or (
        header(message, "Return-Path") == "<>"
    )


def status_report(message: EmailMessage) -> StatusReport | None:
    """The report that the message is, or None for any other message. Raises BadMessage for a report without facts."""
    if message.get_content_type() != "multipart/report":
        return None
    parts = list(message.walk())
    blocks = next((_blocks(part) for part in parts if part.get_content_type() == "message/delivery-status"), None)
    if blocks is None:
        return None
    if not blocks:
        raise BadMessage(reason="an empty delivery status")
    about, *recipients = blocks
    read_ones = [found for block in recipients[:MOST_RECIPIENTS] if (found := _recipient(block))]
    if not read_ones:
        raise BadMessage(reason="a delivery status without recipients")
    return StatusReport(
        id=header(message, "Message-ID")[:DIAGNOSTIC_CHARS],
        message_id=_returned_id(parts),
        envelope_id=_from_xtext(header(about, "Original-Envelope-Id"))[:DIAGNOSTIC_CHARS],
        reported_by=_after_type(header(about, "Reporting-MTA"))[:DIAGNOSTIC_CHARS],
        recipients=tuple(read_ones),
    )


def _blocks(part: Message) -> list[Message]:
    """The groups of fields of a delivery status: the first about the message, each other about one recipient."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return [block for block in payload if isinstance(block, Message) and block.keys()]
    text = payload if isinstance(payload, str) else ""
    return [HeaderParser(policy=compat32).parsestr(block) for block in re.split(r"\r?\n\r?\n", text) if block.strip()]


def _recipient(block: Message) -> RecipientReport | None:
    try:
        action = Action(header(block, "Action").partition(" ")[0].lower())
    except ValueError:
        return None
    written = (header(block, "Final-Recipient"), _from_xtext(header(block, "Original-Recipient")))
    addresses = frozenset(_after_type(one).strip("<>").lower() for one in written if one)
    if not addresses:
        return None
    return RecipientReport(
        addresses=addresses,
        action=action,
        status=header(block, "Status").partition(" ")[0][:20],
        diagnostic=_after_type(header(block, "Diagnostic-Code"))[:DIAGNOSTIC_CHARS],
    )


def _returned_id(parts: Sequence[Message]) -> str:
    """The Message-ID in the returned message or in its headers."""
    for part in parts:
        kind = part.get_content_type()
        if kind == "message/rfc822" and isinstance(part.get_payload(), list) and part.get_payload():
            returned = part.get_payload(0)
        elif kind in ("text/rfc822-headers", "message/rfc822-headers"):
            returned = _headers_within(part)
        else:
            continue
        found = _MESSAGE_ID.search(header(returned, "Message-ID")) if isinstance(returned, Message) else None
        if found:
            return found[0]
    return ""


def _headers_within(part: Message) -> Message:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    return HeaderParser(policy=compat32).parsestr(content.decode("utf-8", errors="replace"))


def _after_type(value: str) -> str:
    """`rfc822; a@b.example` without its type."""
    kind, separator, rest = value.partition(";")
    return (rest if separator else kind).strip()


def _from_xtext(value: str) -> str:
    """RFC 3461 §4: `+2B` is a plus sign."""
    return clean(_HEX.sub(lambda found: chr(int(found[1], 16)), value))
