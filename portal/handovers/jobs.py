"""Work of hand-overs that nobody waits for: copies of signed acts by mail, acts that were left open."""

from datetime import datetime, timedelta
from uuid import UUID

from portal.actors import PORTAL_JOB
from portal.handovers import closing, letters
from portal.handovers.models import Act
from portal.handovers.signing import locked
from portal.jobs.service import handles
from portal.mailer import compose_letter
from portal.resources import Resources

LEFT_OPEN = "Nobody signed for seven days."


@handles(letters.SEND)
def send_act(resources: Resources, *, at: datetime, act_id: str, email: str) -> None:  # noqa: ARG001 - jobs have it
    """Send one copy of a signed act; sent again it is the same message, by its Message-ID."""
    with resources.sessions() as session:
        key = session.get_one(Act, UUID(act_id)).pdf_key or ""
    with resources.store.open_range(key) as reader:
        pdf = b"".join(reader)
    with resources.sessions() as session:
        letter = letters.letter(session, session.get_one(Act, UUID(act_id)), email, pdf)
    identity = letters.identity(act_id, email)
    resources.mailer.send(compose_letter(letter, sender=resources.config.mail_from, identity=identity))


@handles("handovers.close-left-open", every=timedelta(hours=1))
def close_left_open(resources: Resources, *, at: datetime) -> None:
    """Abandon the acts that nobody signed, each in a transaction of its own."""
    with resources.sessions() as session:
        ids = closing.left_open(session, at)
    for act_id in ids:
        with resources.sessions.begin() as session:
            if locked(session, act_id).is_open:
                closing.abandon(session, act_id, LEFT_OPEN, by=PORTAL_JOB, at=at)
