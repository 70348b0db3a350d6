"""The catalogue: what is in it, and what is said about a faulty one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.catalogue import Use, load
from bot.errors import ConfigError
from bot.origins import Hub, Wheels

ONE = """
[sets]
starter = ["tiny"]
[models.tiny]
summary = "For tests"
kind = "chat"
licence = "MIT"
disk = 3
[models.tiny.source]
type = "wheels"
wheels = [{ name = "tiny", version = "1.0", size = 1, sha256 = "HASH" }]
[[models.tiny.source.files]]
path = "config.json"
size = 2
sha256 = "HASH"
parts = [{ wheel = "tiny", member = "tiny/config.json" }]
""".replace("HASH", "0" * 64)


def _load(tmp_path: Path, text: str) -> None:
    path = tmp_path / "models.toml"
    path.write_text(text)
    load(path)


def test_the_shipped_catalogue_has_the_starter_models_with_every_file_pinned() -> None:
    entries = load().find(["starter"])
    assert [(entry.name, entry.kind) for entry in entries] == [("smollm2-135m-instruct", "chat"), ("whisper-base", "speech")]
    for entry in entries:
        assert isinstance(entry.source, Wheels)
        assert entry.disk >= sum(file.size for file in entry.source.files if not file.path.endswith(".gguf"))


def test_models_and_sets_are_found_by_name_each_once() -> None:
    names = [entry.name for entry in load().find(["whisper-base", "starter", "whisper-base"])]
    assert names == ["whisper-base", "smollm2-135m-instruct"]


def test_a_misspelt_name_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"no model or set is called 'wisper-base'; did you mean 'whisper-base'\?"):
        load().find(["wisper-base"])
    with pytest.raises(ConfigError, match=r"no model or set is called '\?'; `hobnob models list` names them all"):
        load().find(["?"])


def test_a_model_lies_in_a_folder_of_its_name() -> None:
    assert load().models["whisper-base"].folder(Path("/data")) == Path("/data/whisper-base")


def test_another_source_is_another_digest() -> None:
    entry = load().models["whisper-base"]
    assert entry.digest == load().models["whisper-base"].digest
    assert entry.digest != entry.model_copy(update={"source": load().models["smollm2-135m-instruct"].source}).digest


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('kind = "chat"', 'kind = "chatty"', "models.tiny.kind: Input should be 'chat', 'speech', 'image'"),
        ('path = "config.json"', 'path = "../config.json"', "'../config.json' must be a path inside the model's folder"),
        ('path = "config.json"', 'path = "/config.json"', "'/config.json' must be a path inside the model's folder"),
        ('wheel = "tiny"', 'wheel = "other"', "a part names the wheel 'other'; listed are tiny"),
        ('["tiny"]', '["tiny", "gone"]', "the set 'starter' must differ from every model and name only models, found tiny, gone"),
        ('licence = "MIT"', 'license = "MIT"', "models.tiny.license: Extra inputs are not permitted"),
        (
            'type = "wheels"',
            'type = "torrent"',
            "Input tag 'torrent' found using 'type' does not match any of the expected tags: 'wheels', 'hub'",
        ),
        ("size = 2", "size =", "Invalid value (at line 14, column 7)"),
    ],
)
def test_a_faulty_catalogue_names_the_file_the_key_and_what_is_allowed(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in ONE
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, ONE.replace(old, new, 1))
    assert str(caught.value).startswith(f"{tmp_path}/models.toml: ")
    assert fault in str(caught.value)


def test_a_catalogue_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: cannot be read: No such file or directory"):
        load(tmp_path / "gone.toml")


def test_a_model_has_the_facts_of_its_family_and_its_own() -> None:
    entry = load().models["mpt-7b-chat"]
    assert (entry.licence, entry.languages, entry.gone != "") == ("cc-by-nc-sa-4.0", ("en",), True)
    assert entry.chat is not None
    assert (entry.chat.architecture, entry.chat.context, entry.chat.tuned) == ("MptForCausalLM", 2048, True)
    assert "<|im_start|>" in entry.chat.template


@pytest.mark.parametrize(
    ("name", "use", "said"),
    [
        ("mpt-7b-chat", "commercial", "is for private and public use, and `models.use` is 'commercial'; take falcon-7b-instruct"),
        ("mpt-7b-chat", None, "is for private and public use only: say with `use` under [models] in bot.toml what the bot is for"),
        ("mpt-7b-chat", "public", ""),
        ("llama-3.1-8b-instruct", "commercial", ""),
        ("whisper-base", None, ""),
    ],
)
def test_a_licence_that_forbids_the_use_is_named_with_another_model(name: str, use: Use | None, said: str) -> None:
    catalogue = load()
    refusal = catalogue.refusal(catalogue.models[name], use)
    assert refusal.endswith(said) if said else refusal == ""


def test_licences_say_what_an_operator_must_do() -> None:
    catalogue = load()
    assert any("Built with Llama" in duty for duty in catalogue.licence(catalogue.models["llama-3.1-8b-instruct"]).duties)
    assert any("made by a machine" in duty for duty in catalogue.licence(catalogue.models["bloom-560m"]).duties)
    assert catalogue.licence(catalogue.models["whisper-base"]).duties == ()


def test_what_an_operator_added_goes_before_what_is_shipped(tmp_path: Path) -> None:
    (tmp_path / "mpt-7b.toml").write_text('gone = ""\nsource = { type = "hub", repo = "ada/mpt-7b" }\n')
    entry = load(added=tmp_path).models["mpt-7b"]
    assert isinstance(entry.source, Hub)
    assert (entry.source.repo, entry.gone, entry.licence) == ("ada/mpt-7b", "", "Apache-2.0")


def test_a_fault_in_an_added_entry_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('family = "lama"\n')
    with pytest.raises(ConfigError, match=r"mine\.toml: .*mine names the family 'lama'; there is llama-3.1, bloom"):
        load(added=tmp_path)
