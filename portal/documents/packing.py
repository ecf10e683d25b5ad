"""The packing list that travels with a medium: what is inside, how to check it, how to say that it arrived."""

from dataclasses import dataclass
from datetime import date, datetime

from portal.documents.codes import digest_words, qr_svg, short_digest
from portal.documents.facts import Medium, ReleaseLine, file_facts
from portal.documents.paper import Exact, Paper, Wide, pdf
from portal.documents.pictures import drawable
from portal.documents.wording import Wording
from portal.errors import mark

STEPS = (
    mark("Compare the number on the bag or seal with this list. If it is broken or differs, report it unopened."),
    mark("Compare the serial number of the medium with this list."),
    mark(
        "Nothing but the kit named below and its .sha256 may lie on the medium: open nothing else. Unpack the kit, do "
        "what its VERIFY.html says, or run its verify.py. Every file must be right, and none missing or extra."
    ),
    mark("Compare the digest: over the telephone, read out its words; the full digest decides."),
    mark("Scan the code, or open the address and type the receipt code. Confirm the receipt or report a difference."),
)


@dataclass(frozen=True)
class PackingList:
    """One parcel. `time_zone` is the recipient's; `address` may have several lines; empty texts are left out.

    `kit_sha256` is the digest of the kit on the medium; `receipt_address` what the QR code opens; `receipt_code` what
    a person types who can't scan it.
    """

    number: str
    at: datetime
    time_zone: str
    sender: str
    recipient: str
    organisation: str
    address: str
    phone: str
    releases: tuple[ReleaseLine, ...]
    medium: Medium
    seal: str
    kit_name: str
    kit_size_bytes: int
    kit_sha256: str
    receipt_address: str
    receipt_code: str = ""
    confirm_by: date | None = None
    carrier: str = ""
    tracking: str = ""
    support_phone: str = ""


def render_packing_list(packing: PackingList, language: str) -> bytes:
    """The packing list as PDF, in the recipient's language."""
    return pdf(packing_paper(packing, language))


def packing_paper(packing: PackingList, language: str) -> Paper:
    wording = Wording(language)
    _ = wording.translate
    facts = {
        "number": packing.number,
        "heading": _("Delivery %(number)s") % {"number": packing.number},
        "sender": packing.sender,
        "recipient": _recipient(packing, wording),
        "parcel": _parcel(packing, wording),
        "kit": _kit(packing, wording),
        "releases": [
            {"release": f"{line.product} {line.version}", "files": [file_facts(file, wording) for file in line.files]}
            for line in packing.releases
        ],
        "receipt": _receipt(packing, wording),
        "words": {
            "page": _("Page %(page)s of %(pages)s"),
            "recipient": _("Recipient"),
            "parcel": _("Parcel"),
            "kit": _("Kit on the medium"),
            "contents": _("Contents"),
            "file": _("File, its SHA-256 and the digest in words"),
            "size": _("Size, bytes"),
            "receipt": _("How to confirm the receipt"),
        },
    }
    title = _("Packing list")
    return Paper("packing", language, f"{title} {packing.number}", packing.at, packing.sender, {"name": title, **facts})


def _recipient(packing: PackingList, wording: Wording) -> dict[str, object]:
    _ = wording.translate
    lines = [line.strip() for line in packing.address.splitlines() if line.strip()]
    phone = [_("Telephone %(phone)s") % {"phone": packing.phone}] if packing.phone else []
    return {"name": packing.recipient, "organisation": packing.organisation, "lines": [*lines, *phone]}


def _parcel(packing: PackingList, wording: Wording) -> list[tuple[str, str]]:
    _ = wording.translate
    medium = packing.medium
    facts = [
        (_("Packed"), wording.local_day(packing.at, packing.time_zone)),
        (_("Kind of medium"), medium.kind),
        (_("Serial number"), medium.serial),
        (_("Capacity"), wording.capacity(medium.capacity_bytes) if medium.capacity_bytes else ""),
        (_("Bag or seal"), packing.seal),
        (_("Carrier"), packing.carrier),
        (_("Tracking number"), packing.tracking),
    ]
    return [(label, value) for label, value in facts if value]


def _kit(packing: PackingList, wording: Wording) -> dict[str, object]:
    _ = wording.translate
    return {
        "facts": [
            (_("File"), Wide(packing.kit_name)),
            (_("Size, bytes"), wording.number(packing.kit_size_bytes)),
            ("SHA-256", Exact(packing.kit_sha256)),
            (_("In short"), Exact(short_digest(packing.kit_sha256))),
        ],
        "words_label": _("In words"),
        "words": digest_words(packing.kit_sha256, wording.language),
    }


def _receipt(packing: PackingList, wording: Wording) -> dict[str, object]:
    _ = wording.translate
    facts = [
        (_("Address"), Wide(packing.receipt_address)),
        (_("Please confirm by"), wording.day(packing.confirm_by) if packing.confirm_by else ""),
        (_("Telephone of support"), packing.support_phone),
    ]
    return {
        "steps": [_(step) for step in STEPS],
        "facts": [(label, value) for label, value in facts if value],
        "code": packing.receipt_code,
        "qr": drawable(qr_svg(packing.receipt_address)),
        "alt": _("QR code of the address %(address)s") % {"address": packing.receipt_address},
    }
