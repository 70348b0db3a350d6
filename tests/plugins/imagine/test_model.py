"""The models in the worker: loading and giving back, the fits that a CPU has, text encoders that leave, styles, parking."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot import Draw, ImagePlan, Placement
from bot.catalogue import Catalogue, Entry, load
from plugins.imagine.config import Config
from plugins.imagine.files import digest
from plugins.imagine.model import Drawer, Plugin
from plugins.imagine.remote import Remote
from plugins.imagine.served import Served
from tests.plugins.imagine.conftest import Make
from tests.plugins.imagine.tiny import TINY, Requests, apart, request

if TYPE_CHECKING:
    from plugins.imagine.engine import Engine

PLAN = TINY.planned(1 << 40, on="cpu")


def drawer(**config: Any) -> Drawer:
    schnell = load().models["flux.1-schnell"]
    return Drawer(
        Config(**config), Served("tiny", TINY, entry=Entry.model_validate({**schnell.model_dump(), "name": "tiny", "image": TINY}))
    )


def test_the_model_half_serves_draw_for_each_model_that_was_chosen() -> None:
    config = Config.model_validate({"models": ["flux.1-schnell", "pro"], "servers": {"pro": {}}})
    models = Plugin(config, load()).register_models()
    assert [(type(model), model.name, model.weights, model.job) for model in models] == [
        (Drawer, "flux.1-schnell", "flux.1-schnell", Draw),
        (Remote, "pro", "", Draw),
    ]


def test_a_model_is_loaded_draws_and_gives_its_memory_back_and_no_network_is_touched(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a connection was tried")

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    model = drawer()
    foretold = model.memory()
    with caplog.at_level(logging.INFO):
        model.load(Placement("cpu", tiny, threads=1))
        model.run(Requests([one := request()]))
        model.unload()
    assert len(one.results) == 1
    assert foretold.weights == 4 * (TINY.denoiser + TINY.encoders + TINY.decoder)
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []
    assert capfd.readouterr() == ("", "")
    with pytest.raises(RuntimeError, match="must be loaded before it runs"):
        model.run(Requests([request()]))


def test_an_incomplete_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"found no model_index.json there: run `hobnob models pull tiny`"):
        drawer().load(Placement("cpu", tmp_path))


def test_a_quantised_fit_without_its_library_says_what_to_do(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from plugins.imagine import loading

    monkeypatch.setattr(loading, "quantises", lambda: False)
    with pytest.raises(ValueError, match="expected the library bitsandbytes beside Hobnob, found none"):
        loading.loaded(tiny, replace(PLAN, fit="nf4"), "cpu", TINY)


def laid(engine: Engine) -> Engine:
    """With its weights where torch puts them, and not where a file has them."""
    for module in engine._pipe.components.values():
        for one in [*getattr(module, "parameters", list)(), *getattr(module, "buffers", list)()]:
            one.data = one.data.clone()
    return engine


@pytest.mark.parametrize(
    "plan",
    [
        replace(PLAN, tiled=True),
        replace(PLAN, released=True),
        replace(PLAN, fit="offload"),
        replace(PLAN, fit="group"),
        replace(PLAN, precision="bfloat16"),
    ],
    ids=["tiled", "released", "offload", "group", "bfloat16"],
)
def test_each_fit_that_a_cpu_has_draws_the_same_picture(make: Make, plan: ImagePlan) -> None:
    """Within what its numbers allow; what fits in one tile is the same to the last bit.

    Some processors add up in another order what does not lie at a multiple of 64 bytes, as in a file: both have it where torch puts it.
    """
    pictures = []
    for engine in (laid(make()), laid(make(plan=plan))):
        engine.run(Requests([one := request("a red cat", seed=4)]))
        pictures += [picture for picture, _ in one.pictures()]
    assert apart(*pictures) <= (40 if plan.precision == "bfloat16" else 0)


def test_text_encoders_leave_the_device_once_a_prompt_is_encoded(make: Make) -> None:
    engine = make(plan=replace(PLAN, released=True))
    moves: list[str] = []
    encoder = engine._pipe.text_encoder_2
    move = encoder.to

    def spying(device: Any) -> Any:
        moves.append(str(device))
        return move(device)

    encoder.to = spying
    for prompt in ("a cat", "a cat", "a dog"):
        engine.run(Requests([request(prompt)]))
    assert moves == ["cpu", "cpu"] * 2, "to the device, which is a CPU here, and back, once for each new prompt"


def test_prompts_that_were_asked_for_longest_ago_are_forgotten_first(make: Make) -> None:
    embeddings = make()._embeddings
    assert embeddings is not None
    import torch

    embeddings.of(["a"], torch.device("cpu"))
    [pair] = embeddings._kept.values()
    embeddings._most = 2 * sum(part.nbytes for part in pair)
    embeddings.of(["b"], torch.device("cpu"))
    embeddings.of(["a"], torch.device("cpu"))
    embeddings.of(["c"], torch.device("cpu"))
    assert list(embeddings._kept) == ["a", "c"]


def lora(folder: Path, strength: float) -> Path:
    """A style of random numbers for the tiny transformer, in the form that diffusers writes."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(3)
    tensors = {}
    for name in ("attn.to_q", "attn.to_k", "attn.to_v"):
        tensors[f"transformer.transformer_blocks.0.{name}.lora_A.weight"] = torch.randn(2, 16) * strength
        tensors[f"transformer.transformer_blocks.0.{name}.lora_B.weight"] = torch.randn(16, 2) * strength
    path = folder / "style.safetensors"
    save_file(tensors, path)
    return path


