"""Small invented worlds, many to a database: a world is one customer with its contracts, exceptions, devices, receipts.

Everything is drawn from a few days, zones, levels and products, so that boundaries coincide as often as they can.
The descriptions are plain; `Worlds.rows` turns them into rows, and `oracle.py` judges them without looking at rows.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import insert
from sqlalchemy.orm import Session

from portal.accounts.models import EndUse, Organisation
from portal.db import Base
from portal.entitlements.models import Contract, ContractLine, ContractState, Grant, ReceivedRelease
from portal.inventory.models import Device, HowKnown
from portal.permissions import OrganisationKind
from portal.releases.models import (
    Category,
    ExportRule,
    Level,
    Product,
    ProductFamily,
    Release,
    ReleaseAudience,
    ReleaseState,
)
from portal.releases.versions import Scheme

ZONES = ("Pacific/Kiritimati", "UTC", "Etc/GMT+12")
FIRST_DAY = date(2028, 2, 26)  # the leap day is among the days
DAYS = [FIRST_DAY + timedelta(days=n) for n in range(7)]
TICK = timedelta(microseconds=1)
CREATED = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LineOf:
    product: UUID | None
    family: UUID | None
    levels: int
    back_catalogue: bool


@dataclass(frozen=True)
class ContractOf:
    number: str
    starts_on: date
    ends_on: date
    zone: str
    held: bool
    lines: tuple[LineOf, ...]


@dataclass(frozen=True)
class GrantOf:
    release: UUID
    until: datetime
    revoked: bool


@dataclass(frozen=True)
class ProductOf:
    id: UUID
    family: UUID | None
    listed: bool
    rules: tuple[tuple[str | None, str | None], ...]


@dataclass(frozen=True)
class ReleaseOf:
    id: UUID
    product: ProductOf
    level: int
    state: str
    published_at: datetime | None
    open_from: datetime | None
    free_security_fix: bool


@dataclass
class World:
    customer: UUID
    country: str
    end_use: str
    suspended: bool
    contracts: list[ContractOf]
    grants: list[GrantOf]
    devices: list[UUID]
    received: list[UUID]
    admitted: dict[UUID, datetime]
    instants: list[datetime]


@dataclass
class Worlds:
    """A batch of worlds that share products and releases."""

    random: Random
    families: list[UUID] = field(default_factory=list)
    products: list[ProductOf] = field(default_factory=list)
    releases: list[ReleaseOf] = field(default_factory=list)
    worlds: list[World] = field(default_factory=list)

    def uuid(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def likely(self, share: float) -> bool:
        return self.random.random() < share

    def instant(self) -> datetime:
        """A boundary of some day in some zone, or the microsecond before it."""
        day = self.random.choice([*DAYS, DAYS[-1] + timedelta(days=1)])
        begins = datetime.combine(day, time.min, ZoneInfo(self.random.choice(ZONES))).astimezone(UTC)
        return begins - self.random.choice([0, 0, 1]) * TICK

    def fill(self, count: int) -> "Worlds":
        self.families = [self.uuid(), self.uuid()]
        self.products = [
            ProductOf(self.uuid(), family, self.likely(0.7), self._rules())
            for family in (None, self.families[0], self.families[0], self.families[1])
        ]
        self.releases = [self._release() for _ in range(6)]
        self.worlds = [self._world(number) for number in range(count)]
        return self

    def _rules(self):
        if self.likely(0.7):
            return ()
        return (self.random.choice([("AQ", None), (None, "military"), ("AQ", "military")]),)

    def _release(self) -> ReleaseOf:
        state = self.random.choice(["published"] * 12 + ["withdrawn", "approved"])
        return ReleaseOf(
            id=self.uuid(),
            product=self.random.choice(self.products),
            level=self.random.choice([1, 2, 4, 8, 16]),
            state=state,
            published_at=None if state == "approved" else min(self.instant(), self.instant()),
            open_from=self.random.choice([CREATED, CREATED, CREATED, None, self.instant()]),
            free_security_fix=self.likely(0.3),
        )

    def _line(self) -> LineOf:
        product, family = self.random.choice(
            [(self.random.choice(self.products).id, None), (None, self.random.choice(self.families))]
        )
        return LineOf(product, family, self.random.choice([31, 31, 28, 3, 8]), self.likely(0.6))

    def _contract(self, number: str) -> ContractOf:
        starts_on, ends_on = sorted(self.random.choices(DAYS, k=2))
        lines = tuple(self._line() for _ in range(self.random.choice([1, 1, 2, 3])))
        return ContractOf(number, starts_on, ends_on, self.random.choice(ZONES), self.likely(0.25), lines)

    def _world(self, number: int) -> World:
        some = lambda share: [r.id for r in self.releases if self.likely(share)]  # noqa: E731
        contracts = [self._contract(f"{number}-{n}") for n in range(self.random.choice([0, 1, 1, 2, 2, 3]))]
        if len(contracts) > 1 and self.likely(0.3):  # a seam: the second begins on the day after the first ends
            first, second = contracts[:2]
            starts_on = first.ends_on + timedelta(days=1)
            length = second.ends_on - second.starts_on
            contracts[1] = ContractOf(
                second.number, starts_on, starts_on + length, first.zone, second.held, second.lines
            )
        return World(
            customer=self.uuid(),
            country=self.random.choice(["DE", "AQ"]),
            end_use=self.random.choice(["civil", "military"]),
            suspended=self.likely(0.05),
            contracts=contracts,
            grants=[GrantOf(release, self.instant(), self.likely(0.2)) for release in some(0.15)],
            devices=[product.id for product in self.products if self.likely(0.12)],
            received=some(0.1),
            admitted={release: self.instant() for release in some(0.15)},
            instants=[max(self.instant(), self.instant())],
        )

    def insert(self, session: Session) -> None:
        for table, rows in self._rows().items():
            if rows:
                session.execute(insert(table), rows)

    def _rows(self) -> dict[type[Base], list[dict]]:
        rows: dict[type[Base], list[dict]] = {
            Organisation: [], ProductFamily: [], Product: [], ExportRule: [], Release: [], ReleaseAudience: [],
            Contract: [], ContractLine: [], Grant: [], Device: [], ReceivedRelease: [],
        }  # fmt: skip
        rows[ProductFamily] = [{"id": family, "name": family.hex} for family in self.families]
        for product in self.products:
            rows[Product].append(
                {"id": product.id, "code": product.id.hex, "name": "P", "category": Category.FIRMWARE,
                 "scheme": Scheme.SEMANTIC, "family_id": product.family, "is_listed": product.listed, "description": "",
                 "release_counter": 0, "created_at": CREATED}
            )  # fmt: skip
            rows[ExportRule] += [
                {"id": self.uuid(), "product_id": product.id, "country": country, "end_use": end_use, "clause": "rule"}
                for country, end_use in product.rules
            ]
        for number, release in enumerate(self.releases):
            rows[Release].append(
                {"id": release.id, "product_id": release.product.id, "version": f"1.{number}",
                 "version_key": f"{number:03}", "level": Level(release.level), "state": ReleaseState(release.state),
                 "published_at": release.published_at, "open_from": release.open_from, "counter": number,
                 "is_free_security_fix": release.free_security_fix, "is_security_fix": release.free_security_fix,
                 "is_required": False, "created_at": CREATED}
            )  # fmt: skip
        for world in self.worlds:
            self._rows_of(world, rows)
        return rows

    def _rows_of(self, world: World, rows: dict[type[Base], list[dict]]) -> None:
        customer = world.customer
        rows[Organisation].append(
            {"id": customer, "kind": OrganisationKind.CUSTOMER, "code": customer.hex, "name": customer.hex,
             "country": world.country, "end_use": EndUse(world.end_use), "time_zone": "UTC", "language": "en",
             "created_at": CREATED, "suspended_at": CREATED if world.suspended else None}
        )  # fmt: skip
        for contract in world.contracts:
            row = Contract()
            row.set_term(contract.starts_on, contract.ends_on, contract.zone)
            contract_id = self.uuid()
            rows[Contract].append(
                {"id": contract_id, "organisation_id": customer, "number": contract.number, "programme": "Expert 24X7",
                 "starts_on": row.starts_on, "ends_on": row.ends_on, "time_zone": row.time_zone,
                 "starts_at": row.starts_at, "ends_at": row.ends_at, "created_at": CREATED,
                 "state": ContractState.ON_HOLD if contract.held else ContractState.ACTIVE}
            )  # fmt: skip
            rows[ContractLine] += [
                {"id": self.uuid(), "contract_id": contract_id, "product_id": line.product, "family_id": line.family,
                 "levels": Level(line.levels), "has_back_catalogue": line.back_catalogue}
                for line in contract.lines
            ]  # fmt: skip
        rows[Grant] += [
            {"id": self.uuid(), "organisation_id": customer, "release_id": grant.release, "until": grant.until,
             "reason": "because", "created_at": CREATED, "revoked_at": CREATED if grant.revoked else None}
            for grant in world.grants
        ]  # fmt: skip
        rows[Device] += [
            {"id": self.uuid(), "organisation_id": customer, "product_id": product, "serial": customer.hex,
             "name": "", "how_known": HowKnown.REPORTED, "since": CREATED}
            for product in world.devices
        ]  # fmt: skip
        rows[ReceivedRelease] += [
            {"organisation_id": customer, "release_id": release, "first_at": CREATED} for release in world.received
        ]
        rows[ReleaseAudience] += [
            {"release_id": release, "organisation_id": customer, "opens_at": opens_at}
            for release, opens_at in world.admitted.items()
        ]
