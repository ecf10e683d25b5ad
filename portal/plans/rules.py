"""What is recommended next for an installed version, and the way there (P16): pure questions, no I/O.

The target is the release that the vendor recommends for the train of the installed version, else for the product;
where nothing is recommended, the newest stable release that the customer may take; where it may take none, the newest
there is. The way is looked for among what the customer may take; only where there is none, among all that it may know
of, and then the plan says which release is missing and whether the contract or the vendor is the reason.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from portal.entitlements.decision import Decision, Refused
from portal.errors import mark
from portal.plans.shelves import Shelf
from portal.releases.models import Issue, Recommendation, Release, Train
from portal.releases.paths import Gap, Stop, way
from portal.releases.versions import Scheme

SOON_DAYS = 180

_PRE_RELEASE = {
    Scheme.SEMANTIC: re.compile(r"^[^+]*-"),
    Scheme.DEBIAN: re.compile(r"~"),
    Scheme.NATURAL: re.compile(
        r"(?:^|[^a-z])(?:dev|nightly|snapshot|test|alpha|beta|milestone|preview|pre|prerelease|rc)(?:[^a-z]|$)",
        re.IGNORECASE,
    ),
}


class Verdict(StrEnum):
    UNKNOWN_VERSION = "unknown-version"
    UP_TO_DATE = "up-to-date"
    READY = "ready"
    NOT_ENTITLED = "not-entitled"
    NO_WAY = "no-way"


VERDICT_TITLES = {
    Verdict.UNKNOWN_VERSION: mark("Version unknown"),
    Verdict.UP_TO_DATE: mark("Up to date"),
    Verdict.READY: mark("Update possible now"),
    Verdict.NOT_ENTITLED: mark("Update needs a contract"),
    Verdict.NO_WAY: mark("No way there yet"),
}
RECOMMENDED = mark("Recommended by the vendor since %(since)s: %(reason)s")
NEWEST = mark("Nothing is recommended; this is the newest stable release that may be taken now.")
NEWEST_OF_ALL = mark("Nothing is recommended and nothing newer may be taken; this is the newest stable release.")
NEWER_THAN_RECOMMENDED = mark("%(version)s is recommended; what is installed is newer.")
NOTHING_NEWER = mark("There is no newer release.")

BY_CONTRACT = mark("The way is shut at %(version)s, by the contract: %(decision)s")
BY_VENDOR = mark(
    "The way is shut at %(version)s, by the vendor: it can be installed over %(needs)s or newer, and no release leads "
    "there from %(reached)s."
)
BY_VENDOR_REQUIRED = mark("The way is shut at %(version)s, by the vendor: no release leads there from %(reached)s.")
THE_INSTALLED = mark("the installed version")
BY_VENDOR_HIDDEN = mark(
    "The way is shut by the vendor: it leads through a required release that is not open to this customer. "
    "Ask the support centre."
)

Translate = Callable[[str], str]


@dataclass(frozen=True)
class Offer:
    """What one customer may know of a product, by release id, and what was decided of each published one."""

    visible: frozenset[UUID]
    decisions: Mapping[UUID, Decision]

    def may_take(self, release_id: UUID) -> bool:
        decision = self.decisions.get(release_id)
        return decision is not None and decision.is_granted


@dataclass(frozen=True)
class Life:
    """The end of a train's support as days from today on; past ends are negative, unsaid ones None."""

    train: Train
    today: date

    @property
    def support_days(self) -> int | None:
        return _days(self.train.end_of_support, self.today)

    @property
    def security_days(self) -> int | None:
        return _days(self.train.end_of_security_support, self.today)

    @property
    def is_ending(self) -> bool:
        ends = [days for days in (self.support_days, self.security_days) if days is not None]
        return any(days <= SOON_DAYS for days in ends)


@dataclass(frozen=True)
class Standing:
    """How an installed version stands today; None where the version is unknown or no release of that name is."""

    installed: Release | None
    recommendation: Recommendation | None
    recommended: Release | None
    issues: tuple[Issue, ...]
    life: Life | None
    is_behind: bool

    @property
    def is_insecure(self) -> bool:
        return any(issue.cves for issue in self.issues)

    @property
    def is_ending(self) -> bool:
        return self.life is not None and self.life.is_ending

    @property
    def is_withdrawn(self) -> bool:
        return self.installed is not None and not self.installed.is_published


