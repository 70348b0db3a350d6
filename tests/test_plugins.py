"""Loading plugins: what each hook gives, and what is said when a plugin is wrong."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot import (
    Address,
    BotError,
    Command,
    ConfigError,
    Context,
    Event,
    Listener,
    Message,
    NoArgs,
    Person,
    PluginError,
    Refusal,
    Tool,
    hookimpl,
)
from bot.calls import REST, Calls
from bot.config import Config
from bot.config import load as load_config
from bot.messages import Text
from bot.plugins import MOST_FAILURES, Half, Loaded, Plugins, load

HERE = Path(__file__).parent / "data/plugins"

MANIFEST = 'summary = "A test."\napi = 1\nlicence = "Apache-2.0"\n'


def configured(folder: Path, text: str) -> Config:
    path = folder / "bot.toml"
    path.write_text(text)
    return load_config(path)


def everything(folder: Path, more: str = "") -> Config:
    return configured(folder, f'[plugins.everything]\npath = "{HERE / "everything"}"\n{more}')


def plugin(folder: Path, name: str = "mine", **files: str) -> Config:
    """A configuration with one plugin, whose files are written first."""
    home = folder / name
    home.mkdir()
    for part, text in {"plugin.toml": MANIFEST, **{f"{part}.py": text for part, text in files.items()}}.items():
        (home / part).write_text(text)
    return configured(folder, f'[plugins.{name}]\npath = "{home}"\n')


def fault(config: Config, half: Half = "front") -> str:
    with pytest.raises(BotError) as caught:
        load(config, half)
    return str(caught.value)


def message(text: str = "hello") -> Message:
    return Message("1", "1", Address("test", "server", "channel"), Person("ann", "Ann"), (Text(text),))


async def silent(ctx: Context, args: Any = None) -> None:
    """A handler."""


# Each hook: what it gives ------------------------------------------------------------------------------------------------


def test_hook_register_connectors(tmp_path: Path) -> None:
    ((name, connector),) = load(everything(tmp_path), "front").collect("register_connectors")
    assert (name, connector.name) == ("everything", "letters")


def test_hook_register_routes(tmp_path: Path) -> None:
    ((name, route),) = load(everything(tmp_path), "front").collect("register_routes")
    assert (name, type(route), route.name) == ("everything", Command, "greet")


def test_hook_register_tools(tmp_path: Path) -> None:
    ((name, tool),) = load(everything(tmp_path), "front").collect("register_tools")
    assert (name, type(tool), tool.name) == ("everything", Tool, "wave")


def test_hook_register_models(tmp_path: Path) -> None:
    ((name, model),) = load(everything(tmp_path), "model").collect("register_models")
    assert (name, model.name) == ("everything", "parrot")


def test_hook_admit(tmp_path: Path) -> None:
    plugins = load(everything(tmp_path), "front")
    assert plugins.admit(["everything"], message("hello")) is None
    assert plugins.admit(["everything"], message("LOUD")) == Refusal("Quiet, please.")


async def test_hook_lifespan(tmp_path: Path) -> None:
    plugins = load(everything(tmp_path), "front")
    async with AsyncExitStack() as stack:
        for span in plugins.lifespans():
            await stack.enter_async_context(span)
        assert done(plugins) == ["entered"]
    assert done(plugins) == ["entered", "left"]


def test_hook_observe(tmp_path: Path) -> None:
    plugins = load(everything(tmp_path), "front")
    plugins.observe(["everything"], Event("ticket.finished", 0.0))
    assert done(plugins) == ["ticket.finished"]


def done(plugins: Plugins) -> list[str]:
    found: list[str] = plugins.loaded["everything"].plugin.done  # type: ignore[attr-defined]  # the test plugin's own list
    return found


# What is imported --------------------------------------------------------------------------------------------------------


def test_only_what_the_configuration_lists_is_imported(tmp_path: Path) -> None:
    assert not load(configured(tmp_path, ""), "front").loaded
    assert not load(configured(tmp_path, ""), "model").loaded


def test_the_other_half_is_not_imported(tmp_path: Path) -> None:
    config = plugin(tmp_path, front="class Plugin: pass", model="raise SystemError('imported')")
    assert list(load(config, "front").loaded) == ["mine"]


def test_a_plugin_may_lack_a_half(tmp_path: Path) -> None:
    config = configured(tmp_path, f'[plugins.bare]\npath = "{HERE / "bare"}"')
    assert list(load(config, "front").loaded) == ["bare"]
    assert not load(config, "model").loaded


def test_two_folders_of_one_name_are_two_packages(tmp_path: Path) -> None:
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        config = plugin(tmp_path / place, front=f"class Plugin: place = {place!r}")
        assert load(config, "front").loaded["mine"].plugin.place == place  # type: ignore[attr-defined]


def test_a_package_may_have_an_init_of_its_own(tmp_path: Path) -> None:
    config = plugin(tmp_path, __init__="WORD = 'set'", front="from . import WORD\nclass Plugin: word = WORD")
    assert load(config, "front").loaded["mine"].plugin.word == "set"  # type: ignore[attr-defined]


def test_an_installed_package_offers_a_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "offered", "hobnob_test_offer")
    loaded = load(configured(tmp_path, "[plugins.offered]"), "front").loaded["offered"]
    assert loaded.version.startswith("2.5+")


def test_two_packages_that_offer_one_name_are_both_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "offered", "hobnob_test_one")
    install(tmp_path, monkeypatch, "offered", "hobnob_test_two")
    found = fault(configured(tmp_path, "[plugins.offered]"))
    assert found == "plugin 'offered': is the name of two installed plugins: hobnob_test_one and hobnob_test_two. Uninstall one of them"


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str) -> None:
    """What an installer would leave behind."""
    home, info = folder / package, folder / f"{package}-2.5.dist-info"
    home.mkdir()
    info.mkdir()
    (home / "plugin.toml").write_text(MANIFEST)
    (home / "front.py").write_text("class Plugin: pass")
    (home / "__init__.py").touch()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 2.5\n")
    (info / "entry_points.txt").write_text(f"[hobnob.plugins]\n{name} = {package}\n")
    if str(folder) not in sys.path:
        monkeypatch.syspath_prepend(folder)


# Configuration and settings ----------------------------------------------------------------------------------------------


def test_a_plugin_is_given_its_config(tmp_path: Path) -> None:
    config = everything(tmp_path, 'greeting = "Good day"')
    assert load(config, "front").loaded["everything"].plugin.config.greeting == "Good day"  # type: ignore[attr-defined]
    assert load(config, "model").loaded["everything"].plugin.config.greeting == "Good day"  # type: ignore[attr-defined]


def test_a_wrong_option_names_file_line_and_key(tmp_path: Path) -> None:
    found = fault(everything(tmp_path, 'loudness = 12\ngreting = "x"'))
    assert found.splitlines() == [
        f"{tmp_path}/bot.toml:3: plugins.everything.loudness: expected less than or equal to 11, found 12",
        f"{tmp_path}/bot.toml:4: plugins.everything.greting: there is no such key (did you mean 'greeting'?);"
        " allowed here: greeting, loudness, token",
    ]


def test_a_plugin_without_config_takes_no_options(tmp_path: Path) -> None:
    config = configured(tmp_path, f'[plugins.bare]\npath = "{HERE / "bare"}"\nsize = 1')
    assert fault(config).endswith("bot.toml:3: plugins.bare.size: there is no such key; allowed here: nothing")


def test_operators_defaults_and_locks_are_kept(tmp_path: Path) -> None:
    loaded = load(everything(tmp_path, 'locked = ["tone"]\ndefaults.tone = "curt"'), "front").loaded["everything"]
    assert (dict(loaded.defaults), set(loaded.locked)) == ({"tone": "curt"}, {"tone"})


def test_defaults_and_locks_must_fit_the_settings(tmp_path: Path) -> None:
    found = fault(everything(tmp_path, 'locked = ["tune"]\n[plugins.everything.defaults]\ntone = "loud"\nsize = 1'))
    assert "bot.toml:3: plugins.everything.locked: 'tune': there is no such key (did you mean 'tone'?); allowed here: length, tone" in found
    assert "bot.toml:5: plugins.everything.defaults.tone: expected 'kind' or 'curt', found 'loud'" in found
    assert "bot.toml:6: plugins.everything.defaults.size: there is no such key; allowed here: length, tone" in found


def test_a_setting_without_a_default_is_refused(tmp_path: Path) -> None:
    settings = "from pydantic import BaseModel\nclass Settings(BaseModel):\n    size: int"
    found = fault(plugin(tmp_path, front="class Plugin: pass", settings=settings))
    assert found == "plugin 'mine': settings.py: expected a default for every setting, found none for size"


# What is wrong with a plugin ---------------------------------------------------------------------------------------------


def test_an_unknown_plugin_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    found = fault(configured(tmp_path, "[plugins.chatt]"))
    assert "bot.toml:1: plugins.chatt: no such plugin is installed (there is: " in found
    assert "chat" in found


def test_a_path_that_is_no_folder_is_named(tmp_path: Path) -> None:
    found = fault(configured(tmp_path, '[plugins.mine]\npath = "gone"'))
    assert found == f"{tmp_path}/bot.toml:2: plugins.mine.path: expected a plugin's folder, found nothing at {tmp_path}/gone"


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    config = plugin(tmp_path, front="class Plugin: pass")
    (tmp_path / "mine/plugin.toml").unlink()
    assert fault(config).startswith(f"plugin 'mine': {tmp_path}/mine/plugin.toml: expected a configuration file that can be read")


@pytest.mark.parametrize(("api", "remedy"), [(2, "update Hobnob"), (0, "update the plugin; what to change in it stands in docs/")])
def test_a_manifest_of_another_version_says_what_to_update(tmp_path: Path, api: int, remedy: str) -> None:
    config = plugin(tmp_path, front="class Plugin: pass")
    (tmp_path / "mine/plugin.toml").write_text(MANIFEST.replace("api = 1", f"api = {api}"))
    said = f"it is written for api = {api}, and this Hobnob has 1: {remedy}"
    assert fault(config).startswith(f"plugin 'mine': {tmp_path}/mine/plugin.toml:2: api: {said}")


def test_an_unfinished_manifest_names_what_is_missing(tmp_path: Path) -> None:
    config = plugin(tmp_path, front="class Plugin: pass")
    (tmp_path / "mine/plugin.toml").write_text('summary = "x"\napi = 1\n')
    assert fault(config) == f"plugin 'mine': {tmp_path}/mine/plugin.toml: licence: expected a value, found none"


def test_a_plugin_with_neither_half_is_refused(tmp_path: Path) -> None:
    assert fault(plugin(tmp_path)) == f"plugin 'mine': expected front.py or model.py in {tmp_path}/mine, found neither"


@pytest.mark.parametrize(
    ("front", "what"),
    [
        (
            "import nothing_of_that_name",
            "ModuleNotFoundError: No module named 'nothing_of_that_name' (front.py:1); install it beside Hobnob",
        ),
        ("\n1 / 0", "ZeroDivisionError: division by zero (front.py:2)"),
        ("class Plugin\n", "SyntaxError: expected ':' (front.py, line 1) (front.py:1)"),
    ],
)
def test_a_plugin_that_cannot_be_imported_says_where(tmp_path: Path, front: str, what: str) -> None:
    assert fault(plugin(tmp_path, front=front)) == f"plugin 'mine': front.py cannot be imported: {what}"


def test_a_module_without_a_plugin_class_is_named(tmp_path: Path) -> None:
    assert fault(plugin(tmp_path, front="")) == "plugin 'mine': front.py: expected `class Plugin`, found None"


def test_a_plugin_that_cannot_be_made_says_where(tmp_path: Path) -> None:
    front = "class Plugin:\n    def __init__(self):\n        raise OSError('no')"
    assert fault(plugin(tmp_path, front=front)) == "plugin 'mine': front.py: Plugin cannot be made: OSError: no (front.py:3)"


@pytest.mark.parametrize(
    ("hook", "what"),
    [
        ("def register_route(self): return []", "register_route is no hook (did you mean register_routes?)"),
        ("async def admit(self, message): return None", "admit: expected a plain `def`, found `async def`"),
        ("async def lifespan(self): yield", "lifespan: expected a plain `def`, found `async def`"),
        ("def register_models(self): return []", "register_models belongs in model.py, found in front.py"),
        ("def admit(self, words): return None", "words"),
        ("def register_routes(self): return 1 / 0", "register_routes: ZeroDivisionError: division by zero"),
        ("def register_tools(self): return ['x']", "expected a Tool, found 'x'"),
        ("def register_routes(self): return ['x']", "expected a Command, Listener, Action, Reaction or Schedule, found 'x'"),
        ("def register_connectors(self): return ['x']", "expected a Connector with a name and limits, found 'x'"),
    ],
)
def test_a_wrong_hook_names_the_plugin_and_the_fault(tmp_path: Path, hook: str, what: str) -> None:
    found = fault(plugin(tmp_path, front=f"from bot import hookimpl\nclass Plugin:\n    @hookimpl\n    {hook}"))
    assert found.startswith("plugin 'mine': ")
    assert what in found


def test_a_hook_wrapper_is_refused(tmp_path: Path) -> None:
    front = "from bot import hookimpl\nclass Plugin:\n    @hookimpl(wrapper=True)\n    def admit(self, message):\n        return (yield)"
    assert "admit: expected a plain hook, found a wrapper" in fault(plugin(tmp_path, front=front))


def test_every_fault_of_every_plugin_is_named_at_once(tmp_path: Path) -> None:
    for name, front in {"one": "1 / 0", "two": "", "three": "class Plugin: pass"}.items():
        plugin(tmp_path, name, front=front)
    text = "".join(f'[plugins.{name}]\npath = "{tmp_path / name}"\n' for name in ("one", "two", "three")) + "[plugins.four]\n"
    with pytest.raises(ConfigError) as caught:
        load(configured(tmp_path, text), "front")
    assert [word in found for word, found in zip(("'one'", "'two'", "plugins.four"), caught.value.faults, strict=True)] == [True] * 3


# Items that do not go together -------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Declares:
    """A front half that declares what it is given."""

    routes: Iterable[Any] = ()
    connectors: Iterable[Any] = ()

    @hookimpl
    def register_routes(self) -> Iterable[Any]:
        return self.routes

    @hookimpl
    def register_connectors(self) -> Iterable[Any]:
        return self.connectors


def together(**plugins: Declares) -> str:
    with pytest.raises(PluginError) as caught:
        Plugins(Loaded(name, one) for name, one in plugins.items())
    return str(caught.value)


def test_two_commands_of_one_name_are_refused_naming_both() -> None:
    greet = Command("greet", "Greets.", NoArgs, silent)
    found = together(first=Declares([greet]), second=Declares([greet]))
    assert found == "plugin 'second': declares the command /greet, which plugin 'first' has already: rename one of them"


def test_two_connectors_of_one_name_are_refused_naming_both() -> None:
    connector = SimpleNamespace(name="letters", limits=None)
    found = together(first=Declares(connectors=[connector]), second=Declares(connectors=[connector]))
    assert found == "plugin 'second': declares the connector 'letters', which plugin 'first' has already: rename one of them"


def test_a_plugin_that_declares_something_twice_is_told() -> None:
    listener = Listener("all", lambda _: True, silent)
    assert (
        together(mine=Declares([listener, listener])) == "plugin 'mine': declares Listener 'all' of plugin 'mine' twice: rename one of them"
    )


def test_listeners_of_two_plugins_may_share_a_name() -> None:
    listener = Listener("all", lambda _: True, silent)
    assert len(Plugins([Loaded("a", Declares([listener])), Loaded("b", Declares([listener]))]).collect("register_routes")) == 2


def test_a_handler_that_cannot_wait_is_refused() -> None:
    assert "expected `async def` as its handler" in together(mine=Declares([Command("greet", "Greets.", NoArgs, print)]))  # type: ignore[arg-type]


def test_a_command_that_no_platform_takes_is_refused() -> None:
    assert "expected 1 to 32 of a-z, 0-9 and _ as its name" in together(mine=Declares([Command("Greet me", "Greets.", NoArgs, silent)]))


def test_the_version_changes_with_the_shape_of_arguments_and_not_otherwise() -> None:
    class Size(NoArgs):
        size: int = 1

    def version(args: type[NoArgs], handler: Any) -> str:
        return Plugins([Loaded("a", Declares([Command("greet", "Greets.", args, handler)]), version="1.0")]).loaded["a"].version

    async def other(ctx: Context, args: Any) -> None:
        """Another handler."""

    assert version(NoArgs, silent) == version(NoArgs, other)
    assert version(NoArgs, silent) != version(Size, silent)
    assert version(NoArgs, silent).startswith("1.0+")


# Hooks that fail ---------------------------------------------------------------------------------------------------------


class Fails:
    """A front half that raises."""

    def __init__(self) -> None:
        self.asked = 0

    @hookimpl
    def admit(self, message: Message) -> Refusal | None:
        self.asked += 1
        raise RuntimeError("broken")

    @hookimpl
    def observe(self, event: Event) -> None:
        raise RuntimeError("broken")

    @hookimpl
    def lifespan(self) -> None:
        raise RuntimeError("broken")


class Refuses:
    """A front half that admits nobody, and remembers what it saw."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @hookimpl
    def admit(self) -> Refusal:
        return Refusal("No.")

    @hookimpl
    def observe(self, event: Event) -> None:
        self.seen.append(event.name)


