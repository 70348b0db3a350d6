"""Only what is meant changes in a configuration file."""

from __future__ import annotations

import pytest

from bot.editing import with_table, with_value, without
from bot.errors import ConfigError

TEXT = '''# top
data_dir = "x"

[plugins.weather]
city = "Lisbon"  # sunny
words = """
# no comment
[plugins.trap]
"""
[plugins.weather.defaults]
units = "metric"

# about chat
[plugins.chat]
models = [
    "a",
]

[[other]]
'''

PARTY = ("plugins", "party")


def test_a_table_goes_with_those_below_it_and_every_comment_of_others_stays() -> None:
    assert without(TEXT, ("plugins", "weather")) == (
        '# top\ndata_dir = "x"\n\n\n# about chat\n[plugins.chat]\nmodels = [\n    "a",\n]\n\n[[other]]\n'
    )
    assert without(TEXT, ("plugins", "chat")) == TEXT.replace('[plugins.chat]\nmodels = [\n    "a",\n]\n', "")


def test_a_value_goes_with_what_is_said_behind_it_and_nothing_else_does() -> None:
    assert without(TEXT, ("plugins", "weather", "city")) == TEXT.replace('city = "Lisbon"  # sunny\n', "")
    assert without(TEXT, ("plugins", "chat", "models")) == TEXT.replace('models = [\n    "a",\n]\n', "")
    assert without(TEXT, ("plugins", "weather", "defaults", "units")) == TEXT.replace('units = "metric"\n', "")


def test_a_table_comes_last() -> None:
    assert with_table(TEXT, PARTY, {"size": 3, "defaults": {"loud": True}}) == (
        TEXT + "\n[plugins.party]\nsize = 3\n\n[plugins.party.defaults]\nloud = true\n"
    )
    assert with_table("", PARTY, {}) == "[plugins.party]\n"


def test_what_comes_and_goes_again_leaves_nothing() -> None:
    assert without(with_table(TEXT, PARTY, {}), PARTY).rstrip() == TEXT.rstrip()


@pytest.mark.parametrize("text", ["plugins = {weather = {}}\n", "plugins.weather.city = 'x'\n", "[plugins]\nweather = {}\n"])
def test_what_cannot_be_changed_safely_is_left_to_a_person(text: str) -> None:
    with pytest.raises(ConfigError, match="by hand"):
        without(text, ("plugins", "weather"))


def test_a_value_goes_behind_the_others_of_its_table_and_before_what_is_said_of_the_next() -> None:
    assert with_value(TEXT, ("plugins", "weather", "defaults", "days"), 3) == TEXT.replace('"metric"\n', '"metric"\ndays = 3\n')
    assert with_value(TEXT, ("plugins", "chat", "models"), ["b", "c"]) == TEXT.replace('[\n    "a",\n]', '["b", "c"]')
    assert with_value(TEXT, ("plugins", "weather", "city"), "a # b") == TEXT.replace('"Lisbon"', '"a # b"')
    assert with_value(TEXT, ("data_dir",), "y") == TEXT.replace('"x"', '"y"')
    assert with_value("", ("plugins", "chat", "running", "qwen2.5", "bits"), 4) == '[plugins.chat.running."qwen2.5"]\nbits = 4\n'


@pytest.mark.parametrize("text", ["plugins = {chat = {}}\n", "plugins.chat.city = 'x'\n"])
def test_a_value_that_cannot_be_set_safely_is_left_to_a_person(text: str) -> None:
    with pytest.raises(ConfigError, match="by hand"):
        with_value(text, ("plugins", "chat", "models"), ["a"])
