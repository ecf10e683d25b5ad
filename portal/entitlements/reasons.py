"""The sentences of the decision: for each outcome the rule that decided, and what would change it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.entitlements.decision import Basis, Granted, RefusalCode, Refused, Words, minute
from portal.entitlements.facts import Cover, CustomerFacts, ReleaseFacts
from portal.errors import mark
from portal.releases.models import LEVEL_TITLES, Level

ASK_THE_VENDOR = mark("Ask the vendor's contract office.")


class MissingAgreement(NamedTuple):
    """The current version of an agreement that the person has not accepted; `titles` is {language: title}."""

    version_id: UUID
    code: str
    number: int
    titles: dict[str, str]


def granted(until: datetime) -> Granted:
    return Granted(
        Basis.GRANT,
        mark("The vendor has granted this release by exception until %(until)s."),
        until=until,
        facts={"until": minute(until)},
    )


def exempt() -> Granted:
    return Granted(
        Basis.SECURITY_EXEMPTION,
        mark("This release is a free security fix for every holder of the product, whatever the contract."),
    )


def by_running_contract(release: ReleaseFacts, cover: Cover) -> Granted:
    """`until` is the end of the contract; the clause says when the right outlives it."""
    outlives = release.published_at is not None and release.published_at >= cover.starts_at
    clause = (
        mark(
            "Contract %(contract)s runs until %(ends_on)s and covers this release; issued during its term, "
            "the release stays available after it ends."
        )
        if outlives
        else mark("Contract %(contract)s runs until %(ends_on)s and covers this release from the back catalogue.")
    )
    return Granted(Basis.ACTIVE_CONTRACT, clause, until=cover.ends_at, contract=cover.number, facts=_facts(cover))


def by_ended_contract(cover: Cover) -> Granted:
    return Granted(
        Basis.ISSUED_DURING_TERM,
        mark("The release was issued while contract %(contract)s ran, from %(starts_on)s to %(ends_on)s."),
        contract=cover.number,
        facts=_facts(cover),
    )


def backup(received_at: datetime) -> Granted:
    return Granted(
        Basis.BACKUP_COPY,
        mark("The release was received on %(received_at)s and stays available as the backup copy."),
        facts={"received_at": minute(received_at)},
    )


def not_published() -> Refused:
    return Refused(RefusalCode.NOT_PUBLISHED, mark("The release is not published."))


def withdrawn(release: ReleaseFacts) -> Refused:
    if release.withdrawn_because:
        clause = mark("The release was withdrawn: %(reason)s")
    else:
        clause = mark("The release was withdrawn.")
    return Refused(
        RefusalCode.WITHDRAWN,
        clause,
        remedy=mark("Take its replacement, or another release of the product."),
        facts={"reason": release.withdrawn_because or ""},
    )


def not_in_audience(opens_at: datetime | None) -> Refused:
    if opens_at is None:
        return Refused(
            RefusalCode.NOT_IN_AUDIENCE,
            mark("The release is open only to customers named by the vendor."),
            remedy=mark("Ask the vendor to be named for it."),
        )
    return Refused(
        RefusalCode.NOT_IN_AUDIENCE,
        mark("The release is not open to this customer yet."),
        until=opens_at,
        remedy=mark("It opens on %(opens_at)s."),
        facts={"opens_at": minute(opens_at)},
    )


def export_restricted(clause: str) -> Refused:
    return Refused(
        RefusalCode.EXPORT_RESTRICTED,
        mark("Export rules do not allow this product for the customer's country or end use: %(rule)s"),
        remedy=mark("Ask the vendor whether an export licence can be had."),
        facts={"rule": clause},
    )


def customer_on_hold(customer: CustomerFacts) -> Refused:
    if customer.suspended_because:
        clause = mark("The customer is on hold: %(reason)s")
    else:
        clause = mark("The customer is on hold.")
    return Refused(
        RefusalCode.SUSPENDED, clause, remedy=ASK_THE_VENDOR, facts={"reason": customer.suspended_because or ""}
    )


def contract_on_hold(number: str | None) -> Refused:
    return Refused(
        RefusalCode.SUSPENDED,
        mark("Contract %(contract)s covers this release, but is on hold."),
        remedy=mark("The release can be taken as soon as the vendor resumes the contract."),
        facts={"contract": number},
    )


def no_contract() -> Refused:
    return Refused(
        RefusalCode.NO_CONTRACT,
        mark("No contract covers the product."),
        remedy=mark("A contract that covers the product would allow it."),
    )


def contract_not_started(cover: Cover) -> Refused:
    return Refused(
        RefusalCode.CONTRACT_NOT_STARTED,
        mark("Contract %(contract)s covers this release, but starts only on %(starts_on)s."),
        until=cover.starts_at,
        remedy=mark("From %(starts_on)s on it can be taken."),
        facts=_facts(cover),
    )


def contract_expired(release: ReleaseFacts, cover: Cover) -> Refused:
    """A renewal that starts on the day of publication or before covers the release, back catalogue or not."""
    facts = _facts(cover)
    if release.published_at is not None and release.published_at >= cover.ends_at:
        published_on = release.published_at.astimezone(ZoneInfo(cover.time_zone)).date()
        facts["before"] = (published_on + timedelta(days=1)).isoformat()
        remedy = mark("A renewal from any date before %(before)s covers this release.")
    else:
        remedy = mark("A renewal that includes the back catalogue covers this release.")
    if not cover.levels & release.level:
        facts |= _levels(release, cover)
        remedy = mark("A renewal that includes releases of the level %(level)s and the back catalogue covers it.")
    return Refused(
        RefusalCode.CONTRACT_EXPIRED, mark("Contract %(contract)s ended on %(ends_on)s."), remedy=remedy, facts=facts
    )


def level_not_covered(release: ReleaseFacts, cover: Cover, following: Cover | None) -> Refused:
    """`following` is a contract that will cover it; its start is then the `until`."""
    facts = _facts(cover) | _levels(release, cover)
    if cover.levels & release.level:
        clause = mark("Contract %(contract)s covers only what is issued from %(starts_on)s on; this release is older.")
        remedy = mark("A change of the contract that adds the back catalogue would allow it.")
    else:
        clause = mark("Contract %(contract)s covers releases of the levels %(levels)s; this one is %(level)s.")
        remedy = mark("A change of the contract that adds the level would allow it.")
    if following:
        facts |= {"next": following.number, "next_starts_on": following.starts_on.isoformat()}
        remedy = mark("Contract %(next)s covers it from %(next_starts_on)s on.")
    return Refused(
        RefusalCode.LEVEL_NOT_COVERED,
        clause,
        until=following.starts_at if following else None,
        remedy=remedy,
        facts=facts,
    )


def agreement_required(missing: Iterable[MissingAgreement], language: str) -> Refused:
    """`facts["versions"]` lists the version ids to accept, `facts["agreements"]` their titles."""
    rows = tuple(missing)
    titles = [row.titles.get(language) or next(iter(row.titles.values()), row.code) for row in rows]
    return Refused(
        RefusalCode.AGREEMENT_REQUIRED,
        mark("This product is taken only after its agreements are accepted: %(agreements)s."),
        remedy=mark("Read and accept them; then the release can be taken at once."),
        facts={"agreements": ", ".join(titles), "versions": tuple(str(row.version_id) for row in rows)},
    )


def authority_missing() -> Refused:
    return Refused(
        RefusalCode.AUTHORITY_MISSING,
        mark("This person has no role that may receive files for the customer."),
        remedy=mark("The customer's manager can give the role."),
    )


def _facts(cover: Cover) -> dict[str, object]:
    return {
        "contract": cover.number,
        "starts_on": cover.starts_on.isoformat(),
        "ends_on": cover.ends_on.isoformat(),
        "time_zone": cover.time_zone,
    }


def _levels(release: ReleaseFacts, cover: Cover) -> dict[str, object]:
    return {
        "level": Words([LEVEL_TITLES[Level(release.level)]]),
        "levels": Words(LEVEL_TITLES[level] for level in Level if level & cover.levels),
    }
