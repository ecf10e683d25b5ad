"""One small whole world for tests that look at all of the portal: a vendor, a support centre, two customers.

What belongs to customer A (contract, device, ticket, delivery, people) must be nothing to customer B.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO

from flask import Response
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation, Person
from portal.accounts.tokens import NewToken, create_token
from portal.actors import Actor, Via
from portal.authority import service as authority
from portal.authority.models import AuthorizedPerson, PowerOfAttorney
from portal.authority.terms import NewPower, RecipientFacts, Scan
from portal.backups.models import DeviceBackup
from portal.couriers import carriers, media
from portal.couriers.models import Carrier, Medium
from portal.couriers.states import MediumKind
from portal.deliveries import requests
from portal.deliveries.models import Delivery, DeliveryAddress
from portal.deliveries.states import Channel, DeliveryState
from portal.entitlements.models import (
    Agreement,
    AgreementVersion,
    Contract,
    ContractLine,
    Grant,
    ProductAgreement,
)
from portal.entitlements.service import accept_agreement
from portal.evidence.packing import archive
from portal.handovers import opening
from portal.handovers.models import Act, DocumentKind
from portal.inventory.models import Device, Site
from portal.jobs.models import Job, JobState
from portal.mailings import cookies, links
from portal.mailings.models import MailLink
from portal.permissions import OrganisationKind, Role, Scope, permissions_of
from portal.recalls.models import Holding, Recall
from portal.releases import service as releases
from portal.releases.models import (
    ALL_LEVELS,
    Artifact,
    ExportRule,
    Issue,
    IssueRelation,
    Product,
    Release,
    Severity,
    Train,
)
from portal.reports.models import Statement
from portal.reports.packing import PAPER
from portal.tickets import attachments, contacts
from portal.tickets.desk_models import Contact, TicketFile
from portal.tickets.models import Ticket
from portal.updates.models import (
    AccessConsent,
    AccessSecret,
    RemoteSession,
    UpdateDevice,
    UpdateRequest,
    UpdateStep,
)
from portal.updates.states import Origin, UpdateState, Way
from storage import ObjectStore
from tests.factories import (
    make_address,
    make_artifact,
    make_backup,
    make_device,
    make_organisation,
    make_person,
    make_product,
    make_published,
    make_release,
    make_request,
    make_ticket,
)
from tests.portals import START, Portal

CONTENT = b"the image of customer A's product" * 1000


@dataclass
class World:
    portal: Portal
    customer_a: Organisation
    customer_b: Organisation
    people: dict[str, Person]
    product: Product
    """Not listed: only customer A has a contract for it."""
    published: Release
    withdrawn: Release
    draft: Release
    issue: Issue
    contract: Contract
    grant: Grant
    agreement: AgreementVersion
    ticket: Ticket
    artifact: Artifact
    delivery: Delivery
    job: Job
    train: Train
    export_rule: ExportRule
    token: str
    token_id: object
    recipient: AuthorizedPerson
    """Of customer A; may receive and sign for all products until the end of 2026."""
    power: PowerOfAttorney
    candidate: AuthorizedPerson
    """Of customer A; their power of attorney waits for the dispatcher."""
    waiting_power: PowerOfAttorney
    address: DeliveryAddress
    requested: Delivery
    """By courier, asked for by customer A's engineer."""
    approved: Delivery
    """By e-mail, the same files."""
    medium: Medium
    carrier: Carrier
    handed: Delivery
    """To be handed over in person; it stands in the open act."""
    act: Act
    holding: Holding
    """Of customer A: what it holds of the withdrawn release, on a medium that a courier brought."""
    link: MailLink
    """In a letter to customer A's recipient."""
    device: Device
    site: Site
    update: UpdateRequest
    """Of customer A's device, under way; a remote session runs, and a piece of access information is kept."""
    backup: DeviceBackup
    """Of customer A's device."""
    contact: Contact
    file: TicketFile
    """Beside the ticket, attached by the support centre for customer A."""
    statement: Statement
    """Of customer A, of the month before."""
    ticket_session: RemoteSession

    def browser(self, who: str):
        return self.portal.signed_in(self.people[who].email)

    def authorized(self):
        """The browser of customer A's recipient, who has no sign-in and has shown the link's code."""
        browser, config = self.portal.browser(), self.portal.resources.config
        with self.portal.app.test_request_context():
            answer = Response()
            cookies.give(answer, self.link, config, self.portal.clock())
        name, _, value = answer.headers["Set-Cookie"].partition(";")[0].partition("=")
        browser.set_cookie(name, value, path=cookies.PATH)
        return browser


