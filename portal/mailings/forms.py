"""What the pages of the channel e-mail take in."""

from wtforms import StringField, SubmitField
from wtforms.validators import InputRequired, Length, Optional, Regexp

from portal.mailings.service import MAX_REASON_CHARS
from portal.web.forms import Form, _l

CODE_CHARS = 20


class CodeForm(Form):
    one_time_code = StringField(
        _l("One-time code"),
        [InputRequired(), Length(max=CODE_CHARS)],
        render_kw={"inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": CODE_CHARS},
    )
    submit = SubmitField(_l("Open the delivery"))


class VerifiedForm(Form):
    sha256 = StringField(
        _l("SHA-256 of a file, as you computed it"),
        [Optional(), Length(max=200), Regexp(r"^\s*[0-9a-fA-F]{64}\s*$", message=_l("64 hexadecimal digits"))],
        description=_l("Optional. Without it you confirm in your own word that you compared the digests."),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    submit = SubmitField(_l("I have verified the files"))


class WithdrawForm(Form):
    reason = StringField(_l("Reason"), [InputRequired(), Length(max=MAX_REASON_CHARS)])
    submit = SubmitField(_l("Withdraw the link"))
