"""Pages of agreements: the vendor puts texts into force, customers read and accept them."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from portal.config import LANGUAGES
from portal.entitlements import queries, service
from portal.entitlements.blueprint import bp
from portal.entitlements.contract_pages import status_of_form
from portal.entitlements.errors import CodeTaken, UnknownProduct
from portal.entitlements.forms import AcceptForm, AgreementForm
from portal.entitlements.models import Agreement, AgreementAcceptance
from portal.entitlements.service import Wording, text_digest
from portal.errors import InvalidInput
from portal.permissions import Permission
from portal.releases.markdown import render
from portal.releases.models import Product
from portal.web.fields import refuse
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.locale import chosen_language, here_or_home
from portal.web.paging import page_of
from portal.web.unit_of_work import session


@bp.get("/agreements")
@requires(Permission.CONTRACTS_READ)
def agreements() -> ResponseReturnValue:
    page = page_of(session(), queries.agreements(visible_to=actor()))
    return render_template("entitlements/agreements.html", page=page, language=chosen_language())


@bp.route("/agreements/new", methods=["GET", "POST"])
@requires(Permission.AGREEMENTS_MANAGE)
def new_agreement() -> ResponseReturnValue:
    form = AgreementForm()
    if form.is_sent() and _save(form, None):
        flash(_("The agreement is in force."))
        return redirect(url_for(".agreements"), 303)
    return render_template("entitlements/agreement.html", form=form, agreement=None), status_of_form(form)


@bp.route("/agreements/<uuid:agreement_id>/edit", methods=["GET", "POST"])
@requires(Permission.AGREEMENTS_MANAGE)
def edit_agreement(agreement_id: UUID) -> ResponseReturnValue:
    agreement = queries.agreement(session(), agreement_id, visible_to=actor())
    form = _form_of(agreement)
    if form.is_sent() and _save(form, agreement):
        flash(_("The new version is in force; everybody has to accept it anew."))
        return redirect(url_for(".agreements"), 303)
    return render_template("entitlements/agreement.html", form=form, agreement=agreement), status_of_form(form)


def _form_of(agreement: Agreement) -> AgreementForm:
    texts = agreement.versions[-1].texts if agreement.versions else {}
    data = {
        f"{part}_{language}": texts.get(language, {}).get(part, "")
        for part in ("title", "body")
        for language in LANGUAGES
    }
    form = AgreementForm(data={**data, "products": " ".join(sorted(product.code for product in agreement.products))})
    del form.code
    return form


def _save(form: AgreementForm, agreement: Agreement | None) -> bool:
    """Whether it could be put into force; if not, the field says why."""
    texts = {
        language: {part: form[f"{part}_{language}"].data or "" for part in ("title", "body")} for language in LANGUAGES
    }
    try:
        products = _products(form.products.data or "")
        wording = Wording("" if agreement else form.code.data or "", texts, products)
        service.save_agreement(session(), agreement, wording, by=actor(), at=now())
    except UnknownProduct as error:
        refuse(form.products, error)
    except CodeTaken as error:
        refuse(form.code, error)
    except InvalidInput as error:
        refuse(form.body_en, error)
    else:
        return True
    return False


def _products(written: str) -> tuple[Product, ...]:
    codes = set(written.replace(",", " ").split())
    found = session().scalars(select(Product).where(Product.code.in_(codes))).all()
    for code in sorted(codes - {product.code for product in found}):
        raise UnknownProduct(text=code)
    return tuple(found)


@bp.route("/agreements/<uuid:version_id>/accept", methods=["GET", "POST"])
@requires(Permission.DOWNLOAD)
def accept(version_id: UUID) -> ResponseReturnValue:
    version = queries.agreement_version(session(), version_id, now(), visible_to=actor())
    form = AcceptForm(data={"next": request.args.get("next", "")})
    if form.is_sent():
        service.accept_agreement(session(), version, by=actor(), at=now())
        flash(_("Accepted, with your name and the time."))
        return redirect(here_or_home(form.next.data), 303)
    accepted = session().scalar(
        select(AgreementAcceptance.at).where(
            AgreementAcceptance.version_id == version.id, AgreementAcceptance.person_id == actor().person_id
        )
    )
    text: dict[str, str] = version.texts.get(chosen_language()) or next(iter(version.texts.values()), {})
    return render_template(
        "entitlements/accept.html",
        version=version,
        title=text.get("title", version.agreement.code),
        body=render(text.get("body", "")),
        digest=text_digest(version.texts),
        accepted=accepted,
        form=form,
    )
