"""What the pages of the releases room take in; what a text must be, the services say."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    IntegerField,
    SelectField,
    StringField,
    SubmitField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Length, Optional

from portal.accounts.models import EndUse
from portal.config import LANGUAGES
from portal.errors import Conflict, InvalidInput, WrongState
from portal.releases.drafts import ReleaseFacts
from portal.releases.issues import IssueFacts, IssueWords
from portal.releases.models import (
    CATEGORY_TITLES,
    LEVEL_TITLES,
    SEVERITY_TITLES,
    Category,
    Issue,
    Level,
    Product,
    Release,
    Severity,
    Train,
)
from portal.releases.products import ExportRuleFacts, ProductFacts, TrainFacts
from portal.releases.versions import Scheme
from portal.web.forms import Form, _l, choices
from portal.web.locale import LANGUAGE_NAMES, chosen_time_zone
from portal.web.unit_of_work import roll_back

needed = DataRequired(_l("This is needed."))
SCHEME_TITLES = {
    Scheme.SEMANTIC: _l("Semantic: 1.4.0-rc.1"),
    Scheme.DEBIAN: _l("Debian: 1:2.10-3"),
    Scheme.NATURAL: _l("Natural: 15.1R7-S10, R22A, 2.0-rc1"),
}
END_USE_TITLES = {
    EndUse.CIVIL: _l("Civil"),
    EndUse.GOVERNMENT: _l("Government"),
    EndUse.MILITARY: _l("Military"),
}


def refusal_of(act: Callable[[], object]) -> str:
    """Do it; what refuses it is put into words for the form, and nothing of it remains. Empty when it is done."""
    try:
        act()
    except (InvalidInput, Conflict, WrongState) as error:
        roll_back()
        return error.sentence_in(gettext)
    return ""


def in_reader_zone(at: datetime | None) -> datetime | None:
    """An instant as a date-time field shows it: the reader's wall clock."""
    return at.astimezone(ZoneInfo(chosen_time_zone())).replace(tzinfo=None) if at else None


def from_reader_zone(wall: datetime | None) -> datetime | None:
    """The inverse. A wall-clock time that a change of clocks skips or repeats is the earlier reading.

    At the edges of the calendar it is read as UTC; the service refuses such a year.
    """
    if wall is None:
        return None
    try:
        return wall.replace(tzinfo=ZoneInfo(chosen_time_zone())).astimezone(UTC)
    except OverflowError:
        return wall.replace(tzinfo=UTC)


class ProductForm(Form):
    code = StringField(
        _l("Code"),
        [needed, Length(max=60)],
        description=_l("In addresses and signed manifests: lower-case letters, digits, dots, hyphens"),
    )
    name = StringField(_l("Name"), [needed, Length(max=200)])
    category = SelectField(_l("Category"), choices=choices((c.value, _l(t)) for c, t in CATEGORY_TITLES.items()))
    scheme = SelectField(_l("Version scheme"), choices=choices((s.value, t) for s, t in SCHEME_TITLES.items()))
    family = StringField(_l("Family"), [Length(max=100)])
    description = TextAreaField(_l("Description"), [Length(max=5000)], render_kw={"rows": 4})
    is_listed = BooleanField(_l("Every customer may know that it exists"), default=True)
    submit = SubmitField(_l("Save"))

    @classmethod
    def of(cls, product: Product) -> "ProductForm":
        known = {name: getattr(product, name) for name in ("code", "name", "description", "is_listed")}
        family = product.family.name if product.family else ""
        return cls(data={**known, "family": family, "category": product.category.value, "scheme": product.scheme.value})

    def facts(self) -> ProductFacts:
        return ProductFacts(
            code=(self.code.data or "").strip(),
            name=self.name.data or "",
            category=Category(self.category.data),
            scheme=Scheme(self.scheme.data),
            description=self.description.data or "",
            is_listed=bool(self.is_listed.data),
            family=self.family.data or "",
        )


class TrainForm(Form):
    name = StringField(_l("Name"), [needed, Length(max=60)])
    general_availability = DateField(_l("General availability"), [Optional()])
    end_of_sale = DateField(_l("End of sale"), [Optional()])
    end_of_support = DateField(_l("End of support"), [Optional()])
    end_of_security_support = DateField(_l("End of security support"), [Optional()])
    submit = SubmitField(_l("Save"))

    def facts(self) -> TrainFacts:
        return TrainFacts(
            name=self.name.data or "",
            general_availability=self.general_availability.data,
            end_of_sale=self.end_of_sale.data,
            end_of_support=self.end_of_support.data,
            end_of_security_support=self.end_of_security_support.data,
        )


class ExportRuleForm(Form):
    country = StringField(_l("Country"), [Length(max=2)], description=_l("Two letters, such as DE; empty for any"))
    end_use = SelectField(
        _l("End use"), choices=choices([("", _l("Any use")), *((use.value, t) for use, t in END_USE_TITLES.items())])
    )
    clause = StringField(_l("Clause"), [needed, Length(max=200)], description=_l("What a refusal quotes"))
    submit = SubmitField(_l("Add"))

    def facts(self) -> ExportRuleFacts:
        end_use = EndUse(self.end_use.data) if self.end_use.data else None
        return ExportRuleFacts(country=self.country.data or None, end_use=end_use, clause=self.clause.data or "")


