"""Addresses and threads that name their ticket and can't be made up: signed for one recipient each.

`support+T-000123.<mac>@desk.example` is where one recipient answers about one ticket; `<T-000123.<mac>@desk.example>`
is the Message-ID that all mail of a ticket refers to (RFC 5322 §3.6.4): an answer to the bare address finds it too.
"""

import hmac
import re
from collections.abc import Iterable

from portal.tickets import numbers

_MAC_CHARS = 20
"""80 bits: each guess is a mail that is held and seen."""
_TAG = re.compile(r"(?P<ticket>t-[0-9]{1,12})\.(?P<mac>[0-9a-f]{20})", re.IGNORECASE | re.ASCII)
_REFERENCE = re.compile(r"<(t-[0-9]{1,12})\.([0-9a-f]{20})@", re.IGNORECASE | re.ASCII)


def reply_address(support: str, secret: str, ticket: str, recipient: str) -> str:
    """Where this recipient answers about this ticket (`T-000123`)."""
    local, _, domain = support.rpartition("@")
    return f"{local}+{ticket}.{_mac(secret, 'reply', ticket, recipient)}@{domain}"


def ticket_of(address: str, support: str, secret: str, sender: str) -> int | None:
    """The ticket that the address names for this sender; None when it was made for another or by another."""
    found = _tag_in(address, support)
    number = numbers.parse(found["ticket"]) if found else None
    if found is None or number is None:
        return None
    wanted = _mac(secret, "reply", f"T-{number:06d}", sender)
    return number if hmac.compare_digest(wanted, found["mac"].lower()) else None


def claims_ticket(address: str, support: str) -> bool:
    """Whether it looks like a reply address of ours, genuine or not."""
    return _tag_in(address, support) is not None


def is_ours(address: str, support: str) -> bool:
    """The desk's address, with whatever follows its plus sign."""
    local, _, domain = address.lower().rpartition("@")
    own, _, own_domain = support.lower().rpartition("@")
    return domain == own_domain and (local == own or local.startswith(f"{own}+"))


def thread_id(support: str, secret: str, ticket: str) -> str:
    """The Message-ID that begins the ticket's thread."""
    return f"<{ticket}.{_mac(secret, 'thread', ticket, '')}@{support.rpartition('@')[2]}>"


def ticket_of_thread(references: str, secret: str) -> int | None:
    """The last ticket whose genuine thread the `References` or `In-Reply-To` of a message name."""
    for written, mac in reversed(_REFERENCE.findall(references[:20_000])):
        number = numbers.parse(written)
        if number and hmac.compare_digest(_mac(secret, "thread", f"T-{number:06d}", ""), mac.lower()):
            return number
    return None


def first_of_ours(addresses: Iterable[str], support: str) -> str:
    """Of the recipients the first reply address, else "": a message answers one ticket."""
    return next((one for one in addresses if claims_ticket(one, support)), "")


def _tag_in(address: str, support: str) -> "re.Match[str] | None":
    if not is_ours(address, support):
        return None
    own = support.rpartition("@")[0]
    return _TAG.fullmatch(address.rpartition("@")[0][len(own) + 1 :])


def _mac(secret: str, purpose: str, ticket: str, recipient: str) -> str:
    said = "\0".join(("tickets", purpose, ticket, recipient.strip().lower()))
    return hmac.new(secret.encode(), said.encode(), "sha256").hexdigest()[:_MAC_CHARS]