@dataclass(frozen=True)
class Step:
    """One installation on the way. `issues` are those that the version has, `solved` those that it no longer has."""

    release: Release
    decision: Decision
    issues: tuple[Issue, ...]
    solved: tuple[Issue, ...]

    @property
    def may_take(self) -> bool:
        return self.decision.is_granted


@dataclass(frozen=True)
class Obstacle:
    """Where there is no way for this customer now: the missing release (None: one it may not know of), and why.

    `reason` is "contract" or "vendor"; `needs` and `reached` are versions.
    """

    reason: str
    release: Release | None
    decision: Refused | None = None
    needs: str = ""
    reached: str = ""

    def sentence_in(self, translate: Translate) -> str:
        if self.release is None:
            return translate(BY_VENDOR_HIDDEN)
        reached = self.reached or translate(THE_INSTALLED)
        facts = {"version": self.release.version, "needs": self.needs, "reached": reached}
        if self.decision is not None:
            return translate(BY_CONTRACT) % {**facts, "decision": self.decision.sentence_in(translate)}
        return translate(BY_VENDOR if self.needs else BY_VENDOR_REQUIRED) % facts


@dataclass(frozen=True)
class Plan:
    """What is next for one installed version. `meanwhile`: the newest release that can be reached now by what the
    customer may take, where the target can't. `free_fixes`: newer releases that are free security fixes."""

    verdict: Verdict
    standing: Standing
    target: Release | None
    why: str
    why_facts: Mapping[str, str]
    steps: tuple[Step, ...] = ()
    obstacle: Obstacle | None = None
    meanwhile: Release | None = None
    free_fixes: tuple[Release, ...] = ()

    def why_in(self, translate: Translate) -> str:
        return translate(self.why) % self.why_facts if self.why else ""

    @cached_property
    def downtime_minutes(self) -> int | None:
        """Of all steps; None where a step does not say."""
        minutes = [step.release.downtime_minutes for step in self.steps]
        known = [one for one in minutes if one is not None]
        return sum(known) if len(known) == len(minutes) else None


def is_stable(release: Release, scheme: Scheme) -> bool:
    """It is no release candidate, beta or the like, as the product's scheme writes them."""
    return _PRE_RELEASE[scheme].search(release.version) is None


def standing(shelf: Shelf, key: str | None, is_known: Callable[[Release], bool], today: date) -> Standing:
    """`key` is the installed version's, None when nobody knows; `is_known` says which releases may be named."""
    installed = shelf.by_key.get(key) if key else None
    recommendation = _recommendation(shelf, installed, is_known)
    recommended = shelf.by_id[recommendation.release_id] if recommendation else None
    train = installed.train if installed else None
    return Standing(
        installed,
        recommendation,
        recommended,
        shelf.touching(key) if key else (),
        Life(train, today) if train else None,
        is_behind=bool(key and recommended and key < recommended.version_key),
    )


def plan(shelf: Shelf, key: str | None, offer: Offer, today: date) -> Plan:
    """What is next for the version with the sort key `key`, None when nobody knows which is installed."""
    stands = standing(shelf, key, lambda release: release.id in offer.visible, today)
    target, why, facts = _target(shelf, key, offer, stands)
    if key is None:
        return Plan(Verdict.UNKNOWN_VERSION, stands, target, why, facts)
    free = tuple(
        release for release in shelf.published
        if release.is_free_security_fix and release.version_key > key and offer.may_take(release.id)
    )  # fmt: skip
    if target is None or target.version_key <= key:
        return Plan(Verdict.UP_TO_DATE, stands, None, why, facts, free_fixes=free)
    stops = _stops(shelf, offer)
    found = way(key, stops[target.id], stops.values(), lambda stop: offer.may_take(stop.id))
    if not isinstance(found, Gap):
        steps = _steps(shelf, key, found, offer)
        return Plan(Verdict.READY, stands, target, why, facts, steps, free_fixes=free)
    meanwhile = _meanwhile(shelf, key, offer, stops)
    found = way(key, stops[target.id], stops.values(), lambda stop: stop.id in offer.visible)
    if isinstance(found, Gap):
        obstacle = _vendors(shelf, found, offer, stands.installed)
        return Plan(Verdict.NO_WAY, stands, target, why, facts, (), obstacle, meanwhile, free)
    steps = _steps(shelf, key, found, offer)
    missing = next(step for step in steps if not step.may_take)
    obstacle = Obstacle(
        "contract", missing.release, missing.decision if isinstance(missing.decision, Refused) else None
    )
    return Plan(Verdict.NOT_ENTITLED, stands, target, why, facts, steps, obstacle, meanwhile, free)


