"""What is internal, and what is another customer's, sought in all that leaves the portal; none of it is found.

Two customers with the same product, each with a ticket, contact, device, backup and update whose every word is marked
with its owner. Every address that can be opened, every letter, text message, feed, PDF, archive and JSON is read.
"""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from email import message_from_string
from email.policy import default
from io import BytesIO

import pytest
from sqlalchemy.orm import Session

from portal import numbers
from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.entitlements.models import AgreementVersion
from portal.entitlements.service import accept_agreement
from portal.inventory.models import Device, Site
from portal.mail.receiving import receive
from portal.permissions import Permission, permissions_of
from portal.releases import queries as released
from portal.releases import service as releases
from portal.releases.models import Severity
from portal.tickets import attachments, contacts, intake, merging, participants, rota, service
from portal.tickets import queries as tickets
from portal.tickets.desk_models import Contact
from portal.tickets.models import Degree, Step, Ticket, TicketChannel, TicketKind, TicketSeverity
from portal.tickets.rota_models import DutyRole
from portal.updates import access, checklist, planning, queries, remote, running
from portal.updates.models import UpdateRequest
from portal.updates.sealing import Sealer
from portal.updates.states import CHECKS_ONCE, Check, StepState, Way
from portal.updates.windows import Window
from portal.web.guard import guard_of
from tests.answers import words_in
from tests.factories import make_backup, make_device
from tests.house.test_access import rows
from tests.portals import START, Portal
from tests.worlds import World, actor_for, make_contract, make_world

SUPPORT = "support@desk.example"
PEOPLE_OF = {"a": "manager A", "b": "manager B"}
LATER = START + timedelta(hours=1)
INTERNAL = ("note", "reason", "hidden", "bytes", "issue", "handover", "held", "secret")
"""Of the support centre alone, though it be about a customer; a piece of access information is of one engineer."""
OWN = ("title", "body", "answer", "second", "opinion", "contact", "role", "attached", "serial", "site", "backup",
       "remark", "content", "plan", "label", "command", "taken", "result", "step")  # fmt: skip
"""Of one customer, and nothing to any other."""
ON_DUTY = "+79990001122"


def marked(side: str, what: str) -> str:
    return f"zq{side}{what}"


@dataclass
class Marked:
    """The world, and for each customer the world with that customer's own things in it."""

    world: World
    of: dict[str, World]

    def addresses(self, side: str, who: str | None) -> dict[str, str]:
        """Everything that this person (None: nobody with a sign-in) may ask for, named with this customer's things:
        (address, endpoint). Who may not is in the access table."""
        app = self.world.portal.app
        may = permissions_of(self.world.people[who].roles) if who else frozenset()
        return {
            address: endpoint
            for endpoint, method, address in rows(self.of[side])
            if method == "GET" and (not isinstance(guard := guard_of(app, endpoint), Permission) or guard in may)
        }


@pytest.fixture
def marks(portal: Portal) -> Marked:
    world = make_world(portal)
    config = replace(portal.resources.config, support_address=SUPPORT, mail_from="desk@desk.example")
    portal.resources = portal.app.extensions["portal"] = replace(portal.resources, config=config)
    with portal.sessions.begin() as session:
        make_contract(session, session.merge(world.customer_b), session.merge(world.product))
        agreement = session.get_one(AgreementVersion, world.agreement.id)
        accept_agreement(session, agreement, by=acting(world, session, "engineer B"), at=START)
        numbers.take(session, planning.SERIES)  # the first is the world's own
        plant_internal(session, world)
    found = Marked(world, {side: plant(world, side, f"engineer {side.upper()}") for side in PEOPLE_OF})
    held = f"From: x@y.example\nTo: {SUPPORT}\nSubject: {marked('', 'held')}\nMessage-ID: <1@y>\n\n{marked('', 'held')}"
    receive(portal.resources, held.encode(), at=START)
    portal.work()
    return found


def acting(world: World, session: Session, who: str) -> Actor:
    return actor_for(world.people[who], session.get_one(Organisation, world.people[who].organisation_id))


