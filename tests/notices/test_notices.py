"""Who hears of a release that comes out, is corrected or is withdrawn: through the real verbs and the worker."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from portal.accounts.models import Organisation, Person
from portal.actors import PORTAL_COMMAND
from portal.mail.models import OutgoingMail
from portal.notices import jobs, service
from portal.notices.models import Occasion, ReleaseNotice
from portal.permissions import Role
from portal.releases import service as releases
from portal.releases.models import Product, Release, ReleaseAudience
from tests.factories import (
    make_device,
    make_organisation,
    make_person,
    make_product,
    make_published,
    make_release,
)
from tests.portals import START, Portal
from tests.worlds import make_contract


@dataclass
class World:
    """Covered has a contract; holder devices without one; gone had a contract once; stranger has nothing of it."""

    portal: Portal
    product: Product
    customers: dict[str, Organisation]
    people: dict[str, Person]

    def publish(self, version: str, **facts: object) -> Release:
        with self.portal.sessions.begin() as session:
            release = make_release(session, session.get_one(Product, self.product.id), version)
            for name, value in facts.items():
                setattr(release, name, value)
            session.flush()
            return make_published(self.portal.resources, session, release, at=self.portal.clock())

    def change(self, verb, release: Release, **facts: object) -> None:
        with self.portal.sessions.begin() as session:
            found = session.get_one(Release, release.id)
            session.refresh(found, ["product"])
            verb(session, found, by=PORTAL_COMMAND, at=self.portal.clock(), **facts)

    def device(self, who: str, version: str) -> None:
        with self.portal.sessions.begin() as session:
            make_device(session, session.merge(self.customers[who]), session.merge(self.product),
                        installed_version=version)  # fmt: skip

    def letters(self, subject: str) -> dict[str, str]:
        """Texts of the letters with such a subject, by reader, after the worker has done what waits."""
        self.portal.work()
        names = {person.email: who for who, person in self.people.items()}
        with self.portal.sessions() as session:
            mails = session.scalars(select(OutgoingMail).where(OutgoingMail.subject.startswith(subject))).all()
        assert len({mail.recipient for mail in mails}) == len(mails), "one letter for each reader"
        return {names[mail.recipient]: mail.text for mail in mails}

    def notices(self) -> set[tuple[str, str, int, int]]:
        names = {home.id: who for who, home in self.customers.items()}
        with self.portal.sessions() as session:
            rows = session.scalars(select(ReleaseNotice)).all()
        return {(names[row.organisation_id], row.occasion.value, row.number, row.people) for row in rows}


@pytest.fixture
def world(portal: Portal) -> World:
    with portal.sessions.begin() as session:
        product = make_product(session, code="core", name="Core Router")
        names = ("covered", "holder", "gone", "stranger")
        customers = {who: make_organisation(session) for who in names}
        people = {who: make_person(session, home, Role.CUSTOMER_ENGINEER, language="ru" if who == "holder" else "en")
                  for who, home in customers.items()}  # fmt: skip
        people["second"] = make_person(session, customers["covered"], Role.CUSTOMER_MANAGER)
        disabled = make_person(session, customers["covered"], Role.CUSTOMER_MANAGER)
        disabled.disable(START)
        make_contract(session, customers["covered"], product)
        make_contract(session, customers["gone"], product, number="9", ends_on=date(2026, 1, 31))
    made = World(portal, product, customers, people)
    made.device("holder", "1.0")
    return made


def test_whoever_may_take_it_or_has_devices_for_it_hears_of_a_publication_once(world):
    release = world.publish("2.0")
    found = world.letters("Published: Core Router 2.0")
    assert set(found) == {"covered", "second"}
    assert "You may take it now." in found["covered"]
    assert f"{world.portal.resources.config.base_url}/products/core/2.0" in found["covered"]
    russian = world.letters("Опубликован выпуск: Core Router 2.0")
    assert set(russian) == {"holder"}
    assert "Ваших устройств с более старой или неизвестной версией: 1." in russian["holder"]
    assert "You may take it" not in russian["holder"]
    assert world.notices() == {("covered", "published", 0, 2), ("holder", "published", 0, 1)}
    for _ in range(2):
        jobs.tell_published(world.portal.resources, at=START, release_id=str(release.id))
        jobs.catch_up(world.portal.resources, at=START + timedelta(hours=1))
    assert set(world.letters("Published: Core Router 2.0")) == {"covered", "second"}


def test_a_security_fix_says_that_it_is_free_and_reaches_all_who_hold_the_product(world):
    world.publish("2.0", is_free_security_fix=True)
    found = world.letters("Published: Core Router 2.0")
    assert set(found) == {"covered", "second", "gone"}
    assert "It is a security fix, free for every holder of the product." in found["gone"]


def test_a_wave_hears_when_it_opens_and_nobody_else(world):
    later = START + timedelta(days=30)
    with world.portal.sessions.begin() as session:
        release = make_release(session, session.get_one(Product, world.product.id), "2.0")
        session.add(ReleaseAudience(release_id=release.id, organisation_id=world.customers["covered"].id,
                                    opens_at=later))  # fmt: skip
        session.flush()
        make_published(world.portal.resources, session, release)
    assert world.letters("Published") == {}
    world.portal.clock.at = later + timedelta(minutes=5)
    jobs.catch_up(world.portal.resources, at=world.portal.clock())
    assert set(world.letters("Published")) == {"covered", "second"}
    assert world.letters("Опубликован") == {}


def test_what_was_entered_long_after_it_came_out_is_no_news(world):
    release = world.publish("2.0")
    jobs.tell_published(world.portal.resources, at=START + timedelta(days=4), release_id=str(release.id))
    assert world.notices() == set()


def test_a_correction_is_told_with_its_reason_each_time(world):
    release = world.publish("2.0")
    world.letters("Published")
    for number, reason in ((2, "The downtime was wrong."), (3, "So was the way back.")):
        texts = {"en": {"features": f"As corrected, {number}."}}
        world.change(releases.save_notes, release, texts=texts, reason=reason)
        with world.portal.sessions() as session:
            session.query(OutgoingMail).filter(OutgoingMail.subject.startswith("Corrected")).delete()
            session.commit()
        found = world.letters("Corrected: the release notes of Core Router 2.0")
        assert set(found) == {"covered", "second"}
        assert reason in found["covered"]
    corrected = {one for one in world.notices() if one[1] == "corrected"}
    assert corrected == {(who, "corrected", n, c) for n in (2, 3) for who, c in (("covered", 2), ("holder", 1))}


def test_a_withdrawal_reaches_those_who_heard_of_it_or_run_it(world):
    release = world.publish("2.0")
    world.letters("Published")
    world.device("gone", "2.0")  # from elsewhere
    world.change(releases.withdraw, release, reason="It burns.", replacement=None)
    found = world.letters("Withdrawn: Core Router 2.0")
    assert set(found) == {"covered", "second", "gone"}
    assert "It burns." in found["covered"]
    assert "Your devices that run it by our records: 1." in found["gone"]
    assert set(world.letters("Отозвано: Core Router 2.0")) == {"holder"}
    assert {one[0] for one in world.notices() if one[1] == "withdrawn"} == {"covered", "gone", "holder"}


def test_a_replacement_that_is_kept_from_a_customer_is_not_named_to_it(world):
    release = world.publish("2.0")
    world.letters("Published")
    with world.portal.sessions.begin() as session:
        hidden = make_release(session, session.get_one(Product, world.product.id), "3.0")
        session.add(ReleaseAudience(release_id=hidden.id, organisation_id=world.customers["covered"].id,
                                    opens_at=START))  # fmt: skip
        session.flush()
        make_published(world.portal.resources, session, hidden)
    world.change(releases.withdraw, release, reason="It burns.", replacement=hidden)
    assert "Use 3.0 instead." in world.letters("Withdrawn")["covered"]
    assert "3.0" not in world.letters("Отозвано")["holder"]


def test_a_customer_that_fails_holds_up_no_other(world, monkeypatch):
    release, real = world.publish("2.0"), service.tell
    first = world.customers["covered"].id

    def tell(session, news, organisation_id, **facts):
        if organisation_id == first:
            raise RuntimeError
        return real(session, news, organisation_id, **facts)

    monkeypatch.setattr(service, "tell", tell)
    with pytest.raises(jobs.NewsNotTold):
        jobs.tell_published(world.portal.resources, at=START, release_id=str(release.id))
    assert world.notices() == {("holder", Occasion.PUBLISHED.value, 0, 1)}
    monkeypatch.undo()
    assert set(world.letters("Published")) == {"covered", "second"}
