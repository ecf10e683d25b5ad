"""From the dispatcher's first screen to an act that both sides hold."""

import hashlib

from markupsafe import escape

from tests.handovers.conftest import png


def test_several_deliveries_are_handed_over_by_one_act(world):
    world.ask("one", "ivan")
    world.ask("two", "ivan")
    page = world.of("dispatcher").get("/handovers/new").text
    assert "sokolov@alpha.example" in page
    act = world.opened("one", "two")
    assert world.states("one", "two") == ["prepared", "prepared"]
    shown = world.of("dispatcher").get(f"/handovers/acts/{act.id}/text").text
    assert "Акт приёма" in shown or "Act" in shown
    for paragraph in act.record["paragraphs"]:
        assert str(escape(paragraph)) in shown
    answer = world.sign(act, world.send_code(act))
    assert answer.status_code == 303, answer.text
    assert world.states("one", "two") == ["acknowledged", "acknowledged"]
    act = world.act(act.id)
    assert act.signature_sha256 == hashlib.sha256(png()).hexdigest()
    pdf = world.of("manager alpha").get(f"/handovers/acts/{act.id}/act.pdf")
    assert pdf.data.startswith(b"%PDF")
    assert hashlib.sha256(pdf.data).hexdigest() == act.pdf_sha256
    assert world.kinds("one")[-6:] == [
        "prepared",
        "identity-checked",
        "code-sent",
        "code-right",
        "delivered",
        "acknowledged",
    ]
