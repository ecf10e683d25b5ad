"""A dispatcher, a customer with an authorized person, and deliveries that go to them by e-mail."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from email import message_from_string
from email.message import EmailMessage
from email.policy import default
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from sqlalchemy import select

from portal.accounts.models import Organisation
from portal.accounts.sign_in import actor_of
from portal.actors import PORTAL_COMMAND, Actor
from portal.deliveries import requests
from portal.deliveries.models import Delivery, DeliveryEvent, DeliveryItem
from portal.deliveries.requests import NewRequest, Wanted
from portal.deliveries.states import Channel
from portal.mailings import service
from portal.mailings.models import MailLink, MailMessage
from portal.permissions import OrganisationKind, Role
from portal.releases import queries as releases
from tests.deliveries.conftest import World, build
from tests.factories import make_organisation, make_person, make_recipient

RECIPIENT = "olga@alpha.example"
LINK = re.compile(r"http://[^\s/]+(/m/[A-Za-z0-9_-]{43})")
CODE = re.compile(r"^ +(\d{6})\s*$", re.MULTILINE)


@dataclass
class Desk:
    """The world of the ledger's tests with what a delivery by e-mail needs besides."""

    world: World
    by: Actor
    recipient_id: UUID
    browsers: list = field(default_factory=list)

    @property
    def portal(self):
        return self.world.portal

    @property
    def sessions(self):
        return self.portal.sessions

    @property
    def at(self) -> datetime:
        return self.portal.clock()

    @property
    def config(self):
        return self.portal.resources.config

    def approved(self) -> UUID:
        with self.sessions.begin() as session:
            alpha = session.get_one(Organisation, self.world.alpha.id)
            release = releases.get(session, self.world.release_id, visible_to=PORTAL_COMMAND)
            chosen = session.get_one(requests.AuthorizedPerson, self.recipient_id)
            new = NewRequest(alpha, (Wanted(release),), Channel.EMAIL, chosen)
            [delivery] = requests.request(session, new, by=PORTAL_COMMAND, at=self.at)
            requests.approve(session, delivery, second_person=False, by=self.by, at=self.at)
            return delivery.id

    def do(self, verb, delivery_id, **named):
        """One verb of the dispatcher in a transaction of its own, now."""
        with self.sessions.begin() as session:
            return verb(session, delivery_id, **{"by": self.by, "at": self.at, **named})

    def prepared(self) -> UUID:
        delivery_id = self.approved()
        self.do(service.prepare, delivery_id)
        return delivery_id

    def ordered(self) -> UUID:
        delivery_id = self.prepared()
        self.do(service.dispatch, delivery_id, config=self.config)
        return delivery_id

    def sent(self) -> UUID:
        """A delivery whose message the folder has taken."""
        delivery_id = self.ordered()
        self.portal.work()
        return delivery_id

    def letters(self) -> list[EmailMessage]:
        """Every message with a link in it, the newest last."""
        messages = [message_from_string(text, policy=default) for text in self.portal.mails()]
        return [message for message in messages if LINK.search(text_of(message))]

    def mail(self) -> EmailMessage:
        return self.letters()[-1]

    def link(self) -> str:
        return link_in(self.mail())

    def ask_for_code(self, browser, link: str) -> str:
        answer = browser.submit(f"{link}/code", page=link)
        assert answer.status_code == 303, answer.text
        self.portal.work()
        return self.codes()[-1]

    def codes(self) -> list[str]:
        """Every one-time code that was sent, the newest last."""
        texts = [text_of(message_from_string(text, policy=default)) for text in self.portal.mails()]
        return [found.group(1) for text in texts if (found := CODE.search(text))]

    def opened(self, link: str | None = None):
        """A browser that has shown the code, and the address behind it."""
        browser, link = self.portal.browser(), link or self.link()
        code = self.ask_for_code(browser, link)
        answer = browser.submit(link, one_time_code=code)
        assert answer.status_code == 303, answer.text
        return browser, urlsplit(answer.headers["Location"]).path

    def now(self, delivery_id: UUID) -> Delivery:
        with self.sessions() as session:
            return session.get_one(Delivery, delivery_id)

    def state(self, delivery_id: UUID) -> str:
        return self.now(delivery_id).state.value

    def events(self, delivery_id: UUID) -> list[DeliveryEvent]:
        with self.sessions() as session:
            rows = select(DeliveryEvent).where(DeliveryEvent.delivery_id == delivery_id)
            return list(session.scalars(rows.order_by(DeliveryEvent.sequence)))

    def kinds(self, delivery_id: UUID) -> list[str]:
        return [event.kind.value for event in self.events(delivery_id)]

    def messages(self) -> list[MailMessage]:
        with self.sessions() as session:
            return list(session.scalars(select(MailMessage).order_by(MailMessage.created_at)))

    def links(self) -> list[MailLink]:
        with self.sessions() as session:
            return list(session.scalars(select(MailLink).order_by(MailLink.created_at)))

    def items(self, delivery_id: UUID) -> list[DeliveryItem]:
        with self.sessions() as session:
            return service.items_of(session, delivery_id)


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    return part.get_content() if part else ""


def link_in(message: EmailMessage) -> str:
    return LINK.search(text_of(message)).group(1)


def furnish(portal, content: bytes | None = None) -> Desk:
    world = build(portal, content) if content else build(portal)
    with portal.sessions.begin() as session:
        alpha = session.merge(world.alpha)
        support = make_organisation(session, OrganisationKind.SUPPORT, name="Support")
        world.people["dispatcher"] = make_person(session, support, Role.DISPATCHER, name="Denis", language="ru")
        recipient = make_recipient(session, alpha, name="Ольга Королёва", email=RECIPIENT, language="ru")
        recipient.powers[0].set_term(date(2020, 1, 1), date(2039, 12, 31), "UTC")
        recipient_id = recipient.id
        by = actor_of(world.people["dispatcher"], address="192.0.2.7")
    return Desk(world, by, recipient_id)


@pytest.fixture
def desk(portal) -> Desk:
    return furnish(portal)
