"""What is written down of sites and devices, and the parsers of it: forms, verbs, tables and commands ask these."""

from dataclasses import dataclass
from uuid import UUID

from portal.accounts.emails import parse_email
from portal.accounts.models import Organisation
from portal.inventory.errors import NotATimeZone
from portal.inventory.models import HowKnown, Site
from portal.releases.models import Product
from portal.releases.versions import Version
from portal.texts import lines, one_line
from portal.zones import time_zones

MAX_SERIAL_CHARS, MAX_NAME_CHARS, MAX_SITE_CODE_CHARS, MAX_SITE_NAME_CHARS = 100, 200, 40, 200
MAX_CONTACT_CHARS, MAX_PHONE_CHARS, MAX_NIGHT_CHARS, MAX_ADDRESS_CHARS = 200, 40, 300, 500
MAX_REFERENCE_CHARS, MAX_REASON_CHARS = 200, 200
SHOWN_CHARS = 60


@dataclass(frozen=True)
class SiteFacts:
    """`address` has a line for each of its lines; `night_contact` says whom to call at night, and how."""

    code: str
    name: str
    time_zone: str = ""
    address: str = ""
    contact_name: str = ""
    contact_phone: str = ""
    contact_email: str = ""
    night_contact: str = ""


@dataclass(frozen=True)
class DeviceFacts:
    """`installed_version` as the product's scheme writes it, or "" when nobody knows."""

    organisation: Organisation
    product: Product
    serial: str
    site: Site | None = None
    installed_version: str = ""
    name: str = ""


@dataclass(frozen=True)
class DeviceChanges:
    """What a device is to be from now on; None leaves it as it is. "" takes away: the name, the version.

    `site` is the code of a site of the device's customer, "" for none.
    """

    serial: str | None = None
    name: str | None = None
    site: str | None = None
    installed_version: str | None = None


@dataclass(frozen=True)
class Source:
    """How a thing about a device is known: `reference` is a number or a file's name that people can look up."""

    how: HowKnown
    reference: str = ""
    reference_id: UUID | None = None


def parse_site_code(text: str) -> str:
    """In capitals, so that nobody has two sites that differ by them. Raises the errors of portal.texts."""
    return one_line(text, limit=MAX_SITE_CODE_CHARS).upper()[:MAX_SITE_CODE_CHARS]


def parse_time_zone(text: str) -> str:
    """Raises NotATimeZone."""
    wanted = text.strip()
    if wanted not in time_zones():
        raise NotATimeZone(text=wanted if len(wanted) <= SHOWN_CHARS else f"{wanted[:SHOWN_CHARS]}…")
    return wanted


def parse_address(text: str) -> list[str]:
    return [line.strip() for line in lines(text, limit=MAX_ADDRESS_CHARS, required=False).split("\n") if line.strip()]


def parse_contact_email(text: str) -> str:
    """Raises BadEmail; "" stays."""
    return parse_email(text) if text.strip() else ""


def parse_installed(text: str, product: Product) -> Version | None:
    """None for "". Raises MalformedVersion."""
    written = text.strip()
    return Version.parse(written, product.scheme) if written else None
