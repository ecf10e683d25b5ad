"""The words of the messages, in the recipient's language: plain text, and the same as simple HTML."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.deliveries.models import Delivery, DeliveryItem
from portal.errors import mark
from portal.mail.words import translator
from portal.mailer import Attachment, Letter, as_html, clean
from portal.mailings.models import MessageKind
from signing import SUMS, SUMS_SIGNATURE

SUBJECTS = {
    MessageKind.LINK: mark("Delivery %(number)s: %(product)s %(version)s"),
    MessageKind.ATTACHMENT: mark("Delivery %(number)s: %(product)s %(version)s, files attached"),
    MessageKind.REMINDER: mark("Delivery %(number)s waits for you until %(day)s"),
}
TEXTS = {
    MessageKind.LINK: mark(
        """%(name)s,

%(product)s %(version)s is ready for %(organisation)s.
You are named as the person who receives it: delivery %(number)s.

Take the files here until %(until)s:

%(link)s

The page sends a one-time code to this mailbox and asks for it. Without the code the link shows nothing.
Do not forward this message.

After the download compare the digests as the page says, and confirm the receipt there.

If you did not expect this message, leave it and tell whoever manages deliveries in your company.
"""
    ),
    MessageKind.ATTACHMENT: mark(
        """%(name)s,

%(product)s %(version)s for %(organisation)s is attached.
You are named as the person who receives it: delivery %(number)s.

Attached are the files, their checksums (SHA256SUMS) and the vendor's signature of them (SHA256SUMS.sig).
Check them before you install anything:

sha256sum --ignore-missing -c SHA256SUMS
openssl dgst -sha256 -verify KEY.pem -signature SHA256SUMS.sig SHA256SUMS

The public key KEY.pem and its fingerprint: %(keys)s

%(digests)s

Confirm the receipt here until %(until)s (the page sends a one-time code to this mailbox and asks for it):

%(link)s

If you did not expect this message, leave it and tell whoever manages deliveries in your company.
"""
    ),
    MessageKind.REMINDER: mark(
        """%(name)s,

%(product)s %(version)s for %(organisation)s, delivery %(number)s, has not been taken yet. The link ends on %(until)s:

%(link)s

The page sends a one-time code to this mailbox and asks for it.
"""
    ),
}


@dataclass(frozen=True)
class Facts:
    """What a message tells; `delivery` with its customer, release and product."""

    delivery: Delivery
    kind: MessageKind
    recipient: str
    link: str
    until: datetime
    base_url: str


def letter(facts: Facts, items: Sequence[DeliveryItem], papers: Sequence[Attachment] = ()) -> Letter:
    """The message as it is sent; `papers` go with it. Names are cleaned of what no header may hold."""
    delivery = facts.delivery
    recipient = delivery.recipient or {}
    language = str(recipient.get("language") or "en")
    say = translator(language)
    words = _words(facts, items)
    text = say(TEXTS[facts.kind]) % words
    return Letter(
        recipient=facts.recipient,
        recipient_name=words["name"],
        subject=clean(say(SUBJECTS[facts.kind]) % words),
        text=text,
        html=as_html(text, language),
        attachments=tuple(papers),
    )


def about(delivery: Delivery, say: Callable[[str], str]) -> str:
    """What a one-time code is for, in a few words."""
    words = {"number": delivery.number, "organisation": clean(delivery.organisation.name)}
    return say(mark("delivery %(number)s for %(organisation)s")) % words


def signed_papers(sums: str, signature: bytes) -> tuple[Attachment, ...]:
    return (Attachment(SUMS, sums.encode(), "text/plain"), Attachment(SUMS_SIGNATURE, signature))


def _words(facts: Facts, items: Sequence[DeliveryItem]) -> dict[str, str]:
    delivery = facts.delivery
    digests = "\n".join(f"{clean(item.artifact.name)}\nSHA-256 {item.sha256}" for item in items)
    return {
        "name": clean(str((delivery.recipient or {}).get("name", ""))),
        "organisation": clean(delivery.organisation.name),
        "product": clean(delivery.release.product.name),
        "version": clean(delivery.release.version),
        "number": clean(delivery.number or ""),
        "link": facts.link,
        "keys": f"{facts.base_url}/keys",
        "digests": digests,
        "until": f"{facts.until:%Y-%m-%d %H:%M} UTC",
        "day": f"{facts.until:%Y-%m-%d}",
    }
