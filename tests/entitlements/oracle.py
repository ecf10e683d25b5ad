"""The rule of DESIGN 3.2 told once more, slowly and by days, to be compared with what the portal decides.

Written from the text alone: it reads descriptions of worlds, counts days in the contract's own zone where the portal
compares instants, and shares no line with it.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from tests.entitlements.worlds import ContractOf, ReleaseOf, World


def answer(world: World, release: ReleaseOf, at: datetime) -> str:
    """The basis, or the code of the refusal."""
    return first_part(world, release, at) or second_part(world, release, at) or third_part(world, release, at)


def first_part(  # noqa: PLR0911 - as many answers as the text has
    world: World, release: ReleaseOf, at: datetime
) -> str | None:
    if release.state not in ("published", "withdrawn") or at < release.published_at:
        return "not-published"
    if release.state == "withdrawn":
        return "withdrawn"
    open_to_all = release.open_from is not None and at >= release.open_from
    open_to_this = release.id in world.admitted and at >= world.admitted[release.id]
    if not open_to_all and not open_to_this:
        return "not-in-audience"
    for country, end_use in release.product.rules:
        if country in (None, world.country) and end_use in (None, world.end_use):
            return "export-restricted"
    if world.suspended:
        return "suspended"
    free = [c for c in world.contracts if not c.held]
    if not gives(free, release, at) and gives(world.contracts, release, at):
        return "suspended"
    return None


def gives(contracts: list[ContractOf], release: ReleaseOf, at: datetime) -> bool:
    return any(active(c, release, at) or issued_during(c, release, at) for c in contracts)


def second_part(world: World, release: ReleaseOf, at: datetime) -> str | None:
    for grant in world.grants:
        if grant.release == release.id and not grant.revoked and at < grant.until:
            return "grant"
    holds_product = release.product.id in world.devices or any(lines_for(c, release) for c in world.contracts)
    if release.free_security_fix and holds_product:
        return "security-exemption"
    free = [c for c in world.contracts if not c.held]
    if any(active(c, release, at) for c in free):
        return "active-contract"
    if any(issued_during(c, release, at) for c in free):
        return "issued-during-term"
    return "backup-copy" if release.id in world.received else None


def third_part(world: World, release: ReleaseOf, at: datetime) -> str:
    about = [c for c in world.contracts if lines_for(c, release)]
    if any(is_running(c, at) and not c.held for c in about):
        return "level-not-covered"
    if any(not c.held and is_coming(c, at) and would_give(c, release) for c in about):
        return "contract-not-started"
    if any(has_ended(c, at) for c in about):
        return "contract-expired"
    return "level-not-covered" if about else "no-contract"


def lines_for(contract: ContractOf, release: ReleaseOf) -> list:
    return [
        line
        for line in contract.lines
        if line.product == release.product.id or (line.family is not None and line.family == release.product.family)
    ]


def day_of(contract: ContractOf, at: datetime):
    return at.astimezone(ZoneInfo(contract.zone)).date()


def is_running(contract: ContractOf, at: datetime) -> bool:
    return contract.starts_on <= day_of(contract, at) <= contract.ends_on


def is_coming(contract: ContractOf, at: datetime) -> bool:
    return day_of(contract, at) < contract.starts_on


def has_ended(contract: ContractOf, at: datetime) -> bool:
    return day_of(contract, at) > contract.ends_on


def would_give(contract: ContractOf, release: ReleaseOf) -> bool:
    """While it runs: the level, and for what came out before its first day the back catalogue."""
    older = day_of(contract, release.published_at) < contract.starts_on
    return any(
        line.levels & release.level and (line.back_catalogue or not older) for line in lines_for(contract, release)
    )


def active(contract: ContractOf, release: ReleaseOf, at: datetime) -> bool:
    return is_running(contract, at) and would_give(contract, release)


def issued_during(contract: ContractOf, release: ReleaseOf, at: datetime) -> bool:
    if not has_ended(contract, at) or not is_running(contract, release.published_at):
        return False
    return any(line.levels & release.level for line in lines_for(contract, release))


def may_know(world: World, release: ReleaseOf, product_of: dict, at: datetime) -> bool:
    """Whether the customer may know that the release exists; `product_of` is {release id: product}."""
    openings = [opening for opening in (release.open_from, world.admitted.get(release.id)) if opening is not None]
    if release.state not in ("published", "withdrawn") or release.published_at > at:
        return False
    if not openings or min(openings) > at:
        return False
    if any(c in (None, world.country) and e in (None, world.end_use) for c, e in release.product.rules):
        return False
    has_to_do = (
        any(lines_for(contract, release) for contract in world.contracts)
        or release.product.id in world.devices
        or any(product_of[received] == release.product for received in world.received)
        or any(product_of[g.release] == release.product and not g.revoked and at < g.until for g in world.grants)
    )
    return release.product.listed or has_to_do
