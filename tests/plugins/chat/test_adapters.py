"""LoRA adapters on a resident base: each answers to its name, changes nothing that others say, and is refused where it does not fit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import Entry, Generate, Placement
from bot.catalogue import load
from bot.origins import Hub
from bot.worker.offers import offer
from plugins.chat.config import Config, Running
from plugins.chat.engine import Engine
from plugins.chat.model import Chat, Plugin
from tests.plugins.chat.arrivals import Arrivals, Request, alone, generate
from tests.plugins.chat.families import checkpoint

BASE = load().models["llama-3.1-8b-instruct"]
QUESTION = "Tell me a story about a cat and a dog."
NAMES = ("poet", "pirate.v2", "judge")


def adapter(folder: Path, base: Path, seed: int, **changed: Any) -> Path:
    """Writes what a pull would bring: a LoRA with random weights for the base in that folder."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    made = get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj", "v_proj", "down_proj"], init_lora_weights=False))
    made.save_pretrained(str(folder))
    config = folder / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | changed))
    return folder


def entry(name: str) -> Entry:
    source = Hub(type="hub", repo=f"ada/{name}", revision="main")
    return Entry(name=name, summary="", kind="chat", licence="mit", disk=0, source=source, base=BASE.name, chat=BASE.chat)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    base = checkpoint(root / BASE.name, BASE.name)
    return {BASE.name: base, **{name: adapter(root / name, base, seed) for seed, name in enumerate(NAMES)}}


def chat(folders: dict[str, Path], *names: str) -> Chat:
    config = Config(models=(BASE.name,), max_batch=8, context=512, running={BASE.name: Running(precision="float32")})
    made = Chat(config, BASE, [entry(name) for name in names])
    made.load(Placement("cpu", folders[BASE.name], beside={name: folders[name] for name in names}))
    return made


@pytest.fixture(scope="module")
def loaded(folders: dict[str, Path]) -> Iterator[Chat]:
    made = chat(folders, *NAMES)
    yield made
    made.unload()


@pytest.fixture(scope="module")
def expected(folders: dict[str, Path]) -> dict[str, str]:
    """What PEFT's own model says with each, and the base by itself."""
    from peft import PeftModel

    said = {}
    for name in (BASE.name, *NAMES):
        engine = chat(folders).engine
        assert isinstance(engine, Engine)
        if name != BASE.name:
            whole: Any = PeftModel.from_pretrained(engine.model, str(folders[name]))
            whole.merge_and_unload()
        said[name] = alone(engine, Request(asked("")))[0]
    return said


def asked(model: str, **fields: Any) -> Generate:
    return generate(QUESTION, **fields).model_copy(update={"model": model or None})


def test_all_speak_at_once_each_with_its_own_weights(loaded: Chat, expected: dict[str, str]) -> None:
    names = [BASE.name, *NAMES, BASE.name, NAMES[0]]
    requests = [Request(asked(name)) for name in names]
    loaded.run(Arrivals(*requests[:2], late={2: requests[2:4], 5: requests[4:]}))
    assert [one.answer.text for one in requests] == [expected[name] for name in names]
    assert [one.answer.model for one in requests] == names
    assert len(set(expected.values())) == 4


def test_who_asks_for_none_is_answered_by_the_base(loaded: Chat, expected: dict[str, str]) -> None:
    with_one, by_itself = Request(asked(NAMES[1])), Request(asked(""))
    loaded.run(Arrivals(with_one))
    loaded.run(Arrivals(by_itself))
    assert (by_itself.answer.text, by_itself.answer.model) == (expected[BASE.name], BASE.name)


def test_those_that_nobody_uses_leave_the_model_and_come_back(folders: dict[str, Path], expected: dict[str, str]) -> None:
    made = chat(folders, *NAMES)
    assert isinstance(made.engine, Engine)
    made.engine.adapters._most = 1
    before = sum(1 for _ in made.engine.model.parameters())
    for name in (*NAMES, NAMES[0]):
        request = Request(asked(name))
        made.run(Arrivals(request))
        assert (request.answer.text, list(made.engine.adapters)) == (expected[name], [name])
    made.park()
    assert (list(made.engine.adapters), sum(1 for _ in made.engine.model.parameters())) == ([], before)
    made.unpark()
    begun = Request(asked(NAMES[2], max_tokens=24))
    made.run(Arrivals(begun, ends=6))
    made.park()
    made.unpark()
    made.run(Arrivals(begun))
    assert begun.answer.text == expected[NAMES[2]]


def test_what_does_not_fit_fails_for_those_who_asked_for_it_alone(folders: dict[str, Path], tmp_path: Path) -> None:
    other = checkpoint(tmp_path / "other", "gemma-2b-it")
    folders = {
        **folders,
        "other": adapter(tmp_path / "a", other, 0),
        "bin": adapter(tmp_path / "b", folders[BASE.name], 0),
        "prefix": adapter(tmp_path / "c", folders[BASE.name], 0, peft_type="PREFIX_TUNING"),
        "gone": tmp_path / "nothing",
    }
    (folders["bin"] / "adapter_model.safetensors").rename(folders["bin"] / "adapter_model.bin")
    made = chat(folders, "poet", "other", "bin", "prefix", "gone")
    requests = {name: Request(asked(name, max_tokens=4)) for name in ("poet", "other", "bin", "prefix", "gone", BASE.name)}
    made.run(Arrivals(*requests.values()))
    assert {name for name, one in requests.items() if one.results} == {"poet", BASE.name}
    assert requests["other"].reason.startswith("other does not fit the model that it lies on")
    assert "adapters in other formats can carry code and are not loaded" in requests["bin"].reason
    assert requests["prefix"].reason.endswith("found one of the kind 'PREFIX_TUNING'")
    assert requests["gone"].reason.endswith("run `hobnob models pull gone`")
    again = Request(asked("poet", max_tokens=4))
    made.run(Arrivals(again))
    assert again.answer.text == requests["poet"].answer.text, "what failed has left nothing"


def test_their_memory_is_counted_and_the_base_answers_to_all_names(folders: dict[str, Path], loaded: Chat) -> None:
    bare = chat(folders)
    assert bare.engine is not None and loaded.engine is not None
    sizes = sum((folders[name] / "adapter_model.safetensors").stat().st_size for name in NAMES)
    assert loaded.engine.memory.weights - bare.engine.memory.weights == sizes


def test_an_adapter_is_served_by_the_model_that_it_lies_on(tmp_path: Path) -> None:
    source = 'source = { type = "hub", repo = "ada/poet" }\n'
    (tmp_path / "poet.toml").write_text(f'summary = "Rhymes"\nlicence = "mit"\ndisk = 1\nbase = "{BASE.name}"\n{source}')
    known = load(added=tmp_path)
    assert known.models["poet"].chat == BASE.chat
    (model,) = Plugin(Config(models=("poet",)), known).register_models()
    assert (model.name, list(model.also)) == (BASE.name, ["poet"])
    assert offer(model).wants == ["generate", f"generate:{BASE.name}", "generate:poet"]