PEOPLE = {
    "engineer A": ("a", Role.CUSTOMER_ENGINEER),
    "manager A": ("a", Role.CUSTOMER_MANAGER),
    "engineer B": ("b", Role.CUSTOMER_ENGINEER),
    "manager B": ("b", Role.CUSTOMER_MANAGER),
    "TSC engineer": ("tsc", Role.TSC_ENGINEER),
    "dispatcher": ("tsc", Role.DISPATCHER),
    "publisher": ("vendor", Role.PUBLISHER),
    "approver": ("vendor", Role.APPROVER),
    "administrator": ("vendor", Role.ADMINISTRATOR),
    "auditor": ("vendor", Role.AUDITOR),
}


def actor_for(person: Person, organisation: Organisation) -> Actor:
    return Actor(
        via=Via.SESSION,
        name=person.name,
        person_id=person.id,
        organisation_id=organisation.id,
        kind=organisation.kind,
        roles=person.roles,
        permissions=permissions_of(person.roles),
    )


def make_world(portal: Portal) -> World:  # noqa: PLR0915 - one thing after another, each in a line
    """Everything, by the verbs that pages use; the delivery is a real download of customer A's engineer."""
    with portal.sessions.begin() as session:
        organisations = {
            "a": make_organisation(session),
            "b": make_organisation(session),
            "tsc": make_organisation(session, OrganisationKind.SUPPORT),
            "vendor": make_organisation(session, OrganisationKind.VENDOR),
        }
        people = {who: make_person(session, organisations[where], role) for who, (where, role) in PEOPLE.items()}
        engineer = actor_for(people["engineer A"], organisations["a"])
        product = make_product(session, is_listed=False)
        by = actor_for(people["administrator"], organisations["vendor"])
        train = releases.save_train(session, product, releases.TrainFacts("1"), by=by, at=START)
        rule = releases.add_export_rule(
            session, product, releases.ExportRuleFacts("KP", None, "Embargo"), by=by, at=START
        )
        contract = make_contract(session, organisations["a"], product)
        agreement = _agreement(session, product)
        session.flush()  # the ticket asks whether the customer may know of the product
        accept_agreement(session, agreement, by=engineer, at=START)
        device = make_device(session, organisations["a"], product)
        backup = make_backup(portal.store, session, device, b"hostname core-1")
        site = Site(organisation_id=organisations["a"].id, code="HQ", name="Head office", address=[], time_zone="UTC",
                    created_at=START)  # fmt: skip
        session.add(site)
        issue = _issue(session, product, people["publisher"], organisations["vendor"])
        withdrawn, published, draft = (make_release(session, product, f"1.{minor}") for minor in range(3))
        releases.link_issue(
            session, published, issue, IssueRelation.FIXED,
            by=actor_for(people["publisher"], organisations["vendor"]), at=START,
        )  # fmt: skip
        artifact = make_artifact(session, portal.store, published, "образ 1.1.bin", CONTENT)
        make_published(portal.resources, session, withdrawn)
        make_published(portal.resources, session, published)
        by = actor_for(people["approver"], organisations["vendor"])
        releases.withdraw(session, withdrawn, reason="It fails.", replacement=published, by=by, at=START)
        grant = Grant(organisation_id=organisations["a"].id, release_id=published.id, reason="agreed",
                      until=START + timedelta(days=30), created_at=START)  # fmt: skip
        session.add(grant)
        ticket = make_ticket(session, organisations["a"], engineer, product=product)
        contact, file = _desk(session, portal.store, ticket, organisations["a"],
                              actor_for(people["TSC engineer"], organisations["tsc"]))  # fmt: skip
        new = NewToken("script", frozenset({Scope.DOWNLOAD}), timedelta(days=30))
        manager = actor_for(people["manager A"], organisations["a"])
        recipient, power = _recipient(session, portal.store, organisations["a"], "Irina", manager)
        candidate, waiting_power = _recipient(session, portal.store, organisations["a"], "Petr", manager)
        by = actor_for(people["dispatcher"], organisations["tsc"])
        authority.confirm(session, power, checked="The scan", second_person=True, by=by, at=START)
        row, token = create_token(session, people["engineer A"], new, by=engineer, at=START)
    answer = portal.browser().get(
        f"/downloads/{artifact.id}/{artifact.name}", headers={"Authorization": f"Bearer {token}"}
    )
    assert hashlib.sha256(answer.data).digest() == hashlib.sha256(CONTENT).digest(), answer.status
    answer.close()
    with portal.sessions.begin() as session:
        delivery = session.query(Delivery).one()
        job = Job(name="mail.send", arguments={}, state=JobState.DEAD, created_at=START, run_at=START)
        session.add(job)
        dispatcher = actor_for(people["dispatcher"], organisations["tsc"])
        address = make_address(session, organisations["a"])
        facts = {"channel": Channel.COURIER, "address": address, "recipient": recipient}
        [requested] = make_request(session, organisations["a"], published, engineer, **facts)
        [approved] = make_request(session, organisations["a"], published, engineer, recipient=recipient)
        requests.approve(session, approved, second_person=True, by=dispatcher, at=START)
        handed, act = _handed(session, organisations["a"], published, engineer, dispatcher, recipient)
        medium = media.add(session, media.MediumFacts(MediumKind.USB, "USB-1", 1 << 30), by=dispatcher, at=START)
        carrier = carriers.save(
            session, None, {"name": "Post", "tracking_url": "", "phone": ""}, by=dispatcher, at=START
        )
        holding = _holding(session, withdrawn, requested)
        update = _update(session, device, published, people["TSC engineer"])
        ticket_session = _ticket_session(session, device, ticket, people["TSC engineer"])
        link = _mailed(session, portal, organisations["a"], published, engineer, recipient)
        statement = _statement(session, portal.store, organisations["a"])
    return World(
        portal, organisations["a"], organisations["b"], people, product, published, withdrawn, draft, issue, contract,
        grant, agreement, ticket, artifact, delivery, job, train, rule, token, row.id,
        recipient, power, candidate, waiting_power, address, requested, approved,
        medium, carrier, handed, act, holding, link, device, site, update, backup, contact, file, statement,
        ticket_session,
    )  # fmt: skip


