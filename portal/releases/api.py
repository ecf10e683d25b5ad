"""Releases for programs: draft, files, notes, review, publication."""

from uuid import UUID

from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from portal.errors import NotFound
from portal.permissions import Permission
from portal.releases import payloads, queries, receiving, service
from portal.releases.digests import declared_sha256
from portal.releases.errors import BadReplacement, WrongTrain
from portal.releases.models import ArtifactRole, Product, Release, Train
from portal.releases.names import parse_file_name
from portal.releases.payloads import artifact_payload, parse_choice, product_payload, release_payload, whole_payload
from portal.releases.receiving import Announced
from portal.releases.texts import clean
from portal.releases.uploads import PLATFORM, PLATFORM_CHARS
from portal.releases.versions import Version
from portal.web.formats import now
from portal.web.guard import actor, public, requires
from portal.web.unit_of_work import let_go, resources, session

bp = Blueprint("releases_api", __name__, url_prefix="/api/v1")

NO_LIMIT = 1 << 62
LARGEST_NOTES_BYTES = 16 << 20
"""Eleven sections of 100,000 characters, in Cyrillic and escaped, with room to spare."""


@bp.url_value_preprocessor
def expect_long_bodies(endpoint: str | None, values: object) -> None:  # noqa: ARG001 - Flask's signature
    """Before anything looks at the body: what a form may hold is no measure for a file or for notes."""
    if endpoint == "releases_api.put_artifact":
        request.max_content_length = NO_LIMIT  # the store holds the setting's limit, and the refusal has its own code
        # Raw bytes, whatever the client calls them: `curl --data-binary` says that they are a form.
        request.environ["CONTENT_TYPE"] = "application/octet-stream"
    elif endpoint == "releases_api.put_notes":
        request.max_content_length = LARGEST_NOTES_BYTES


@bp.get("/limits")
@public
def limits() -> ResponseReturnValue:
    """What a client can know before it sends anything."""
    return jsonify(max_artifact_bytes=resources().config.max_artifact_bytes)


@bp.get("/keys")
@public
def keys() -> ResponseReturnValue:
    """Every release key with its dates, active, retired and revoked."""
    return current_app.response_class(resources().keys.ring().to_json(), mimetype="application/json")


@bp.get("/products")
@requires(Permission.RELEASES_READ)
def products() -> ResponseReturnValue:
    found = session().scalars(queries.products(actor()))
    return jsonify(products=[product_payload(product) for product in found])


@bp.get("/products/<code>/releases")
@requires(Permission.RELEASES_READ)
def releases_of(code: str) -> ResponseReturnValue:
    product = queries.get_product(session(), code, visible_to=actor())
    found = session().scalars(queries.releases_of(product.id, actor()))
    return jsonify(product=product_payload(product), releases=[release_payload(release) for release in found])


@bp.post("/releases")
@requires(Permission.RELEASES_EDIT)
def create() -> ResponseReturnValue:
    new = payloads.NewRelease.parse(request.get_data())
    product = queries.get_product(session(), new.product, visible_to=actor())
    facts = service.ReleaseFacts(
        version=new.version,
        level=new.level,
        train=_train(product, new.train),
        is_required=new.is_required,
        is_security_fix=new.is_security_fix,
        is_free_security_fix=new.is_free_security_fix,
        lowest_from_version=new.lowest_from_version,
        embargo_until=new.embargo_until,
        downtime_minutes=new.downtime_minutes,
    )
    release = service.create_release(session(), product, facts, by=actor(), at=now())
    return jsonify(release_payload(release)), 201


def _train(product: Product, name: str) -> Train | None:
    train = next((train for train in product.trains if train.name == name), None)
    if name and train is None:
        raise WrongTrain
    return train


@bp.get("/releases/<uuid:release_id>")
@requires(Permission.RELEASES_READ)
def show(release_id: UUID) -> ResponseReturnValue:
    return _whole(_release(release_id))


def _release(release_id: UUID) -> Release:
    return queries.get(session(), release_id, visible_to=actor())


def _whole(release: Release) -> Response:
    languages = resources().config.notes_languages
    problems = [] if release.was_published else service.problems(session(), release, languages=languages)
    return jsonify(whole_payload(release, queries.publication(session(), release.id), problems))


