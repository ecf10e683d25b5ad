"""The rule of authority: written cases first, then every combination against a second, plainer telling of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.authority.models import PowerOfAttorney, PowerState
from portal.authority.rules import Held, Lack, Lacking, Need, PowerFacts, authority

AT = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SWITCH, ROUTER = UUID(int=1), UUID(int=2)


def power(number="17/1", **facts) -> PowerFacts:
    given = {"state": "confirmed", "starts_at": AT - 30 * DAY, "ends_at": AT + 30 * DAY, "product_ids": None,
             "may_receive": True, "may_sign": True, **facts}  # fmt: skip
    return PowerFacts(uuid4(), number, **given)


GONE = {"starts_at": AT - 60 * DAY, "ends_at": AT - DAY}
COMING = {"starts_at": AT + DAY, "ends_at": AT + 60 * DAY}
REVOKED = {"state": "revoked", "closed_at": AT, "closed_because": "He has left."}
DECLINED = {"state": "declined", "closed_at": AT - DAY, "closed_because": "The scan is of another."}

CASES = {
    "one of all products": ([power()], None, "17/1"),
    "one of this product": ([power(product_ids=frozenset({SWITCH}))], None, "17/1"),
    "the one that ends last speaks": ([power("1", ends_at=AT + DAY), power("2")], None, "2"),
    "confirmed beside others": ([power("1", **REVOKED), power("2", state="unconfirmed"), power("3")], None, "3"),
    "it ends in a moment": ([power(ends_at=AT + timedelta(microseconds=1))], None, "17/1"),
    "it begins now": ([power(starts_at=AT)], None, "17/1"),
    "it waits": ([power(state="unconfirmed")], Lack.UNCONFIRMED, "still waits"),
    "a waiting one is nearer than another product": (
        [power("1", product_ids=frozenset({ROUTER})), power("2", state="unconfirmed")], Lack.UNCONFIRMED, "2 still"),
    "a waiting one is nearer than an ended one": ([power("1", **GONE), power("2", state="unconfirmed")],
                                                  Lack.UNCONFIRMED, "2 still"),
    "another product": ([power(product_ids=frozenset({ROUTER}))], Lack.OUT_OF_SCOPE, "not for this product"),
    "no product at all": ([power(product_ids=frozenset())], Lack.OUT_OF_SCOPE, "not for this product"),
    "it may not receive": ([power(may_receive=False)], Lack.OUT_OF_SCOPE, "receive files"),
    "the one for this product is nearer": (
        [power("1", may_receive=False, ends_at=AT + DAY), power("2", product_ids=frozenset())],
        Lack.OUT_OF_SCOPE, "1 does not let"),
    "it has ended": ([power(**GONE)], Lack.EXPIRED, "last day was 2026-03-09 (UTC)"),
    "it ends at this instant": ([power(ends_at=AT)], Lack.EXPIRED, "has ended"),
    "two have ended": ([power("1", ends_at=AT - 2 * DAY), power("2", ends_at=AT - DAY)], Lack.EXPIRED, "2 has ended"),
    "one for another product has ended": ([power(product_ids=frozenset({ROUTER}), **GONE)], Lack.MISSING,
                                          "for this product"),
    "a waiting one that has ended": ([power(state="unconfirmed", **GONE)], Lack.MISSING, "for this product"),
    "none": ([], Lack.MISSING, "has no power of attorney"),
    "it has not begun": ([power(**COMING)], Lack.MISSING, "first day is 2026-03-11 (UTC)"),
    "revoked now": ([power(**REVOKED)], Lack.MISSING, "revoked on 2026-03-10: He has left."),
    "declined": ([power(**DECLINED)], Lack.MISSING, "declined power of attorney 17/1 on 2026-03-09"),
    "the latest of two that were closed": ([power("1", **DECLINED), power("2", **REVOKED)], Lack.MISSING, "2 was"),
    "a coming one is nearer than a revoked one": ([power("1", **REVOKED), power("2", **COMING)], Lack.MISSING,
                                                  "2 has not begun"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_written_cases(case):
    powers, code, says = CASES[case]
    for order in (powers, powers[::-1]):
        answer = authority(order, SWITCH, Need.RECEIVE, AT)
        if code is None:
            assert isinstance(answer, Held)
            assert answer.power.number == says
        else:
            assert isinstance(answer, Lacking)
            assert answer.code is code
            assert says in answer.clause % answer.facts
            assert answer.remedy % answer.facts


def test_what_is_needed_decides():
    receives = power(may_sign=False)
    assert isinstance(authority([receives], SWITCH, Need.RECEIVE, AT), Held)
    answer = authority([receives], SWITCH, Need.SIGN, AT)
    assert (answer.code, answer.power_id) == (Lack.OUT_OF_SCOPE, receives.id)
    assert "sign acts" in answer.clause


@pytest.mark.parametrize(
    ("zone", "begins", "ends"),
    [
        ("UTC", datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 12, tzinfo=UTC)),
        ("Pacific/Kiritimati", datetime(2026, 3, 9, 10, tzinfo=UTC), datetime(2026, 3, 11, 10, tzinfo=UTC)),
        ("Etc/GMT+12", datetime(2026, 3, 10, 12, tzinfo=UTC), datetime(2026, 3, 12, 12, tzinfo=UTC)),
        ("Europe/Moscow", datetime(2026, 3, 9, 21, tzinfo=UTC), datetime(2026, 3, 11, 21, tzinfo=UTC)),
    ],
)
def test_days_are_the_power_s_own_zone_s_and_both_count(zone, begins, ends):
    row = PowerOfAttorney(state=PowerState.CONFIRMED)
    row.set_term(date(2026, 3, 10), date(2026, 3, 11), zone)
    own = power(starts_at=row.starts_at, ends_at=row.ends_at, time_zone=zone)
    moment = timedelta(microseconds=1)
    for at, code in ((begins - moment, Lack.MISSING), (begins, None), (ends - moment, None), (ends, Lack.EXPIRED)):
        answer = authority([own], SWITCH, Need.SIGN, at)
        assert getattr(answer, "code", None) is code, at
    assert authority([own], SWITCH, Need.SIGN, begins - moment).facts["day"] == "2026-03-10"
    assert authority([own], SWITCH, Need.SIGN, ends).facts["day"] == "2026-03-11"


def oracle(powers, need):
    """The docstring of the rule once more, as a walk through questions with one power at a time."""
    words = set()
    for one in powers:
        has_product = one.product_ids is None or SWITCH in one.product_ids
        has_need = {Need.RECEIVE: one.may_receive, Need.SIGN: one.may_sign}[need]
        when = "coming" if one.starts_at > AT else "ended" if one.ends_at <= AT else "running"
        match (one.state, when, has_product, has_need):
            case ("confirmed", "running", True, True):
                words.add("1 held")
            case ("unconfirmed", "running", True, True):
                words.add("2 authority-unconfirmed")
            case ("confirmed", "running", _, _):
                words.add("3 authority-out-of-scope")
            case ("confirmed", "ended", True, _):
                words.add("4 authority-expired")
    return min(words, default="5 authority-missing").split()[1]


instants = st.sampled_from([AT + n * DAY for n in (-9, -1, 1, 9)] + [AT - timedelta(microseconds=1), AT])
any_power = st.builds(
    lambda ends, **facts: replace(power(**facts), **dict(zip(("starts_at", "ends_at"), sorted(ends), strict=True))),
    st.lists(instants, min_size=2, max_size=2, unique=True),
    number=st.sampled_from(["1", "2"]),
    state=st.sampled_from([state.value for state in PowerState]),
    product_ids=st.sampled_from([None, frozenset(), frozenset({SWITCH}), frozenset({ROUTER, SWITCH})]),
    may_receive=st.booleans(),
    may_sign=st.booleans(),
    closed_at=st.sampled_from([AT, AT - DAY]),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(any_power, max_size=5), st.sampled_from(Need), st.randoms())
def test_the_rule_and_a_plainer_telling_of_it_agree(powers, need, chance):
    answer = authority(powers, SWITCH, need, AT)
    assert (answer.code.value if isinstance(answer, Lacking) else "held") == oracle(powers, need)
    shuffled = powers[:]
    chance.shuffle(shuffled)
    assert authority(shuffled, SWITCH, need, AT) == answer
    if isinstance(answer, Lacking):
        assert answer.clause % answer.facts
        assert answer.power_id in {None, *(own.id for own in powers)}