def _desk(
    session: Session, store: ObjectStore, ticket: Ticket, organisation: Organisation, by: Actor
) -> tuple[Contact, TicketFile]:
    """Whom customer A's support centre knows, and a file beside the ticket."""
    contact = contacts.save(session, organisation, None, contacts.ContactFacts("Olga"), by=by, at=START)
    received = store.receive(BytesIO(b"log"), limit_bytes=9)
    session.flush()  # the file names the ticket
    return contact, attachments.attach(session, ticket, attachments.NewFile("log.txt", received), by=by, at=START)


def _statement(session: Session, store: ObjectStore, organisation: Organisation) -> Statement:
    """A row as it was issued, and an archive with as much in it as the pages open."""
    kept = store.receive(BytesIO(archive({PAPER: b"%PDF-1.7"})), limit_bytes=9999)
    statement = Statement(organisation_id=organisation.id, month="2026-02", time_zone="UTC", language="en",
                          issued_at=START, asked=3, kept=2, late=1, key_id="0" * 64, object_key=kept.key,
                          size_bytes=kept.size_bytes, sha256=kept.sha256)  # fmt: skip
    session.add(statement)
    session.flush()
    return statement


def _update(session: Session, device: Device, release: Release, engineer: Person) -> UpdateRequest:
    """Rows as the verbs leave them while a remote session runs."""
    update = UpdateRequest(
        number="U-000001", organisation_id=device.organisation_id, release_id=release.id, origin=Origin.AGREED,
        way=Way.REMOTE, state=UpdateState.RUNNING, time_zone="UTC", begins_at=START, ends_at=START + timedelta(days=1),
        engineer_id=engineer.id, salt=bytes(32), created_at=START, created_by_name="Somebody",
    )  # fmt: skip
    part = UpdateDevice(device_id=device.id, place=0, from_version="1.0")
    part.steps = [UpdateStep(place=0, release_id=release.id, version=release.version)]
    consent = AccessConsent(given_name="Somebody", given_at=START, until=START + timedelta(days=1))
    update.devices, update.access, update.sessions = [part], [consent], []
    update.secrets = [AccessSecret(label="VPN", sealed=bytes(40), created_at=START, created_by_name="Somebody")]
    session.add(update)
    session.flush()
    remote = RemoteSession(
        device_id=device.id, consent_id=consent.id, engineer_id=engineer.id, engineer_name=engineer.name,
        address="", started_at=START, notes=[], files=[],
    )  # fmt: skip
    update.sessions.append(remote)
    session.flush()
    return update


def _ticket_session(session: Session, device: Device, ticket: Ticket, engineer: Person) -> RemoteSession:
    """A remote session that runs on customer A's ticket."""
    consent = AccessConsent(
        ticket_id=ticket.id, given_name="Somebody", given_at=START, until=START + timedelta(days=1)
    )  # fmt: skip
    remote = RemoteSession(
        ticket_id=ticket.id, device_id=device.id, engineer_id=engineer.id, engineer_name=engineer.name, address="",
        started_at=START, notes=[], files=[],
    )  # fmt: skip
    remote.consent = consent
    session.add(remote)
    session.flush()
    return remote


