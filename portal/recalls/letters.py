"""What holders are written: of the withdrawal, and again when no answer comes. Texts in the reader's language."""

from portal.errors import mark
from portal.mail.words import translator
from portal.releases.models import Release

SUBJECT = mark("Withdrawn: %(product)s %(version)s")
TEXT = mark(
    """%(name)s,

%(product)s %(version)s was withdrawn on %(day)s and can no longer be taken. %(holder)s has received it.

Reason:
%(reason)s

%(replacement)s

Please remove it and say so here, or say why it is kept: %(address)s
"""
)
REPLACED = mark("Use %(version)s instead.")
NOT_REPLACED = mark("There is no replacement yet. Open a ticket if the release is in service.")
REMINDER_SUBJECT = mark("Please answer: %(product)s %(version)s was withdrawn")
REMINDER_TEXT = mark(
    """%(name)s,

%(product)s %(version)s was withdrawn on %(day)s. We have not heard yet whether it has been removed at %(holder)s.

Reason:
%(reason)s

Please answer here: %(address)s
"""
)


def withdrawal(
    release: Release, replacement: Release | None, *, name: str, holder: str, language: str, address: str
) -> tuple[str, str]:
    """Subject and text; needs the release's product. `replacement` only where this reader may know of it."""
    translate = translator(language)
    instead = translate(REPLACED) % {"version": replacement.version} if replacement else translate(NOT_REPLACED)
    facts = _facts(release) | {"name": name, "holder": holder, "replacement": instead, "address": address}
    return translate(SUBJECT) % facts, translate(TEXT) % facts


def reminder(release: Release, *, name: str, holder: str, language: str, address: str) -> tuple[str, str]:
    """Subject and text; needs the release's product."""
    translate = translator(language)
    facts = _facts(release) | {"name": name, "holder": holder, "address": address}
    return translate(REMINDER_SUBJECT) % facts, translate(REMINDER_TEXT) % facts


def _facts(release: Release) -> dict[str, str]:
    return {
        "product": " ".join(release.product.name.split()),
        "version": release.version,
        "day": f"{release.withdrawn_at:%Y-%m-%d}" if release.withdrawn_at else "—",
        "reason": release.withdrawn_because or "—",
    }
