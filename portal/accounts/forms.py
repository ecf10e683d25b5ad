"""What the pages of accounts take in."""

from wtforms import EmailField, HiddenField, PasswordField, SelectField, StringField, SubmitField
from wtforms.validators import DataRequired, Length

from portal.accounts.passwords import MAX_LENGTH
from portal.web.forms import Form, _l, choices
from portal.web.locale import LANGUAGE_NAMES

LANGUAGE_CHOICES = choices(LANGUAGE_NAMES.items())
needed = DataRequired(_l("This is needed."))


class SignInForm(Form):
    email = EmailField(
        _l("E-mail"), [needed, Length(max=254)], render_kw={"autocomplete": "username", "autofocus": True}
    )
    password = PasswordField(
        _l("Password"), [needed, Length(max=MAX_LENGTH)], render_kw={"autocomplete": "current-password"}
    )
    next = HiddenField()
    submit = SubmitField(_l("Sign in"))


class OwnFactsForm(Form):
    name = StringField(_l("Name"), [needed, Length(max=200)], render_kw={"autocomplete": "name"})
    language = SelectField(_l("Language of letters and pages"), choices=LANGUAGE_CHOICES)
    submit = SubmitField(_l("Save"))
