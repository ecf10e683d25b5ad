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
    DemoOrganisation("NORTH", "Nordlicht Networks", OrganisationKind.VENDOR, "DE", "Europe/Berlin", "en", "vendor"),
    DemoOrganisation("TSC", "Nordlicht Support Centre", OrganisationKind.SUPPORT, "RU", "Europe/Moscow", "ru",
                     "support centre"),
    DemoOrganisation("VOLGA", "Волга Телеком", OrganisationKind.CUSTOMER, "RU", "Europe/Samara", "ru",
                     "customer, contract running"),
    DemoOrganisation("FJORD", "Fjord Fiber AS", OrganisationKind.CUSTOMER, "NO", "Europe/Oslo", "en",
                     "customer, contract ended half a year ago"),
    DemoOrganisation("DELTA", "Delta Wireless", OrganisationKind.CUSTOMER, "PT", "Europe/Lisbon", "en",
                     "customer, no contract"),
)  # fmt: skip

PEOPLE = (
    DemoPerson("publisher@north.example", "Paula Publisher", "NORTH", (Role.PUBLISHER,), "en"),
    DemoPerson("approver@north.example", "Anton Approver", "NORTH", (Role.APPROVER,), "en"),
    DemoPerson("admin@north.example", "Ada Administrator", "NORTH", (Role.ADMINISTRATOR,), "en"),
    DemoPerson("auditor@north.example", "Udo Auditor", "NORTH", (Role.AUDITOR,), "en"),
    DemoPerson("engineer@tsc.example", "Елена Инженер", "TSC", (Role.TSC_ENGINEER,), "ru"),
    DemoPerson("dispatcher@tsc.example", "Денис Диспетчер", "TSC", (Role.DISPATCHER,), "ru"),
    DemoPerson("engineer@volga.example", "Иван Волгин", "VOLGA", (Role.CUSTOMER_ENGINEER,), "ru"),
    DemoPerson("manager@volga.example", "Мария Волгина", "VOLGA", (Role.CUSTOMER_MANAGER,), "ru"),
    DemoPerson("engineer@fjord.example", "Frida Fjord", "FJORD", (Role.CUSTOMER_ENGINEER,), "en"),
    DemoPerson("engineer@delta.example", "Duarte Delta", "DELTA", (Role.CUSTOMER_ENGINEER,), "en"),
)
