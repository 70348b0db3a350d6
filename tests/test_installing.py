"""Plugins from elsewhere: what stands in the way is said before anything changes; then they come, stay what they are, and go again."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.config import load
from bot.errors import ConfigError
from bot.install.plan import planned
from bot.install.sources import Source

FRONT = """
from bot import Command, NoArgs, hookimpl

class Plugin:
    @hookimpl
    def register_routes(self):
        return [Command("{command}", "Greets.", NoArgs, self.greet)]

    async def greet(self, ctx, args):
        return "Hello."
"""

BOT = """# mine
[web]
port = 0  # any

# the weather, later

# the room's own
[plugins.admin]

# the end
"""


def wheel(
    index: Path, name: str, version: str, *, plugin: str = "", requires: Sequence[str] = (), command: str = "greet", **manifest: str
) -> Path:
    """A wheel as an index has it; of a plugin where that is named."""
    package, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{version}.dist-info"
    facts = {"summary": "Greets.", "api": "1", "licence": "Apache-2.0", **manifest}
    lines = "".join(f"{key} = {value if key == 'api' else repr(value)}\n" for key, value in facts.items())
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    files = {
        f"{package}/__init__.py": f'VERSION = "{version}"\n',
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if plugin:
        files |= {f"{package}/front.py": FRONT.format(command=command), f"{package}/plugin.toml": lines}
        files[f"{info}/entry_points.txt"] = f"[hobnob.plugins]\n{plugin} = {package}\n"
    files[f"{info}/RECORD"] = "".join(f"{file},sha256={_hash(text)},{len(text)}\n" for file, text in files.items()) + f"{info}/RECORD,,\n"
    path = index / f"{package}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(zipfile.ZipInfo(file), text)  # with a fixed time: the same wheel twice
    return path


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the only index that pip knows."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # pip reads it as `--no-build-isolation`
    return folder


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    path = tmp_path / "bot.toml"
    path.write_text(f'data_dir = "{tmp_path / "data"}"\n{BOT}')
    return path


def refusal(configuration: Path, source: str, room: Path, hash: str = "") -> list[str]:
    before = configuration.read_bytes()
    with pytest.raises(ConfigError) as caught:
        planned(Source.of(source), load(configuration), room, {}, hash=hash)
    assert configuration.read_bytes() == before
    assert sorted(path.name for path in configuration.parent.glob(".*")) == []
    return list(caught.value.faults)


def test_all_that_a_wheel_says_against_itself_is_said_at_once(index: Path, configuration: Path, tmp_path: Path) -> None:
    with configuration.open("a") as file:
        file.write('[models]\nuse = "commercial"\n')
    wheel(index, "hobnob-party", "1.0", plugin="chat", requires=["pydantic<2", "pip"], licence="cc-by-nc-4.0")
    room = tmp_path / "room"
    room.mkdir()
    faults = refusal(configuration, "hobnob-party", room, hash="sha256:00")
    assert len(faults) == 4, faults
    pin, name, licence, needs = faults
    assert pin.startswith("hobnob-party 1.0: expected the hash 00, found ")
    assert name == "chat is the name of a plugin of hobnob: remove that first"
    assert licence.endswith("is for private and public use only, and `models.use` is 'commercial'"), licence
    assert needs.startswith("hobnob-party needs pydantic<2, and 2.")


def test_what_is_here_already_and_what_is_of_another_api_is_refused_by_name(index: Path, configuration: Path, tmp_path: Path) -> None:
    path = wheel(index, "pluggy", "9.9", plugin="party", api="2")
    (tmp_path / "room").mkdir()
    here, fault = refusal(configuration, str(path), tmp_path / "room")
    assert here.startswith("pluggy 1.") and here.endswith("is installed already: `hobnob plugins update` brings another version")
    assert fault.startswith("plugin 'party': ") and "written for api = 2, and this Hobnob has 1: update Hobnob" in fault


def test_what_pip_alone_installed_lacks_its_table(
    index: Path, configuration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, room = tmp_path / "site", tmp_path / "room"
    room.mkdir()
    zipfile.ZipFile(wheel(index, "hobnob-party", "1.0", plugin="party")).extractall(site)
    monkeypatch.syspath_prepend(site)
    (fault,) = refusal(configuration, "hobnob-party", room)
    assert fault == f"hobnob-party 1.0 is installed already: write [plugins.party] into {configuration}"


def test_a_command_that_is_taken_is_found_in_a_trial(index: Path, configuration: Path, tmp_path: Path) -> None:
    wheel(index, "hobnob-party", "1.0", plugin="party", command="settings")
    (tmp_path / "room").mkdir()
    (fault,) = refusal(configuration, "hobnob-party", tmp_path / "room")
    assert fault == "plugin 'party': declares the command /settings, which plugin 'admin' has already: rename one of them"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("git+https://example.com/party.git@main", "expected git+URL@COMMIT with all 40 digits"),
        ("party; rm", "expected a folder, a package of an index, or git+URL@COMMIT"),
        (".", "expected a plugin's folder, with plugin.toml, or a project"),
        ("hobnob-nobody", "Of one that lies here, name the folder: ./NAME"),
    ],
)
def test_what_cannot_be_a_source_is_a_sentence(
    index: Path, configuration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "room").mkdir()
    (fault,) = refusal(configuration, source, tmp_path / "room")
    assert said in fault


class Place:
    """An environment of its own with the packages of this one, and what a person types there."""

    def __init__(self, folder: Path, configuration: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        self.python = folder / "bin/python"
        self.site = next((folder / "lib").glob("python*")) / "site-packages"
        (self.site / "ours.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
        self.configuration = configuration
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith("HOBNOB_")}

    def plugins(self, word: str, *more: str) -> tuple[int, str]:
        command = [str(self.python), "-m", "bot.cli", "plugins", word, "--config", str(self.configuration), *more]
        nobody = subprocess.DEVNULL
        done = subprocess.run(command, env=self._environ, stdin=nobody, capture_output=True, text=True, timeout=240, check=False)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def place(tmp_path: Path, configuration: Path) -> Place:
    return Place(tmp_path / "venv", configuration)


def test_a_package_comes_is_updated_noticed_when_changed_and_goes(index: Path, place: Place) -> None:
    before = place.configuration.read_text()
    wheel(index, "hobnob-party-hats", "3.0")
    wheel(index, "hobnob-party", "1.0", plugin="party", requires=["hobnob-party-hats>=2"])

    code, said = place.plugins("add", "hobnob-party")
    assert code == 1 and "nobody answers here, and nothing was changed. With --yes it goes ahead" in said, said
    code, said = place.plugins("add", "hobnob-party", "--yes")
    assert (code, "party: Greets. Licence: Apache-2.0." in said) == (0, True), said
    assert "with hobnob-party-hats 3.0" in said
    assert place.configuration.read_text() == f"{before}\n[plugins.party]\n"
    assert (place.site / "hobnob_party_hats").is_dir()
    assert place.plugins("check", "party") == (0, "party: as it should be\n")

    wheel(index, "hobnob-party", "1.1", plugin="party", requires=["hobnob-party-hats>=2"])
    code, said = place.plugins("update", "--yes")
    assert (code, "installs hobnob-party 1.1" in said) == (0, True), said
    assert place.plugins("update", "--yes") == (0, "hobnob-party 1.1 is the newest.\n")

    (place.site / "hobnob_party/front.py").write_text("class Plugin: pass")
    assert place.plugins("check") == (1, "admin: as it should be\nparty: hobnob_party/front.py was changed since it was installed\n")

    code, said = place.plugins("remove", "party")
    assert (code, said.startswith("party is removed, with hobnob-party,hobnob-party-hats.")) == (0, True), said
    assert place.configuration.read_text().rstrip() == before.rstrip()
    assert not (place.site / "hobnob_party").exists() and not (place.site / "hobnob_party_hats").exists()
    assert not place.configuration.with_name("plugins.lock").exists()


def test_a_commit_and_a_folder_come_too(index: Path, place: Place, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "bot.cli", "plugins", "new", "fair", "--into", str(tmp_path)], check=True, capture_output=True)
    home = tmp_path / "fair"
    ours = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "First"]):
        subprocess.run(["git", *ours, *words], cwd=home, check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=home, check=True, capture_output=True, text=True).stdout.strip()

    code, said = place.plugins("add", f"git+file://{home}@{commit}", "--yes", "--set", "longest=20")
    assert code == 0, said
    assert place.configuration.read_text().endswith("[plugins.fair]\nlongest = 20\n")
    assert f'from = "git+file://{home}@{commit}"' in place.configuration.with_name("plugins.lock").read_text()

    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/plugin.toml").write_text('summary = "Plain."\napi = 1\nlicence = "MIT"\n')
    (tmp_path / "plain/front.py").write_text("class Plugin: pass\n")
    assert place.plugins("add", str(tmp_path / "plain"), "--yes")[0] == 0
    assert place.configuration.read_text().endswith(f'[plugins.plain]\npath = "{tmp_path / "plain"}"\n')