class ReleaseForm(Form):
    version = StringField(_l("Version"), [needed, Length(max=100)])
    level = SelectField(_l("Level"), choices=choices((level.word, _l(t)) for level, t in LEVEL_TITLES.items()))
    train = SelectField(_l("Train"))
    lowest_from_version = StringField(_l("Can be installed over this version or newer"), [Length(max=100)])
    downtime_minutes = IntegerField(_l("Interruption of service while it is installed, minutes"), [Optional()])
    is_required = BooleanField(_l("Required: no upgrade path may skip it"))
    is_security_fix = BooleanField(_l("Security fix"))
    is_free_security_fix = BooleanField(_l("Security fix that is free to every holder of the product"))
    embargo_until = DateTimeLocalField(
        _l("Embargo until"), [Optional()], format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        description=_l("In your time zone. Once approved, it is published by itself at this instant."),
    )  # fmt: skip
    submit = SubmitField(_l("Save"))

    def offer(self, trains: Iterable[Train]) -> "ReleaseForm":
        self.train.choices = choices([("", _l("None")), *((str(train.id), train.name) for train in trains)])
        return self

    @classmethod
    def of(cls, release: Release, trains: Iterable[Train]) -> "ReleaseForm":
        flags = ("is_required", "is_security_fix", "is_free_security_fix")
        names = ("version", "lowest_from_version", "downtime_minutes", *flags)
        known = {name: getattr(release, name) for name in names}
        embargo_until = in_reader_zone(release.embargo_until)
        chosen = {"level": release.level.word, "train": str(release.train_id or ""), "embargo_until": embargo_until}
        return cls(data={**known, **chosen}).offer(trains)

    def facts(self, trains: Iterable[Train]) -> ReleaseFacts:
        return ReleaseFacts(
            version=(self.version.data or "").strip(),
            level=Level[(self.level.data or "").upper()],
            train=next((train for train in trains if str(train.id) == self.train.data), None),
            is_required=bool(self.is_required.data),
            is_security_fix=bool(self.is_security_fix.data),
            is_free_security_fix=bool(self.is_free_security_fix.data),
            lowest_from_version=(self.lowest_from_version.data or "").strip(),
            embargo_until=from_reader_zone(self.embargo_until.data),
            downtime_minutes=self.downtime_minutes.data,
        )


class ReasonForm(Form):
    reason = TextAreaField(_l("Reason"), [needed, Length(max=500)], render_kw={"rows": 3})
    submit = SubmitField(_l("Save"))


class WithdrawForm(Form):
    reason = TextAreaField(_l("Reason, as customers will read it"), [needed, Length(max=2000)], render_kw={"rows": 4})
    replacement = SelectField(_l("Replacement"))
    submit = SubmitField(_l("Withdraw for everyone"))

    def offer(self, others: Iterable[Release]) -> "WithdrawForm":
        self.replacement.choices = choices([("", _l("None")), *((str(one.id), one.version) for one in others)])
        return self


class IssueForm(Form):
    product = SelectField(_l("Product"))
    public_id = StringField(_l("Public id"), [needed, Length(max=40)])
    severity = SelectField(_l("Severity"), choices=choices((s.value, _l(t)) for s, t in SEVERITY_TITLES.items()))
    cves = StringField(_l("CVE ids"), description=_l("Separated by commas or blanks"))
    is_public = BooleanField(_l("Customers may see it"))
    submit = SubmitField(_l("Save"))

    def facts(self, texts: dict[str, IssueWords]) -> IssueFacts:
        return IssueFacts(
            public_id=(self.public_id.data or "").strip(),
            severity=Severity(self.severity.data),
            is_public=bool(self.is_public.data),
            texts=texts,
            cves=tuple((self.cves.data or "").replace(",", " ").split()),
        )

    def words(self) -> dict[str, IssueWords]:
        fields: Any = self
        return {
            language: IssueWords(*(fields[f"{part}_{language}"].data or "" for part in ISSUE_PARTS))
            for language in LANGUAGES
        }


ISSUE_PARTS = ("title", "description", "workaround")
for _language in LANGUAGES:
    _name = LANGUAGE_NAMES[_language]
    setattr(IssueForm, f"title_{_language}", StringField(_l("Title, %(language)s", language=_name), [Length(max=300)]))
    for _part, _title in (
        ("description", _l("Description, %(language)s", language=_name)),
        ("workaround", _l("Workaround, %(language)s", language=_name)),
    ):
        setattr(IssueForm, f"{_part}_{_language}", TextAreaField(_title, render_kw={"rows": 4}))


def issue_form(issue: Issue | None, products: Iterable[Product]) -> IssueForm:
    """A form with what is known of the issue; of a new one nothing is."""
    known: dict[str, Any] = {}
    if issue is not None:
        known = {"product": str(issue.product_id), "public_id": issue.public_id, "severity": issue.severity.value,
                 "is_public": issue.is_public, "cves": ", ".join(row.cve_id for row in issue.cves)}  # fmt: skip
        for text in issue.texts:
            known |= {f"{part}_{text.language}": getattr(text, part) for part in ISSUE_PARTS}
    form = IssueForm(data=known)
    form.product.choices = choices((str(product.id), product.name) for product in products)
    return form
