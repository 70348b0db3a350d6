"""What the guides for authors show works: each recipe with its test, and the tutorial from the first command to the wheel."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import get_args

import yaml

from bot.cli.scaffolding import Kind, new
from bot.config import CHOICE
from tests.test_docs import ROOT, blocks
from tests.test_installing import Place
from tests.test_testing import SETTINGS, ran

ELSEWHERE = ("cd ", "hobnob run --dev", "hobnob plugins add hobnob-quotes", "hobnob plugins add git+", "mypy ", "ruff ")
"""Lines of the tutorial that other tests do: here, in `test_developing.py` and `test_installing.py`."""


def files(page: str) -> list[tuple[str, str]]:
    """(file, code) of the examples of a page, each of which says which file it is."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = re.findall(r"`([\w/]+\.py)`:\n\n```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert [code for _, code in found] == blocks(text, "python")
    return found


def written(folder: Path, examples: list[tuple[str, str]]) -> None:
    for name, code in examples:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(code, encoding="utf-8")


def test_the_recipes_pass_their_tests(tmp_path: Path) -> None:
    written(tmp_path, [*files("howto.md"), *files("replay.md")])
    plugins = sorted((path.parent for path in tmp_path.glob("*/front.py")), key=lambda home: not (home / "settings.py").exists())
    for home in plugins:
        (home / "plugin.toml").write_text('summary = "From the page."\napi = 1\nlicence = "Apache-2.0"\n')
    named = " ".join(f"{home.name}={home.name}" for home in plugins)
    (tmp_path / "pytest.ini").write_text(SETTINGS.replace("dice=dice", named))
    assert len(plugins) == len(list(tmp_path.glob("test_*.py"))) == 10
    assert re.fullmatch(r"\d+ passed in .*", ran(tmp_path))


def test_new_projects_and_the_tutorials_pass_what_their_own_workflow_checks(tmp_path: Path) -> None:
    """All of them at once, and with the cache of our own types: each alone would read all of Hobnob. Their tests: `test_testing.py`."""
    for kind in get_args(Kind):
        new(f"my-{kind}", kind, tmp_path)
    new("quotes", "command", tmp_path)
    written(tmp_path / "quotes", files("tutorial.md"))
    workflow = yaml.safe_load((tmp_path / "my-tool/.github/workflows/test.yml").read_text())
    steps = [step["run"].split()[0] for step in workflow["jobs"]["test"]["steps"] if "run" in step]
    assert steps == ["pip", "pip", "ruff", "mypy", "pytest"]
    homes = sorted(tmp_path.iterdir())
    parts = [str(path) for home in homes for path in (next(home.glob("hobnob_*")), home / "tests")]
    mypy = ["mypy", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache"), *parts]
    environ = {**os.environ, "MYPYPATH": os.pathsep.join(map(str, homes))}
    for words in (["ruff", "check", *map(str, homes)], ["ruff", "format", "--check", *map(str, homes)], mypy):
        done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_tutorial_ends_with_a_plugin_that_is_installed(tmp_path: Path) -> None:
    page = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    configuration = tmp_path / "bot.toml"
    configuration.write_text(f'data_dir = "{tmp_path / "data"}"\n[web]\nport = 0\n')
    place, here = Place(tmp_path / "venv", configuration), tmp_path
    quiet = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PYTEST_ADDOPTS": "-p no:simcord"}
    environ = {**os.environ, CHOICE: str(configuration), **quiet}
    for line in lines:
        program, *words = shlex.split(line)
        if line.startswith("cd "):
            here = here / words[0]
            written(here, files("tutorial.md"))
        if line.startswith(ELSEWHERE):
            continue
        adds = words[:2] == ["plugins", "add"]
        python = str(place.python) if adds else sys.executable
        command = [python, "-P", "-m", {"hobnob": "bot.cli"}.get(program, program), *words]  # as a program, which does not look here
        done = subprocess.run(
            [*command, *(["--yes"] if adds else [])], cwd=here, env=environ, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    assert configuration.read_text().endswith("[plugins.quotes]\n")
    assert place.plugins("check", "quotes") == (0, "quotes: as it should be\n")
