"""Where the invented customers' devices stand, and what became of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.inventory.models import Device, HowKnown, Site
from portal.inventory.service import DeviceFacts, Source, add_device, move_device, set_version
from portal.inventory.sites import add_site
from portal.inventory.terms import SiteFacts
from portal.releases.queries import get_product

SITES = (
    ("VOLGA", SiteFacts("SAMARA-1", "Самара, узел 1", "Europe/Samara", "ул. Полевая, 12\n443001 Самара",
                        "Иван Волгин", "+7 846 200-10-01", "node1@volga.example", "Дежурный смены: +7 846 200-10-99")),
    ("VOLGA", SiteFacts("TOGLIATTI-2", "Тольятти, узел 2", "Europe/Samara", "ул. Мира, 7\n445020 Тольятти",
                        "Анна Волгина", "+7 8482 30-20-10", "", "Дежурный смены: +7 846 200-10-99")),
    ("FJORD", SiteFacts("BERGEN", "Bergen POP", "Europe/Oslo", "Strandgaten 5\n5013 Bergen", "Frida Fjord",
                        "+47 55 20 10 00", "noc@fjord.example", "NOC: +47 55 20 10 99")),
    ("DELTA", SiteFacts("FARO", "Faro headend", "Europe/Lisbon", "Rua do Mar 3\n8000 Faro")),
)  # fmt: skip
DEVICES = (
    ("VOLGA", "es2400", "ES24-10001", "SAMARA-1", "15.1R5", "sam-acc-01"),
    ("VOLGA", "es2400", "ES24-10002", "SAMARA-1", "15.1R5", "tlt-acc-01"),
    ("VOLGA", "es2400", "ES24-10003", "TOGLIATTI-2", "", "tlt-acc-02"),
    ("VOLGA", "polaris-os", "POL-7781", "SAMARA-1", "4.2-1", "sam-agg-01"),
    ("VOLGA", "flowview", "FV-00412", "SAMARA-1", "3.4.0", "nms-1"),
    ("FJORD", "es2400", "ES24-20417", "BERGEN", "15.1R7", "bgo-sw-1"),
    ("FJORD", "polaris-os", "POL-8120", "BERGEN", "4.2-1", "bgo-agg-1"),
    ("DELTA", "es2400", "ES24-30090", "FARO", "15.1R5", "faro-1"),
)


@dataclass(frozen=True)
class Hands:
    """Who entered what: the support centre, and the customer's engineer."""

    support: Actor
    customer: Actor


def install(
    session: Session, customers: dict[str, Organisation], hands: Hands, ago: Callable[[float], datetime]
) -> None:
    """Sites and devices of 300 days ago, and what became of some of them since."""
    sites: dict[str, Site] = {}
    for customer, facts in SITES:
        sites[facts.code] = add_site(session, customers[customer], facts, by=hands.support, at=ago(300))
    devices: dict[str, Device] = {}
    for customer, code, serial, site, version, name in DEVICES:
        product = get_product(session, code, visible_to=hands.support)
        given = DeviceFacts(customers[customer], product, serial, sites[site], version, name)
        devices[serial] = add_device(session, given, by=hands.support, at=ago(300))
        devices[serial].organisation = customers[customer]
    move_device(session, devices["ES24-10002"], sites["TOGLIATTI-2"], by=hands.customer, at=ago(270))
    seen = Source(HowKnown.REMOTE, "2025-R-0112")
    set_version(session, devices["ES24-10001"], "15.1R7", source=seen, by=hands.support, at=ago(230))
