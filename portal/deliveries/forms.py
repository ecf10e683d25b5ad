"""What the pages of the ledger ask."""

from contextlib import suppress
from uuid import UUID

from werkzeug.datastructures import MultiDict
from wtforms import StringField, SubmitField
from wtforms.validators import Length

from portal.deliveries.queries import Filter
from portal.deliveries.states import DeliveryState
from portal.web.forms import Form, _l

MOST_DIGEST_CHARS = 200
LONGEST_SEARCH = 200


class ConfirmForm(Form):
    sha256 = StringField(
        _l("SHA-256 that you computed (optional)"),
        [Length(max=MOST_DIGEST_CHARS)],
        description=_l("What sha256sum or Get-FileHash printed for your copy. Empty: you state that you checked it."),
    )
    submit = SubmitField(_l("I have verified this file"))


def chosen_filter(arguments: MultiDict[str, str]) -> Filter:
    """What the arguments of an address narrow the list to; senseless ones narrow nothing."""
    state, customer = arguments.get("state", ""), None
    with suppress(ValueError):
        customer = UUID(arguments.get("customer", ""))
    return Filter(
        text=arguments.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH],
        state=DeliveryState(state) if state in set(DeliveryState) else None,
        organisation_id=customer,
    )
