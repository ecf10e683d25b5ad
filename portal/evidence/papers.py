"""The paper in an evidence pack, and the words that explain the pack."""

from datetime import datetime

from portal.deliveries.models import Delivery
from portal.deliveries.states import CHANNEL_TITLES, DELIVERY_STATE_TITLES, EVENT_TITLES
from portal.deliveries.wording import basis_in, evidence_in
from portal.documents.report import Report, ReportTable, render_report
from portal.entitlements.decision import minute
from portal.errors import mark
from portal.mail.words import translator

TITLE = mark("Record of delivery %(number)s")
SUBTITLE = mark("%(product)s %(version)s for %(customer)s")
CHANNEL, STATE, RECIPIENT, BASIS = mark("Channel"), mark("State"), mark("Recipient"), mark("Basis")
FILES, FILE, SIZE = mark("Files"), mark("File"), mark("Size in bytes")
ENTRIES, ENTRY, WHEN, WHO, PROOF = mark("Entries"), mark("Entry"), mark("When"), mark("Who"), mark("Evidence")
HASH = mark("Hash")
READ_ME = mark(
    """What this archive proves

evidence.json holds the delivery and every entry of its record. Each entry carries the hash of the one before, so none
can be altered, left out or put in between. seal.dsse.json names the digest of every file here and is signed by the
vendor's portal. release/ holds what the vendor signed about the files themselves.

To check it, with the vendor's public key that you have from elsewhere (not from this archive):

    portal evidence verify THIS-FILE.zip --key vendor.pem

By hand: sha256sum of a file must be the digest that the seal names, and
    openssl dgst -sha256 -verify vendor.pem -signature release/SHA256SUMS.sig release/SHA256SUMS
must answer "Verified OK".
"""
)


def record(delivery: Delivery, language: str, *, at: datetime) -> bytes:
    """The delivery and its entries as PDF. It needs customer, release, product, files and events."""
    _ = translator(language)
    basis = " ".join(part for part in basis_in(delivery.decision, _)) if delivery.decision.get("basis") else ""
    recipient = delivery.recipient or {}
    facts = (
        (_(CHANNEL), _(CHANNEL_TITLES[delivery.channel])),
        (_(STATE), _(DELIVERY_STATE_TITLES[delivery.state])),
        (_(RECIPIENT), recipient.get("name") or delivery.person_name),
        (_(BASIS), basis),
    )
    report = Report(
        title=_(TITLE) % {"number": delivery.number or str(delivery.id)},
        subtitle=_(SUBTITLE)
        % {
            "product": delivery.release.product.name,
            "version": delivery.release.version,
            "customer": delivery.organisation.name,
        },
        facts=tuple((label, value) for label, value in facts if value),
        tables=(_files(delivery, language), _entries(delivery, language)),
        language=language,
        at=at,
    )
    return render_report(report)


def read_me(language: str) -> str:
    return translator(language)(READ_ME)


def _files(delivery: Delivery, language: str) -> ReportTable:
    _ = translator(language)
    rows = tuple((item.artifact.name, str(item.size_bytes), item.sha256) for item in delivery.items)
    return ReportTable(_(FILES), (_(FILE), _(SIZE), "SHA-256"), rows, weights=(3, 1.2, 4), right=(1,))


def _entries(delivery: Delivery, language: str) -> ReportTable:
    _ = translator(language)
    rows = tuple(
        (
            minute(event.at),
            _(EVENT_TITLES[event.kind]),
            event.person_name,
            "; ".join(f"{label}: {value}" for label, value in evidence_in(event.evidence, _)),
            event.hash[:16],
        )
        for event in delivery.events
    )
    columns = (_(WHEN), _(ENTRY), _(WHO), _(PROOF), _(HASH))
    return ReportTable(_(ENTRIES), columns, rows, weights=(1.6, 2, 1.6, 4, 1.5))
