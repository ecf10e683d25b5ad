"""Pages of products: facts, trains with their dates, export rules."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.errors import NotFound
from portal.permissions import Permission
from portal.releases import queries, service
from portal.releases.blueprint import bp
from portal.releases.forms import END_USE_TITLES, SCHEME_TITLES, ExportRuleForm, ProductForm, TrainForm, refusal_of
from portal.releases.models import Product
from portal.web.formats import now
from portal.web.guard import actor, requires
from portal.web.paging import page_of
from portal.web.unit_of_work import session

UNPROCESSABLE = 422


def _load(code: str) -> Product:
    return queries.get_product(session(), code, visible_to=actor())


def _back(product: Product) -> ResponseReturnValue:
    return redirect(url_for("releases.product", code=product.code), 303)


@bp.get("/releases/products")
@requires(Permission.RELEASES_READ)
def products() -> ResponseReturnValue:
    page = page_of(session(), queries.products(actor()))
    return render_template("releases/products.html", page=page, schemes=SCHEME_TITLES)


@bp.route("/releases/products/new", methods=["GET", "POST"])
@requires(Permission.PRODUCTS_MANAGE)
def new_product() -> ResponseReturnValue:
    form, refusal = ProductForm(), ""
    made: list[Product] = []
    if form.is_sent():
        refusal = refusal_of(lambda: made.append(service.create_product(session(), form.facts(), by=actor(), at=now())))
        if made:
            flash(_("%(name)s can have releases now.", name=made[0].name))
            return _back(made[0])
    page = render_template("releases/product_form.html", product=None, form=form, refusal=refusal)
    return page, UNPROCESSABLE if refusal or form.errors else 200


@bp.get("/releases/products/<code>")
@requires(Permission.RELEASES_READ)
def product(code: str) -> ResponseReturnValue:
    shown = _load(code)
    return render_template(
        "releases/product.html",
        product=shown,
        trains=sorted(shown.trains, key=lambda train: train.name),
        rules=queries.export_rules(session(), shown.id),
        page=page_of(session(), queries.releases_of(shown.id, actor())),
        recommended={row.release_id for row in queries.recommended(session(), shown.id).values()},
        train_form=TrainForm(formdata=None),
        rule_form=ExportRuleForm(formdata=None),
        schemes=SCHEME_TITLES,
        end_uses=END_USE_TITLES,
    )


@bp.route("/releases/products/<code>/edit", methods=["GET", "POST"])
@requires(Permission.PRODUCTS_MANAGE)
def edit_product(code: str) -> ResponseReturnValue:
    changed = _load(code)
    form, refusal = ProductForm.of(changed), ""
    if form.is_sent():
        refusal = refusal_of(lambda: service.change_product(session(), changed, form.facts(), by=actor(), at=now()))
        if not refusal:
            flash(_("Saved."))
            return _back(changed)
    page = render_template("releases/product_form.html", product=changed, code=code, form=form, refusal=refusal)
    return page, UNPROCESSABLE if refusal or form.errors else 200


@bp.route("/releases/products/<code>/trains/new", methods=["GET", "POST"])
@requires(Permission.PRODUCTS_MANAGE)
def new_train(code: str) -> ResponseReturnValue:
    return _save_train(code, None)


@bp.route("/releases/products/<code>/trains/<uuid:train_id>", methods=["GET", "POST"])
@requires(Permission.PRODUCTS_MANAGE)
def edit_train(code: str, train_id: UUID) -> ResponseReturnValue:
    return _save_train(code, train_id)


def _save_train(code: str, train_id: UUID | None) -> ResponseReturnValue:
    of = _load(code)
    train = queries.get_train(session(), of, train_id) if train_id else None
    form, refusal = TrainForm(obj=train), ""
    if form.is_sent():
        facts = form.facts()
        refusal = refusal_of(lambda: service.save_train(session(), of, facts, train=train, by=actor(), at=now()))
        if not refusal:
            flash(_("Saved."))
            return _back(of)
    page = render_template("releases/train.html", product=of, train=train, form=form, refusal=refusal)
    return page, UNPROCESSABLE if refusal or form.errors else 200


@bp.route("/releases/products/<code>/export-rules", methods=["GET", "POST"])
@requires(Permission.PRODUCTS_MANAGE)
def add_export_rule(code: str) -> ResponseReturnValue:
    of = _load(code)
    form, refusal = ExportRuleForm(), ""
    if form.is_sent():
        facts = form.facts()
        refusal = refusal_of(lambda: service.add_export_rule(session(), of, facts, by=actor(), at=now()))
        if not refusal:
            flash(_("Saved."))
            return _back(of)
    page = render_template("releases/export_rule.html", product=of, form=form, refusal=refusal)
    return page, UNPROCESSABLE if refusal or form.errors else 200


@bp.post("/releases/products/<code>/export-rules/<uuid:rule_id>/remove")
@requires(Permission.PRODUCTS_MANAGE)
def remove_export_rule(code: str, rule_id: UUID) -> ResponseReturnValue:
    of = _load(code)
    rule = next((one for one in queries.export_rules(session(), of.id) if one.id == rule_id), None)
    if rule is None:
        raise NotFound
    service.remove_export_rule(session(), of, rule, by=actor(), at=now())
    flash(_("The export rule is removed."))
    return _back(of)
