"""What docs/security.md says: every test that it names is there, and what can be read off the source is held there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bot.config import load
from bot.discovery import find, fingerprint
from bot.errors import ConfigError

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]

OPERATORS = {
    f"plugins/{name}.py" for name in ("chat/sharing", "chat/openai", "chat/remote", "chat/managed", "imagine/bfl", "imagine/remote")
}
"""The model halves that speak to servers which the operator configured; no address of theirs comes from a chat."""


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


def test_plugins_reach_the_network_by_their_context_or_by_what_the_operator_configured() -> None:
    """No code of a front half opens a connection, so there is no way around `ctx.fetch`."""
    reaching = {path for path in trees() if imports(path) & {"httpx", "requests", "aiohttp", "socket", "urllib.request", "http"}}
    assert {path for path in reaching if path.startswith("plugins/")} == OPERATORS
    assert {path for path in reaching if path.startswith("bot/router/")} == {"bot/router/fetch.py", "bot/router/app.py"}


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
