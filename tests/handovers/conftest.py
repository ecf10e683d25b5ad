"""A customer whose authorized person stands before the dispatcher, and deliveries that wait for the hand-over."""

import re
import struct
import zlib
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import date, timedelta
from email import message_from_string
from email.policy import default
from uuid import UUID

import pytest
from sqlalchemy import select

from portal.accounts.models import Organisation, Person
from portal.accounts.service import actor_of
from portal.actors import Actor
from portal.authority.models import AuthorizedPerson, PowerOfAttorney, PowerState
from portal.deliveries.models import Delivery, DeliveryEvent
from portal.deliveries.requests import NewRequest, Wanted, approve, request
from portal.deliveries.states import Channel
from portal.handovers.models import Act
from portal.permissions import OrganisationKind, Role
from portal.releases import queries as releases
from portal.releases.models import Product
from tests.factories import (
    make_artifact,
    make_organisation,
    make_person,
    make_product,
    make_published,
    make_release,
)
from tests.portals import START, Browser, Portal
from tests.worlds import make_contract

PHONE = "+79161234567"
CODE = re.compile(r"(?<![\w+-])(\d{6})(?!\w)")


def png(width: int = 300, height: int = 100, *, ink: bytes = b"\x14\x21\x3d\xff") -> bytes:
    """A picture as a canvas makes it: transparent, with a line across."""
    rows = [b"\0" + bytes(4 * width)] * height
    rows[height // 2] = b"\0" + ink * width
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(b"".join(rows))) + part(b"IEND")


