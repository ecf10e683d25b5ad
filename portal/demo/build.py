"""Makes the demonstration's world with the verbs that pages use, as if its past had happened day by day."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.accounts.models import Organisation, Person
from portal.accounts.service import NewPerson, OrganisationFacts, create_organisation, create_person
from portal.actors import PORTAL_COMMAND, Actor, Via
from portal.demo import authority, contracts, deliveries, inventory
from portal.demo.deliveries import Counter
from portal.demo.desk import Desk, await_fix, open_desk, plan_update, report_incident
from portal.demo.inventory import Hands
from portal.demo.people import ORGANISATIONS, PASSWORD, PEOPLE
from portal.demo.releases import ISSUES, PRODUCTS, RELEASES, DemoFile, DemoRelease
from portal.jobs.worker import run_due
from portal.permissions import permissions_of
from portal.releases import service as releases
from portal.releases.models import IssueRelation, Product, Release, Train
from portal.releases.queries import get, get_issue, get_product
from portal.resources import Resources

REVIEW_TAKES = timedelta(hours=20)


@dataclass
class World:
    """What was made so far, by the names that the lists use."""

    resources: Resources
    today: datetime
    organisations: dict[str, Organisation] = field(default_factory=dict)
    people: dict[str, Actor] = field(default_factory=dict)
    trains: dict[str, Train] = field(default_factory=dict)

    def ago(self, days: float) -> datetime:
        return self.today - timedelta(days=days)


def build(resources: Resources) -> World:
    """Fill an empty portal that has its schema and its key."""
    world = World(resources, resources.clock())
    with resources.sessions.begin() as session:
        _people(session, world)
        _products(session, world)
        _issues(session, world)
        contracts.sign(session, world.organisations, by=world.people["admin@north.example"], today=world.today)
        hands = Hands(world.people["engineer@tsc.example"], world.people["engineer@volga.example"])
        inventory.install(session, world.organisations, hands, world.ago)
        manager, dispatcher = world.people["manager@volga.example"], world.people["dispatcher@tsc.example"]
        authority.authorize(session, world.organisations["VOLGA"], manager=manager, dispatcher=dispatcher,
                            today=world.today)  # fmt: skip
        desk = Desk(world.people, world.organisations, world.ago)
        report_incident(session, desk)
    for release in sorted(RELEASES, key=lambda one: -one.days_ago):
        _release(world, release)
    counter = Counter(resources, world.organisations["VOLGA"], world.people["engineer@volga.example"], dispatcher,
                      world.ago)  # fmt: skip
    deliveries.before_withdrawal(counter)
    with resources.sessions.begin() as session:
        _withdraw(session, world)
    deliveries.deliver(counter)
    with resources.sessions.begin() as session:
        await_fix(session, desk)
    with resources.sessions.begin() as session:
        open_desk(session, desk)
        plan_update(session, desk)
    run_due(resources)
    return world


def _people(session: Session, world: World) -> None:
    since = world.ago(900)
    for one in ORGANISATIONS:
        facts = OrganisationFacts(one.kind, one.code, one.name, one.country, time_zone=one.time_zone,
                                  language=one.language)  # fmt: skip
        world.organisations[one.code] = create_organisation(session, facts, by=PORTAL_COMMAND, at=since)
    for person in PEOPLE:
        organisation = world.organisations[person.organisation]
        new = NewPerson(person.email, person.name, frozenset(person.roles), person.language, PASSWORD)
        row = create_person(session, organisation, new, by=PORTAL_COMMAND, at=since)
        world.people[person.email] = _actor(row, organisation)


def _actor(person: Person, organisation: Organisation) -> Actor:
    return Actor(
        via=Via.COMMAND,
        name=person.name,
        person_id=person.id,
        organisation_id=organisation.id,
        kind=organisation.kind,
        roles=person.roles,
        permissions=permissions_of(person.roles),
        language=person.language,
        time_zone=organisation.time_zone,
    )


def _products(session: Session, world: World) -> None:
    by, at = world.people["admin@north.example"], world.ago(880)
    for one in PRODUCTS:
        facts = releases.ProductFacts(one.code, one.name, one.category, one.scheme, one.description, family=one.family)
        product = releases.create_product(session, facts, by=by, at=at)
        train = releases.TrainFacts(
            one.train,
            general_availability=world.ago(700).date(),
            end_of_sale=world.ago(-500).date(),
            end_of_support=world.ago(-1600).date(),
            end_of_security_support=world.ago(-2300).date(),
        )
        world.trains[one.code] = releases.save_train(session, product, train, by=by, at=at)


def _issues(session: Session, world: World) -> None:
    by = world.people["publisher@north.example"]
    for one in ISSUES:
        words = {
            language: releases.IssueWords(title, one.descriptions[language], one.workarounds.get(language, ""))
            for language, title in one.titles.items()
        }
        facts = releases.IssueFacts(one.public_id, one.severity, is_public=True, texts=words, cves=one.cves)
        product = get_product(session, one.product, visible_to=by)
        releases.create_issue(session, product, facts, by=by, at=world.ago(640))


def _release(world: World, one: DemoRelease) -> None:
    resources, published = world.resources, world.ago(one.days_ago)
    publisher, approver = world.people["publisher@north.example"], world.people["approver@north.example"]
    started = published - REVIEW_TAKES
    with resources.sessions.begin() as session:
        release = _draft(session, world, one, by=publisher, at=started)
        for file in one.files:
            _upload(session, resources, release, file, by=publisher, at=started)
        _waive(session, release, resources.config.notes_languages, by=publisher, at=started)
    run_due(resources)  # the files are read back
    with resources.sessions.begin() as session:
        release = get(session, release.id, visible_to=approver)
        languages = resources.config.notes_languages
        releases.submit(session, release, languages=languages, by=publisher, at=started)
        releases.approve(session, release, languages=languages, second_person=True, by=approver, at=published)
        signer = releases.open_signer(resources)
        releases.publish(session, release, languages=languages, signer=signer, by=approver, at=published)
        if one.recommended_because:
            releases.recommend(session, release, reason=one.recommended_because, by=approver, at=published)


def _draft(session: Session, world: World, one: DemoRelease, *, by: Actor, at: datetime) -> Release:
    product = get_product(session, one.product, visible_to=by)
    facts = releases.ReleaseFacts(
        one.version,
        one.level,
        train=session.merge(world.trains[one.product]),
        is_required=one.is_required,
        is_security_fix=one.is_security_fix,
        is_free_security_fix=one.is_free_security_fix,
        lowest_from_version=one.lowest_from or "",
        downtime_minutes=one.downtime_minutes,
    )
    release = releases.create_release(session, product, facts, by=by, at=at)
    releases.save_notes(session, release, one.notes, by=by, at=at)
    links = [(public_id, IssueRelation.FIXED) for public_id in one.fixes]
    links += [(public_id, IssueRelation.AFFECTED) for public_id in one.affected_by]
    for public_id, relation in links:
        issue = get_issue(session, public_id, visible_to=by)
        releases.link_issue(session, release, issue, relation, by=by, at=at)
    return release


def _upload(
    session: Session, resources: Resources, release: Release, file: DemoFile, *, by: Actor, at: datetime
) -> None:
    content = b"".join(_bytes(file))
    received = resources.store.receive(BytesIO(content), limit_bytes=resources.config.max_artifact_bytes)
    new = releases.NewArtifact(file.name, file.role, file.platform, received)
    releases.add_artifact(session, release, new, by=by, at=at)


def _bytes(file: DemoFile) -> Iterator[bytes]:
    """Content that looks like an image, the same each time: a digest chain from the file's name."""
    left, block = file.size_bytes, hashlib.sha512(file.name.encode()).digest()
    while left > 0:
        block = hashlib.sha512(block).digest()
        yield (block * 16)[:left]
        left -= len(block) * 16


def _waive(session: Session, release: Release, languages: tuple[str, ...], *, by: Actor, at: datetime) -> None:
    for problem in releases.problems(session, release, languages=languages):
        if problem.is_open and problem.is_waivable:
            reason = "Agreed with product management."
            releases.give_waiver(session, release, problem=problem.key, reason=reason, by=by, at=at)


def _withdraw(session: Session, world: World) -> None:
    by = world.people["approver@north.example"]
    for one in RELEASES:
        if one.withdrawn_because:
            bad, replacement = (_published(session, one.product, version) for version in (one.version, "15.1R7-S10"))
            at = world.ago(one.days_ago - 9)
            releases.withdraw(session, bad, reason=one.withdrawn_because, replacement=replacement, by=by, at=at)


def _published(session: Session, code: str, version: str) -> Release:
    found = select(Release).join(Product).where(Product.code == code, Release.version == version)
    return session.scalars(found.options(joinedload(Release.product))).one()
