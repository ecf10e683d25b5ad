"""The act of acceptance, and of return, of software and media: who gave what to whom, and what both signed."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from portal.documents.facts import FileLine, Medium, file_facts
from portal.documents.paper import Exact, Paper, pdf
from portal.documents.pictures import drawable
from portal.documents.wording import Wording
from portal.errors import mark

LAST_CHARS = 4


class ActKind(StrEnum):
    ACCEPTANCE = "acceptance"
    RETURN = "return"


TITLES = {ActKind.ACCEPTANCE: mark("Act of acceptance"), ActKind.RETURN: mark("Act of return")}
SUBTITLES = {
    ActKind.ACCEPTANCE: mark("of software and its media"),
    ActKind.RETURN: mark("of media with software"),
}
ITEM_TITLES = {ActKind.ACCEPTANCE: mark("Items handed over"), ActKind.RETURN: mark("Returned items")}


@dataclass(frozen=True)
class IdentityShown:
    """The document a person showed: its kind in the paper's language, and its number's last four characters.

    Longer endings are cut: nothing prints more than four.
    """

    document_kind: str
    ending: str


@dataclass(frozen=True)
class Power:
    """A power of attorney. `valid_until` None: without a last day."""

    number: str
    issued_on: date
    issued_by: str
    valid_until: date | None = None


@dataclass(frozen=True)
class CodeConfirmed:
    """A one-time code that the person gave back: by which channel (in words) and to which masked address."""

    channel: str
    masked_address: str
    at: datetime


@dataclass(frozen=True)
class Party:
    """One who signs. `signature` is a PNG or an SVG of plain strokes; without one a line for ink is printed.

    `signed_otherwise` says in the paper's language how somebody signed who drew nothing; the name then stands on the
    line.
    """

    name: str
    organisation: str
    position: str = ""
    identity: IdentityShown | None = None
    power: Power | None = None
    signature: bytes | None = None
    code: CodeConfirmed | None = None
    signed_otherwise: str = ""


@dataclass(frozen=True)
class ActDelivery:
    """What an act says of one delivery; an act of return may list a medium without files."""

    number: str
    product: str
    version: str
    files: tuple[FileLine, ...] = ()
    medium: Medium | None = None


@dataclass(frozen=True)
class Act:
    """One act, both kinds: `handed_by` gives and `received_by` takes, whoever of them is the customer's.

    `paragraphs` is the text as it was shown and frozen, in the paper's language; `record_sha256` its digest, printed
    where it is known.
    """

    kind: ActKind
    number: str
    at: datetime
    time_zone: str
    place: str
    handed_by: Party
    received_by: Party
    deliveries: tuple[ActDelivery, ...]
    paragraphs: tuple[str, ...]
    witness: Party | None = None
    record_sha256: str = ""


def render_act(act: Act, language: str) -> bytes:
    """The act as PDF. Raises PictureUnusable for a signature that can't be printed."""
    return pdf(act_paper(act, language))


def act_paper(act: Act, language: str) -> Paper:
    wording = Wording(language)
    _ = wording.translate
    title = _(TITLES[act.kind])
    handed, received = (_party(party, act, wording) for party in (act.handed_by, act.received_by))
    facts = {
        "subtitle": _(SUBTITLES[act.kind]),
        "number": act.number,
        "heading": _("No. %(number)s") % {"number": act.number},
        "facts": [[_("Date and time"), wording.instant(act.at, act.time_zone)], [_("Place"), act.place]],
        "parties": [{"role": _("Handed over by"), **handed}, {"role": _("Received by"), **received}],
        "witness": {"role": _("Witness"), **_party(act.witness, act, wording)} if act.witness else None,
        "paragraphs": act.paragraphs,
        "items_title": _(ITEM_TITLES[act.kind]),
        "summary": _summary(act, wording),
        "deliveries": [_delivery(delivery, wording) for delivery in act.deliveries],
        "record": [_("SHA-256 of this record"), Exact(act.record_sha256)] if act.record_sha256 else None,
        "words": {
            "page": _("Page %(page)s of %(pages)s"),
            "signatures": _("Signatures"),
            "file": _("File, its SHA-256 and the digest in words"),
            "size": _("Size, bytes"),
        },
    }
    vendor = act.received_by if act.kind is ActKind.RETURN else act.handed_by
    return Paper("act", language, f"{title} {act.number}", act.at, vendor.organisation, {"name": title, **facts})


def _summary(act: Act, wording: Wording) -> str:
    """What a page with nothing but signatures says of the pages before it."""
    _ = wording.translate
    counts = {
        "act": f"{_(TITLES[act.kind])} {act.number}",
        "deliveries": len(act.deliveries),
        "files": sum(len(delivery.files) for delivery in act.deliveries),
    }
    return _("%(act)s. Deliveries: %(deliveries)s. Files: %(files)s.") % counts


def _party(party: Party, act: Act, wording: Wording) -> dict[str, object]:
    _ = wording.translate
    facts: list[tuple[str, str]] = []
    if party.identity:
        facts.append(
            (_("Identity document"), f"{party.identity.document_kind} … {party.identity.ending[-LAST_CHARS:]}")
        )
    if party.power:
        facts.append((_("Power of attorney"), _power(party.power, wording)))
    code = party.code and _("Signed with a one-time code: %(channel)s, %(address)s, %(at)s") % {
        "channel": party.code.channel,
        "address": party.code.masked_address,
        "at": wording.instant(party.code.at, act.time_zone),
    }
    return {
        "name": party.name,
        "organisation": party.organisation,
        "position": party.position,
        "facts": facts,
        "signature": drawable(party.signature) if party.signature else None,
        "alt": _("Signature of %(name)s") % {"name": party.name},
        "code": code,
        "otherwise": party.signed_otherwise,
    }


def _power(power: Power, wording: Wording) -> str:
    _ = wording.translate
    given = {"number": power.number, "day": wording.day(power.issued_on), "issuer": power.issued_by}
    text = _("No. %(number)s of %(day)s, issued by %(issuer)s") % given
    if power.valid_until is None:
        return text
    return text + _(", valid until %(day)s") % {"day": wording.day(power.valid_until)}


def _delivery(delivery: ActDelivery, wording: Wording) -> dict[str, object]:
    _ = wording.translate
    medium = delivery.medium
    return {
        "number": _("Delivery %(number)s") % {"number": delivery.number},
        "release": f"{delivery.product} {delivery.version}",
        "medium": _("%(kind)s, serial number %(serial)s") % {"kind": medium.kind, "serial": medium.serial}
        if medium
        else "",
        "files": [file_facts(file, wording) for file in delivery.files],
    }