def part(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", len(content), name) + content + struct.pack(">I", zlib.crc32(name + content))


def data_url(picture: bytes) -> str:
    return "data:image/png;base64," + b64encode(picture).decode()


SIGNATURE = data_url(png())


@dataclass
class World:
    portal: Portal
    people: dict[str, Person]
    customers: dict[str, Organisation]
    recipients: dict[str, AuthorizedPerson]
    product: Product
    deliveries: dict[str, UUID] = field(default_factory=dict)

    def of(self, who: str) -> Browser:
        return self.portal.signed_in(self.people[who].email)

    def actor(self, who: str) -> Actor:
        with self.portal.sessions() as session:
            person = session.merge(self.people[who])
            session.refresh(person, ["organisation", "role_rows"])
            return actor_of(person, address="192.0.2.7")

    def ask(self, name: str, recipient: str, *, customer: str = "alpha", channel: Channel = Channel.HAND_OVER) -> UUID:
        """A delivery that was requested and approved by the verbs that pages use."""
        at, manager, clerk = self.portal.clock(), self.actor(f"manager {customer}"), self.actor("dispatcher")
        with self.portal.sessions.begin() as session:
            release_id = releases.version_holder(session, self.product.id, self.product_key)
            release = releases.get(session, release_id, visible_to=clerk)
            new = NewRequest(
                organisation=session.merge(self.customers[customer]),
                wanted=(Wanted(release),),
                channel=channel,
                recipient=session.merge(self.recipients[recipient]),
            )
            [delivery] = request(session, new, by=manager, at=at)
            approve(session, delivery, second_person=False, by=clerk, at=at)
            self.deliveries[name] = delivery.id
            return delivery.id

    product_key: str = ""

    def prepare(self, *names: str, who: str = "dispatcher") -> str:
        """Walk the first screen; the address of the second."""
        ids = [self.deliveries[name] for name in names]
        answer = self.of(who).submit("/handovers/prepare", page="/handovers/new", delivery=ids, kind="acceptance")
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def check(self, address: str, who: str = "dispatcher", **fields: object):
        given = {"document": "passport", "ending": "4821", "place": "Berlin, Hall 3", "is_compared": "y", **fields}
        return self.of(who).submit(address, **given)

    def opened(self, *names: str, who: str = "dispatcher") -> Act:
        answer = self.check(self.prepare(*names, who=who), who)
        assert answer.status_code == 303, answer.text
        return self.act(answer.headers["Location"].split("/")[3])

    def act(self, act_id: object) -> Act:
        with self.portal.sessions() as session:
            return session.get_one(Act, UUID(str(act_id)))

    def acts(self) -> list[Act]:
        with self.portal.sessions() as session:
            return list(session.scalars(select(Act).order_by(Act.number)))

    def send_code(self, act: Act, channel: str = "phone", who: str = "dispatcher") -> str:
        """Ask for a code by page, and read it where it was sent to."""
        page = f"/handovers/acts/{act.id}"
        answer = self.of(who).submit(f"{page}/code", page=f"{page}/text", channel=channel)
        assert answer.status_code == 303, answer.text
        return self.newest_code(channel)

    def newest_code(self, channel: str = "phone") -> str:
        self.portal.work()
        if channel == "phone":
            paths = (self.portal.folder / "texts").iterdir()
            text = max(paths, key=lambda path: path.stat().st_mtime_ns).read_text()
        else:
            letters = [message_from_string(mail, policy=default).get_body() for mail in self.portal.mails()]
            text = next(t for t in (body.get_content() for body in reversed(letters)) if CODE.search(t))
        found = CODE.search(text)
        assert found, text
        return found.group(1)

    def sign(self, act: Act, right: str, who: str = "dispatcher", *, json: bool = False, **fields: object):
        """Send what the last screen sends."""
        given = {"submission": act.submission, "text_sha256": act.text_sha256, "code": right, "signature": SIGNATURE}
        browser, address = self.of(who), f"/handovers/acts/{act.id}/sign"
        token = browser.get_token("/account")
        headers = {"Accept": "application/json"} if json else {}
        return browser.post(address, data={**given, "csrf_token": token, **fields}, headers=headers)

    def states(self, *names: str) -> list[str]:
        with self.portal.sessions() as session:
            return [session.get_one(Delivery, self.deliveries[name]).state.value for name in names]

    def events(self, name: str) -> list[DeliveryEvent]:
        with self.portal.sessions() as session:
            rows = select(DeliveryEvent).where(DeliveryEvent.delivery_id == self.deliveries[name])
            return list(session.scalars(rows.order_by(DeliveryEvent.sequence)))

    def kinds(self, name: str) -> list[str]:
        return [event.kind.value for event in self.events(name)]

    def change_power(self, recipient: str, **facts: object) -> None:
        with self.portal.sessions.begin() as session:
            rows = select(PowerOfAttorney).where(PowerOfAttorney.holder_id == self.recipients[recipient].id)
            for power in session.scalars(rows):
                for name, value in facts.items():
                    setattr(power, name, value)


PEOPLE = {
    "dispatcher": ("tsc", Role.DISPATCHER, "Dora Dispatcher"),
    "second dispatcher": ("tsc", Role.DISPATCHER, "Denis Dispatcher"),
    "engineer": ("tsc", Role.TSC_ENGINEER, "Egon Engineer"),
    "manager alpha": ("alpha", Role.CUSTOMER_MANAGER, "Anna Alpha"),
    "manager beta": ("beta", Role.CUSTOMER_MANAGER, "Boris Beta"),
}
RECIPIENTS = {
    "ivan": ("alpha", "Иван Петрович Соколов", "sokolov@alpha.example", "ru"),
    "namesake": ("alpha", "Иван Петрович Соколов", "sokolov-2@alpha.example", "ru"),
    "berta": ("beta", "Berta Beta", "berta@beta.example", "en"),
}


def build(portal: Portal) -> World:
    with portal.sessions.begin() as session:
        customers = {name: make_organisation(session, name=name.title(), code=name) for name in ("alpha", "beta")}
        homes = {**customers, "tsc": make_organisation(session, OrganisationKind.SUPPORT, name="Support centre")}
        people = {
            who: make_person(session, homes[home], role, name=name, language="ru" if home == "alpha" else "en")
            for who, (home, role, name) in PEOPLE.items()
        }
        product = make_product(session, name="Edge router")
        release = make_release(session, product, "4.10")
        make_artifact(session, portal.store, release, "прошивка 4.10.bin", b"firmware" * 100)
        make_artifact(session, portal.store, release, "tool.bin", b"tool")
        make_published(portal.resources, session, release)
        recipients = {}
        for name, (home, full_name, email, language) in RECIPIENTS.items():
            recipients[name] = make_recipient(session, customers[home], full_name, email, language)
        for customer in customers.values():
            make_contract(session, customer, product)
        return World(portal, people, customers, recipients, product, product_key=release.version_key)


def make_recipient(session, organisation, name, email, language) -> AuthorizedPerson:
    """Someone with a confirmed power to receive and to sign, this year."""
    person = AuthorizedPerson(
        organisation_id=organisation.id, name=name, email=email, language=language, phone=PHONE, created_at=START
    )
    session.add(person)
    session.flush()
    given = {"covers_all_products": True, "may_sign": True, "state": PowerState.CONFIRMED, "decided_at": START}
    power = PowerOfAttorney(
        holder_id=person.id,
        number=f"ПОА-{email.partition('@')[0]}",
        issued_on=date(2026, 1, 5),
        issued_by="General director",
        created_at=START,
        **given,
    )
    power.set_term(date(2026, 1, 5), date(2026, 12, 31), "Europe/Moscow")
    session.add(power)
    return person


@pytest.fixture
def world(portal: Portal) -> World:
    return build(portal)


def yesterday(world: World):
    return world.portal.clock() - timedelta(days=1)
