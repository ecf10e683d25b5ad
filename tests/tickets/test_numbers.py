import threading

import pytest
from sqlalchemy import func, select

from portal.tickets import numbers
from portal.tickets.models import Ticket
from tests.factories import make_ticket


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("T-000123", 123), ("t-123", 123), ("T123", 123), ("123", 123), (" 000123 ", 123), ("T-1234567", 1234567),
        ("999999999", 999_999_999), ("9999999999", None), ("0", None), ("T-", None), ("", None), ("T-12x", None),
        ("-1", None), ("1e3", None), ("١٢٣", None), ("0" * 5000, None), ("T-1\x00", None), ("new", None),
    ],
)  # fmt: skip
def test_what_people_write(written, number):
    assert numbers.parse(written) == number


def test_first_numbers(world):
    assert [world.open(), world.open("beta"), world.open()] == ["T-000001", "T-000002", "T-000003"]


def test_a_number_is_given_back_when_nothing_comes_of_it(world):
    with world.portal.sessions() as session:
        assert str(make_ticket(session, session.merge(world.alpha), world.actors["alpha"])) == "T-000001"
        session.rollback()
    assert world.open() == "T-000001"


def test_two_at_once_wait_for_each_other(world):
    """The second session asks while the first has its number and has not ended: it waits, and gets the next one."""
    asked, given = threading.Event(), []

    def second() -> None:
        asked.set()
        given.append(world.open("beta"))

    with world.portal.sessions() as first:
        make_ticket(first, first.merge(world.alpha), world.actors["alpha"])
        thread = threading.Thread(target=second)
        thread.start()
        asked.wait(5)
        thread.join(0.3)
        assert thread.is_alive(), "the second did not wait"
        first.commit()
    thread.join(20)
    assert given == ["T-000002"]


def test_a_crowd_gets_numbers_without_a_gap(world):
    go = threading.Barrier(4)

    def some() -> None:
        go.wait(10)
        for _ in range(5):
            world.open()

    threads = [threading.Thread(target=some) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with world.portal.sessions() as session:
        assert session.scalars(select(Ticket.number).order_by(Ticket.number)).all() == list(range(1, 21))
        assert session.scalar(select(func.count()).select_from(Ticket)) == 20
