"""What the bot says is in every language that it speaks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from pydantic import BaseModel

from bot.errors import BadArguments, PluginError
from bot.locales import ENGLISH, OURS, Locales
from bot.router.arguments import validate
from bot.tables import Talking
from bot.translation import later, reader, tr, translated
from plugins.imagine.args import ImagineArgs
from plugins.imagine.settings import Settings as Pictures
from plugins.transcribe.front import TranscribeArgs
from plugins.transcribe.settings import Settings as Voice
from tools.extracting import lacking, marks, said, template, updated
from tools.texts import HEAD, ROOT, texts

ONE_MOON = """\
from bot import later, tr
KNOWN = later("a table")
def handler(n: int) -> str:
    return tr("{n} moon", "{n} moons", n=n)
"""

GERMAN = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "{n} moon"
msgid_plural "{n} moons"
msgstr[0] "{n} Mond"
msgstr[1] "{n} Monde"

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
        assert [tr("{n} moon", "{n} moons", n=n) for n in (1, 2)] == ["1 Mond", "2 Monde"]
        assert (tr("Cancel"), translated(later("Saved."))) == ("Lass das", "Saved.")
    with reader(locales.of("zh-CN", "weather")):
        assert (tr("Cancel"), tr("{n} moon", "{n} moons", n=2)) == ("取消", "2 moons")
    assert tr("Cancel") == "Cancel"


@pytest.mark.parametrize(
    ("model", "given", "said"),
    [
        (ImagineArgs, {"prompt": " "}, "没有找到"),
        (ImagineArgs, {"prompt": "x" * 3000}, "最多 2,000 个字符"),
        (ImagineArgs, {"prompt": "a cat", "size": "huge"}, "以像素表示"),
        (Pictures, {"blocked": "a," * 500}, "最多 500 个词"),
        (TranscribeArgs, {"spoken": "Klingon"}, "“Klingon”"),
        (Voice, {"language": "klingon"}, "“klingon”"),
        (Talking, {"language": "klingon"}, "语言标签"),
    ],
)
def test_what_our_validators_find_wrong_is_said_in_the_readers_language(model: type[BaseModel], given: dict[str, str], said: str) -> None:
    with reader(Locales({}).of("zh-Hans")), pytest.raises(BadArguments) as caught:
        validate(model, given)
    assert said in str(caught.value)
    assert "expected" not in str(caught.value)


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
        ("de.po", GERMAN.replace("{n} Monde", "{m} Monde"), "'{m} Monde' names other values than its text"),
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
    path.write_text(ONE_MOON)
    assert [(one.text, one.many) for one in said(path)] == [("a table", ""), ("{n} moon", "{n} moons")]
    path.write_text(ONE_MOON.replace('tr("{n} moon"', 'tr(f"{n} moon"'))
    with pytest.raises(ValueError, match=r"front.py:4: expected literals in tr"):
        list(said(path))


def test_a_new_language_begins_with_every_text_and_keeps_what_is_translated(tmp_path: Path) -> None:
    code, path = tmp_path / "front.py", tmp_path / "de.po"
    code.write_text(ONE_MOON)
    path.write_bytes(updated(path, template(said(code)), ""))
    assert [fault.partition(" ")[2] for fault in sorted(lacking(path, template(said(code))))] == [
        "'a table' is not translated",
        "('{n} moon', '{n} moons') is not translated",
    ]
    path.write_text(GERMAN)
    assert [fault for fault in lacking(path, template(said(code))) if "Cancel" in fault] == ["de.po:11: nobody says 'Cancel' any more"]
    path.write_bytes(updated(path, template(said(code)), ""))
    assert list(lacking(path, template(said(code)))) == ["de.po: 'a table' is not translated"]


SENT = frozenset(
    (
        *("Reply", "UserError", "BadArguments", "Refused", "Busy", "Unavailable", "Unmatched", "JobRefused", "Refusal"),
        *("Button", "Choice", "Select", "Form", "Option"),
    )
)
"""What has words for people in it."""

WORDS = re.compile(r"[A-Za-z]{2,}")

FOR_MODELS_AND_AUTHORS = {
    ("plugins/imagine/front.py", "The picture is drawn and shown below your answer."),
    ("plugins/chat/looking.py", " is no time zone, expected a name such as Europe/Paris"),
    ("bot/router/choosing.py", "The plugin "),
    ("bot/router/choosing.py", ' may not do that: its manifest says no `rights = ["administration"]`.'),
    ("bot/router/choosing.py", " may see and change its own settings alone."),
}
"""What a tool tells a model, and what the author of a plugin has to mend."""


def unmarked(path: Path) -> Iterator[tuple[str, str]]:
    """Words that are sent as they stand in the code, by file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    within = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and WORDS.search(node.value):
            up: ast.AST | None = node
            while up is not None and not (isinstance(up, ast.Call) and (marks(up) or getattr(up.func, "id", "") in SENT)):
                up = within.get(up)
            if isinstance(up, ast.Call) and not marks(up) and " " in node.value.strip():
                yield path.relative_to(ROOT).as_posix(), node.value


OPERATORS = ("bot/cli/", "bot/testing/", "bot/backup")
"""Where words are for operators and authors of plugins."""


def test_what_is_sent_to_people_is_marked_for_translation() -> None:
    paths = [path for folder in ("bot", "plugins") for path in sorted((ROOT / folder).rglob("*.py"))]
    theirs = [path for path in paths if not path.relative_to(ROOT).as_posix().startswith(OPERATORS)]
    assert {one for path in theirs for one in unmarked(path)} == FOR_MODELS_AND_AUTHORS
