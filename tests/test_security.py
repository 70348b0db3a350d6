"""What docs/security.md says: every test that it names is there, and what can be read off the source is held there."""

from __future__ import annotations

import ast
import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import cache
from pathlib import Path

import psutil
import pytest

from bot.config import load
from bot.discovery import find, fingerprint
from bot.errors import ConfigError, UserError
from bot.media import Decoder
from bot.papers import Papers
from bot.pictures import Pictures
from bot.testing import wait_until
from tools import audit

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]

OPERATORS = {
    f"plugins/{name}.py" for name in ("chat/sharing", "chat/openai", "chat/remote", "chat/managed", "imagine/bfl", "imagine/remote")
}
"""The model halves that speak to servers which the operator configured; no address of theirs comes from a chat."""

WORDS = r"(?i)config|tokenizer|processor"
"""What is loaded beside weights, and has none."""


@cache
def trees() -> dict[str, ast.Module]:
    """Our source, by path."""
    found = [path for folder in ("bot", "plugins") for path in (ROOT / folder).rglob("*.py")]
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in found}


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """(file, what is called, the call) of everything."""
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield path, ast.unparse(node.func), node


def imports(path: str) -> set[str]:
    """The modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(trees()[path]):
        match node:
            case ast.Import(names=names):
                found |= {alias.name.partition(".")[0] for alias in names}
            case ast.ImportFrom(module=str(module)):
                found.add(module if module.startswith("urllib") else module.partition(".")[0])
    return found


def test_every_claim_has_tests_and_every_test_exists() -> None:
    there = {
        name for path in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
    }
    claims = [row for row in ROWS if row[0] not in ("from", "---")]
    assert len(claims) > 20
    for row in claims:
        named = re.findall(r"`(test_\w+)`", row[-1])
        assert named, f"{row[0]}: no test is named"
        assert set(named) <= there, f"{row[0]}: {set(named) - there}"


def test_weights_are_never_code() -> None:
    for path, tree in trees().items():
        assert not imports(path) & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}, path
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "trust_remote_code":
                assert isinstance(node.value, ast.Constant) and node.value.value is False, path
            assert not (isinstance(node, ast.Constant) and node.value == "trust_remote_code") or _false(tree, node), path
    assert not [path for path, name, _ in calls() if name in ("torch.load", "torch.hub.load", "exec", "eval")]
    loading = [(path, call) for path, name, call in calls() if name.endswith(".from_pretrained") and not re.search(WORDS, name)]
    assert len(loading) >= 4
    for path, call in loading:
        assert {"use_safetensors", "gguf_file"} & {keyword.arg for keyword in call.keywords}, f"{path}: {ast.unparse(call)}"


def _false(tree: ast.Module, key: ast.Constant) -> bool:
    """Whether this key of a dict has False as its value."""
    return any(
        isinstance(node, ast.Dict)
        and any(one is key and getattr(value, "value", None) is False for one, value in zip(node.keys, node.values, strict=True))
        for node in ast.walk(tree)
    )


def test_no_shell_is_ever_asked() -> None:
    for path, name, call in calls():
        assert name not in ("os.system", "os.popen", "subprocess.getoutput", "asyncio.create_subprocess_shell"), path
        assert not any(keyword.arg == "shell" for keyword in call.keywords), path
        assert not any(
            isinstance(node, ast.Constant) and node.value in ("sh", "bash", "/bin/sh", "/bin/bash") for node in ast.walk(call)
        ), path


READING: dict[str, Callable[[AsyncIterator[bytes]], Awaitable[object]]] = {
    "media": lambda content: anext(Decoder().clips(content, 30.0)),
    "pictures": lambda content: Pictures().read(content, 512),
    "papers": lambda content: Papers().read(content, 1000),
}


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize("kind", READING)
async def test_what_reads_files_of_strangers_has_no_environment_and_can_open_nothing(kind: str) -> None:
    go = asyncio.Event()

    async def held() -> AsyncIterator[bytes]:
        await go.wait()
        yield b"nothing of the kind"

    def workers() -> list[psutil.Process]:
        return [child for child in psutil.Process().children() if f"{kind}_worker" in " ".join(child.cmdline())]

    task = asyncio.ensure_future(READING[kind](held()))
    [worker] = await wait_until(workers)
    await wait_until(lambda: worker.rlimit(psutil.RLIMIT_NOFILE) == (3, 3))
    assert worker.environ() == {}
    assert worker.num_fds() == (4 if kind == "media" else 3), "its input, its output, nothing for complaints, and the sound"
    assert worker.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert all(0 < worker.rlimit(which)[1] < 1 << 40 for which in (psutil.RLIMIT_AS, psutil.RLIMIT_CPU))
    go.set()
    with pytest.raises(UserError):
        await task


def test_files_of_strangers_are_read_in_those_processes_alone() -> None:
    """Of the router: what decodes them is imported, once their limits stand, by what these processes run and nowhere else."""
    readers = {"av": "bot/sounds.py", "PIL": "bot/pictures_worker.py", "pypdf": "bot/papers_worker.py"}
    for path in (path for path in trees() if path.startswith("bot/")):
        for library in readers.keys() & imports(path):
            assert path == readers[library], path


def test_plugins_reach_the_network_by_their_context_or_by_what_the_operator_configured() -> None:
    """No code of a front half opens a connection, so there is no way around `ctx.fetch`."""
    reaching = {path for path in trees() if imports(path) & {"httpx", "requests", "aiohttp", "socket", "urllib.request", "http"}}
    assert {path for path in reaching if path.startswith("plugins/")} == OPERATORS
    assert {path for path in reaching if path.startswith(("bot/router/", "bot/web/"))} == {
        "bot/router/fetch.py",
        "bot/web/app.py",
        "bot/web/binding.py",
    }


def test_an_archive_is_a_file_that_nobody_opens() -> None:
    """Of what people send. Wheels of models and backups are the operator's."""
    for path, name, call in calls():
        if path.startswith(("bot/router/", "bot/connectors/", "bot/web/", "bot/store/", "plugins/")):
            assert not name.endswith(("extractall", "unpack_archive", "tarfile.open", ".decompress")), path
            assert "ZipFile" not in name or ast.unparse(call.args[1]) == "'w'", path