def test_a_style_changes_the_picture_stands_in_the_recipe_and_stays_with_who_asked_for_it(make: Make, tmp_path: Path) -> None:
    engine = make(styles={"wild": lora(tmp_path, 3.0)})
    recipes, pictures = [], []
    for style in (None, "wild", None, "wild"):
        engine.run(Requests([one := request(style=style)]))
        [(picture, recipe)] = one.pictures()
        recipes.append(recipe)
        pictures.append(digest(picture))
    assert pictures[0] == pictures[2] != pictures[1] == pictures[3]
    assert [recipe.style for recipe in recipes] == ["", "wild", "", "wild"]
    assert [len(recipe.style_digest) for recipe in recipes] == [0, 64, 0, 64]


def test_a_style_is_a_file_without_code(make: Make, tmp_path: Path) -> None:
    pickle = tmp_path / "style.bin"
    pickle.touch()
    engine = make(styles={"old": pickle, "gone": tmp_path / "gone.safetensors"})
    with pytest.raises(ValueError, match=r"styles.old: expected a .safetensors file, which can carry no code, found style.bin"):
        engine.run(Requests([request(style="old")]))
    with pytest.raises(ValueError, match=r"styles.gone: expected a LoRA file, found nothing at"):
        engine.run(Requests([request(style="gone")]))


def test_it_draws_the_same_after_it_was_parked_also_in_a_style(make: Make, tmp_path: Path) -> None:
    """The host stands for the device here."""
    engine = laid(make(styles={"wild": lora(tmp_path, 3.0)}))
    drawn = []
    for _ in range(3):
        requests = [request(), request(style="wild")]
        for one in requests:
            engine.run(Requests([one]))
        drawn.append([digest(one.pictures()[0][0]) for one in requests])
        engine.park()
        engine.unpark()
    assert drawn[0] == drawn[1] == drawn[2] and len(set(drawn[0])) == 2


def test_to_be_parked_again_copies_nothing(make: Make) -> None:
    engine = make()
    weights = engine._pipe.transformer.proj_out.weight
    assert engine.parked >= sum(one.nbytes for one in engine._pipe.transformer.parameters())
    there = []
    for _ in range(2):
        engine.park()
        there.append(weights.data_ptr())
        engine.unpark()
    assert there[0] == there[1] != weights.data_ptr()


def test_nothing_heavy_is_imported_before_load() -> None:
    program = "import sys, plugins.imagine.model, plugins.imagine.front\n"
    program += "print([name for name in ('torch', 'diffusers', 'transformers', 'numpy', 'PIL') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60).stdout == "[]\n"


def test_flux_dev_is_refused_unless_the_operators_use_allows_it() -> None:
    catalogue: Catalogue = load()
    dev = catalogue.models["flux.1-dev"]
    assert catalogue.refusal(dev, "private") == ""
    assert catalogue.refusal(catalogue.models["flux.1-schnell"], None) == ""
    for use in (None, "public", "commercial"):
        assert "FLUX.1 [dev] Non-Commercial License) is for private use" in catalogue.refusal(dev, use)
    assert "take flux.1-schnell" in catalogue.refusal(dev, "public")
