"""The act on paper: made of what was frozen and of who signed, the same bytes each time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.documents import act as paper
from portal.documents.act import ActDelivery, ActKind, CodeConfirmed, IdentityShown, Party, Power
from portal.documents.facts import FileLine, Medium
from portal.errors import mark
from portal.handovers.models import Act
from portal.mail.words import translator

TYPED = mark("The name was typed: a simple electronic signature")
BY_SIGN_IN = mark("Confirmed by sign-in to the release portal")
MEDIUM = mark("Storage medium")
CODE_CHANNEL_TITLES = {"email": mark("e-mail"), "sms": mark("text message"), "phone": mark("telephone")}


@dataclass(frozen=True)
class Drawings:
    """The pictures on the act: PNG, or None where a name was typed or nobody witnessed."""

    signature: bytes | None
    witness: bytes | None


def render(act: Act, drawings: Drawings) -> bytes:
    """The signed act as PDF. Raises PictureUnusable for a drawing that no reader of PNG can read."""
    return paper.render_act(_paper(act, drawings), act.language)


def _paper(act: Act, drawings: Drawings) -> paper.Act:
    translate = translator(act.language)
    vendor = act.record["staff"]
    staff = Party(vendor["name"], vendor["organisation"], signed_otherwise=translate(BY_SIGN_IN))
    recipient = _recipient(act, drawings.signature, translate)
    is_return = act.kind is ActKind.RETURN
    return paper.Act(
        kind=act.kind,
        number=act.number,
        at=act.signed_at or act.opened_at,
        time_zone=act.record["time_zone"],
        place=act.record["place"],
        handed_by=recipient if is_return else staff,
        received_by=staff if is_return else recipient,
        deliveries=tuple(_delivery(one, translate, is_return=is_return) for one in act.record["deliveries"]),
        paragraphs=tuple(act.record["paragraphs"]),
        witness=_witness(act, drawings.witness, translate),
        record_sha256=act.text_sha256,
    )


def _recipient(act: Act, signature: bytes | None, translate: Callable[[str], str]) -> Party:
    said = act.record["recipient"]
    code = act.code_confirmed_at and CodeConfirmed(
        channel=translate(CODE_CHANNEL_TITLES.get(act.code_channel, act.code_channel)),
        masked_address=act.code_address,
        at=act.code_confirmed_at,
    )
    return Party(
        said["name"],
        said["organisation"],
        identity=IdentityShown(said["document"], said["ending"]),
        power=_power(said["powers"][0]),
        signature=signature,
        code=code or None,
        signed_otherwise="" if signature else translate(TYPED),
    )


def _witness(act: Act, signature: bytes | None, translate: Callable[[str], str]) -> Party | None:
    if not act.witness_name:
        return None
    return Party(act.witness_name, "", signature=signature, signed_otherwise="" if signature else translate(TYPED))


def _power(power: Mapping[str, str]) -> Power:
    return Power(
        number=power["number"],
        issued_on=date.fromisoformat(power["issued_on"]),
        issued_by=power["issued_by"],
        valid_until=date.fromisoformat(power["valid_until"]),
    )


def _delivery(one: Mapping[str, Any], translate: Callable[[str], str], *, is_return: bool) -> ActDelivery:
    """An act of return lists media: the files on them stand in the act by which they were handed over."""
    files = () if is_return else tuple(FileLine(f["name"], f["size_bytes"], f["sha256"]) for f in one["files"])
    medium = Medium(translate(MEDIUM), ", ".join(one["media"])) if one["media"] else None
    return ActDelivery(one["number"], one["product"], one["version"], files, medium)
