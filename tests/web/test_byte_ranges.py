"""Ranges and conditions, written out as RFC 9110 §13 and §14 have them."""

from datetime import UTC, datetime

import pytest

from portal.web.byte_ranges import Span, Status, Validators, answer_to

SIZE = 1000
TAG = "a" * 64
VALIDATORS = Validators(TAG, datetime(2026, 3, 10, 12, 0, 5, tzinfo=UTC))
MODIFIED = "Tue, 10 Mar 2026 12:00:05 GMT"
EARLIER = "Tue, 10 Mar 2026 12:00:04 GMT"
LATER = "Tue, 10 Mar 2026 12:00:06 GMT"
OURS, WEAK, OTHER = f'"{TAG}"', f'W/"{TAG}"', '"other"'
WHOLE = (200, 0, SIZE)
UNSATISFIABLE = (416, 0, 0)
NOT_MODIFIED = (304, 0, 0)
FAILED = (412, 0, 0)


def ask(method="GET", size=SIZE, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = answer_to(method, named, size_bytes=size, validators=VALIDATORS)
    return (int(answer.status), answer.span.start, answer.span.end)


RANGES = [
    (None, WHOLE),
    # one range
    ("bytes=0-0", (206, 0, 1)),
    ("bytes=0-999", (206, 0, 1000)),
    ("bytes=0-", (206, 0, 1000)),
    ("bytes=1-", (206, 1, 1000)),
    ("bytes=999-", (206, 999, 1000)),
    ("bytes=999-999", (206, 999, 1000)),
    ("bytes=500-600", (206, 500, 601)),
    ("bytes=500-5000", (206, 500, 1000)),
    ("bytes=0-1000", (206, 0, 1000)),
    ("bytes=-1", (206, 999, 1000)),
    ("bytes=-1000", (206, 0, 1000)),
    ("bytes=-5000", (206, 0, 1000)),
    # satisfied by no byte
    ("bytes=1000-", UNSATISFIABLE),
    ("bytes=1000-1001", UNSATISFIABLE),
    ("bytes=5000-", UNSATISFIABLE),
    ("bytes=-0", UNSATISFIABLE),
    ("bytes=-000", UNSATISFIABLE),
    # huge numbers are numbers
    ("bytes=0-" + "9" * 5000, (206, 0, 1000)),
    ("bytes=" + "9" * 5000 + "-", UNSATISFIABLE),
    ("bytes=-" + "9" * 5000, (206, 0, 1000)),
    ("bytes=" + "0" * 5000 + "1-2", (206, 1, 3)),
    ("bytes=18446744073709551616-", UNSATISFIABLE),
    # the unit is a word in any case; empty list elements and blanks around the list are nothing
    ("BYTES=0-1", (206, 0, 2)),
    ("Bytes=0-1", (206, 0, 2)),
    ("bytes= 0-1", (206, 0, 2)),
    ("bytes=\t0-1 ", (206, 0, 2)),
    ("bytes=0-1,", (206, 0, 2)),
    ("bytes=,0-1 , ,", (206, 0, 2)),
    # several ranges: the whole file
    ("bytes=0-1,5-6", WHOLE),
    ("bytes=0-1 , 5-6", WHOLE),
    ("bytes=0-,0-,0-,0-,0-", WHOLE),
    ("bytes=2000-,3000-", WHOLE),
    # malformed: the whole file
    ("", WHOLE),
    ("bytes", WHOLE),
    ("bytes=", WHOLE),
    ("bytes=,", WHOLE),
    ("bytes=-", WHOLE),
    ("bytes=--1", WHOLE),
    ("bytes=5-4", WHOLE),
    ("bytes=1 - 2", WHOLE),
    ("bytes=1-2-3", WHOLE),
    ("bytes=a-b", WHOLE),
    ("bytes=0x0-0x5", WHOLE),
    ("bytes=1.0-2", WHOLE),
    ("bytes=+1-2", WHOLE),
    ("bytes=1-2;3", WHOLE),
    ("bytes=١-٢", WHOLE),
    ("bytes =0-1", WHOLE),
    ("bytes:0-1", WHOLE),
    ("bytes 0-1/1000", WHOLE),
    # other units
    ("items=0-1", WHOLE),
    ("none", WHOLE),
    ("seconds=1-2", WHOLE),
]


@pytest.mark.parametrize(("header", "answer"), RANGES)
def test_a_range_is_answered_as_the_rfc_says(header, answer):
    assert ask(**({} if header is None else {"Range": header})) == answer


@pytest.mark.parametrize(
    ("header", "answer"),
    [("bytes=0-", (416, 0, 0)), ("bytes=0-0", (416, 0, 0)), ("bytes=-5", (200, 0, 0)), ("bytes=-0", (416, 0, 0))],
)
def test_an_empty_file_has_no_first_byte(header, answer):
    assert ask(size=0, Range=header) == answer


def test_a_range_is_defined_for_get_alone():
    assert ask("HEAD", Range="bytes=0-1") == WHOLE
    assert ask("HEAD", Range="bytes=5000-") == WHOLE


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        (OURS, (206, 0, 2)),
        (f" {OURS} ", (206, 0, 2)),
        (OTHER, WHOLE),
        (WEAK, WHOLE),
        (f"{OURS}, {OTHER}", WHOLE),
        (TAG, WHOLE),
        ("*", WHOLE),
        (MODIFIED, (206, 0, 2)),
        (EARLIER, WHOLE),
        (LATER, WHOLE),
        ("not a date", WHOLE),
        ("", WHOLE),
    ],
)
def test_if_range_wants_the_very_same_file(condition, answer):
    assert ask(Range="bytes=0-1", If_Range=condition) == answer


