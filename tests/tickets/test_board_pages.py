"""The board as engineers use it: what is first, what changes by itself, who takes what."""

import re
import threading
from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest

from portal.errors import PortalError
from portal.tickets import board as desk
from portal.tickets import rota, service
from portal.tickets.errors import TicketTaken
from portal.tickets.models import Step, TicketChannel, TicketSeverity
from portal.tickets.rota import ShiftFacts
from portal.tickets.rota_models import DutyRole
from portal.tickets.standing import first_due
from portal.tickets.timing import clocks_of
from tests.portals import START


def board(world, who="tsc"):
    answer = world.of(who).get("/desk")
    assert answer.status_code == 200
    return answer.text


def lane(page, code):
    found = re.search(rf'desk-lane-{code}".*?</section>', page, re.DOTALL)
    return re.findall(r"T-\d{6}</a>", found.group()) if found else None


def names(*numbers):
    return [f"{number}</a>" for number in numbers]


def state(world, who="tsc", **headers):
    return world.of(who).get("/desk/state", headers={"Accept": "application/json", **headers})


def test_who_answers_next_and_what_waits_for_whom(world):
    web = world.open("alpha")
    call = world.open("beta", channel=TicketChannel.TELEPHONE)
    waiting, fixing = world.open("alpha"), world.open("alpha")
    with world.begin() as session:
        for number, step in ((waiting, Step.WAIT_FOR_CUSTOMER), (fixing, Step.WAIT_FOR_RELEASE)):
            ticket = world.ticket(session, number)
            service.answer(session, ticket, "Well.", by=world.actors["tsc"], at=START)
            service.change_state(session, ticket, step, by=world.actors["tsc"], at=START)
        service.claim(session, world.ticket(session, web), by=world.actors["tsc"], at=START)
    page = board(world)
    assert lane(page, "next") == names(call, web)
    assert lane(page, "mine") == names(web)
    assert (lane(page, "customer"), lane(page, "release")) == (names(waiting), names(fixing))
    assert "00:30:00" in page
    world.portal.clock.advance(minutes=31)
    assert "−00:01:00" in board(world)
    assert lane(board(world, "tsc2"), "mine") == []


def test_the_state_is_answered_again_only_when_something_changed(world):
    number = world.open("alpha")
    first = state(world)
    assert (first.status_code, first.headers["Portal-Now"]) == (200, START.isoformat())
    assert "no-cache" in first.headers["Cache-Control"]
    tag = first.headers["ETag"]
    world.portal.clock.advance(seconds=40)
    again = state(world, If_None_Match=tag)
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Portal-Now"] == (START + timedelta(seconds=40)).isoformat()
    world.answer(number)
    changed = state(world, If_None_Match=tag)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag
    assert number in changed.json["lanes"]


def test_nothing_changed_is_one_small_query(world):
    world.open("alpha", channel=TicketChannel.TELEPHONE)
    tag = state(world).headers["ETag"]
    with world.statements() as asked:
        assert state(world, If_None_Match=tag).status_code == 304
    assert len(asked) == 2, asked  # who asks, and the version
    assert state(world, If_None_Match=f"W/{tag}").status_code == 304  # a proxy that compresses makes it weak
    for other in ('"x"', '"1.2.3.4"', f'"{"9" * 18}.{"9" * 18}.ab.cd"', tag.replace(".", "", 1), "*" * 3):
        assert state(world, If_None_Match=other).status_code == 200, other
    assert state(world, "tsc2", If_None_Match=tag).status_code == 200
    world.of("tsc").set_cookie("language", "ru")
    assert state(world, If_None_Match=tag).status_code == 200


@pytest.mark.parametrize(
    ("what", "minutes", "seconds"), [("a promise breaks", 29.5, 31), ("a shift begins", 5, 20), ("a new name", 5, 60)]
)
def test_what_no_ticket_tells_is_seen_all_the_same(world, what, minutes, seconds):
    world.open("alpha", channel=TicketChannel.TELEPHONE)
    world.portal.clock.advance(minutes=minutes)
    if what == "a shift begins":
        with world.begin() as session:
            begins = world.portal.clock() + timedelta(seconds=seconds)
            facts = ShiftFacts(world.people["tsc2"].id, DutyRole.ON_DUTY, begins, begins + timedelta(hours=8))
            rota.add_shift(session, facts, by=world.actors["dispatcher"], at=START)
    first = state(world)
    if what == "a new name":
        with world.begin() as session:
            session.merge(world.alpha).name = "Omega Telecom"
    world.portal.clock.advance(seconds=seconds - 2)
    assert state(world, If_None_Match=first.headers["ETag"]).status_code == 304
    world.portal.clock.advance(seconds=2)
    answer = state(world, If_None_Match=first.headers["ETag"])
    assert answer.status_code == 200
    assert answer.data != first.data


