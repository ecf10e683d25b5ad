import pytest
from click.testing import CliRunner
from sqlalchemy import select

from portal.accounts import cli
from portal.accounts.errors import LastAdministrator, RoleOfOtherKind
from portal.audit.models import AuditEvent
from portal.errors import NotFound
from tests.accounts.conftest import link_in

INVITE = (
    "invite",
    "--email",
    "first@vendor.example",
    "--name",
    "First",
    "--organisation",
    "vendor",
    "--role",
    "administrator",
)


@pytest.fixture
def command(portal, monkeypatch):
    """`portal accounts …` on this portal."""
    monkeypatch.setattr(cli, "open_for_command", lambda: portal.resources)
    return lambda *words: CliRunner().invoke(cli.accounts, words)


def make_vendor(command):
    return command(
        "organisation", "create", "--kind", "vendor", "--code", "vendor", "--name", "Vendor", "--country", "DE"
    )


def test_the_first_administrator_comes_in_by_command(portal, command):
    assert make_vendor(command).output == "VENDOR\n"
    link = link_in(command(*INVITE).output)
    password = "the very first password"
    assert portal.browser().submit(link, name="First", password=password, again=password).status_code == 303
    assert portal.signed_in("first@vendor.example", password).get("/organisations").status_code == 200
    with portal.sessions() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence)).all()
    assert [(event.tag, event.via) for event in events[:2]] == [
        ("organisation.create", "command"), ("person.invite", "command"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (INVITE, NotFound),
        (("disable", "nobody@nowhere.example"), NotFound),
    ],
)
def test_what_is_not_there_is_said(command, words, error):
    assert isinstance(command(*words).exception, error)


def test_a_role_of_another_kind_is_refused(command):
    make_vendor(command)
    assert isinstance(command(*INVITE[:-1], "customer-engineer").exception, RoleOfOtherKind)


def test_a_person_is_shut_out_by_command(world, command):
    browser, email = world.of("alpha-engineer"), world.people["alpha-engineer"].email
    assert email in command("disable", email.upper()).output
    assert browser.get("/account").status_code == 303
    assert isinstance(command("disable", world.people["admin"].email).exception, LastAdministrator)
