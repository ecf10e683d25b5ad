import pytest

from portal.tickets.reply_addresses import (
    claims_ticket,
    is_ours,
    reply_address,
    thread_id,
    ticket_of,
    ticket_of_thread,
)

SUPPORT, SECRET, WHO = "support@desk.example", "a secret of the portal", "anna@alpha.example"
OWN = reply_address(SUPPORT, SECRET, "T-000123", WHO)


def test_an_address_names_its_ticket_to_its_recipient_alone():
    assert OWN.startswith("support+T-000123.")
    assert ticket_of(OWN, SUPPORT, SECRET, WHO) == 123
    assert ticket_of(OWN.lower(), SUPPORT, SECRET, WHO.upper()) == 123


@pytest.mark.parametrize(
    ("address", "secret", "sender"),
    [
        (OWN, SECRET, "mallory@alpha.example"),
        (OWN, "another secret", WHO),
        (OWN.replace("T-000123", "T-000124"), SECRET, WHO),
        (OWN.replace("@desk.example", "@desk.example.evil.example"), SECRET, WHO),
        (OWN[: OWN.index("@") - 1] + "x@desk.example", SECRET, WHO),
        ("support@desk.example", SECRET, WHO),
        ("support+@desk.example", SECRET, WHO),
        ("support+T-000123.@desk.example", SECRET, WHO),
        ("support+T-0.00000000000000000000@desk.example", SECRET, WHO),
        ("", SECRET, WHO),
        (thread_id(SUPPORT, SECRET, "T-000123").strip("<>"), SECRET, WHO),
    ],
)
def test_any_other_names_none(address, secret, sender):
    assert ticket_of(address, SUPPORT, secret, sender) is None


def test_a_desk_with_a_plus_in_its_own_address():
    support = "help+desk@vendor.example"
    address = reply_address(support, SECRET, "T-000001", WHO)
    assert ticket_of(address, support, SECRET, WHO) == 1
    assert claims_ticket(address, support)
    assert not is_ours("help@vendor.example", support)


def test_a_thread_names_its_ticket_and_can_not_be_made_up():
    own = thread_id(SUPPORT, SECRET, "T-000123")
    assert ticket_of_thread(f"<a@b> {own} <c@d>", SECRET) == 123
    assert ticket_of_thread(own.replace("123.", "124."), SECRET) is None
    assert ticket_of_thread(own, "another secret") is None
    assert ticket_of_thread("", SECRET) is None
