"""Facts as pages show them, in the reader's language and zone."""

import pytest

from portal.permissions import OrganisationKind, Role
from portal.web.formats import doer, instant, size
from tests.factories import make_organisation, make_person

NOON = "2026-03-10T12:00:00+00:00"


@pytest.fixture
def russian(portal):
    with portal.app.test_request_context(headers={"Cookie": "language=ru"}):
        yield


@pytest.mark.parametrize(
    ("size_bytes", "words"), [(512, "512 Б"), (1536, "1,5 КиБ"), (3_400_000, "3,2 МиБ"), (5 << 30, "5 ГиБ")]
)
def test_sizes_are_in_the_readers_language(russian, size_bytes, words):
    assert size(size_bytes) == words


def test_the_portal_itself_is_named_in_the_readers_language(russian):
    assert doer("portal") == "Портал"
    assert doer("Иван Волгин") == "Иван Волгин"


def test_a_page_names_the_zone_of_its_times(portal):
    with portal.sessions.begin() as session:
        customer = make_organisation(session, OrganisationKind.CUSTOMER, time_zone="Europe/Samara")
        person = make_person(session, customer, Role.CUSTOMER_MANAGER)
    page = portal.signed_in(person.email).get("/account").text
    assert "Times without a zone are those of Europe/Samara." in page


def test_an_instant_that_a_record_keeps_as_text_reads_as_any_other(portal):
    with portal.app.test_request_context():
        assert ">2026-03-10 12:00</time>" in instant(NOON)
        assert instant(None) == "—"
