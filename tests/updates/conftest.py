"""Customer, support centre, a product with a required release, devices: everything of an update up to its end."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from portal.accounts.models import Organisation, Person
from portal.actors import Actor
from portal.inventory import queries as inventory
from portal.inventory.models import Device, Site
from portal.permissions import OrganisationKind, Role
from portal.releases.models import Artifact, ArtifactRole, Level, Product, Release, ReleaseState
from portal.releases.versions import Version
from portal.updates import access, checklist, own_way, planning, queries, remote, running
from portal.updates.models import UpdateRequest
from portal.updates.sealing import Sealer
from portal.updates.states import Check, StepState, Way, checks_once
from portal.updates.windows import Window
from tests.factories import make_device, make_organisation, make_person, make_product
from tests.portals import START, Browser, Portal
from tests.worlds import actor_for, make_contract

SEALER = Sealer("a secret key for tests only")
SECRET = "pass-word-of-the-jump-host"
WINDOW = Window(START + timedelta(hours=1), START + timedelta(hours=5), "Asia/Vladivostok")
LATER = START + timedelta(hours=2)


@dataclass
class World:
    portal: Portal
    customer: Organisation
    other: Organisation
    tsc: Organisation
    people: dict[str, Person]
    product: Product
    counter: int = 0
    devices: dict[str, Device] = field(default_factory=dict)
    releases: dict[str, Release] = field(default_factory=dict)

    def actor(self, who: str = "engineer") -> Actor:
        homes = {home.id: home for home in (self.customer, self.other, self.tsc)}
        return actor_for(self.people[who], homes[self.people[who].organisation_id])

    def of(self, who: str) -> Browser:
        return self.portal.signed_in(self.people[who].email)

    def release(self, version: str, *, lowest: str | None = None, product: Product | None = None, **facts) -> Release:
        self.counter += 1
        product = product or self.product
        given = {
            "level": Level.MINOR, "state": ReleaseState.PUBLISHED, "published_at": START - timedelta(days=30),
            "open_from": START - timedelta(days=30), "counter": self.counter, "created_at": START, **facts,
        }  # fmt: skip
        key = Version.parse(lowest, product.scheme).key if lowest else None
        row = Release(product_id=product.id, version=version, version_key=Version.parse(version, product.scheme).key,
                      lowest_from_version=lowest, lowest_from_key=key, **given)  # fmt: skip
        with self.portal.sessions.begin() as session:
            session.add(row)
            session.flush()
            session.add(Artifact(release_id=row.id, name=f"{version}.bin", role=ArtifactRole.IMAGE, size_bytes=1,
                                 sha256="ab" * 32, key="ab" * 32, uploaded_at=START))  # fmt: skip
        self.releases[version] = row
        return row

    def draw_up(self, *serials: str, who: str = "engineer", way: Way = Way.REMOTE, to: str = "3") -> UpdateRequest:
        with self.portal.sessions.begin() as session:
            ids = tuple(self.devices[serial].id for serial in serials or ("SN-1", "SN-2"))
            new = planning.NewUpdate(session.merge(self.customer), session.merge(self.releases[to]), ids, way)
            return planning.draw_up(session, new, by=self.actor(who), at=START)

    def do(self, verb, update: UpdateRequest, *arguments, who: str = "tsc", at: datetime = START, **named):
        """A verb in a transaction of its own, on the request as it is now."""
        with self.portal.sessions.begin() as session:
            loaded = queries.get(session, update.id, visible_to=self.actor("tsc"))
            return verb(session, loaded, *arguments, by=self.actor(who), at=at, **named)

    def load(self, update: UpdateRequest, who: str = "tsc") -> UpdateRequest:
        with self.portal.sessions() as session:
            return queries.get(session, update.id, visible_to=self.actor(who))

    def agreed(self, *serials: str, way: Way = Way.REMOTE) -> UpdateRequest:
        update = self.draw_up(*serials, way=way)
        self.do(planning.set_window, update, WINDOW, who="engineer")
        self.do(planning.propose, update, who="engineer")
        self.do(planning.consent, update, who="engineer")
        self.do(planning.consent, update)
        return update

    def running(self, *serials: str, way: Way = Way.REMOTE) -> UpdateRequest:
        update, who = self.agreed(*serials, way=way), "tsc" if way is Way.REMOTE else "engineer"
        if way is Way.REMOTE:
            self.do(access.give_access, update, WINDOW.ends_at, who="engineer")
            piece = access.Piece("jump host", SECRET)
            self.do(access.enter_secret, update, piece, who="engineer", sealer=SEALER)
        self.do(running.take_on if way is Way.REMOTE else own_way.prepare, update, who=who)
        self.tick(update, who)
        self.do(running.start, update, who=who, at=LATER)
        return update

    def tick(self, update: UpdateRequest, who: str = "tsc") -> None:
        """The whole list; of backup and files it is said why it is done without."""
        loaded = self.load(update)
        points = [(name, "") for name in checks_once(loaded.way)]
        points += [(Check.BACKUP, str(device.id)) for device in loaded.devices]
        for point in points:
            self.do(checklist.check, update, point, "A spare stands beside it.", who=who)

    def step(
        self, update: UpdateRequest, serial: str, *ends: StepState, who: str = "tsc", at: datetime = LATER
    ) -> None:
        """Begin what is due on the device and end it so, one after another."""
        for end in ends:
            due = next(one for one in self.load(update).devices if one.device.serial == serial).due
            if due.state in (StepState.PLANNED, StepState.FAILED) and end is not StepState.ROLLED_BACK:
                self.do(running.begin_step, update, due.id, who=who, at=at)
            ended = running.Ended(end, f"note of {end.value}", timedelta(minutes=4))
            self.do(running.end_step, update, due.id, ended, who=who, at=at + timedelta(minutes=10))

    def session(self, update: UpdateRequest, serial: str = "SN-1", at: datetime = LATER) -> UUID:
        device = next(one for one in self.load(update).devices if one.device.serial == serial)
        return self.do(remote.begin, update, device.id, at=at).id

    def installed(self, serial: str) -> str | None:
        with self.portal.sessions() as session:
            return inventory.get_device(session, self.devices[serial].id, visible_to=self.actor()).installed_version


def build(portal: Portal) -> World:
    with portal.sessions.begin() as session:
        customer, other = make_organisation(session), make_organisation(session)
        tsc = make_organisation(session, OrganisationKind.SUPPORT)
        people = {
            "engineer": make_person(session, customer, Role.CUSTOMER_ENGINEER),
            "stranger": make_person(session, other, Role.CUSTOMER_ENGINEER),
            "tsc": make_person(session, tsc, Role.TSC_ENGINEER),
            "colleague": make_person(session, tsc, Role.TSC_ENGINEER),
        }
        product = make_product(session, code="core", name="Core Router")
        make_contract(session, customer, product)
        site = Site(organisation_id=customer.id, code="VVO", name="Vladivostok", address=[],
                    time_zone="Asia/Vladivostok", created_at=START)  # fmt: skip
        session.add(site)
        session.flush()
        devices = {
            serial: make_device(session, owner, product, serial=serial, installed_version="1", site=where)
            for serial, owner, where in (("SN-1", customer, site), ("SN-2", customer, site), ("SN-9", other, None))
        }
    world = World(portal, customer, other, tsc, people, product, devices=devices)
    world.release("1")
    world.release("2", is_required=True, downtime_minutes=5)
    world.release("3", downtime_minutes=7)
    return world


@pytest.fixture
def world(portal: Portal) -> World:
    return build(portal)
