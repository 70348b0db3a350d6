"""How models fit into memory: what is planned for which device, against what is known of the real ones."""

from __future__ import annotations

import pytest

from bot import ImageFacts, ImageFit
from bot.catalogue import load

GB = 1_000_000_000
GIB = 1 << 30


def flux(name: str = "flux.1-dev") -> ImageFacts:
    facts = load().models[name].image
    assert facts is not None
    return facts


@pytest.mark.parametrize(
    ("free", "fit", "tiled", "released", "rows"),
    [
        (80, "full", False, False, 4),
        (40, "full", True, False, 4),
        (32, "full", True, True, 4),
        (26, "full", True, True, 1),
        (24, "int8", True, True, 4),
        (14, "nf4", True, True, 4),
        (12, "nf4", True, True, 1),
        (8, "group", True, False, 4),
        (4, "group", True, True, 1),
    ],
)
def test_a_gpu_gets_the_best_fit_that_its_memory_has_room_for(free: float, fit: ImageFit, tiled: bool, released: bool, rows: int) -> None:
    plan = flux().planned(int(free * GB), on="cuda")
    assert (plan.fit, plan.tiled, plan.released, plan.rows) == (fit, tiled, released, rows)
    assert plan.device <= free * GB


def test_without_bitsandbytes_weights_stay_whole_and_leave_the_device_in_parts() -> None:
    assert flux().planned(16 * GB, on="cuda", quantised=False).fit == "group"
    assert flux().planned(26 * GB, on="cuda", quantised=False).fit in ("full", "offload")


def test_an_operator_has_the_last_word() -> None:
    assert flux().planned(80 * GB, on="cuda", wish="nf4").fit == "nf4"
    assert flux().planned(GB, on="cuda", wish="full").fit == "full"


@pytest.mark.parametrize(
    ("fit", "peak"), [("full", 36.166), ("int8", 24.432), ("nf4", 17.281), ("offload", 23.3)], ids=["bf16", "int8", "nf4", "offload"]
)
def test_what_is_planned_is_within_a_fifth_of_what_was_measured(fit: ImageFit, peak: float) -> None:
    """FLUX.1 [dev], one picture of 1024² on an H100, as Hugging Face measured it."""
    assert flux().planned(1 << 60, on="cuda", wish=fit, rows=1).device == pytest.approx(peak * GIB, rel=0.2)


def test_a_cpu_computes_exactly_where_that_leaves_room_for_others() -> None:
    assert flux("flux.1-schnell").planned(256 * GB, on="cpu").precision == "float32"
    plan = flux("flux.1-schnell").planned(64 * GB, on="cpu")
    assert (plan.fit, plan.precision) == ("full", "bfloat16")


def test_the_facts_of_the_catalogue_are_those_of_the_native_classes() -> None:
    import torch
    from diffusers import AutoencoderKL, FluxTransformer2DModel
    from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

    def count(module: torch.nn.Module) -> int:
        return sum(one.numel() for one in module.parameters())

    with torch.device("meta"):
        schnell, dev = (count(FluxTransformer2DModel(guidance_embeds=guided)) for guided in (False, True))
        decoder = count(
            AutoencoderKL(
                down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4,
                block_out_channels=(128, 256, 512, 512),
                layers_per_block=2,
                latent_channels=16,
                use_quant_conv=False,
                use_post_quant_conv=False,
            )
        )
        clip = CLIPTextModel(CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12))
        t5 = T5EncoderModel(
            T5Config(d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64, feed_forward_proj="gated-gelu", vocab_size=32128)
        )
    assert (flux("flux.1-schnell").denoiser, flux().denoiser) == (schnell, dev)
    assert flux().decoder == decoder
    assert flux().encoders == count(clip) + count(t5)
