"""What is written to dispatchers and to customers' managers about powers of attorney, each in their language."""

from dataclasses import dataclass

from portal.authority.models import PowerOfAttorney
from portal.errors import mark
from portal.mail.words import translator


@dataclass(frozen=True)
class Letter:
    """Marked subject and text."""

    subject: str
    text: str


WAITS = Letter(
    mark("Power of attorney waits: %(holder)s, %(customer)s"),
    mark(
        "%(customer)s gives %(holder)s power of attorney %(number)s from %(first)s to %(last)s (%(zone)s).\n\n"
        "It gives nothing before you have checked and confirmed it:\n\n%(address)s\n"
    ),
)
CONFIRMED = Letter(
    mark("Power of attorney confirmed: %(holder)s"),
    mark(
        "Power of attorney %(number)s of %(holder)s is confirmed and lasts to %(last)s (%(zone)s), that day included."
        "\n\n%(address)s\n"
    ),
)
DECLINED = Letter(
    mark("Power of attorney declined: %(holder)s"),
    mark(
        "The dispatcher has declined power of attorney %(number)s of %(holder)s:\n\n%(reason)s\n\n"
        "You can give one that mends this:\n\n%(address)s\n"
    ),
)
ENDING = Letter(
    mark("Power of attorney ends on %(last)s: %(holder)s"),
    mark(
        "The last day of power of attorney %(number)s of %(holder)s is %(last)s (%(zone)s). After it %(holder)s can't"
        " receive files for %(customer)s any more.\n\nExtend it in time; the dispatcher has to confirm it:\n\n"
        "%(address)s\n"
    ),
)


def written(letter: Letter, power: PowerOfAttorney, language: str, base_url: str) -> tuple[str, str]:
    """Subject and text. Needs the power's holder and customer."""
    say = translator(language)
    facts = {
        "holder": power.holder.name,
        "customer": " ".join(power.holder.organisation.name.split()),
        "number": power.number,
        "first": power.valid_from.isoformat(),
        "last": power.valid_until.isoformat(),
        "zone": power.time_zone,
        "reason": power.declined_because,
        "address": f"{base_url}/authority/powers/{power.id}",
    }
    return say(letter.subject) % facts, say(letter.text) % facts
