"""Who signs in to the demonstration. One password for all, told on the screen."""

from dataclasses import dataclass

from portal.permissions import OrganisationKind, Role

PASSWORD = "demo-portal-2026"  # noqa: S105 - the demonstration's own, printed at its start


@dataclass(frozen=True)
class DemoOrganisation:
    code: str
    name: str
    kind: OrganisationKind
    country: str
    time_zone: str
    language: str
    says: str


@dataclass(frozen=True)
class DemoPerson:
    email: str
    name: str
    organisation: str
    roles: tuple[Role, ...]
    language: str


ORGANISATIONS = (
    DemoOrganisation("north", "Nordlicht Networks", OrganisationKind.VENDOR, "DE", "Europe/Berlin", "en", "vendor"),
    DemoOrganisation("tsc", "Nordlicht Support Centre", OrganisationKind.SUPPORT, "RU", "Europe/Moscow", "ru",
                     "support centre"),
    DemoOrganisation("volga", "Волга Телеком", OrganisationKind.CUSTOMER, "RU", "Europe/Samara", "ru",
                     "customer, contract running"),
    DemoOrganisation("fjord", "Fjord Fiber AS", OrganisationKind.CUSTOMER, "NO", "Europe/Oslo", "en",
                     "customer, contract ended half a year ago"),
    DemoOrganisation("delta", "Delta Wireless", OrganisationKind.CUSTOMER, "PT", "Europe/Lisbon", "en",
                     "customer, no contract"),
)  # fmt: skip

PEOPLE = (
    DemoPerson("publisher@north.example", "Paula Publisher", "north", (Role.PUBLISHER,), "en"),
    DemoPerson("approver@north.example", "Anton Approver", "north", (Role.APPROVER,), "en"),
    DemoPerson("admin@north.example", "Ada Administrator", "north", (Role.ADMINISTRATOR,), "en"),
    DemoPerson("auditor@north.example", "Udo Auditor", "north", (Role.AUDITOR,), "en"),
    DemoPerson("engineer@tsc.example", "Елена Инженер", "tsc", (Role.TSC_ENGINEER,), "ru"),
    DemoPerson("dispatcher@tsc.example", "Денис Диспетчер", "tsc", (Role.DISPATCHER,), "ru"),
    DemoPerson("engineer@volga.example", "Иван Волгин", "volga", (Role.CUSTOMER_ENGINEER,), "ru"),
    DemoPerson("manager@volga.example", "Мария Волгина", "volga", (Role.CUSTOMER_MANAGER,), "ru"),
    DemoPerson("engineer@fjord.example", "Frida Fjord", "fjord", (Role.CUSTOMER_ENGINEER,), "en"),
    DemoPerson("engineer@delta.example", "Duarte Delta", "delta", (Role.CUSTOMER_ENGINEER,), "en"),
)
