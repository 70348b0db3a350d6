"""What the bot says is in every language that it speaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from bot.errors import PluginError
from bot.locales import ENGLISH, OURS, Locales
from bot.texts import lacking, said, template, updated
from bot.translation import later, reader, tr, translated
from tools.texts import HEAD, texts

ONE_DAY = """\
from bot import later, tr
KNOWN = later("a table")
def handler(n: int) -> str:
    return tr("{n} day", "{n} days", n=n)
"""

GERMAN = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "{n} day"
msgid_plural "{n} days"
msgstr[0] "{n} Tag"
msgstr[1] "{n} Tage"

msgid "Cancel"
msgstr "Lass das"
"""


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return texts()


@pytest.mark.parametrize("path", sorted(OURS.glob("*.po")), ids=lambda path: path.stem)
def test_everything_that_is_said_is_translated_and_nothing_else(path: Path, catalogue: Catalog) -> None:
    assert list(lacking(path, catalogue)) == []
    assert path.read_bytes() == updated(path, catalogue, HEAD), "run python -m tools.texts"


@pytest.fixture
def weather(tmp_path: Path) -> Path:
    """The folder of a plugin that speaks German."""
    (tmp_path / "locale").mkdir()
    (tmp_path / "locale/de.po").write_text(GERMAN)
    return tmp_path


def test_a_plugin_brings_a_language_of_its_own_and_its_words_go_before_others(weather: Path) -> None:
    locales = Locales({"weather": weather})
    assert locales.tags == (ENGLISH, "de", "zh-Hans")
    with reader(locales.of("de-AT", "weather")):
        assert [tr("{n} day", "{n} days", n=n) for n in (1, 2)] == ["1 Tag", "2 Tage"]
        assert (tr("Cancel"), translated(later("Saved."))) == ("Lass das", "Saved.")
    with reader(locales.of("zh-CN", "weather")):
        assert (tr("Cancel"), tr("{n} day", "{n} days", n=2)) == ("取消", "2 天")
    assert tr("Cancel") == "Cancel"


@pytest.mark.parametrize(
    ("wanted", "tag"),
    [
        *((chinese, "zh-Hans") for chinese in ("zh-CN", "zh-hans", "zh", "zh_SG", "fr,zh-CN;q=0.9,en;q=0.8")),
        ("en-GB", "en"),
        *((other, "") for other in ("zh-TW", "zh-Hant", "de-AT", "", "*", "nonsense!")),
    ],
)
def test_what_platforms_and_browsers_say_is_a_language_that_the_bot_speaks_or_none(wanted: str, tag: str) -> None:
    locales = Locales()
    assert locales.known(wanted) == tag
    assert locales.of(wanted).tag == (tag or ENGLISH)


@pytest.mark.parametrize(
    ("file", "content", "fault"),
    [
        ("klingonisch.po", GERMAN, "expected the name of a language"),
        ("de.po", GERMAN.replace("{n} Tage", "{m} Tage"), "'{m} Tage' names other values than its text"),
        ("de.po", "msgid nothing", "de.po"),
    ],
)
def test_a_catalogue_that_is_wrong_is_named_at_the_start(tmp_path: Path, file: str, content: str, fault: str) -> None:
    (tmp_path / "locale").mkdir()
    (tmp_path / "locale" / file).write_text(content)
    with pytest.raises(PluginError, match=fault) as raised:
        Locales({"weather": tmp_path})
    assert raised.value.plugin == "weather"


def test_texts_are_found_where_they_are_said(tmp_path: Path) -> None:
    path = tmp_path / "front.py"
    path.write_text(ONE_DAY)
    assert [(one.text, one.many) for one in said(path)] == [("a table", ""), ("{n} day", "{n} days")]
    path.write_text(ONE_DAY.replace('tr("{n} day"', 'tr(f"{n} day"'))
    with pytest.raises(ValueError, match=r"front.py:4: expected literals in tr"):
        list(said(path))


def test_a_new_language_begins_with_every_text_and_keeps_what_is_translated(tmp_path: Path) -> None:
    code, path = tmp_path / "front.py", tmp_path / "de.po"
    code.write_text(ONE_DAY)
    path.write_bytes(updated(path, template(said(code)), ""))
    assert [fault.partition(" ")[2] for fault in sorted(lacking(path, template(said(code))))] == [
        "'a table' is not translated",
        "('{n} day', '{n} days') is not translated",
    ]
    path.write_text(GERMAN)
    assert [fault for fault in lacking(path, template(said(code))) if "Cancel" in fault] == ["de.po:11: nobody says 'Cancel' any more"]
    path.write_bytes(updated(path, template(said(code)), ""))
    assert list(lacking(path, template(said(code)))) == ["de.po: 'a table' is not translated"]
