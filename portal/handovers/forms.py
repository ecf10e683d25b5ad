"""What the pages of hand-overs take in. The pictures of signatures are read by `drawings`, not here."""

from contextlib import suppress
from uuid import UUID

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, HiddenField, SelectField, StringField, SubmitField, TextAreaField

from portal.authority.models import CodeChannel
from portal.documents import drawings
from portal.documents.act import ActKind
from portal.handovers.closing import LONGEST_REASON
from portal.handovers.models import DOCUMENT_KIND_TITLES, ActState, DocumentKind
from portal.handovers.opening import LONGEST_CONDITION, LONGEST_PLACE, MOST_SERIALS, checked_ending
from portal.handovers.queries import Wanted
from portal.handovers.signing import LONGEST_NAME, Given, Hand
from portal.texts import one_line, searchable
from portal.web.fields import Parsed
from portal.web.forms import Form, _l, choices

LAST = 4
CODE_CHARS = 20
NO_SUGGESTIONS = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}

DOCUMENTS = choices((kind.value, _l(title)) for kind, title in DOCUMENT_KIND_TITLES.items())


class IdentityForm(Form):
    document = SelectField(
        _l("Document shown"), choices=choices((k.value, _l(t)) for k, t in DOCUMENT_KIND_TITLES.items())
    )
    ending = StringField(
        _l("Last four characters of its number"),
        [Parsed(checked_ending)],
        description=_l("Only these four are kept. Nothing else of the document is."),
        render_kw={"maxlength": LAST, "required": True, **NO_SUGGESTIONS},
    )
    place = StringField(_l("Place of the hand-over"), [Parsed(one_line, limit=LONGEST_PLACE)])
    is_compared = BooleanField(_l("The name in the document is the name in the power of attorney, and the photo fits"))
    submit = SubmitField(_l("Show the act"))


class ReturnForm(IdentityForm):
    condition = StringField(
        _l("Condition of the media"),
        [Parsed(one_line, limit=LONGEST_CONDITION)],
        description=_l("As both sides see it: intact, seal broken, scratched…"),
    )


class CodeForm(Form):
    channel = SelectField(_l("Send a one-time code to"))
    submit = SubmitField(_l("Send the code"))

    def offer(self, email: str, phone: str) -> None:
        """The ways to this person; `email` and `phone` as they are shown, empty where there is none."""
        ways = ((CodeChannel.PHONE, phone), (CodeChannel.EMAIL, email))
        self.channel.choices = choices((way.value, shown) for way, shown in ways if shown)


class SignForm(Form):
    """`signature` and `witness_signature` are PNG data addresses that the page's script fills in."""

    submission = HiddenField()
    text_sha256 = HiddenField()
    signature = HiddenField()
    witness_signature = HiddenField()
    code = StringField(
        _l("One-time code"),
        render_kw={"inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": CODE_CHARS, "required": True},
    )
    typed_name = StringField(_l("Full name, typed"), render_kw={"maxlength": LONGEST_NAME, "autocomplete": "off"})
    witness_name = StringField(
        _l("Name of the second witness"), render_kw={"maxlength": LONGEST_NAME, "autocomplete": "off"}
    )
    witness_typed = StringField(
        _l("Full name of the witness, typed"), render_kw={"maxlength": LONGEST_NAME, "autocomplete": "off"}
    )
    submit = SubmitField(_l("Sign the act"))

    def given(self) -> Given:
        """What was sent. Raises SignatureUnusable, SignatureEmpty."""
        witness_name = (self.witness_name.data or "")[: LONGEST_NAME + 1]
        return Given(
            submission=self.submission.data or "",
            text_sha256=self.text_sha256.data or "",
            code=self.code.data or "",
            recipient=_hand(self.signature.data, self.typed_name.data),
            witness_name=witness_name,
            witness=_hand(self.witness_signature.data, self.witness_typed.data) if witness_name.strip() else None,
        )


class ReasonForm(Form):
    reason = TextAreaField(_l("Reason"), [Parsed(one_line, limit=LONGEST_REASON)], render_kw={"rows": 3})
    submit = SubmitField(_l("Close the act"))


def _hand(drawing: str | None, typed: str | None) -> Hand:
    """A typed name is taken only where nothing was drawn. Raises SignatureUnusable, SignatureEmpty."""
    if typed and typed.strip() and not drawing:
        return Hand(typed=typed[:LONGEST_NAME])
    return Hand(drawing=drawings.drawn(drawing or ""))


def chosen_deliveries(arguments: MultiDict[str, str]) -> tuple[UUID, ...]:
    """The deliveries that an address or a form names; what is no id names nothing."""
    found = []
    for text in arguments.getlist("delivery"):
        with suppress(ValueError):
            found.append(UUID(text))
    return tuple(dict.fromkeys(found))


def chosen_kind(arguments: MultiDict[str, str]) -> ActKind:
    return ActKind.RETURN if arguments.get("kind") == ActKind.RETURN.value else ActKind.ACCEPTANCE


def serials(arguments: MultiDict[str, str], delivery_id: UUID) -> list[str]:
    """The serial numbers written for a delivery, one in each line."""
    lines = (line.strip() for line in arguments.get(f"serials-{delivery_id}", "").splitlines())
    return [line for line in lines if line][: MOST_SERIALS + 1]


def wanted(arguments: MultiDict[str, str]) -> Wanted:
    """What the arguments of an address narrow the list of acts to; senseless ones narrow nothing."""
    state, kind, customer = arguments.get("state", ""), arguments.get("kind", ""), None
    with suppress(ValueError):
        customer = UUID(arguments.get("customer", ""))
    return Wanted(
        text=searchable(arguments.get("q", "")),
        state=ActState(state) if state in set(ActState) else None,
        kind=ActKind(kind) if kind in set(ActKind) else None,
        organisation_id=customer,
    )


def document_of(form: IdentityForm) -> DocumentKind:
    return DocumentKind(form.document.data)
