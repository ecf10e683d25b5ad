import re

FORM = {"role": "on-duty", "starts_at": "2026-03-10T08:00", "ends_at": "2026-03-10T20:00", "phone": "+7 916 123-45-67"}


def add(world, who="dispatcher", person="tsc", **fields):
    given = {**FORM, "person": world.people[person].id if person in world.people else person, **fields}
    return world.of(who).submit("/rota/shifts", page="/rota", **given)


def week(world, who="tsc", day="2026-03-10"):
    answer = world.of(who).get(f"/rota?day={day}")
    assert answer.status_code == 200
    return answer.text


def test_a_week_with_its_gaps_and_overlaps(world):
    assert "Nobody is on duty:" in week(world)
    answer = add(world)
    assert (answer.status_code, answer.location) == (303, "/rota?day=2026-03-10")
    page = week(world)
    assert "Person of tsc" in page
    assert "+79161234567" in page
    assert "overlaps" not in page
    assert "2026-03-10 20:00" in page.split("Nobody is on duty:")[1]
    assert add(world, person="tsc2", starts_at="2026-03-10T19:00", ends_at="2026-03-11T08:00").status_code == 303
    assert week(world).count("overlaps") == 3  # one of them over two days
    assert "<strong>Person of tsc" not in week(world, day="2026-03-20")
    address = re.search(r'action="(/rota/shifts/[^"]+/remove[^"]*)"', week(world, "dispatcher")).group(1)
    assert world.of("dispatcher").submit(address, page="/rota").status_code == 303
    assert "overlaps" not in week(world)


def test_what_is_refused_says_so_beside_its_field(world):
    for wrong in ({"ends_at": "2026-03-10T07:00"}, {"phone": "Anna"}, {"starts_at": "soon"}, {"person": "x"}):
        assert add(world, **wrong).status_code == 422
    assert add(world, who="tsc").status_code == 403
    assert week(world, day="nonsense")
