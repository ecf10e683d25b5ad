"""An internal note's own words, sought wherever a customer can look. All of the portal: tests/house/test_secrecy.py."""

import zipfile
from io import BytesIO

from sqlalchemy import select

from portal.jobs import service as jobs
from portal.permissions import Permission
from portal.tickets import attachments, merging, participants, service
from portal.tickets.models import TicketEvent, TicketEventKind
from portal.web.guard import guard_of
from tests.answers import words_in
from tests.portals import START

WORDS = "xyzzyplugh"


def addresses(world, number, ids):
    """Every GET of the portal that a customer's roles let in, with whatever can be filled in."""
    values = {"number": number, **ids}
    app, found = world.portal.app, []
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        guard = guard_of(app, rule.endpoint)
        allowed = guard in world.actors["alpha2"].permissions or not isinstance(guard, Permission)
        if (
            "GET" in rule.methods
            and allowed
            and rule.arguments <= values.keys()
            and not rule.endpoint.endswith("static")
        ):
            found.append(adapter.build(rule.endpoint, {name: values[name] for name in rule.arguments}))
    return found


def test_an_internal_note_is_found_nowhere(world):
    number = world.open()
    by = world.actors["tsc"]
    with world.begin() as session:
        ticket = world.ticket(session, number)
        note = service.add_note(session, ticket, f"{WORDS} in a note", by=by, at=START)
        received = world.portal.store.receive(BytesIO(WORDS.encode() * 9), limit_bytes=999)
        hidden = attachments.attach(session, ticket, attachments.NewFile(f"{WORDS}.txt", received, is_internal=True),
                                    by=by, at=START)  # fmt: skip
        open_file = world.portal.store.receive(BytesIO(b"plain"), limit_bytes=999)
        shown = attachments.attach(session, ticket, attachments.NewFile("plain.txt", open_file), by=by, at=START)
        participants.add(session, ticket, world.people["alpha2"].email, by=by, at=START)
        session.flush()
        jobs.enqueue(session, service.TELL, at=START, event_id=str(note.id))  # even if somebody asked for it
    world.answer(number, body="An answer that is seen")
    with world.begin() as session:
        said = session.scalars(select(TicketEvent).where(TicketEvent.kind == TicketEventKind.MESSAGE)).first()
        split = str(merging.split(session, world.ticket(session, number), said, "Other", by=by, at=START))
        merging.merge(session, world.ticket(session, split), world.ticket(session, number), by=by, at=START)
    world.portal.work()
    seen = 0
    for file in (hidden, shown):
        for address in addresses(world, number, {"file_id": file.id}):
            text = words_in(world.of("alpha2").get(address))
            seen += "An answer that is seen" in text
            assert WORDS not in text, address
    assert seen >= 8  # page, print, PDF, ZIP and API, twice: the search does find what is there
    for text in (*world.portal.mails(), *world.portal.texts()):
        assert WORDS not in text
    assert len([text for text in world.portal.mails() if "An answer that is seen" in text]) == 2
    for address in (f"/tickets?q={WORDS}", f"/api/v1/tickets?q={WORDS}"):
        assert number not in world.of("alpha2").get(address).text
    assert WORDS in world.of("tsc").get(f"/tickets/{number}").text
    for address in (f"/tickets/{number}/export.zip", f"/tickets/{number}/export.pdf", f"/tickets/{number}/print",
                    f"/api/v1/tickets/{number}", f"/api/v1/tickets/{number}/files"):  # fmt: skip
        assert WORDS not in words_in(world.of("tsc").get(address)), address  # what leaves the house is the customer's


def test_the_archive_holds_the_files_and_the_thread(world):
    number = world.open(title="Заголовок")
    with world.begin() as session:
        for content in (b"one", b"two"):
            received = world.portal.store.receive(BytesIO(content), limit_bytes=9)
            file = attachments.NewFile("a.txt", received)
            attachments.attach(session, world.ticket(session, number), file, by=world.actors["alpha"], at=START)
    answer = world.of("alpha").get(f"/tickets/{number}/export.zip")
    with zipfile.ZipFile(BytesIO(answer.data)) as packed:
        assert packed.testzip() is None
        names = [name for name in packed.namelist() if name.startswith("files/")]
        assert sorted(packed.read(name) for name in names) == [b"one", b"two"]
        assert "Заголовок" in packed.read("ticket.json").decode()
    for kind in ("export.zip", "export.pdf", "print"):
        assert world.of("beta").get(f"/tickets/{number}/{kind}").status_code == 404
