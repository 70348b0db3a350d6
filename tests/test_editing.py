"""Only what is meant changes in a configuration file."""

from __future__ import annotations

import pytest

from bot.editing import with_plugin, without_plugin
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


def test_a_table_goes_with_those_below_it_and_every_comment_of_others_stays() -> None:
    assert without_plugin(TEXT, "weather") == (
        '# top\ndata_dir = "x"\n\n\n# about chat\n[plugins.chat]\nmodels = [\n    "a",\n]\n\n[[other]]\n'
    )
    assert without_plugin(TEXT, "chat") == TEXT.replace('[plugins.chat]\nmodels = [\n    "a",\n]\n', "")


def test_a_table_comes_last() -> None:
    assert with_plugin(TEXT, "party", {"size": 3, "defaults": {"loud": True}}) == (
        TEXT + "\n[plugins.party]\nsize = 3\n\n[plugins.party.defaults]\nloud = true\n"
    )
    assert with_plugin("", "party", {}) == "[plugins.party]\n"


def test_what_comes_and_goes_again_leaves_nothing() -> None:
    assert without_plugin(with_plugin(TEXT, "party", {}), "party").rstrip() == TEXT.rstrip()


@pytest.mark.parametrize("text", ["plugins = {weather = {}}\n", "plugins.weather.city = 'x'\n", "[plugins]\nweather = {}\n"])
def test_what_cannot_be_changed_safely_is_left_to_a_person(text: str) -> None:
    with pytest.raises(ConfigError, match="by hand"):
        without_plugin(text, "weather")