def plant_internal(session: Session, world: World) -> None:
    tsc, lead = acting(world, session, "TSC engineer"), acting(world, session, "dispatcher")
    texts = {"en": releases.IssueWords(marked("", "issue"))}
    facts = releases.IssueFacts(marked("", "issue"), Severity.LOW, is_public=False, texts=texts, cves=())
    publisher = acting(world, session, "publisher")
    releases.create_issue(session, session.merge(world.product), facts, by=publisher, at=START)
    rota.leave_note(session, marked("", "handover"), by=tsc, at=START)
    hours = timedelta(hours=8)
    shift = rota.ShiftFacts(world.people["TSC engineer"].id, DutyRole.ON_DUTY, START - hours, START + hours, ON_DUTY)
    rota.add_shift(session, shift, by=lead, at=START)


def plant(world: World, side: str, who: str) -> World:
    with world.portal.sessions.begin() as session:
        by = acting(world, session, who)
        home = session.get_one(Organisation, by.organisation_id)
        facts = contacts.ContactFacts(marked(side, "contact"), "+7 495 111-22-33", f"{marked(side, 'mail')}@x.example",
                                      marked(side, "role"))  # fmt: skip
        contact = contacts.save(session, home, None, facts, by=by, at=START)
        site = Site(organisation_id=home.id, code=marked(side, "site").upper(), name=marked(side, "site"), address=[],
                    time_zone="UTC", created_at=START)  # fmt: skip
        session.add(site)
        session.flush()
        product = session.merge(world.product)
        device = make_device(session, home, product, serial=marked(side, "serial"), installed_version="1.0", site=site)
        content = marked(side, "content").encode()
        backup = make_backup(world.portal.store, session, device, content, name=marked(side, "backup"),
                             note=marked(side, "remark"))  # fmt: skip
        session.flush()
        number = str(plant_ticket(session, world, home, contact, device))
    with world.portal.sessions.begin() as session:
        file = plant_thread(session, world, side, number)
    with world.portal.sessions.begin() as session:
        update = plant_update(session, world, side, device)
    with world.portal.sessions() as session:
        ticket = tickets.get(session, number, visible_to=acting(world, session, who))
    return replace(world, contact=contact, site=site, device=device, backup=backup, ticket=ticket, file=file,
                   update=update)  # fmt: skip


def plant_ticket(session: Session, world: World, home: Organisation, contact: Contact, device: Device) -> Ticket:
    side = contact.name[2]
    call = service.Call(contact.id, contact.name, device.id, Degree.HIGH, Degree.HIGH, marked("", "reason"))
    facts = service.TicketFacts(home, TicketKind.INCIDENT, TicketSeverity.MINOR, TicketChannel.TELEPHONE,
                                marked(side, "title"), marked(side, "body"), session.merge(world.product), "1.0",
                                call=call)  # fmt: skip
    by = acting(world, session, "TSC engineer")
    return intake.take_call(session, facts, chosen=TicketSeverity.MAJOR, answered=False, by=by, at=START)


def plant_thread(session: Session, world: World, side: str, number: str) -> object:
    """Said, noted, attached, linked, joined, closed and judged."""
    tsc, own = acting(world, session, "TSC engineer"), acting(world, session, f"manager {side.upper()}")
    ticket = tickets.get(session, number, visible_to=tsc)
    service.claim(session, ticket, by=tsc, at=START)
    service.add_note(session, ticket, marked("", "note"), by=tsc, at=START)
    said = service.answer(session, ticket, marked(side, "answer"), by=tsc, at=START)
    issue = released.get_issue(session, marked("", "issue"), visible_to=tsc)
    service.link_issue(session, ticket, issue, by=tsc, at=START)
    participants.add(session, ticket, world.people[f"manager {side.upper()}"].email, by=tsc, at=START)
    store, files = world.portal.store, []
    for name, words, internal in (("attached", "attached", False), ("hidden", "bytes", True)):
        owner = "" if internal else side
        received = store.receive(BytesIO(marked(owner, words).encode()), limit_bytes=99)
        new = attachments.NewFile(f"{marked(owner, name)}.txt", received, is_internal=internal)
        files.append(attachments.attach(session, ticket, new, by=tsc, at=START))
    second = merging.split(session, ticket, said, marked(side, "second"), by=tsc, at=START)
    service.answer(session, second, marked(side, "answer"), by=tsc, at=START)
    service.change_state(session, ticket, Step.CLOSE, by=own, at=START)
    merging.rate(session, ticket, 5, marked(side, "opinion"), by=own, at=START)
    session.flush()
    return files[0]