def test_the_lanes_are_in_the_order_of_the_clocks_themselves(world):
    """Whatever happened to the tickets, the first of a lane is the first by the pure function, the late ones before."""
    draw, at = Random(7), START
    numbers = [world.open("alpha", channel=draw.choice(list(TicketChannel)), severity=draw.choice(list(TicketSeverity)))
               for _ in range(8)]  # fmt: skip
    for number in numbers * 2:
        at += timedelta(minutes=draw.randrange(1, 900))
        with world.begin() as session, suppress(PortalError):
            ticket, by = world.ticket(session, number), world.actors["tsc"]
            service.answer(session, ticket, "A word.", by=by, at=at)
            service.change_state(session, ticket, draw.choice(list(Step)), by=by, at=at)
    with world.portal.sessions() as session:
        found = desk.board(session, visible_to=world.actors["tsc"], at=at)
        tickets = [world.ticket(session, number) for number in numbers]
        clocks = clocks_of(session, tickets, at=at)
        ends = sorted((first.due_at, str(t)) for t in tickets if (first := first_due(clocks[t.id])))
        assert found.overdue == sum(due < at for due, _ in ends) > 0
        assert [(c.first.due_at, str(c.ticket)) for c in found.lanes[0].cards if c.first] == ends


def test_what_is_fetched_holds_no_token_and_no_script_of_a_customer(world):
    world.open("alpha", title="<script>alert(1)</script>")
    found = state(world)
    assert "csrf" not in found.text
    assert "<script" not in found.json["lanes"]
    assert "&lt;script&gt;" in found.json["lanes"]


def test_the_board_asks_no_more_for_many_tickets(world):
    def asked():
        with world.statements() as statements:
            board(world)
        return len(statements)

    world.open("alpha")
    board(world)
    one = asked()
    for who in ("alpha", "beta", "alpha", "beta"):
        world.open(who, severity=TicketSeverity.CRITICAL)
    assert asked() == one
    assert one <= 15


@pytest.mark.parametrize("address", ["/desk", "/desk/state"])
def test_the_board_is_the_support_centres(world, address):
    assert [world.of(who).get(address).status_code for who in ("alpha", "publisher", "admin")] == [403] * 3


def test_a_ticket_is_taken_and_given_back(world):
    number = world.open("alpha")
    answer = world.of("tsc").submit(f"/desk/{number}/claim", page="/desk")
    assert (answer.status_code, answer.location) == (303, f"/tickets/{number}")
    taken = world.of("tsc2").submit(f"/desk/{number}/claim", page="/desk")
    assert taken.status_code == 409
    assert "is with Person of tsc already" in taken.text
    assert world.of("tsc2").submit(f"/desk/{number}/give-back", page="/desk").status_code == 409
    assert world.of("dispatcher").submit(f"/desk/{number}/give-back", page="/desk").status_code == 303
    assert world.of("tsc2").submit(f"/desk/{number}/claim", page="/desk").status_code == 303
    page = world.of("tsc").get(f"/tickets/{number}").text
    assert "With Person of tsc2" in page
    assert "Person of tsc2" not in world.of("alpha").get(f"/tickets/{number}").text


def test_of_two_engineers_at_once_one_has_it(world):
    number = world.open("alpha")
    start, outcomes = threading.Barrier(2), {}

    def take(who):
        start.wait()
        try:
            with world.begin() as session:
                service.claim(session, world.ticket(session, number), by=world.actors[who], at=START)
            outcomes[who] = "taken"
        except TicketTaken as error:
            outcomes[who] = str(error)

    threads = [threading.Thread(target=take, args=(who,)) for who in ("tsc", "tsc2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with world.portal.sessions() as session:
        winner = world.ticket(session, number).assignee.name
    assert sorted(outcomes.values()) == sorted(["taken", f"Ticket {number} is with {winner} already."])


def test_a_note_is_on_top_until_the_next_shift_takes_it(world):
    assert world.of("tsc").submit("/desk/notes", page="/desk", text="Watch **node 7**.").status_code == 303
    assert "<strong>node 7</strong>" in board(world)
    assert "Read and taken over" not in board(world)
    page = board(world, "tsc2")
    address = re.search(r'formaction="(/desk/notes/[^"]+)"', page).group(1)
    assert world.of("tsc2").submit(address, page="/desk").status_code == 303
    assert "node 7" not in board(world)
    assert world.of("tsc").submit("/desk/notes", page="/desk", text=" ").status_code == 422


def test_customer_and_engineer_read_the_same_clock(world):
    number = world.open("alpha", channel=TicketChannel.TELEPHONE)
    world.portal.clock.advance(minutes=10)

    def panel(who):
        page = world.of(who).get(f"/tickets/{number}").text
        return re.search(r'<section class="panel" aria-labelledby="clock".*?</section>', page, re.DOTALL).group()

    assert panel("alpha") == panel("tsc")
    assert "00:20:00" in panel("alpha")
    world.portal.clock.advance(minutes=21)
    assert "−00:01:00" in panel("alpha")
    assert "Overdue" in panel("alpha")
    world.answer(number)
    assert "Not kept" in panel("alpha")
    with world.begin() as session:
        ticket = world.ticket(session, number)
        service.change_state(session, ticket, Step.WAIT_FOR_CUSTOMER, by=world.actors["tsc"], at=world.portal.clock())
    assert "It rests while the ticket waits for the customer." in panel("alpha")
    assert panel("alpha") == panel("tsc")
