"""The text of an act, made once in the recipient's language and frozen with the record: shown, signed and printed.

Nothing here is asked again for an act that exists: its pages and its paper are made of what was frozen, so that words
and templates may change and an old act still reads as it was signed.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from portal.deliveries.models import Delivery
from portal.documents.act import SUBTITLES, TITLES, ActKind
from portal.documents.wording import Wording
from portal.errors import mark
from portal.handovers.models import DOCUMENT_KIND_TITLES, DocumentKind

LABELS = {
    "place": mark("Place"),
    "handed_by": mark("Handed over by"),
    "received_by": mark("Received by"),
    "document": mark("Identity document"),
    "power": mark("Power of attorney"),
    "files": mark("What is handed over"),
    "media": mark("Media that come back"),
    "size": mark("Size in bytes"),
}
POWER = mark("No. %(number)s of %(issued_on)s, issued by %(issued_by)s, valid until %(valid_until)s")

ACCEPTANCE = (
    mark(
        "%(staff)s, for %(vendor)s, hands over to %(recipient)s, who acts for %(customer)s under a power of attorney "
        "(%(powers)s), the software that is listed in this act. Deliveries: %(deliveries)s; files: %(files)s."
    ),
    mark(
        "The recipient's identity was checked before the hand-over: %(document)s, whose number ends in %(ending)s. "
        "Nothing more of the document is kept."
    ),
    mark(
        "By signing, the recipient confirms on behalf of %(customer)s that the listed files were received in full and "
        "under the names, sizes and SHA-256 digests stated here. Whoever installs a file compares its digest first; "
        "a file with another digest is not part of this act."
    ),
    mark(
        "The software may be used within the customer's contract and licence. A difference that is found later is "
        "reported to the support centre with the number of this act."
    ),
    mark(
        "This act is signed on the screen and with a one-time code that was sent to the recipient. Each side gets the "
        "same copy at once. The text is not changed afterwards; a correction is a new act."
    ),
)
RETURN = (
    mark(
        "%(recipient)s, who acts for %(customer)s under a power of attorney (%(powers)s), gives back to %(staff)s, "
        "for %(vendor)s, the media with software that are listed in this act: %(media)s."
    ),
    mark(
        "The recipient's identity was checked before the return: %(document)s, whose number ends in %(ending)s. "
        "Nothing more of the document is kept."
    ),
    mark("Condition of the media as both sides see it: %(condition)s"),
    mark(
        "The return of a medium neither ends the right to use software that was installed from it, nor says that "
        "copies of it were removed."
    ),
    mark(
        "This act is signed on the screen and with a one-time code that was sent to the person who returns the media. "
        "Each side gets the same copy at once. The text is not changed afterwards; a correction is a new act."
    ),
)
PARAGRAPHS = {ActKind.ACCEPTANCE: ACCEPTANCE, ActKind.RETURN: RETURN}


@dataclass(frozen=True)
class Said:
    """What an act says, in plain values. `media`: serials by delivery number, for an act of return."""

    kind: ActKind
    number: str
    language: str
    at: datetime
    time_zone: str
    place: str
    staff: str
    vendor: str
    recipient: Mapping[str, Any]
    customer: str
    document: DocumentKind
    ending: str
    powers: Sequence[Mapping[str, Any]]
    deliveries: Sequence[Delivery]
    media: Mapping[str, Sequence[str]]
    condition: str = ""


def frozen(said: Said) -> dict[str, Any]:
    """The act as JSON, every word of it in its language; needs the deliveries' releases, products and files."""
    wording = Wording(said.language)
    _ = wording.translate
    powers = [_power(power, wording) for power in said.powers]
    listed = [_listed(delivery, said.media.get(delivery.number or "", ())) for delivery in said.deliveries]
    facts = {
        "staff": said.staff,
        "vendor": said.vendor,
        "recipient": said.recipient["name"],
        "customer": said.customer,
        "powers": "; ".join(power["words"] for power in powers),
        "document": _(DOCUMENT_KIND_TITLES[said.document]),
        "ending": said.ending,
        "deliveries": ", ".join(one["number"] for one in listed),
        "files": sum(len(one["files"]) for one in listed),
        "media": ", ".join(serial for one in listed for serial in one["media"]),
        "condition": said.condition,
    }
    return {
        "kind": said.kind.value,
        "number": said.number,
        "language": said.language,
        "title": _(TITLES[said.kind]),
        "subtitle": _(SUBTITLES[said.kind]),
        "opened_at": said.at.isoformat(),
        "time_zone": said.time_zone,
        "place": said.place,
        "staff": {"name": said.staff, "organisation": said.vendor},
        "recipient": {
            "name": said.recipient["name"],
            "organisation": said.customer,
            "document": facts["document"],
            "ending": said.ending,
            "powers": powers,
        },
        "deliveries": listed,
        "paragraphs": [_(paragraph) % facts for paragraph in PARAGRAPHS[said.kind]],
        "labels": {name: _(label) for name, label in LABELS.items()},
    }


def digest(record: Mapping[str, Any]) -> str:
    """SHA-256, hex, of the record as canonical JSON: what was shown, and what is signed."""
    canonical = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _power(power: Mapping[str, Any], wording: Wording) -> dict[str, str]:
    _: Callable[[str], str] = wording.translate
    days = {name: wording.day(date.fromisoformat(power[name])) for name in ("issued_on", "valid_until")}
    plain = {name: str(power[name]) for name in ("number", "issued_on", "issued_by", "valid_until")}
    return {**plain, "words": _(POWER) % {**plain, **days}}


def _listed(delivery: Delivery, media: Sequence[str]) -> dict[str, Any]:
    return {
        "number": delivery.number or "",
        "product": delivery.release.product.name,
        "version": delivery.release.version,
        "files": [
            {"name": item.artifact.name, "size_bytes": item.size_bytes, "sha256": item.sha256}
            for item in sorted(delivery.items, key=lambda item: item.artifact.name)
        ],
        "media": list(media),
    }