def plant_update(session: Session, world: World, side: str, device: Device) -> UpdateRequest:
    """An update in the midst of its work, in a remote session."""
    own, tsc = acting(world, session, f"engineer {side.upper()}"), acting(world, session, "TSC engineer")
    home = session.get_one(Organisation, own.organisation_id)
    release = released.get(session, world.published.id, visible_to=tsc)
    new = planning.NewUpdate(home, session.merge(release), (device.id,), Way.REMOTE, note=marked(side, "plan"))
    update = planning.draw_up(session, new, by=own, at=START)
    planning.set_window(session, update, Window(LATER, LATER + timedelta(hours=4), "UTC"), by=own, at=START)
    planning.propose(session, update, by=own, at=START)
    for one in (own, tsc):
        planning.consent(session, update, by=one, at=START)
    piece = access.Piece(marked(side, "label"), marked("", "secret"))
    sealer = Sealer(world.portal.resources.config.secret_key)
    access.enter_secret(session, update, piece, sealer=sealer, by=own, at=START)
    access.give_access(session, update, LATER + timedelta(hours=4), by=own, at=START)
    running.take_on(session, update, by=tsc, at=START)
    part = queries.get(session, update.id, visible_to=tsc).devices[0]
    for check in CHECKS_ONCE:
        checklist.check(session, update, (check, ""), by=tsc, at=START)
    checklist.check(session, update, (Check.BACKUP, str(part.id)), "It has its own.", by=tsc, at=START)
    running.start(session, update, by=tsc, at=LATER)
    begun = remote.begin(session, update, part.id, by=tsc, at=LATER)
    secret = queries.get(session, update.id, visible_to=tsc).secrets[0]
    access.show_secret(session, update, (secret.id, begun.id), sealer=sealer, by=tsc, at=LATER)
    remote.add_note(session, update, begun.id, marked(side, "command"), by=tsc, at=LATER)
    remote.add_file(session, update, begun.id, (marked(side, "taken"), "ab" * 32), by=tsc, at=LATER)
    remote.finish(session, update, begun.id, marked(side, "result"), by=tsc, at=LATER)
    running.begin_step(session, update, part.steps[0].id, by=tsc, at=LATER)
    failed = running.Ended(StepState.FAILED, marked(side, "step"))
    running.end_step(session, update, part.steps[0].id, failed, by=tsc, at=LATER + timedelta(minutes=5))
    session.flush()
    return queries.get(session, update.id, visible_to=own)


def other(side: str) -> str:
    return "b" if side == "a" else "a"


def leaks(text: str, side: str | None) -> list[str]:
    """What stands there that this customer (None: anybody without a sign-in) may not read."""
    forbidden = [marked("", what) for what in INTERNAL] + [ON_DUTY]
    forbidden += [marked(one, what) for one in PEOPLE_OF if one != side for what in (*OWN, "mail")]
    return [word for word in forbidden if word in text.lower()]


def test_no_address_gives_anybody_what_is_not_theirs(marks):
    seek_as_customers(marks)
    seek_without_a_sign_in(marks)
    seek_in_what_the_centre_takes_away(marks)


def seek_as_customers(marks):
    """Each customer at its own things and at the other's; and each of its own words is found, so that the search is
    known to see."""
    feeds = {}
    for side, who in PEOPLE_OF.items():
        browser, seen = marks.world.browser(who), ""
        feeds[side] = feed_of(browser)
        found = {}
        own = marks.addresses(side, who)
        theirs = marks.addresses(other(side), who).keys() - own.keys()
        for address in (*own, *theirs, *feeds.values()):
            text = words_in(browser.get(address))
            seen += text.lower()
            if address != feeds.get(other(side)) and (words := leaks(text, side)):
                found[address] = words
        assert found == {}
        assert [what for what in OWN if marked(side, what) not in seen] == []
    for side, feed in feeds.items():
        text = words_in(marks.world.portal.browser().get(feed))
        assert marked(side, "site") in text.lower()
        assert leaks(text, side) == []


