"""Who may import what, what the public API is, and that every hook is documented and tested."""

from __future__ import annotations

import ast
import inspect
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import bot
from bot import hookspecs
from bot.config import load as load_config
from bot.plugins import Half
from bot.plugins import load as load_plugins

ROOT = Path(__file__).parents[1]

HEAVY = ("torch", "transformers", "diffusers", "faster_whisper", "ctranslate2")

VOCABULARY = [import_module(f"bot.{home}") for home in bot._HOMES if home != "catalogue"]

NOT_FOR_AUTHORS = {
    "Acts",  # what stands behind a Context: the router's and the test kit's affair
    "ArgsHandler",
    "Keeping",  # what stands behind ctx.personal
    "Translation",  # the core sets the reader
    "reader",
    "reading",
    "read_in",
    "called",  # as Grant.whom and Quota.whom
    "said_of",  # what the core writes into logs
    "decided",
    "Granting",  # what stands behind ctx.permissions
    "Metering",  # what stands behind ctx.quotas
    "Owning",  # what stands behind ctx.house
    "Deciding",  # what stands behind ctx.choices
    "Completion",
    "CpuDtype",
    "Handler",
    "Kind",
    "PullError",  # of the command line
    "Trial",  # `hobnob models recommend` asks it
    "Trigger",
    "boundary",
    "fit",  # ctx.conversation.turns does it
    "hookspec",
    "message_json",
    "partial_json",
    "read_rate",  # the router's affair
    "reply_json",
    "span",  # Usage.span has it
    "shape",  # the queue and workers compare it
    "tried",
    "wanted",  # the queue asks it
}
"""Public within the house, but no part of the API for plugins."""

FROM_THE_CATALOGUE = {"Catalogue", "ChatFacts", "Entry"}
"""What a Plugin is given that asks for it."""

HOOKS = sorted(name for name in vars(hookspecs) if hasattr(getattr(hookspecs, name), "hobnob_spec"))


def test_the_public_api_is_sorted() -> None:
    assert bot.__all__ == sorted(bot.__all__)


def test_every_public_name_is_there() -> None:
    assert [name for name in bot.__all__ if not hasattr(bot, name)] == []


def test_the_public_api_is_the_whole_vocabulary() -> None:
    defined = {name for module in VOCABULARY for name in defined_in(Path(inspect.getfile(module)))}
    hooks = set(HOOKS)
    assert (defined - NOT_FOR_AUTHORS - hooks) | FROM_THE_CATALOGUE == set(bot.__all__)


def test_what_type_checkers_see_is_what_there_is() -> None:
    tree = ast.parse(Path(inspect.getfile(bot)).read_text())
    seen = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen - {"import_module", "TYPE_CHECKING", "Any"} == set(bot.__all__)


def defined_in(path: Path) -> set[str]:
    """The names that a module defines at its top and does not hide; type variables and constants are nobody's business."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if "TypeVar" not in ast.dump(value):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return {name for name in names if not name.startswith("_") and not name.isupper()}


def test_importing_the_api_loads_no_redis_and_no_pages() -> None:
    loaded = modules_after("from bot import *")
    assert not loaded & {"redis", "nicegui", "structlog", "httpx", "typer", *HEAVY}


def test_a_router_with_all_plugins_loads_no_model_library() -> None:
    loaded = modules_after(
        "from pathlib import Path\n"
        "import bot.cli.processes, bot.web.app\n"
        "from bot.config import load\n"
        "from bot.plugins import load as plugins\n"
        "assert plugins(load(Path('config/bot.toml')), 'front').loaded"
    )
    assert {"bot.router.app", "plugins.chat.front", "plugins.imagine.front", "plugins.transcribe.front"} <= loaded
    assert not loaded & set(HEAVY)


def test_a_worker_that_has_not_loaded_a_model_has_no_model_library() -> None:
    loaded = modules_after(
        "from pathlib import Path\n"
        "from bot.config import load\n"
        "from bot.plugins import load as plugins\n"
        "assert plugins(load(Path('config/bot.toml')), 'model').collect('register_models')"
    )
    assert not loaded & set(HEAVY)


def modules_after(code: str) -> set[str]:
    """What a fresh interpreter has loaded after running this."""
    program = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_layers_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("bot/messages.py", "import redis", "The vocabulary needs nothing but pydantic and pluggy BROKEN"),
        ("bot/router/gate.py", "import bot.worker", "bot.router is not allowed to import bot.worker"),
        ("bot/unheard_of.py", "import json", "The following modules are not listed as layers:\n\n- bot.unheard_of\n"),
        ("bot/unheard_of.py", "import redis", "Only bot.store speaks to Redis BROKEN"),
        ("bot/router/gate.py", "import bot.parking", "What imports model libraries at once is imported by engines alone BROKEN"),
        ("plugins/chat/front.py", "import torch", "Model libraries are for workers alone BROKEN"),
        ("plugins/chat/front.py", "import plugins.chat.model", "The front half never meets its model half BROKEN"),
        ("plugins/chat/front.py", "import bot.store.queue", "Plugins see the public API only BROKEN"),
        ("plugins/chat/front.py", "import bot.heap", "Plugins see the public API only BROKEN"),
        ("plugins/chat/engine.py", "import bot.backup", "Plugins see the public API only BROKEN"),
    ],
)
def test_a_broken_layer_is_found(tmp_path: Path, file: str, line: str, broken: str) -> None:
    for name in ("bot", "plugins"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / file).open("a") as source:
        source.write(f"\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode == 1
    assert broken in done.stdout


def test_the_vocabulary_is_all_that_stands_under_the_hooks() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    lower = " | ".join(floors[floors.index("asking | hookspecs") :]).split(" | ")
    vocabulary = next(contract["source_modules"] for contract in contracts if contract["name"].startswith("The vocabulary"))
    assert sorted(vocabulary) == sorted(f"bot.{module}" for module in lower)


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command as run; run(['--no-cache'])"
    surroundings = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_with_its_signature_and_an_example_that_loads(hook: str, tmp_path: Path) -> None:
    page = (ROOT / "docs/plugins.md").read_text()
    signature = str(inspect.signature(getattr(hookspecs, hook))).replace("'", "")
    heading = f"### `{hook}{signature}`"
    assert heading in page
    example = page.split(heading)[1].split("```python\n")[1].split("```")[0]
    assert f"def {hook}(" in example
    half: Half = "model" if hook == "register_models" else "front"
    (tmp_path / f"{half}.py").write_text(example)
    (tmp_path / "plugin.toml").write_text('summary = "From the page."\napi = 1\nlicence = "Apache-2.0"\n')
    (tmp_path / "bot.toml").write_text(f'[plugins.example]\npath = "{tmp_path}"\n')
    plugins = load_plugins(load_config(tmp_path / "bot.toml"), half)
    assert list(plugins.loaded) == ["example"]
    assert not hook.startswith("register_") or plugins.collect(hook)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_tested(hook: str) -> None:
    assert re.search(rf"^(async )?def test_hook_{hook}\b", (ROOT / "tests/test_plugins.py").read_text(), re.MULTILINE)
