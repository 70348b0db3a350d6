"""Another pipeline of diffusers than FLUX's draws by its name and its facts: here Stable Diffusion's classes with random weights."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from bot import Blob, ImageFacts
from plugins.imagine.files import digest
from plugins.imagine.recipe import Recipe
from tests.plugins.imagine.tiny import Request, Requests, request, tokenizers

if TYPE_CHECKING:
    from plugins.imagine.engine import Engine

FACTS = ImageFacts(
    pipeline="StableDiffusionPipeline",
    denoiser=20_000,
    encoders=10_000,
    decoder=10_000,
    largest=20_000,
    steps=3,
    guidance=7.5,
    negative=True,
    multiple=8,
    side=64,
    least=32,
    most=128,
    decoding=1000,
    tokens=16,
)


def build(folder: Path) -> Path:
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(0)
    tokenizer, _ = tokenizers()
    small: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends: dict[str, Any] = {"bos_token_id": len(tokenizer) - 2, "eos_token_id": len(tokenizer) - 1}
    unet = UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=16,
        attention_head_dim=4,
    )
    ways = {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}
    vae = AutoencoderKL(block_out_channels=(4, 8), norm_num_groups=2, **ways)
    pipe: Any = StableDiffusionPipeline(
        vae=vae,
        text_encoder=CLIPTextModel(CLIPTextConfig(vocab_size=len(tokenizer), max_position_embeddings=16, **ends, **small)),
        tokenizer=tokenizer,
        unet=unet,
        scheduler=DDIMScheduler(clip_sample=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    from plugins.imagine.engine import Engine
    from plugins.imagine.loading import loaded

    folder, plan = build(tmp_path_factory.mktemp("diffusion")), FACTS.planned(1 << 40, on="cpu")
    made = Engine("other", loaded(folder, plan, "cpu", FACTS), FACTS, plan, "cpu", folder)
    yield made
    made.close()


def drawn(engine: Engine, one: Request) -> Recipe:
    engine.run(Requests([one]))
    [(picture, recipe)] = one.pictures()
    assert (digest(picture), picture.size) == (recipe.pixels, (64, 64))
    return recipe


def test_words_negative_words_and_guidance_are_heeded_and_the_recipe_draws_it_again(engine: Engine) -> None:
    plain = drawn(engine, request("a cat"))
    others = [
        drawn(engine, request("a dog")),
        drawn(engine, request("a cat", negative="a house")),
        drawn(engine, request("a cat", guidance=2.0)),
    ]
    assert len({plain.pixels, *(one.pixels for one in others)}) == 4
    assert (others[1].negative, others[2].guidance, plain.guidance, plain.steps) == ("a house", 2.0, 7.5, 3)
    assert [drawn(engine, Request(one.job())) for one in (plain, *others)] == [plain, *others]


def test_it_begins_with_a_picture_and_tells_its_steps(engine: Engine) -> None:
    one = request("a cat", reference=Blob("ref", "image/png", 1), strength=0.7)
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(out, "PNG")
    one.files["ref"] = out.getvalue()
    assert drawn(engine, one).strength == 0.7
    assert [(told.done, told.total) for told in one.progress] == [(1, 2), (2, 2)]