@bp.put("/releases/<uuid:release_id>/artifacts/<path:name>")
@requires(Permission.RELEASES_EDIT)
def put_artifact(release_id: UUID, name: str) -> ResponseReturnValue:
    """The raw body becomes a file of the draft: 201, or 200 when the same bytes are there under that name already."""
    role = parse_choice(ArtifactRole, "role", request.args.get("role", ArtifactRole.IMAGE))
    platform = clean(request.args.get("platform", ""), field=PLATFORM, limit=PLATFORM_CHARS)
    limit_bytes = resources().config.max_artifact_bytes
    is_terminated = bool(request.environ.get("wsgi.input_terminated"))
    announced = Announced(request.content_length, declared_sha256(request.headers), is_terminated)
    service.require_free(session(), _release(release_id), name, announced.sha256)
    announced.require_fit(limit_bytes)
    let_go()  # no lock is held while bytes move
    received = receiving.receive(resources().store, request.stream, announced, limit_bytes=limit_bytes)
    release = _release(release_id)
    is_new = parse_file_name(name) not in {artifact.name for artifact in release.artifacts}
    file = service.NewArtifact(name, role, platform, received)
    artifact = service.add_artifact(session(), release, file, by=actor(), at=now())
    return jsonify(artifact_payload(artifact)), 201 if is_new else 200


@bp.delete("/releases/<uuid:release_id>/artifacts/<path:name>")
@requires(Permission.RELEASES_EDIT)
def delete_artifact(release_id: UUID, name: str) -> ResponseReturnValue:
    release = _release(release_id)
    artifact = next((artifact for artifact in release.artifacts if artifact.name == name), None)
    if artifact is None:
        raise NotFound
    service.remove_artifact(session(), release, artifact, by=actor(), at=now())
    return "", 204


@bp.put("/releases/<uuid:release_id>/notes")
@requires(Permission.RELEASES_EDIT)
def put_notes(release_id: UUID) -> ResponseReturnValue:
    """The notes of the languages named; `?reason=` is needed once the release is published."""
    texts, reason = payloads.parse_texts(request.get_data()), request.args.get("reason", "")
    revision = service.save_notes(session(), _release(release_id), texts, reason=reason, by=actor(), at=now())
    return jsonify(number=revision.number, at=revision.at.isoformat(), texts=revision.texts)


@bp.post("/releases/<uuid:release_id>/submit")
@requires(Permission.RELEASES_EDIT)
def submit(release_id: UUID) -> ResponseReturnValue:
    release = _release(release_id)
    service.submit(session(), release, languages=resources().config.notes_languages, by=actor(), at=now())
    return _whole(release)


@bp.post("/releases/<uuid:release_id>/return")
@requires(Permission.RELEASES_PUBLISH)
def return_to_draft(release_id: UUID) -> ResponseReturnValue:
    release, said = _release(release_id), payloads.Return.parse(request.get_data())
    service.return_to_draft(session(), release, reason=said.reason, by=actor(), at=now())
    return _whole(release)


@bp.post("/releases/<uuid:release_id>/approve")
@requires(Permission.RELEASES_APPROVE)
def approve(release_id: UUID) -> ResponseReturnValue:
    release, config = _release(release_id), resources().config
    service.approve(session(), release, languages=config.notes_languages, second_person=config.second_person_approves,
                    by=actor(), at=now())  # fmt: skip
    return _whole(release)


@bp.post("/releases/<uuid:release_id>/publish")
@requires(Permission.RELEASES_PUBLISH)
def publish(release_id: UUID) -> ResponseReturnValue:
    release, signer = _release(release_id), service.open_signer(resources())
    languages = resources().config.notes_languages
    service.publish(session(), release, languages=languages, signer=signer, by=actor(), at=now())
    return _whole(release)


@bp.post("/releases/<uuid:release_id>/withdraw")
@requires(Permission.RELEASES_WITHDRAW)
def withdraw(release_id: UUID) -> ResponseReturnValue:
    release, said = _release(release_id), payloads.Withdrawal.parse(request.get_data())
    replacement = _replacement(release, said.replacement) if said.replacement else None
    service.withdraw(session(), release, reason=said.reason, replacement=replacement, by=actor(), at=now())
    return _whole(release)


def _replacement(release: Release, text: str) -> Release:
    key = Version.parse(text, release.product.scheme).key
    found = session().scalar(
        select(Release).where(Release.product_id == release.product_id, Release.version_key == key)
    )
    if found is None:
        raise BadReplacement
    return found
