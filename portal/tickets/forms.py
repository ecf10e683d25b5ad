"""What the pages of tickets take in."""

from uuid import uuid4

from flask_babel import lazy_gettext
from wtforms import HiddenField, SelectField, StringField, SubmitField, TextAreaField

from portal.releases.models import Product
from portal.texts import lines, one_line
from portal.tickets.models import (
    TICKET_CHANNEL_TITLES,
    TICKET_KIND_TITLES,
    TICKET_SEVERITY_TITLES,
    Step,
    TicketChannel,
    TicketKind,
    TicketSeverity,
)
from portal.tickets.service import MAX_BODY_CHARS, MAX_TITLE_CHARS, MAX_VERSION_CHARS, checked_submission
from portal.web.fields import Parsed
from portal.web.forms import Form, _l, choices
from portal.web.locale import translate

MARKDOWN_HELP = _l("Markdown: **bold**, lists, `code`, ``` for listings. HTML is shown as it is written.")
STEPS_AFTER_ANSWER = {
    "": _l("Leave the state as it is"),
    Step.WAIT_FOR_CUSTOMER.value: _l("then wait for the customer"),
    Step.WAIT_FOR_RELEASE.value: _l("then wait for a release"),
    Step.RESOLVE.value: _l("then it is resolved"),
}


def new_submission() -> str:
    return str(uuid4())


class OnceForm(Form):
    """A form whose second sending, by a double click or a reload, does nothing more."""

    submission = HiddenField(default=new_submission, validators=[Parsed(checked_submission)])

    def renew(self) -> None:
        """Let what is in the form now be sent as something of its own."""
        self.submission.data = new_submission()


class OpenForm(OnceForm):
    """`customer` and `channel` are for staff and taken off the customer's form."""

    customer = StringField(
        _l("Customer"),
        [Parsed(one_line, limit=200)],
        description=_l("Its code or its full name."),
        render_kw={"list": "customers", "autocomplete": "off"},
    )
    channel = SelectField(_l("How it came in"))
    kind = SelectField(_l("What is it?"))
    severity = SelectField(_l("How serious?"), default=TicketSeverity.MINOR.value)
    product = SelectField(_l("Product"))
    installed_version = StringField(
        _l("Installed version"), [Parsed(one_line, limit=MAX_VERSION_CHARS, required=False)]
    )
    title = StringField(_l("In one line"), [Parsed(one_line, limit=MAX_TITLE_CHARS)])
    body = TextAreaField(
        _l("What happens, since when, after what?"),
        [Parsed(lines, limit=MAX_BODY_CHARS)],
        description=MARKDOWN_HELP,
        render_kw={"rows": 10},
    )
    submit = SubmitField(_l("Open the ticket"))

    def offer(self, products: list[Product], *, is_staff: bool) -> None:
        """Fill in what can be chosen: these products; for staff also the customer and the channel."""
        self.kind.choices = choices((kind.value, translate(TICKET_KIND_TITLES[kind])) for kind in TicketKind)
        self.severity.choices = choices((s.value, translate(TICKET_SEVERITY_TITLES[s])) for s in TicketSeverity)
        none = ("", str(lazy_gettext("None of these")))
        self.product.choices = choices([none, *((product.code, product.name) for product in products)])
        if is_staff:
            self.channel.choices = choices((c.value, translate(TICKET_CHANNEL_TITLES[c])) for c in TicketChannel)
        else:
            del self.customer, self.channel


class AnswerForm(OnceForm):
    body = TextAreaField(
        _l("Your answer"), [Parsed(lines, limit=MAX_BODY_CHARS)], description=MARKDOWN_HELP, render_kw={"rows": 6}
    )
    then = SelectField(_l("Afterwards"))
    submit = SubmitField(_l("Send the answer"))

    def offer(self, steps: list[Step] | None) -> None:
        """Let staff take one of these steps with the answer; None for a customer, whose answers say it themselves."""
        if steps is None:
            del self.then
        else:
            offered = ["", *(step.value for step in steps if step.value in STEPS_AFTER_ANSWER)]
            self.then.choices = choices((value, STEPS_AFTER_ANSWER[value]) for value in offered)


class NoteForm(OnceForm):
    body = TextAreaField(
        _l("Internal note"),
        [Parsed(lines, limit=MAX_BODY_CHARS)],
        description=_l("The customer never sees it."),
        render_kw={"rows": 3},
    )
    submit = SubmitField(_l("Keep the note"))


class LinkIssueForm(Form):
    issue = StringField(_l("Issue"), [Parsed(one_line, limit=40)], description=_l("Its public id, as in NX-1042."))
    submit = SubmitField(_l("Link the issue"))


class LinkReleaseForm(Form):
    product = StringField(_l("Product code"), [Parsed(one_line, limit=60)])
    version = StringField(_l("Version"), [Parsed(one_line, limit=MAX_VERSION_CHARS)])
    submit = SubmitField(_l("Link the release"))
