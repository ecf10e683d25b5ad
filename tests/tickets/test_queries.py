import pytest
from sqlalchemy import text as sql

from portal.actors import NOBODY, PORTAL_JOB
from portal.errors import NotFound
from portal.releases.models import ReleaseState
from portal.tickets import queries
from portal.tickets.models import TicketState
from portal.tickets.queries import Wanted
from tests.portals import START


def found(world, who, **wanted):
    with world.portal.sessions() as session:
        rows = queries.tickets(Wanted(**wanted), visible_to=world.actors[who])
        return [str(ticket) for ticket in session.scalars(rows)]


def test_whose_tickets_one_sees(world):
    a, b = world.open("alpha"), world.open("beta")
    assert found(world, "alpha") == found(world, "alpha2") == [a]
    assert found(world, "beta") == [b]
    assert found(world, "tsc") == found(world, "publisher") == [b, a]
    with world.portal.sessions() as session:
        assert session.scalars(queries.tickets(Wanted(), visible_to=NOBODY)).all() == []
        assert len(session.scalars(queries.tickets(Wanted(), visible_to=PORTAL_JOB)).all()) == 2


def test_anothers_ticket_is_not_there(world):
    number = world.open("beta")
    with world.portal.sessions() as session:
        for wrong in (number, "T-999999", "x", "", "0"):
            with pytest.raises(NotFound):
                queries.get(session, wrong, visible_to=world.actors["alpha"])
        assert queries.get(session, number, visible_to=world.actors["beta"]).organisation.name == "Beta Net"


def test_narrowed(world):
    a = world.open("alpha", title="Мост 100% Ошибка", product=world.core)
    b = world.open("beta", title="Straße_closed")
    world.answer(b)
    assert found(world, "tsc", state=TicketState.NEW) == [a]
    assert found(world, "tsc", product_id=world.core.id) == [a]
    assert found(world, "tsc", customer="net") == [b]
    assert found(world, "tsc", customer="alph") == [a]
    assert found(world, "tsc", customer="%") == []
    for text in ("ошибка", "МОСТ", "100%", "T-000001", "t-1", "1"):
        assert a in found(world, "tsc", text=text), text
    assert found(world, "tsc", text="STRASSE_") == [b]
    assert found(world, "tsc", text="%") == [a]
    assert found(world, "tsc", text="no such thing") == []
    for text, there in (
        ("мо", [a]),
        ("ош", [a]),
        ("st", [b]),
        ("ст", []),
        ("zq", []),
    ):  # so short a text begins a word
        assert found(world, "tsc", text=text) == there, text


def test_a_frequent_phrase_is_known_as_one(postgres_engine):
    """PostgreSQL chooses between two indexes by samples of titles; with a hundred it takes the wrong one too often."""
    sampled = sql("SELECT attstattarget FROM pg_attribute WHERE attrelid = 'tickets'::regclass "
                  "AND attname = 'search_text'")  # fmt: skip
    with postgres_engine.connect() as connection:
        assert connection.scalar(sampled) == 1000


def test_a_search_does_not_reach_anothers(world):
    world.open("beta", title="Secret trouble")
    for wanted in ({"text": "Secret"}, {"text": "1"}, {"customer": "Beta"}):
        assert found(world, "alpha", **wanted) == []


def test_a_customer_sees_only_links_it_may_know_of(world):
    number = world.open()
    public, hidden = world.issue("NX-1"), world.issue("NX-2", is_public=False)
    foreign = world.issue("NX-3", product=world.secret)
    shown, draft = world.release("4.9"), world.release("5.0", state=ReleaseState.DRAFT)
    unlisted = world.release("1.0", world.secret)
    for issue in (public, hidden, foreign):
        world.link(number, issue=issue)
    for release in (shown, draft, unlisted):
        world.link(number, release=release)
    with world.portal.sessions() as session:
        ticket = world.ticket(session, number)
        for who, issues, versions in (
            ("alpha", ["NX-1"], ["4.9"]),
            ("tsc", ["NX-1", "NX-2", "NX-3"], ["1.0", "4.9", "5.0"]),
        ):
            by = world.actors[who]
            linked = queries.linked_issues(session, ticket, visible_to=by, at=START)
            assert [issue.public_id for issue in linked] == issues
            releases = queries.linked_releases(session, ticket, visible_to=by, at=START)
            assert [release.version for release in releases] == versions


def test_what_a_release_resolves(world):
    fixed, other = world.release("4.9"), world.release("4.10")
    issue, hidden = world.issue("NX-1", fixed), world.issue("NX-2", fixed, is_public=False)
    by_issue, by_link, unrelated, by_hidden, foreign = (world.open(who) for who in ("alpha",) * 4 + ("beta",))
    world.link(by_issue, issue=issue, release=fixed)
    world.link(by_link, release=fixed)
    world.link(by_hidden, issue=hidden)
    world.link(foreign, issue=issue)
    with world.portal.sessions() as session:
        numbers = [str(ticket) for ticket in queries.resolved_by(session, fixed.id, world.alpha.id)]
        assert numbers == [by_issue, by_link]
        assert unrelated not in numbers
        assert [str(t) for t in queries.resolved_by(session, fixed.id, world.beta.id)] == [foreign]
        assert queries.resolved_by(session, other.id, world.alpha.id) == []


@pytest.mark.parametrize("state", [ReleaseState.WITHDRAWN, ReleaseState.APPROVED, ReleaseState.DRAFT])
def test_only_a_published_release_resolves(world, state):
    release = world.release("4.9", state=state)
    number = world.open()
    world.link(number, issue=world.issue("NX-1", release))
    with world.portal.sessions() as session:
        assert queries.resolved_by(session, release.id, world.alpha.id) == []