def _mailed(
    session: Session, portal: Portal, organisation: Organisation, release: Release, engineer: Actor,
    recipient: AuthorizedPerson,
) -> MailLink:  # fmt: skip
    """A delivery whose letter the mail server has taken, as far as its link can tell."""
    [mailed] = make_request(session, organisation, release, engineer, recipient=recipient)
    mailed.state, mailed.open_key = DeliveryState.DISPATCHED, None
    link = links.new_link(mailed.id, portal.resources.config, START)
    session.add(link)
    session.flush()
    return link


def _holding(session: Session, release: Release, delivery: Delivery) -> Holding:
    recall = Recall(release_id=release.id, opened_at=START)
    session.add(recall)
    session.flush()
    holding = Holding(
        recall_id=recall.id, organisation_id=delivery.organisation_id, delivery_id=delivery.id, key="delivery:1",
        channel=Channel.COURIER, holder_name="Ivan", holder_email="ivan@a.example", language="ru", place="", medium="",
    )  # fmt: skip
    session.add(holding)
    session.flush()
    return holding


def _handed(
    session: Session, organisation: Organisation, release: Release, engineer: Actor, clerk: Actor,
    recipient: AuthorizedPerson,
) -> tuple[Delivery, Act]:  # fmt: skip
    """A delivery to be handed over, and the act of it that waits for the signature."""
    [handed] = make_request(session, organisation, release, engineer, channel=Channel.HAND_OVER, recipient=recipient)
    requests.approve(session, handed, second_person=True, by=clerk, at=START)
    opening.prepare(session, [handed.id], {handed.id: "ab" * 32}, by=clerk, at=START)
    said = opening.Opening((handed.id,), DocumentKind.PASSPORT, "4821", "Hall", is_compared=True)
    return handed, opening.open_act(session, said, by=clerk, at=START)


def make_contract(session: Session, organisation: Organisation, product: Product, **facts: object) -> Contract:
    """A contract of a year around START for one product at all levels."""
    number = facts.pop("number", f"C-{organisation.code}")
    contract = Contract(organisation_id=organisation.id, number=number, created_at=START)
    given = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31), "time_zone": "Europe/Berlin", **facts}
    contract.set_term(**given)  # type: ignore[arg-type]
    contract.lines = [ContractLine(product_id=product.id, levels=ALL_LEVELS)]
    session.add(contract)
    session.flush()
    return contract


def _recipient(
    session: Session, store: ObjectStore, organisation: Organisation, name: str, by: Actor
) -> tuple[AuthorizedPerson, PowerOfAttorney]:
    """Somebody with a power of attorney of 2026 for all products, which waits for the dispatcher."""
    facts = RecipientFacts(name, f"{name}@{organisation.code}.example", "+79161231234", "ru")
    holder = authority.name_person(session, organisation, facts, by=by, at=START)
    year = {"issued_on": date(2026, 1, 12), "valid_from": date(2026, 1, 12), "valid_until": date(2026, 12, 31)}
    new = NewPower(f"17/{name}", issued_by="The director", may_sign=True, **year)
    power = authority.give_power(session, holder, new, by=by, at=START)
    content = b"%PDF-1.7 " + name.encode()
    kept = store.receive(BytesIO(content), limit_bytes=len(content))
    scan = Scan(kept.key, f"{name}.pdf", kept.size_bytes, kept.sha256, "application/pdf")
    authority.attach_scan(session, power, scan, by=by, at=START)
    return holder, power


def _agreement(session: Session, product: Product) -> AgreementVersion:
    """An agreement of the product, accepted by customer A's engineer below."""
    agreement = Agreement(code="licence", created_at=START)
    session.add(agreement)
    session.flush()
    texts = {language: {"title": "Licence", "body": "Use it well."} for language in ("en", "ru")}
    version = AgreementVersion(agreement_id=agreement.id, number=1, texts=texts, effective_from=START)
    session.add_all([version, ProductAgreement(product_id=product.id, agreement_id=agreement.id)])
    session.flush()
    return version


def _issue(session: Session, product: Product, person: Person, vendor: Organisation) -> Issue:
    texts = {language: releases.IssueWords("The link goes down") for language in ("en", "ru")}
    facts = releases.IssueFacts("NET-1", Severity.HIGH, is_public=True, texts=texts, cves=("CVE-2026-1234",))
    return releases.create_issue(session, product, facts, by=actor_for(person, vendor), at=START)