def test_a_range_that_no_byte_satisfies_is_ignored_when_the_file_is_another():
    assert ask(Range="bytes=5000-", If_Range=OTHER) == WHOLE
    assert ask(Range="bytes=5000-", If_Range=OURS) == UNSATISFIABLE


CONDITIONS = [
    # If-None-Match compares weakly
    ({"If_None_Match": OURS}, NOT_MODIFIED),
    ({"If_None_Match": WEAK}, NOT_MODIFIED),
    ({"If_None_Match": "*"}, NOT_MODIFIED),
    ({"If_None_Match": f"{OTHER}, {OURS}"}, NOT_MODIFIED),
    ({"If_None_Match": OTHER}, WHOLE),
    ({"If_None_Match": TAG}, WHOLE),
    # If-Match compares strongly
    ({"If_Match": OURS}, WHOLE),
    ({"If_Match": "*"}, WHOLE),
    ({"If_Match": f"{OTHER},{OURS}"}, WHOLE),
    ({"If_Match": WEAK}, FAILED),
    ({"If_Match": OTHER}, FAILED),
    ({"If_Match": ""}, FAILED),
    # dates
    ({"If_Modified_Since": MODIFIED}, NOT_MODIFIED),
    ({"If_Modified_Since": LATER}, NOT_MODIFIED),
    ({"If_Modified_Since": EARLIER}, WHOLE),
    ({"If_Modified_Since": "yesterday"}, WHOLE),
    ({"If_Unmodified_Since": MODIFIED}, WHOLE),
    ({"If_Unmodified_Since": LATER}, WHOLE),
    ({"If_Unmodified_Since": EARLIER}, FAILED),
    ({"If_Unmodified_Since": "yesterday"}, WHOLE),
    # the tag speaks before the date, a failed condition before a range, 412 before 304
    ({"If_Match": OURS, "If_Unmodified_Since": EARLIER}, WHOLE),
    ({"If_None_Match": OTHER, "If_Modified_Since": MODIFIED}, WHOLE),
    ({"If_Match": OTHER, "If_None_Match": OURS}, FAILED),
    ({"If_Match": OURS, "If_None_Match": OURS}, NOT_MODIFIED),
    ({"If_None_Match": OURS, "Range": "bytes=0-1"}, NOT_MODIFIED),
    ({"If_Match": OTHER, "Range": "bytes=5000-"}, FAILED),
    ({"If_Match": OURS, "Range": "bytes=0-1"}, (206, 0, 2)),
    ({"If_None_Match": OTHER, "Range": "bytes=0-1", "If_Range": OURS}, (206, 0, 2)),
    ({"If_Modified_Since": MODIFIED, "Range": "bytes=0-1", "If_Range": OTHER}, NOT_MODIFIED),
]


@pytest.mark.parametrize(("headers", "answer"), CONDITIONS)
def test_conditions_are_weighed_in_their_order(headers, answer):
    assert ask(**headers) == answer


def test_head_meets_the_same_conditions():
    assert ask("HEAD", If_None_Match=OURS) == NOT_MODIFIED
    assert ask("HEAD", If_Match=OTHER) == FAILED


def test_another_method_that_must_not_find_the_file_fails():
    assert ask("PUT", If_None_Match="*") == FAILED
    assert ask("PUT", If_Modified_Since=MODIFIED) == WHOLE


def test_a_span_names_its_bytes():
    assert Span(0, 1).content_range(10) == "bytes 0-0/10"
    assert Span(3, 10).length == 7
    assert Status.PART == 206