def feed_of(browser) -> str:
    answer = browser.submit("/updates/calendar")
    return re.search(r"/calendar/[^\s\"<]+\.ics", answer.text).group(0)


def seek_without_a_sign_in(marks):
    stranger, guest = marks.world.portal.browser(), marks.world.authorized()
    for side in PEOPLE_OF:
        for address, endpoint in marks.addresses(side, None).items():
            assert leaks(words_in(stranger.get(address)), None) == [], address
            if side == "a" and endpoint.startswith(("mailings", "couriers", "handovers", "recalls", "deliveries")):
                assert leaks(words_in(guest.get(address)), "a") == [], address


def seek_in_what_the_centre_takes_away(marks):
    """Papers, archives and JSON hold the same whoever asks; and staff find on pages what customers do not."""
    engineer, seen = marks.world.browser("TSC engineer"), ""
    for side in PEOPLE_OF:
        for address, endpoint in marks.addresses(side, "TSC engineer").items():
            leaves = endpoint.endswith(("export_pdf", "export_zip", "printable", "report", "run_book"))
            if leaves or (endpoint.endswith("_api.show") and "ticket" in endpoint) or "list_files" in endpoint:
                assert leaks(words_in(engineer.get(address)), side) == [], address
            elif endpoint in ("tickets.show", "desk.show", "tickets.held_mails", "tickets.file"):
                seen += words_in(engineer.get(address))
    assert [what for what in INTERNAL if marked("", what) not in seen] == ["bytes", "secret"]


def test_letters_and_searches_say_to_each_what_they_may_know(marks):
    seek_by_searching(marks)
    seek_in_letters(marks)


def seek_in_letters(marks):
    """The outbox and the text messages: what a customer's people get, and that nobody is sent a secret."""
    marks.world.portal.clock.advance(hours=2)
    marks.world.portal.work()
    homes = {marks.world.people[f"{role} {side.upper()}"].email: side
             for role in ("engineer", "manager") for side in PEOPLE_OF}  # fmt: skip
    homes |= {f"{marked(side, 'mail')}@x.example": side for side in PEOPLE_OF}
    got = dict.fromkeys(homes, "")
    for mail in marks.world.portal.mails():
        letter = message_from_string(mail, policy=default)
        text = f"{mail}\n{letter.get_content()}"
        assert marked("", "secret") not in text
        if letter["To"] in homes:
            got[letter["To"]] += text
            assert leaks(text.replace(letter["To"], ""), homes[letter["To"]]) == [], letter["Subject"]
    for side in PEOPLE_OF:
        assert marked(side, "answer") in got[f"{marked(side, 'mail')}@x.example"]
        assert marked(side, "second") in got[marks.world.people[f"manager {side.upper()}"].email]
    for text in marks.world.portal.texts():
        assert [what for what in INTERNAL if marked("", what) in text] == []


SEARCHES = ("/tickets", "/api/v1/tickets", "/contacts", "/devices", "/api/v1/devices", "/sites", "/updates",
            "/api/v1/updates", "/search", "/products", "/deliveries", "/backup-copies", "/authority")  # fmt: skip


def seek_by_searching(marks):
    """The page for another customer's word is the page for a word that nobody ever wrote."""
    browser = marks.world.browser("engineer B")
    for address in SEARCHES:
        for what in ("title", "second", "serial", "contact", "site", "command"):
            asked, control = (
                re.sub(r'(csrf_token|submission)"[^>]*>', "", words_in(browser.get(f"{address}?q={word}")))
                for word in (marked("a", what), "x" * len(marked("a", what)))
            )
            assert plain(asked, marked("a", what)) == plain(control, "x" * len(marked("a", what))), address
    assert "T-" in browser.get(f"/tickets?q={marked('b', 'title')}").text


def plain(text: str, word: str) -> str:
    body = text.partition("\n\n")[2] or text
    return re.sub(r'value="[^"]{60,}"|nonce="[^"]*"|^(Set-Cookie|Date|ETag|Content-Length):.*$', "",
                  body.replace(word, "?"), flags=re.MULTILINE)  # fmt: skip
