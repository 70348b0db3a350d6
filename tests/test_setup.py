"""`make setup`: what it decides and says, with scripted programs for pip, uv and nvidia-smi. The real ones run before the tests."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house import heeding_ctrl_c

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-torch.lock")

PYTHON = """#!/bin/sh
echo "$*" >> {log}
case "$*" in
    *"import platform"*) echo {version} ;;
    *--report*) cat {root}/report.json ;;
    *{stopping}*) kill -INT $PPID; exec sleep 60 ;;
    *{failing}*) echo "WARNING: noise" >&2; echo "ERROR: no space left" >&2; exit 1 ;;
esac
"""
UV = '#!/bin/sh\necho "uv $*" >> {log}\nexit {code}\n'


class Checkout:
    """A folder with what the set-up reads, and an environment whose programs only write down how they were called."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = root / "calls.log"
        for name in ("pyproject.toml", *LOCKS):
            shutil.copy(ROOT / name, root / name)
        shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
        (root / ".venv/bin").mkdir(parents=True)
        (root / "bin").mkdir()
        self.script_python()
        self.offer_torch([])

    def script_python(self, failing: str = "(nothing)", version: str = platform.python_version(), stopping: str = "(nothing)") -> None:
        text = PYTHON.format(log=self.log, version=version, root=self.root, failing=f'"{failing}"', stopping=f'"{stopping}"')
        self.script(".venv/bin/python", text)

    def script(self, path: str, text: str) -> None:
        (self.root / path).write_text(text)
        (self.root / path).chmod(0o755)

    def offer_torch(self, needs: list[str]) -> None:
        (self.root / "report.json").write_text(json.dumps({"install": [{"metadata": {"requires_dist": needs}}]}))

    def have_torch(self, version: str, cuda: str | None) -> None:
        folder = self.root / ".venv/lib/python3.11/site-packages/torch"
        folder.mkdir(parents=True)
        (folder / "version.py").write_text(f"__version__ = '{version}'\ncuda: Optional[str] = {cuda!r}\n")

    def setup(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.root}/bin:{Path(sys.executable).parent}:/usr/bin:/bin"
        return subprocess.run(
            [str(self.root / "tools/setup"), *arguments],
            env={**os.environ, "PATH": path, "PYTHON": sys.executable, **environment},
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=heeding_ctrl_c,
        )

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def installs(self) -> list[str]:
        """What was installed, by its last word."""
        words = [
            call.removeprefix("-m pip install ") for call in self.calls if call.startswith("-m pip install") and "--report" not in call
        ]
        return [re.sub(r" --(disable-pip-version-check|quiet|no-input|no-compile)", "", line) for line in words]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_packages_come_by_hash_then_torch_then_hobnob_itself(checkout: Checkout) -> None:
    done = checkout.setup()
    assert done.returncode == 0, done.stderr
    assert checkout.installs() == [
        f"--no-deps --require-hashes -r {checkout.root}/requirements.lock",
        "torch==2.13.0",
        "--no-deps --no-build-isolation --config-settings editable_mode=compat --editable .",
    ]
    said = done.stdout.splitlines()
    assert re.fullmatch(r"Installing \d+ packages, pinned in requirements\.lock …", said[0])
    assert said[1] == "Installing torch==2.13.0, the CPU build: no NVIDIA driver was found …"
    assert re.fullmatch(r"Ready in \d+ s\.", said[2])


def test_whoever_stops_it_is_told_how_it_goes_on(checkout: Checkout) -> None:
    checkout.script_python(stopping="torch==")
    done = checkout.setup()
    assert done.returncode == 130 and "The same command goes on" in done.stderr and "Traceback" not in done.stderr, done.stderr
    checkout.script_python()
    assert checkout.setup().returncode == 0


def test_a_second_run_does_nothing_and_says_nothing(checkout: Checkout) -> None:
    checkout.setup()
    before = checkout.calls
    assert checkout.setup().stdout == ""
    assert checkout.calls == before


def test_what_was_set_up_for_testing_is_enough_for_running_but_not_the_other_way(checkout: Checkout) -> None:
    checkout.setup("--dev")
    before = checkout.calls
    assert before[1].endswith("--no-input --no-compile")
    assert "requirements-dev.lock" in before[1]
    checkout.setup()
    assert checkout.calls == before
    (checkout.root / ".venv/.ready-dev").rename(checkout.root / ".venv/.ready-run")
    checkout.setup("--dev")
    assert len(checkout.calls) > len(before)


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml", "requirements-torch.lock"])
def test_a_changed_pin_sets_up_anew(checkout: Checkout, changed: str) -> None:
    checkout.setup()
    before = checkout.calls
    with (checkout.root / changed).open("a") as file:
        file.write("\n# changed\n")
    checkout.setup()
    assert len(checkout.calls) > len(before)


def test_where_the_registrys_torch_brings_cuda_a_cpu_gets_the_cpu_build(checkout: Checkout) -> None:
    checkout.offer_torch(["filelock", 'cuda-toolkit[cublas]==13.0.3; platform_system == "Linux"'])
    checkout.script(".venv/bin/uv", UV.format(log=checkout.log, code=0))
    assert checkout.setup().returncode == 0
    (call,) = [call for call in checkout.calls if call.startswith("uv")]
    assert "--torch-backend=cpu torch==2.13.0" in call
    assert "-r tools/uv.txt" in checkout.installs()
    assert not [line for line in checkout.installs() if "requirements-torch.lock" in line]


