import pytest

PAGES = (
    "/account", "/account/password", "/account/tokens", "/people", "/people/invite", "/organisations",
    "/organisations/new",
)  # fmt: skip


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_page_is_drawn_in_each_language(world, language):
    admin = world.of("admin")
    admin.submit(f"/language/{language}", page="/account")
    pages = [
        *PAGES,
        f"/people/{world.people['alpha-engineer'].id}",
        f"/people/invite?organisation={world.alpha.id}",
        f"/people?organisation={world.alpha.id}",
        f"/organisations/{world.alpha.id}",
        f"/organisations/{world.alpha.id}/hold",
    ]
    for page in pages:
        answer = admin.get(page)
        assert answer.status_code == 200, (page, answer.text)
        assert f'<html lang="{language}">' in answer.text
        assert "style=" not in answer.text