def test_a_plugin_that_fails_to_admit_silences_nobody_else() -> None:
    plugins = Plugins([Loaded("fails", Fails()), Loaded("refuses", Refuses())])
    with capture_logs() as logs:
        assert plugins.admit(["fails", "refuses"], message()) == Refusal("No.")
    assert [(line["plugin"], line["log_level"]) for line in logs] == [("fails", "error")]


def test_a_plugin_that_is_off_is_not_asked() -> None:
    assert Plugins([Loaded("refuses", Refuses())]).admit([], message()) is None


def test_a_plugin_that_keeps_failing_rests_a_while() -> None:
    now, fails = [0.0], Fails()
    plugins = Plugins([Loaded("fails", fails)], calls=Calls(lambda: now[0]))
    with capture_logs() as logs:
        for _ in range(MOST_FAILURES + 2):
            plugins.admit(["fails"], message())
    assert fails.asked == MOST_FAILURES
    assert [line["event"] for line in logs][-1] == "a plugin failed too often and is not asked for a while"
    now[0] = REST + 1
    plugins.admit(["fails"], message())
    assert fails.asked == MOST_FAILURES + 1


def test_an_answer_of_another_kind_is_a_failure(tmp_path: Path) -> None:
    front = "from bot import hookimpl\nclass Plugin:\n    @hookimpl\n    def admit(self, message):\n        return 'no'"
    with capture_logs() as logs:
        assert load(plugin(tmp_path, front=front), "front").admit(["mine"], message()) is None
    assert len(logs) == 1


def test_a_plugin_that_fails_to_observe_silences_nobody_else() -> None:
    refuses = Refuses()
    plugins = Plugins([Loaded("fails", Fails()), Loaded("refuses", refuses)])
    with capture_logs() as logs:
        plugins.observe(["fails", "refuses"], Event("ticket.finished", 0.0))
    assert refuses.seen == ["ticket.finished"]
    assert [line["plugin"] for line in logs] == ["fails"]


def test_a_lifespan_that_fails_names_its_plugin() -> None:
    with pytest.raises(PluginError, match="plugin 'fails': lifespan: RuntimeError: broken"):
        Plugins([Loaded("fails", Fails())]).lifespans()


async def test_an_event_loop_is_not_needed_to_load(tmp_path: Path) -> None:
    plugins = await asyncio.to_thread(load, everything(tmp_path), "front")
    assert list(plugins.loaded) == ["everything"]


def test_who_is_left_out_changes_no_version_of_the_others() -> None:
    both = Plugins([Loaded("one", Refuses(), version="1.0"), Loaded("two", Refuses(), version="1.0")])
    left = both.without({"one": "It blocked everybody."})
    assert {name: one.version for name, one in left.loaded.items()} == {"two": both.loaded["two"].version}
