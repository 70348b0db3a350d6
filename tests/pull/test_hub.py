"""Models of a hub: asked about first, then brought, and only what is safe to load."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import GatedRepoError

from bot.catalogue import Entry
from bot.cli.listing import access
from bot.config import load
from bot.errors import PullError
from bot.origins import Hub
from bot.pull import Access, pull
from bot.pull.hub import look, wanted
from tests.pull.entries import entry
from tests.pull.shelf import Shelf

REPO = "ada/tiny"
WEIGHTS = bytes(range(256)) * 100
FILES = {
    "config.json": b'{"model_type": "llama"}',
    "model.safetensors": WEIGHTS,
    "modeling_tiny.py": b"import os",
    "pytorch_model.bin": b"a pickle",
    "original/params.json": b"{}",
    "LICENSE": b"MIT",
    "README.md": b"words",
}


def _entry(**source: Any) -> Entry:
    return entry({"type": "hub", "repo": REPO, "revision": "main"} | source)


def test_the_scripted_hub_is_one_that_the_hubs_own_library_understands(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    commit = shelf.put_repository(REPO, FILES, large=("model.safetensors",), gated="manual")
    hub = HfApi(endpoint=shelf.url)
    info = hub.model_info(REPO, revision="main", files_metadata=True)
    assert (info.sha, info.gated) == (commit, "manual")
    assert {file.rfilename: file.size for file in info.siblings or []} == {name: len(content) for name, content in FILES.items()}
    assert [file.rfilename for file in info.siblings or [] if file.lfs] == ["model.safetensors"]
    shelf.refuse(f"/api/models/{REPO}/auth-check", 401, "GatedRepo")
    with pytest.raises(GatedRepoError):
        hub.auth_check(REPO)


def _access(shelf: Shelf, token: str = "") -> Access:
    return Access(endpoint=shelf.url, token=token)


def test_weights_without_code_are_brought_and_nothing_else(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put_repository(REPO, FILES, large=("model.safetensors",))
    pull([_entry()], tmp_path, _access(shelf))
    brought = {path.name: path.read_bytes() for path in (tmp_path / "tiny").iterdir()}
    assert brought.pop("hobnob.json")
    assert brought == {name: FILES[name] for name in ("config.json", "model.safetensors", "LICENSE")}
    assert not [asked for asked in shelf.asked if asked.path.endswith((".py", "pytorch_model.bin"))]


def test_the_token_goes_to_the_hub_and_not_to_the_host_that_keeps_the_bytes(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put_repository(REPO, FILES, large=("model.safetensors",))
    pull([_entry()], tmp_path, _access(shelf, "hf_secret"))
    seen = {(asked.host, asked.authorization) for asked in shelf.asked}
    assert seen == {("127.0.0.1", "Bearer hf_secret"), ("localhost", "")}


def test_a_gated_repository_is_known_before_anything_is_downloaded(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put_repository(REPO, FILES, gated="manual")
    shelf.refuse(f"/api/models/{REPO}/auth-check", 403, "GatedRepo")
    with pytest.raises(PullError, match=rf"ada/tiny is gated: accept its licence on {shelf.url}/ada/tiny with the account of your token"):
        pull([_entry()], tmp_path, _access(shelf, "hf_secret"))
    assert not [asked for asked in shelf.asked if "/resolve/" in asked.path]
    assert not (tmp_path / "tiny").exists()


@pytest.mark.usefixtures("bare_environment")
def test_whoever_gave_no_token_is_told_how_and_it_works(shelf: Shelf, tmp_path: Path) -> None:
    """What the sentence says to write into `.env` is written there, and shown to that hub."""
    shelf.put_repository(REPO, FILES, gated="manual")
    shelf.refuse(f"/api/models/{REPO}/auth-check", 401, "GatedRepo")
    (tmp_path / "bot.toml").write_text(f'data_dir = "{tmp_path}"\n[models]\nendpoint = "{shelf.url}"\n')
    with pytest.raises(PullError, match=r"with your account, then give a token .* in \.env beside bot\.toml") as refused:
        pull([_entry()], tmp_path, access(load(tmp_path / "bot.toml")))
    lines = re.findall(r"HOBNOB_\w+=\S+", str(refused.value))
    assert lines == ["HOBNOB_MODELS__TOKEN=…", f"HOBNOB_MODELS__TRUSTED_HUB={shelf.url}"]
    (tmp_path / ".env").write_text("\n".join(lines).replace("…", "hf_secret"))
    shelf.statuses = {}
    pull([_entry()], tmp_path, access(load(tmp_path / "bot.toml")))
    assert shelf.gets(f"/api/models/{REPO}/auth-check")[-1].authorization == "Bearer hf_secret"


def test_of_the_public_hub_no_address_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = httpx.Response(401, headers={"X-Error-Code": "GatedRepo"})
    monkeypatch.setattr(httpx.Client, "get", lambda *_, **__: refused)
    with pytest.raises(PullError, match=r"\(https://huggingface\.co/settings/tokens\): HOBNOB_MODELS__TOKEN=… in \.env beside bot\.toml"):
        look(Hub(type="hub", repo=REPO), Access(anonymous=True))


def test_a_gated_repository_opens_for_a_token_that_is_accepted(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put_repository(REPO, FILES, gated="auto")
    pull([_entry()], tmp_path, _access(shelf, "hf_secret"))
    assert len(shelf.gets(f"/api/models/{REPO}/auth-check")) == 1
    assert (tmp_path / "tiny/model.safetensors").read_bytes() == WEIGHTS


def test_a_repository_without_safe_weights_is_refused_before_anything_is_downloaded(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put_repository(REPO, {name: content for name, content in FILES.items() if "safetensors" not in name})
    with pytest.raises(PullError, match="has no safetensors weights; other formats can carry code"):
        pull([_entry()], tmp_path, _access(shelf))
    assert not [asked for asked in shelf.asked if "/resolve/" in asked.path]


def test_large_files_are_verified_by_the_hash_the_hub_gives(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put_repository(REPO, FILES, large=("model.safetensors",))
    shelf.files["/cdn/model.safetensors"] = WEIGHTS[::-1]
    with pytest.raises(PullError, match=r"model\.safetensors from .*another content; the file was deleted"):
        pull([_entry()], tmp_path, _access(shelf))


def test_small_files_are_verified_by_the_id_git_gave_them(shelf: Shelf, tmp_path: Path) -> None:
    commit = shelf.put_repository(REPO, FILES)
    shelf.files[f"/{REPO}/resolve/{commit}/config.json"] = b'{"model_type": "LLAMA"}'
    with pytest.raises(PullError, match=r"config\.json from .*deleted"):
        pull([_entry()], tmp_path, _access(shelf))


def test_a_hash_in_the_catalogue_outweighs_what_the_hub_says(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put_repository(REPO, FILES)
    with pytest.raises(PullError, match=r"model\.safetensors .*expected the hash 0{64}"):
        pull([_entry(hashes={"model.safetensors": "0" * 64})], tmp_path, _access(shelf))


def test_a_missing_revision_a_missing_repository_and_a_broken_hub_are_sentences(shelf: Shelf, tmp_path: Path) -> None:
    at = f"/api/models/{REPO}/revision/main"
    shelf.put_repository(REPO, FILES)
    shelf.refuse(at, 404, "RevisionNotFound")
    with pytest.raises(PullError, match="ada/tiny has no revision 'main'"):
        pull([_entry()], tmp_path, _access(shelf))
    shelf.refuse(at, 404, "RepoNotFound")
    with pytest.raises(PullError, match=r"/ada/tiny does not exist, or is private"):
        pull([_entry()], tmp_path, _access(shelf))
    shelf.refuse(at, 500, "")
    with pytest.raises(PullError, match=r"the hub answered 500 when asked about .*/ada/tiny; try again later"):
        pull([_entry()], tmp_path, _access(shelf))
    shelf.statuses, shelf.files[at] = {}, b"<html>"
    with pytest.raises(PullError, match="does not answer as a model hub does; check `endpoint`"):
        pull([_entry()], tmp_path, _access(shelf))


def test_a_hub_that_cannot_be_reached_is_a_sentence(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(PullError, match=r"cannot be reached .*check the network, the proxy or `endpoint`"):
        pull([_entry()], tmp_path, Access(endpoint="http://127.0.0.1:1"))


def test_a_proxy_carries_questions_and_files(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put_repository(REPO, FILES)
    shelf.files = {f"http://hub.test{path}": content for path, content in shelf.files.items()}
    pull([_entry()], tmp_path, Access(endpoint="http://hub.test", proxy=shelf.url))
    assert {asked.host for asked in shelf.asked} == {"hub.test"}
    assert (tmp_path / "tiny/model.safetensors").read_bytes() == WEIGHTS


def test_a_second_pull_after_a_fault_keeps_the_files_that_came(shelf: Shelf, tmp_path: Path) -> None:
    commit = shelf.put_repository(REPO, FILES)
    at = f"/{REPO}/resolve/{commit}/model.safetensors"
    weights = shelf.files.pop(at)
    with pytest.raises(PullError, match="answered 404"):
        pull([_entry()], tmp_path, _access(shelf))
    shelf.files[at] = weights
    pull([_entry()], tmp_path, _access(shelf))
    assert len(shelf.gets(f"/{REPO}/resolve/{commit}/config.json")) == 1


@pytest.mark.parametrize(
    "path", ["../up.json", "/etc/passwd.json", "original/params.json", "model.py", "model.bin", "weights.pt", "a.safetensors.py"]
)
def test_what_could_carry_code_or_leave_the_folder_is_not_wanted(path: str) -> None:
    assert not wanted(Hub(type="hub", repo=REPO, revision="main"), path)


def test_listed_folders_and_speech_weights_are_wanted() -> None:
    assert wanted(Hub(type="hub", repo=REPO, revision="main", folders=("vae",)), "vae/model.safetensors")
    assert wanted(Hub(type="hub", repo=REPO, revision="main", format="ctranslate2"), "model.bin")


def test_where_one_repository_has_several_models_only_the_weights_that_are_named_are_taken() -> None:
    source = Hub(type="hub", repo="a/b", format="onnx", weights=("one.onnx",))
    assert [path for path in ("one.onnx", "two.onnx", "one.py", "README.md", "LICENSE") if wanted(source, path)] == ["one.onnx", "LICENSE"]
    assert wanted(source.model_copy(update={"weights": ()}), "two.onnx")
