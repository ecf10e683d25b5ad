"""What the pages of accounts take in. What is right is decided by the services; here only what is needed at all."""

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from wtforms import EmailField, HiddenField, PasswordField, SelectField, SelectMultipleField, StringField, SubmitField
from wtforms.validators import DataRequired, EqualTo, Length
from wtforms.widgets import CheckboxInput, ListWidget

from portal.accounts.models import EndUse, Organisation
from portal.accounts.passwords import MAX_LENGTH
from portal.accounts.service import OrganisationFacts
from portal.accounts.titles import END_USE_TITLES, KIND_TITLES, SCOPE_TITLES
from portal.permissions import ROLE_TITLES, OrganisationKind, Role, Scope
from portal.web.forms import Form, _l, choices
from portal.web.locale import LANGUAGE_NAMES
from portal.zones import time_zones

needed = DataRequired(_l("This is needed."))
TOKEN_DAYS = (7, 30, 90, 180, 365)
NEW_PASSWORD = {"autocomplete": "new-password"}


class ChecksField(SelectMultipleField):
    """Several of a few, as check boxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class SignInForm(Form):
    email = EmailField(
        _l("E-mail"), [needed, Length(max=254)], render_kw={"autocomplete": "username", "autofocus": True}
    )
    password = PasswordField(
        _l("Password"), [needed, Length(max=MAX_LENGTH)], render_kw={"autocomplete": "current-password"}
    )
    next = HiddenField()
    submit = SubmitField(_l("Sign in"))


class AskResetForm(Form):
    email = EmailField(_l("E-mail"), [needed, Length(max=254)], render_kw={"autocomplete": "username"})
    submit = SubmitField(_l("Send a link"))


class NewPasswordForm(Form):
    password = PasswordField(
        _l("New password"),
        [needed],
        description=_l("12 characters at least. Several words in a row are easy to keep in mind and hard to guess."),
        render_kw=NEW_PASSWORD,
    )
    again = PasswordField(
        _l("New password once more"), [needed, EqualTo("password", _l("The two differ."))], render_kw=NEW_PASSWORD
    )
    submit = SubmitField(_l("Set the password"))


class JoinForm(NewPasswordForm):
    name = StringField(_l("Your name"), [needed, Length(max=200)], render_kw={"autocomplete": "name"})
    submit = SubmitField(_l("Join"))


class ChangePasswordForm(NewPasswordForm):
    current = PasswordField(
        _l("Present password"), [needed, Length(max=MAX_LENGTH)], render_kw={"autocomplete": "current-password"}
    )


class OwnFactsForm(Form):
    name = StringField(_l("Full name"), [needed, Length(max=200)], render_kw={"autocomplete": "name"})
    language = SelectField(_l("Language of letters and pages"), choices=choices(LANGUAGE_NAMES.items()))
    submit = SubmitField(_l("Save"))


class TokenForm(Form):
    name = StringField(
        _l("Name"), [needed, Length(max=100)], description=_l("What it is for: the machine or script that uses it.")
    )
    scopes = ChecksField(_l("It may"))
    days = SelectField(_l("It lives for"), coerce=int, default=90)
    submit = SubmitField(_l("Make a token"))

    def __init__(self, held: Iterable[Scope], **arguments: Any) -> None:  # noqa: ANN401 - whatever WTForms takes
        super().__init__(**arguments)
        self.scopes.choices = choices((scope.value, _(SCOPE_TITLES[scope])) for scope in held)
        self.days.choices = choices((str(days), _("%(days)s days", days=days)) for days in TOKEN_DAYS)


class RolesForm(Form):
    roles = ChecksField(_l("Roles"))
    submit = SubmitField(_l("Save the roles"))

    def __init__(self, offered: Iterable[Role], **arguments: Any) -> None:  # noqa: ANN401 - whatever WTForms takes
        super().__init__(**arguments)
        self.roles.choices = choices((role.value, _(ROLE_TITLES[role])) for role in offered)

    def chosen(self) -> frozenset[Role]:
        return frozenset(Role(word) for word in self.roles.data or ())


class InviteForm(RolesForm):
    email = EmailField(_l("E-mail"), [needed, Length(max=254)], render_kw={"autocomplete": "off"})
    name = StringField(_l("Full name"), [needed, Length(max=200)], render_kw={"autocomplete": "off"})
    language = SelectField(_l("Language of letters and pages"), choices=choices(LANGUAGE_NAMES.items()))
    submit = SubmitField(_l("Invite"))


class OrganisationForm(Form):
    code = StringField(
        _l("Code"), [needed, Length(max=40)], description=_l("Short and lasting: it stands in imports and commands.")
    )
    name = StringField(_l("Name"), [needed, Length(max=200)])
    country = StringField(_l("Country"), [needed, Length(max=2)], description=_l("Two letters, such as DE or KZ."))
    end_use = SelectField(_l("End use"), description=_l("Export rules ask it."))
    time_zone = SelectField(_l("Time zone"), default="UTC")
    language = SelectField(_l("Language"), choices=choices(LANGUAGE_NAMES.items()))
    submit = SubmitField(_l("Save"))

    def __init__(self, **arguments: Any) -> None:  # noqa: ANN401 - whatever WTForms takes
        super().__init__(**arguments)
        self.end_use.choices = choices((word.value, _(title)) for word, title in END_USE_TITLES.items())
        self.time_zone.choices = choices((zone, zone) for zone in sorted(time_zones()))

    def facts(self, kind: OrganisationKind) -> OrganisationFacts:
        return OrganisationFacts(
            kind=kind,
            code=self.code.data or "",
            name=self.name.data or "",
            country=self.country.data or "",
            end_use=EndUse(self.end_use.data),
            time_zone=self.time_zone.data,
            language=self.language.data,
        )


class NewOrganisationForm(OrganisationForm):
    kind = SelectField(_l("Kind"), default=OrganisationKind.CUSTOMER.value)

    def __init__(self, **arguments: Any) -> None:  # noqa: ANN401 - whatever WTForms takes
        super().__init__(**arguments)
        self.kind.choices = choices((word.value, _(title)) for word, title in KIND_TITLES.items())


class HoldForm(Form):
    reason = StringField(_l("Reason"), [needed, Length(max=500)], description=_l("The customer reads it."))
    submit = SubmitField(_l("Put on hold"))


class PeopleFilterForm(Form):
    """Which organisation's people are listed; sent by GET, so it carries no token."""

    class Meta:
        csrf = False

    organisation = SelectField(_l("Organisation"), validate_choice=False)

    def __init__(self, offered: Iterable[Organisation], **arguments: Any) -> None:  # noqa: ANN401 - as above
        super().__init__(**arguments)
        every = [("", _("All"))]
        self.organisation.choices = choices([*every, *((str(one.id), one.name) for one in offered)])
