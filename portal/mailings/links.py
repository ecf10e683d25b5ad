"""Links: their secrets, where they lead, whether they are open."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.config import Config
from portal.deliveries.models import Delivery
from portal.deliveries.states import DeliveryState
from portal.errors import NotFound
from portal.mailings.errors import LinkExpired, LinkStopped, LinkWithdrawn
from portal.mailings.models import MailLink

SEED_BYTES = 32
LONGEST_SECRET = 100
OPEN_STATES = (DeliveryState.DISPATCHED, DeliveryState.DELIVERED, DeliveryState.ACKNOWLEDGED)


def new_link(delivery_id: UUID, config: Config, at: datetime) -> MailLink:
    """A link to the delivery, open for `config.link_for`."""
    link = MailLink(
        id=uuid4(),
        delivery_id=delivery_id,
        seed=secrets.token_bytes(SEED_BYTES),
        created_at=at,
        expires_at=at + config.link_for,
        session_marker=secrets.token_hex(16),
        opened_count=0,
        kit_ranges=[],
    )
    link.secret_hash = digest(secret_of(link, config.secret_key))
    return link


def secret_of(link: MailLink, secret_key: str) -> str:
    """The secret in the link's address: 256 bits that neither the rows alone nor the portal's key alone tell.

    A message is composed anew at each attempt to send it, so the secret must come out the same without being kept.
    """
    made = hmac.new(secret_key.encode(), b"mail link\0" + link.id.bytes + link.seed, "sha256").digest()
    return urlsafe_b64encode(made).decode().rstrip("=")


def address_of(link: MailLink, config: Config) -> str:
    return f"{config.base_url}/m/{secret_of(link, config.secret_key)}"


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def find(session: Session, secret: str) -> MailLink:
    """Raises NotFound."""
    link = None
    if len(secret) <= LONGEST_SECRET:
        link = session.scalar(select(MailLink).where(MailLink.secret_hash == digest(secret)))
    if link is None:
        raise NotFound
    return link


def links_of(session: Session, delivery_id: UUID) -> Sequence[MailLink]:
    """Every link of the delivery, the newest first."""
    rows = select(MailLink).where(MailLink.delivery_id == delivery_id)
    return session.scalars(rows.order_by(MailLink.created_at.desc(), MailLink.id)).all()


def require_open(link: MailLink, delivery: Delivery, at: datetime) -> None:
    """Raises LinkWithdrawn, LinkExpired, LinkStopped."""
    if link.withdrawn_at is not None:
        raise LinkWithdrawn
    if at >= link.expires_at:
        raise LinkExpired
    if delivery.state not in OPEN_STATES or delivery.stopped_at is not None:
        raise LinkStopped
