"""The form of a plugin's configuration: what it shows, and what becomes of what is filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr

from bot.editing import Draft
from bot.errors import BadArguments
from bot.plugins import Loaded
from bot.web.configuring import Blank, Entry

TOML = """# what it is for
[plugins.weather]
city = "Lisbon"  # sunny
chain = ["a secret of several"]
either = { word = "a secret of one kind" }
doors = [{ word = "a secret in a table of a list" }]
pin = "a secret in the file"

# one for each sea
[plugins.weather.stations.north]
env = { WORD = "a secret of a pair" }
url = "http://north.example"  # cold

[plugins.weather.names]
lx = "Lisbon"
"""

HIDDEN = "HOBNOB_PLUGINS__WEATHER__KEY"


class Door(BaseModel):
    word: SecretStr


class Station(BaseModel):
    url: str
    env: dict[str, SecretStr] = {}
    speed: int = Field(default=3, ge=1, le=9)


class Config(BaseModel):
    city: str = "Porto"
    units: Literal["metric", "imperial"] = "metric"
    words: tuple[str, ...] = ("sun",)
    key: SecretStr | None = None
    pin: SecretStr | None = None
    chain: list[SecretStr] = []
    either: int | Door = 1
    doors: list[Door] = []
    mixed: int | str = 1
    home: Station = Station(url="http://home.example")
    stations: dict[str, Station] = {}
    names: dict[str, str] = {}


@pytest.fixture
def draft(tmp_path: Path) -> Draft:
    (tmp_path / "bot.toml").write_text(TOML)
    (tmp_path / ".env").write_text(f"{HIDDEN}='a secret beside it'\n")
    return Draft(tmp_path / "bot.toml")


def blank(draft: Draft, **environ: str) -> Blank:
    return Blank(Loaded("weather", object(), config=Config(key=SecretStr("a secret beside it"))), draft, {HIDDEN: "x", **environ})


def row(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(one for one in rows if one["name"] == name)


def test_a_form_shows_what_holds_and_no_secret(draft: Draft) -> None:
    rows = blank(draft, HOBNOB_PLUGINS__WEATHER__UNITS="imperial").rows()
    assert "secret" not in str([{**one, "kind": ""} for one in rows])
    kinds = {one["name"]: one["kind"] for one in rows}
    assert kinds == {
        **{
            "enabled": "boolean",
            "switchable": "boolean",
            "city": "text",
            "units": "text",
            "words": "list",
            "key": "secret",
            "pin": "secret",
        },
        **{"chain": "hidden", "either": "hidden", "doors": "hidden", "mixed": "parts"},
        **{"home": "table", "stations": "tables", "names": "pairs"},
    }
    assert (row(rows, "city")["value"], row(rows, "city")["begins"], row(rows, "city")["set"]) == ("Lisbon", "Porto", True)
    assert (row(rows, "units")["value"], row(rows, "units")["fixed"]) == ("imperial", "HOBNOB_PLUGINS__WEATHER__UNITS")
    assert row(rows, "key")["set"] and row(rows, "pin")["set"] and not row(rows, "key")["fixed"]
    north = row(rows, "stations")["entries"][0]
    assert (north["name"], row(north["fields"], "url")["value"]) == ("north", "http://north.example")
    assert (row(north["fields"], "env")["kind"], row(north["fields"], "env")["set"]) == ("hidden", True)
    assert not row(row(rows, "home")["fields"], "env")["set"]
    assert (row(north["fields"], "speed")["at"], row(north["fields"], "speed")["most"]) == (["stations", "north", "speed"], 9)


def test_what_is_filled_in_becomes_a_draft_that_keeps_comments_and_shows_no_secret(draft: Draft) -> None:
    filled: list[tuple[tuple[str, ...], Any]] = [
        (("city",), None),
        (("words",), ["sun", "sea"]),
        (("enabled",), False),
        (("key",), "another secret"),
        (("home", "speed"), 5),
        (("stations", "north", "speed"), 7),
        (("stations", "south"), {}),
        (("stations", "south", "url"), "http://south.example"),
        (("names",), {"op": "Porto"}),
    ]
    blank(draft).fill([Entry(at=at, value=value) for at, value in filled])
    assert draft.text == (
        TOML.replace('city = "Lisbon"  # sunny\n', "")
        .replace('the file"\n', 'the file"\nwords = ["sun", "sea"]\nenabled = false\n')
        .replace("# cold\n", "# cold\nspeed = 7\n")
        .replace(
            'lx = "Lisbon"\n',
            'op = "Porto"\n\n[plugins.weather.home]\nspeed = 5\n\n[plugins.weather.stations.south]\nurl = "http://south.example"\n',
        )
    )
    assert f"{HIDDEN} is set (not shown)" in draft.shown()
    assert "secret" not in draft.shown()
    blank(draft).fill([Entry(at=("stations", "north"), value=None)])
    assert "# one for each sea" in draft.text
    assert "north" not in draft.text


@pytest.mark.parametrize(
    "at",
    [
        *[("path",), ("stations",), ("city", "further"), ("stations", "north", "nothing"), ("mixed",), ("home",)],
        *[("chain",), ("doors",), ("stations", "north", "env"), ("stations", "north", "env", "WORD")],
    ],
)
def test_what_the_form_does_not_have_is_not_filled_in(draft: Draft, at: tuple[str, ...]) -> None:
    with pytest.raises(BadArguments):
        blank(draft).fill([Entry(at=at, value="x")])
    assert not draft.changed