def test_where_the_cpu_build_cannot_be_reached_the_cuda_build_is_taken_and_said(checkout: Checkout) -> None:
    checkout.offer_torch(["nvidia-cublas==13.1.1.3"])
    checkout.script(".venv/bin/uv", UV.format(log=checkout.log, code=1))
    done = checkout.setup()
    assert "installing the CUDA build instead, which runs on CPUs too and takes 3 GB more" in done.stdout
    assert "--no-deps --require-hashes -r requirements-torch.lock" in checkout.installs()


def test_an_nvidia_driver_gets_the_cuda_build_in_place_of_a_cpu_build(checkout: Checkout) -> None:
    checkout.script("bin/nvidia-smi", "#!/bin/sh\nexit 0\n")
    checkout.have_torch("2.13.0+cpu", None)
    done = checkout.setup()
    assert "Installing torch==2.13.0, the CUDA build: an NVIDIA driver was found …" in done.stdout
    assert any(call.startswith("-m pip uninstall --yes torch") for call in checkout.calls)
    assert "--no-deps --require-hashes -r requirements-torch.lock" in checkout.installs()


def test_a_driver_without_a_device_gets_the_cpu_build(checkout: Checkout) -> None:
    checkout.script("bin/nvidia-smi", "#!/bin/sh\necho 'No devices were found' >&2\nexit 6\n")
    assert "the CPU build: no NVIDIA driver was found" in checkout.setup().stdout


@pytest.mark.parametrize(("version", "cuda"), [("2.13.0+cpu", None), ("2.13.0", "13.0")])
def test_a_torch_that_serves_is_left_as_it_is(checkout: Checkout, version: str, cuda: str | None) -> None:
    checkout.have_torch(version, cuda)
    checkout.setup()
    assert not [line for line in checkout.installs() if "torch" in line.rpartition("/")[2]]


def test_another_version_of_torch_is_replaced(checkout: Checkout) -> None:
    checkout.have_torch("2.12.0+cpu", None)
    checkout.setup()
    assert "torch==2.13.0" in checkout.installs()


def test_when_pip_fails_its_own_words_are_shown_and_the_next_run_tries_again(checkout: Checkout) -> None:
    checkout.script_python(failing="require-hashes")
    done = checkout.setup()
    assert done.returncode == 1
    assert "Set-up stopped: pip could not install what is needed. Check the network, the free disk space" in done.stderr
    assert "ERROR: no space left" in done.stderr
    assert "noise" not in done.stderr
    checkout.script_python()
    assert "Ready" in checkout.setup().stdout


def test_an_environment_of_another_python_is_made_anew(checkout: Checkout) -> None:
    checkout.script_python(version="3.10.1")
    done = checkout.setup(PIP_NO_INDEX="1", PIP_FIND_LINKS="", PIP_CONFIG_FILE=os.devnull)
    assert f"Making .venv with Python {platform.python_version()} …" in done.stdout
    assert (checkout.root / ".venv/pyvenv.cfg").exists()
    assert done.returncode == 1  # pip was told that there is no index: installing for real is not what this is about


def test_a_python_without_venv_says_which_package_is_missing(checkout: Checkout) -> None:
    checkout.script_python(version="none")
    blocked = "import importlib.util as u; u.find_spec = lambda name: None"
    (checkout.root / "sitecustomize.py").write_text(blocked)
    done = checkout.setup(PYTHONPATH=str(checkout.root))
    assert done.returncode == 1
    assert re.search(r"comes without venv and pip\. Debian, Ubuntu: sudo apt install python3\.\d+-venv", done.stderr)


def test_a_python_that_is_too_old_is_a_sentence(checkout: Checkout) -> None:
    checkout.script("bin/old", '#!/bin/sh\ncase "$1" in --version) echo "Python 3.9.2" ;; *) exit 1 ;; esac\n')
    done = checkout.setup(PYTHON=str(checkout.root / "bin/old"))
    assert done.returncode == 1
    assert done.stderr.startswith("Hobnob needs Python 3.11 or newer; found here: Python 3.9.2.\nInstall one")
    assert checkout.calls == []


def _pins(lock: str) -> dict[str, list[Requirement]]:
    pins: dict[str, list[Requirement]] = {}
    for line in (ROOT / lock).read_text().splitlines():
        if line[:1].isalnum():
            requirement = Requirement(line.removesuffix("\\").strip())
            pins.setdefault(requirement.name, []).append(requirement)
    return pins


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_one_version_with_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    for requirement in (pin for pins in _pins(lock).values() for pin in pins):
        assert re.fullmatch(r"==[^=*]+", str(requirement.specifier)), requirement
    blocks = re.split(r"\n(?=[a-z0-9])", text.split("\n#    make lock\n")[1])
    assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.parametrize(("lock", "extras"), [("requirements.lock", ["worker"]), ("requirements-dev.lock", ["worker", "dev"])])
def test_the_locks_have_what_pyproject_asks_for(lock: str, extras: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    pins = _pins(lock) | _pins("requirements-torch.lock")
    for requirement in map(Requirement, asked):
        found = pins.get(canonicalize_name(requirement.name), [])
        versions = [str(pin.specifier).removeprefix("==") for pin in found]
        assert versions, f"{requirement} is not in {lock}: run `make lock`"
        assert all(requirement.specifier.contains(version) for version in versions), (
            f"{requirement}: {lock} has {versions}: run `make lock`"
        )


def test_nothing_of_cuda_is_in_the_locks_that_everybody_installs() -> None:
    for lock in LOCKS[:2]:
        assert not [name for name in _pins(lock) if name.startswith(("nvidia-", "cuda-", "triton", "torch"))]
