"""Two hundred devices over twenty products: the ways that plans show equal those of a search of everything."""

import time
from datetime import date, timedelta
from random import Random

from sqlalchemy import select

from portal.entitlements.rules import decide
from portal.entitlements.visibility import visible
from portal.inventory import queries as inventory
from portal.inventory.queries import Wanted
from portal.plans import queries
from portal.plans.rules import Verdict
from portal.releases.models import Release, ReleaseState
from portal.releases.paths import Stop
from tests.factories import make_device, make_product
from tests.portals import START
from tests.releases.test_paths import search
from tests.worlds import make_contract

PRODUCTS, DEVICES = 20, 200
LIMIT_SECONDS = 1.0


def fill(world, random):
    """Products under contract, under a contract that ended, and under none; releases that lead here and there."""
    for number in range(PRODUCTS):
        with world.portal.sessions.begin() as session:
            product = make_product(session, code=f"p{number}")
            if number % 3:
                first, last = (date(2025, 1, 1), date(2025, 12, 31)) if number % 3 == 2 else (date(2026, 1, 1), None)
                make_contract(
                    session, world.customer, product, number=f"C-{number}", starts_on=first,
                    ends_on=last or date(2026, 12, 31),
                )  # fmt: skip
        made = [release(world, product, place, random) for place in range(1, random.randrange(4, 10))]
        if random.random() < 0.6:
            world.recommend(random.choice(made), at=START - timedelta(days=2))
        with world.portal.sessions.begin() as session:
            for _ in range(DEVICES // PRODUCTS):
                version = str(random.randrange(len(made)))
                make_device(session, world.customer, session.merge(product), installed_version=version)


def release(world, product, place, random):
    published = START - timedelta(days=random.choice((20, 100, 400)))
    return world.release(
        str(place),
        product=product,
        lowest=str(random.randrange(max(0, place - 3), place)) if random.random() < 0.5 else None,
        is_required=random.random() < 0.2,
        is_free_security_fix=random.random() < 0.1,
        published_at=published,
        open_from=published if random.random() < 0.9 else None,
        state=ReleaseState.PUBLISHED if random.random() < 0.93 else ReleaseState.WITHDRAWN,
    )


def check(session, world, device, plan, known):
    """The plan of one device against what asking one thing at a time finds."""
    rows = session.scalars(select(Release).where(Release.product_id == device.product_id)).all()
    published = sorted((row for row in rows if row.is_published), key=lambda row: row.version_key)
    granted = {
        row.id for row in published
        if row.id in known and decide(session, organisation_id=world.customer.id, release=row, at=START).is_granted
    }  # fmt: skip
    stops = {
        row.id: Stop(row.id, row.version, row.version_key, row.lowest_from_key, row.is_required)
        for row in published if row.id in known or row.is_required
    }  # fmt: skip
    found = [stops[step.release.id] for step in plan.steps]
    if plan.verdict is Verdict.UP_TO_DATE:
        recommended = plan.standing.recommended
        newer = [row for row in published if row.version_key > device.installed_key and row.id in known]
        assert not newer or recommended.version_key <= device.installed_key
        return
    target = stops[plan.target.id]
    now = search(device.installed_key, target, list(stops.values()), lambda stop: stop.id in granted)
    ever = search(device.installed_key, target, list(stops.values()), lambda stop: stop.id in known)
    assert plan.verdict is (
        Verdict.READY if now is not None else Verdict.NOT_ENTITLED if ever is not None else Verdict.NO_WAY
    )
    assert [step.may_take for step in plan.steps] == [stop.id in granted for stop in found]
    if plan.verdict is not Verdict.NO_WAY:
        assert found == (now if now is not None else ever)
    else:
        assert plan.obstacle.reason == "vendor"
        assert plan.obstacle.release is None or plan.obstacle.release.id in known
    if plan.verdict is Verdict.NOT_ENTITLED:
        assert plan.obstacle.release.id == next(stop.id for stop in found if stop.id not in granted)


def test_two_hundred_devices_over_twenty_products(world):
    fill(world, Random(4))
    with world.portal.sessions() as session, world.statements() as asked:
        devices = session.scalars(inventory.devices(Wanted(), visible_to=world.actor())).all()
        few = devices[:10]
        asked.clear()
        queries.plans_of(session, few, START)
        for_few = len(asked)
        asked.clear()
        began = time.process_time()
        plans = queries.plans_of(session, devices, START)
        took = time.process_time() - began
        assert len(plans) == DEVICES
        assert len(asked) == for_few <= 16
        assert took < LIMIT_SECONDS
        known = set(session.scalars(visible(world.customer.id, START)))
        for device in devices:
            check(session, world, device, plans[device.id], known)
        seen = {plan.verdict for plan in plans.values()}
        assert seen == set(Verdict) - {Verdict.UNKNOWN_VERSION}
