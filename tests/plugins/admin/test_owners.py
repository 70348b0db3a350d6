"""How somebody becomes an owner."""

from __future__ import annotations

from tests.plugins.admin.hall import ANN, BOB, Hall

UNKNOWN = "This code is not known, used up, or older than a day. Whoever runs me gets a new one with `hobnob claim`."


async def test_a_code_makes_one_owner_once(hall: Hall) -> None:
    code = await hall.house.offer()
    assert await hall.say("/claim AAAA-BBBB-CCCC") == UNKNOWN
    assert "You own me now" in await hall.say(f"/claim {code.lower().replace('-', ' ')}", ANN)
    assert await hall.say(f"/claim {code}", BOB) == UNKNOWN
    assert [owner.name for owner in (await hall.house.get()).owners.values()] == ["Ann"]
    assert [(deed.name, deed.what) for deed in await hall.house.deeds(5)] == [("Ann", "became an owner")]
