"""What a customer's people are written about a release, each in their own language. Pure words."""

from dataclasses import dataclass

from portal.entitlements.decision import Decision
from portal.errors import mark
from portal.mail.words import translator
from portal.notices.models import Occasion
from portal.releases.models import LEVEL_TITLES, Release

MAX_SUBJECT_CHARS = 300
SUBJECTS = {
    Occasion.PUBLISHED: mark("Published: %(product)s %(version)s"),
    Occasion.CORRECTED: mark("Corrected: the release notes of %(product)s %(version)s"),
    Occasion.WITHDRAWN: mark("Withdrawn: %(product)s %(version)s"),
}
OPENINGS = {
    Occasion.PUBLISHED: mark("%(product)s %(version)s was published on %(day)s. Level: %(level)s."),
    Occasion.CORRECTED: mark("The release notes of %(product)s %(version)s were corrected on %(day)s."),
    Occasion.WITHDRAWN: mark("%(product)s %(version)s was withdrawn on %(day)s and can no longer be taken."),
}
GREETING = mark("%(name)s,")
SECURITY = mark("It is a security fix, free for every holder of the product.")
REASON = mark("Reason:")
MAY_TAKE = mark("You may take it now. %(clause)s")
MISSING = mark("You can't take it as things stand. %(missing)s")
BELOW = mark("Your devices with an older or unknown version: %(count)s.")
AT_IT = mark("Your devices that run it by our records: %(count)s.")
REPLACED = mark("Use %(version)s instead.")
PAGE = mark("Read about it: %(address)s")


@dataclass(frozen=True)
class News:
    """What happened with a release, whose product is loaded. `number` is that of the corrected notes, else 0."""

    release: Release
    occasion: Occasion
    day: str
    number: int = 0
    reason: str = ""


@dataclass(frozen=True)
class ForCustomer:
    """How the release stands with one customer; `replacement` only where the customer may know of it."""

    decision: Decision
    below: int
    at_it: int
    replacement: str = ""


def letter(news: News, stands: ForCustomer, *, name: str, language: str, address: str) -> tuple[str, str]:
    """Subject and text."""
    _ = translator(language)
    facts = {
        "product": " ".join(news.release.product.name.split()),
        "version": news.release.version,
        "day": news.day,
        "level": _(LEVEL_TITLES[news.release.level]),
    }
    parts = [_(GREETING) % {"name": name}, _(OPENINGS[news.occasion]) % facts]
    if news.occasion is Occasion.PUBLISHED and news.release.is_free_security_fix:
        parts.append(_(SECURITY))
    if news.reason:
        parts.append(f"{_(REASON)}\n{news.reason}")
    parts += _withdrawn(stands, language) if news.occasion is Occasion.WITHDRAWN else _to_take(stands, language)
    parts.append(_(PAGE) % {"address": address})
    return (_(SUBJECTS[news.occasion]) % facts)[:MAX_SUBJECT_CHARS], "\n\n".join(parts) + "\n"


def _to_take(stands: ForCustomer, language: str) -> list[str]:
    _ = translator(language)
    decision = stands.decision
    if decision.is_granted:
        parts = [_(MAY_TAKE) % {"clause": decision.clause_in(_)}]
    else:
        parts = [_(MISSING) % {"missing": decision.sentence_in(_)}]
    return [*parts, _(BELOW) % {"count": stands.below}] if stands.below else parts


def _withdrawn(stands: ForCustomer, language: str) -> list[str]:
    _ = translator(language)
    parts = [_(AT_IT) % {"count": stands.at_it}] if stands.at_it else []
    return [*parts, _(REPLACED) % {"version": stands.replacement}] if stands.replacement else parts