def test_what_opens_a_door_cannot_be_guessed() -> None:
    """At least 122 random bits, as a random UUID has."""
    bits = {"token_hex": 8.0, "token_urlsafe": 8.0, "token_bytes": 8.0}
    made = [(path, name, call) for path, name, call in calls() if name.startswith("secrets.")]
    assert len(made) >= 5
    for path, name, call in made:
        word = name.partition(".")[2]
        if word in bits and call.args and isinstance(call.args[0], ast.Constant):
            assert bits[word] * int(str(call.args[0].value)) >= 122, path


def test_a_pinned_plugin_runs_unchanged_or_not_at_all(tmp_path: Path) -> None:
    home = tmp_path / "dice"
    home.mkdir()
    (home / "plugin.toml").write_text('summary = "Dice."\napi = 1\nlicence = "MIT"\n')
    (home / "front.py").write_text("raise AssertionError('it was run')\n")
    config = tmp_path / "bot.toml"

    def pinned(by: str) -> None:
        config.write_text(f'[plugins.dice]\npath = "dice"\nsha256 = "{by}"\n')
        find(load(config), "dice")

    with pytest.raises(ConfigError, match=f"found {fingerprint(home)}"):
        pinned("?")
    known = fingerprint(home)
    pinned(known)
    (home / "__pycache__").mkdir()
    (home / "__pycache__/front.cpython-311.pyc").write_bytes(b"something else")
    pinned(known)
    assert not (home / "__pycache__").exists(), "what was compiled by others is not run"
    (home / "more.py").write_text("")
    with pytest.raises(ConfigError, match=r"bot.toml:3: plugins.dice.sha256: expected the plugin with that fingerprint"):
        pinned(known)


def test_a_library_that_nobody_knows_is_not_one_without_holes() -> None:
    told = [
        {"name": "clean", "version": "1.0", "vulns": []},
        {"name": "holed", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1", "3.0"]}]},
        {"name": "strange", "skip_reason": "it is nowhere"},
    ]
    found = audit.found(json.dumps({"dependencies": told, "fixes": []}))
    assert found == audit.Found(2, ["holed 2.0: PYSEC-1, mended in 2.1, 3.0"], ["strange: it is nowhere"])
    assert "pypdf" in {line.partition("==")[0] for line in audit.pinned()} and not [line for line in audit.pinned() if "+" in line]
