"""Labels for a parcel: the address (A6, 105 by 148 mm) and the seal (100 by 50 mm)."""

from dataclasses import dataclass
from datetime import datetime

from portal.documents.codes import digest_words, qr_svg, short_digest
from portal.documents.paper import Exact, Paper, pdf
from portal.documents.pictures import drawable
from portal.documents.wording import Wording

MAX_LINES = 12
"""Of an address on a label: what is longer ends in an ellipsis, and stands in full on the packing list."""


@dataclass(frozen=True)
class AddressLabel:
    """The outside of a parcel. `code` is the text of the QR; `sender` may have several lines, as `address` may."""

    number: str
    at: datetime
    sender: str
    sender_phone: str
    recipient: str
    organisation: str
    address: str
    phone: str
    kit_sha256: str
    code: str
    seal: str = ""
    carrier: str = ""
    tracking: str = ""


@dataclass(frozen=True)
class SealLabel:
    """What is glued over the bag's opening: it must tear when the bag is opened."""

    number: str
    at: datetime
    seal: str
    organisation: str
    serial: str
    kit_sha256: str
    code: str
    phone: str = ""


def render_address_label(label: AddressLabel, language: str) -> bytes:
    """The address label as a PDF of one A6 page."""
    return pdf(address_label_paper(label, language))


def render_seal_label(label: SealLabel, language: str) -> bytes:
    """The seal label as a PDF of one page, 100 by 50 mm."""
    return pdf(seal_label_paper(label, language))


def address_label_paper(label: AddressLabel, language: str) -> Paper:
    wording = Wording(language)
    _ = wording.translate
    carrier = " ".join(part for part in (label.carrier, label.tracking) if part)
    facts = {
        "number": label.number,
        "sender": {"role": _("Sender"), "lines": _lines(label.sender, label.sender_phone, wording)},
        "recipient": {
            "role": _("Recipient"),
            "name": label.recipient,
            "organisation": label.organisation,
            "lines": _lines(label.address, label.phone, wording),
        },
        "facts": _said((_("Carrier"), carrier), (_("Bag or seal"), label.seal)),
        **_digest_and_code(label.kit_sha256, label.code, wording),
    }
    title = _("Address label %(number)s") % {"number": label.number}
    return Paper("address_label", language, title, label.at, "", {"name": _("Delivery"), **facts})


def seal_label_paper(label: SealLabel, language: str) -> Paper:
    wording = Wording(language)
    _ = wording.translate
    phone = _("Telephone %(phone)s") % {"phone": label.phone} if label.phone else ""
    facts = {
        "number": label.number,
        "facts": _said(
            (_("Seal"), label.seal), (_("Customer"), label.organisation), (_("Serial number"), label.serial)
        ),
        "warning": _("If this seal is broken, do not accept the parcel and tell the sender."),
        "phone": phone,
        **_digest_and_code(label.kit_sha256, label.code, wording),
    }
    title = _("Seal label %(number)s") % {"number": label.number}
    return Paper("seal_label", language, title, label.at, "", {"name": _("Delivery"), **facts})


def _digest_and_code(sha256: str, code: str, wording: Wording) -> dict[str, object]:
    _ = wording.translate
    return {
        "digest": Exact(short_digest(sha256)),
        "digest_label": _("SHA-256 of the kit, its beginning"),
        "digest_words": " ".join(digest_words(sha256, wording.language)),
        "qr": drawable(qr_svg(code)),
        "alt": _("QR code of the address %(address)s") % {"address": code},
    }


def _lines(text: str, phone: str, wording: Wording) -> list[str]:
    _ = wording.translate
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MAX_LINES:
        lines = [*lines[: MAX_LINES - 1], "…"]
    return [*lines, _("Telephone %(phone)s") % {"phone": phone}] if phone else lines


def _said(*facts: tuple[str, str]) -> list[tuple[str, str]]:
    return [(label, value) for label, value in facts if value]