def way_to(shelf: Shelf, key: str, target: Release, offer: Offer) -> tuple[Step, ...] | Obstacle:
    """The way from the version with the sort key `key` to this release by what the customer may take, or what shuts it.

    Empty where the target is installed already or is older.
    """
    stops = _stops(shelf, offer)
    if target.id not in stops or target.id not in offer.visible:
        return Obstacle("vendor", None)
    found = way(key, stops[target.id], stops.values(), lambda stop: offer.may_take(stop.id))
    if not isinstance(found, Gap):
        return _steps(shelf, key, found, offer)
    found = way(key, stops[target.id], stops.values(), lambda stop: stop.id in offer.visible)
    if isinstance(found, Gap):
        return _vendors(shelf, found, offer, shelf.by_key.get(key))
    missing = next(step for step in _steps(shelf, key, found, offer) if not step.may_take)
    return Obstacle("contract", missing.release, missing.decision if isinstance(missing.decision, Refused) else None)


def _recommendation(
    shelf: Shelf, installed: Release | None, is_known: Callable[[Release], bool]
) -> Recommendation | None:
    known = {train: row for train, row in shelf.recommended.items() if is_known(shelf.by_id[row.release_id])}
    if installed is not None and installed.train_id in known:
        return known[installed.train_id]
    if None in known:
        return known[None]
    if installed is not None and installed.train_id is not None:
        return None  # another train's recommendation is not meant for this one
    return max(known.values(), key=lambda row: row.at, default=None)


def _target(
    shelf: Shelf, key: str | None, offer: Offer, stands: Standing
) -> tuple[Release | None, str, dict[str, str]]:
    if stands.recommendation and stands.recommended:
        if key is not None and key > stands.recommended.version_key:
            return None, NEWER_THAN_RECOMMENDED, {"version": stands.recommended.version}
        since = stands.recommendation.at.date().isoformat()
        return stands.recommended, RECOMMENDED, {"since": since, "reason": stands.recommendation.reason}
    newer = [one for one in shelf.published if one.id in offer.visible and (key is None or one.version_key > key)]
    stable = [one for one in newer if is_stable(one, shelf.product.scheme)]
    takeable = [one for one in stable if offer.may_take(one.id)]
    if takeable:
        return takeable[-1], NEWEST, {}
    return (stable[-1], NEWEST_OF_ALL, {}) if stable else (None, NOTHING_NEWER, {})


def _stops(shelf: Shelf, offer: Offer) -> dict[UUID, Stop]:
    """What may be gone through, and what may not be passed over, whether or not the customer may know of it."""
    return {
        one.id: Stop(one.id, one.version, one.version_key, one.lowest_from_key, one.is_required)
        for one in shelf.published
        if one.is_required or one.id in offer.visible
    }


def _steps(shelf: Shelf, key: str, found: Iterable[Stop], offer: Offer) -> tuple[Step, ...]:
    steps, before = [], shelf.touching(key)
    for stop in found:
        after = shelf.touching(stop.key)
        solved = tuple(issue for issue in before if issue not in after)
        steps.append(Step(shelf.by_id[stop.id], offer.decisions[stop.id], after, solved))
        before = after
    return tuple(steps)


def _meanwhile(shelf: Shelf, key: str, offer: Offer, stops: dict[UUID, Stop]) -> Release | None:
    for release in reversed(shelf.published):
        if release.version_key <= key or not offer.may_take(release.id) or release.id not in stops:
            continue
        if not is_stable(release, shelf.product.scheme):
            continue
        if not isinstance(way(key, stops[release.id], stops.values(), lambda stop: offer.may_take(stop.id)), Gap):
            return release
    return None


def _vendors(shelf: Shelf, gap: Gap, offer: Offer, installed: Release | None) -> Obstacle:
    release = shelf.by_id[gap.stop.id]
    if release.id not in offer.visible:
        return Obstacle("vendor", None)
    reached = gap.reached.version if gap.reached else installed.version if installed else ""
    return Obstacle("vendor", release, needs=release.lowest_from_version or "", reached=reached)


def _days(end: date | None, today: date) -> int | None:
    return (end - today).days if end else None
