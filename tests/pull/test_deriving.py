"""`hobnob models add`: what is known of a repository before its weights are brought."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.catalogue import load
from bot.cli.adding import add
from bot.errors import ConfigError, PullError
from bot.origins import Hub
from tests.pull.shelf import Shelf

QWEN = {
    **{
        "architectures": ["Qwen2ForCausalLM"],
        "vocab_size": 151_936,
        "hidden_size": 896,
        "num_hidden_layers": 24,
        "num_attention_heads": 14,
    },
    **{"num_key_value_heads": 2, "max_position_embeddings": 32_768, "tie_word_embeddings": True},
}


@pytest.fixture
def config(tmp_path: Path, shelf: Shelf) -> Path:
    path = tmp_path / "bot.toml"
    path.write_text(f'data_dir = "{tmp_path}"\n[models]\nendpoint = "{shelf.url}"\n')
    return path


def put(shelf: Shelf, *, template: bool = True, gated: str | bool = False, told: dict[str, Any] | None = None, **changed: Any) -> None:
    files = {"config.json": json.dumps(QWEN | changed).encode(), "model.safetensors": b"x" * 2000, "modeling.py": b"import os"}
    files |= {"tokenizer_config.json": json.dumps({"chat_template": "{{ x }}"} if template else {}).encode()}
    card = {"cardData": {"license": "apache-2.0", "language": ["en", "zh"]}, "safetensors": {"total": 494_032_768}}
    shelf.put_repository("ada/Tiny-0.5B", files, large=("model.safetensors",), gated=gated, **(card | (told or {})))


def test_an_entry_is_derived_from_the_repositorys_own_files(
    config: Path, shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(shelf)
    add(config, "ada/Tiny-0.5B", "", "main")
    entry = load(added=tmp_path / "models").models["tiny-0.5b"]
    assert isinstance(entry.source, Hub) and entry.chat is not None
    assert (entry.source.repo, len(entry.source.revision)) == ("ada/Tiny-0.5B", 40)
    assert (entry.licence, entry.languages, entry.disk) == ("apache-2.0", ("en", "zh"), 20_002_000)
    assert (entry.chat.architecture, entry.chat.parameters, entry.chat.embedding) == ("Qwen2ForCausalLM", 494_032_768, 136_134_656)
    assert (entry.chat.cache, entry.chat.context, entry.chat.tuned) == (6144, 32_768, True)
    assert not any("model.safetensors" in asked.path for asked in shelf.asked), "the weights are left where they are"
    assert "Apache-2.0, for private and public and commercial use" in " ".join(capsys.readouterr().out.split())


def test_what_is_no_repository_is_a_sentence(config: Path) -> None:
    with pytest.raises(ConfigError, match=r"tiny: expected a repository of the model hub, OWNER/NAME"):
        add(config, "tiny", "", "main")


def test_without_a_template_it_is_a_base_model(config: Path, shelf: Shelf, tmp_path: Path) -> None:
    put(shelf, template=False)
    add(config, "ada/Tiny-0.5B", "mine", "main")
    chat = load(added=tmp_path / "models").models["mine"].chat
    assert chat is not None and not chat.tuned


def test_a_licence_that_nobody_has_read_allows_private_use_until_it_is(config: Path, shelf: Shelf, tmp_path: Path) -> None:
    put(shelf, told={"cardData": {"license": "other"}})
    add(config, "ada/Tiny-0.5B", "", "main")
    known = load(added=tmp_path / "models")
    assert "is for private use, and `models.use` is 'public'; take " in known.refusal(known.models["tiny-0.5b"], "public")
    assert known.licence(known.models["tiny-0.5b"]).duties[0].startswith("Read the licence of tiny-0.5b")
    file = tmp_path / "models/tiny-0.5b.toml"
    file.write_text('uses = ["private", "public"]\n' + file.read_text())
    known = load(added=tmp_path / "models")
    assert known.refusal(known.models["tiny-0.5b"], "public") == ""


def test_a_model_that_is_gone_gets_a_copy_as_its_source(config: Path, shelf: Shelf, tmp_path: Path) -> None:
    put(shelf)
    add(config, "ada/Tiny-0.5B", "mpt-7b-chat", "main")
    entry = load(added=tmp_path / "models").models["mpt-7b-chat"]
    assert isinstance(entry.source, Hub) and entry.chat is not None
    assert (entry.source.repo, entry.gone, entry.licence, entry.chat.architecture) == (
        "ada/Tiny-0.5B",
        "",
        "cc-by-nc-sa-4.0",
        "MptForCausalLM",
    )


def test_a_name_that_is_taken_is_not_taken_twice(config: Path, shelf: Shelf) -> None:
    shelf.put_repository("ada/phi-2", {"config.json": json.dumps(QWEN).encode(), "model.safetensors": b"x"})
    with pytest.raises(ConfigError, match=r"phi-2 is in the catalogue already; `--as phi-2` takes ada/phi-2 as its source"):
        add(config, "ada/phi-2", "", "main")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"architectures": ["BertModel"]}, "expected a model that continues text, found BertModel"),
        ({"hidden_size": None}, "does not say how large the model is"),
    ],
)
def test_what_is_no_chat_model_is_refused(config: Path, shelf: Shelf, changed: dict[str, Any], said: str) -> None:
    put(shelf, **changed)
    with pytest.raises(PullError, match=said):
        add(config, "ada/Tiny-0.5B", "", "main")


def test_a_gated_repository_says_so_before_anything_is_written(config: Path, shelf: Shelf, tmp_path: Path) -> None:
    put(shelf, gated="manual")
    shelf.refuse("/api/models/ada/Tiny-0.5B/auth-check", 403, "GatedRepo")
    with pytest.raises(PullError, match="is gated: accept its licence"):
        add(config, "ada/Tiny-0.5B", "", "main")
    assert not (tmp_path / "models").exists()


def put_adapter(shelf: Shelf, **changed: Any) -> None:
    config = {"peft_type": "LORA", "r": 8, "base_model_name_or_path": "meta-llama/Meta-Llama-3.1-8B-Instruct", **changed}
    files = {"adapter_config.json": json.dumps(config).encode(), "adapter_model.safetensors": b"x" * 2000, "evil.py": b"import os"}
    shelf.put_repository("ada/poet", files, large=("adapter_model.safetensors",), cardData={"license": "cc-by-nc-4.0"})


def test_an_adapter_lies_on_the_model_that_it_names_and_both_licences_hold(config: Path, shelf: Shelf, tmp_path: Path) -> None:
    put_adapter(shelf)
    add(config, "ada/poet", "", "main")
    known = load(added=tmp_path / "models")
    poet, base = known.models["poet"], known.models["llama-3.1-8b-instruct"]
    assert (poet.base, poet.chat, poet.languages, poet.licence) == (base.name, base.chat, base.languages, "cc-by-nc-4.0")
    assert [one.name for one in known.needed(["poet"])] == [base.name, "poet"]
    assert known.refusal(poet, "commercial").startswith("poet (CC BY-NC 4.0) is for private and public use")
    put_adapter(shelf, base_model_name_or_path="mosaicml/mpt-7b-chat")
    add(config, "ada/poet", "rhymes", "main")
    known = load(added=tmp_path / "models")
    file = tmp_path / "models/rhymes.toml"
    file.write_text('uses = ["private", "public", "commercial"]\n' + file.read_text())
    known = load(added=tmp_path / "models")
    assert known.refusal(known.models["rhymes"], "commercial").startswith("rhymes lies on mpt-7b-chat (CC BY-NC-SA 4.0) is for")


def test_an_adapter_that_does_not_name_its_model_is_told_it(config: Path, shelf: Shelf, tmp_path: Path) -> None:
    put_adapter(shelf, base_model_name_or_path="/home/ada/model")
    with pytest.raises(PullError, match=r"an adapter for /home/ada/model, which is not in the catalogue: .* `--on NAME`"):
        add(config, "ada/poet", "", "main")
    add(config, "ada/poet", "", "main", "phi-2")
    assert load(added=tmp_path / "models").models["poet"].base == "phi-2"


@pytest.mark.parametrize(
    ("changed", "name", "base", "said"),
    [
        ({"peft_type": "IA3"}, "", "", "expected a LoRA adapter, found one of the kind 'IA3'"),
        ({}, "", "phi-2", "which is llama-3.1-8b-instruct here and not phi-2"),
        ({}, "phi-2", "", "phi-2 is a model of the catalogue, and ada/poet an adapter"),
    ],
)
def test_an_adapter_that_cannot_be_served_is_refused(config: Path, shelf: Shelf, changed: Any, name: str, base: str, said: str) -> None:
    put_adapter(shelf, **changed)
    with pytest.raises(ConfigError, match=said):
        add(config, "ada/poet", name, "main", base)


def test_a_model_needs_no_other_below_it(config: Path, shelf: Shelf) -> None:
    put(shelf)
    with pytest.raises(PullError, match="expected an adapter, which `--on phi-2` is for"):
        add(config, "ada/Tiny-0.5B", "", "main", "phi-2")
