"""A FLUX of the real classes with a few thousand random weights, as a folder that the product loads; and requests in a model's hands."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from bot import Blob, Draw, ImageFacts, Partial, Picture, Preview, Progress, Work
from plugins.imagine.recipe import Recipe

WORDS = ("a", "red", "blue", "green", "cat", "dog", "house", "circle", "square", "on", "left", "of")

TINY = ImageFacts(
    pipeline="FluxPipeline",
    denoiser=20_000,
    encoders=10_000,
    decoder=10_000,
    largest=20_000,
    steps=4,
    most_steps=8,
    side=64,
    least=32,
    most=128,
    decoding=1000,
    tokens=16,
)
"""As [schnell]: no guidance, few steps."""

GUIDED = TINY.model_copy(update={"guidance": 3.5, "tokens": 32})
"""As [dev]."""


def tokenizers() -> tuple[Any, Any]:
    """CLIP's and T5's, of letters and a few words."""
    from transformers import CLIPTokenizer, T5Tokenizer

    letters = "abcdefghijklmnopqrstuvwxyz"
    clip = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((f"▁{word}", -1.0) for word in WORDS), ("▁", -9.0)]
    return (
        CLIPTokenizer(vocab={piece: index for index, piece in enumerate(clip)}, merges=[], model_max_length=16),
        T5Tokenizer(vocab=[*pieces, *((letter, -9.0) for letter in letters)], extra_ids=0, model_max_length=16),
    )


def build(folder: Path, *, guided: bool = False) -> Path:
    """Saves the pipeline; the same one every time."""
    import torch
    from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
    from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

    torch.manual_seed(0)
    clip_tokenizer, t5_tokenizer = tokenizers()
    small: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends: dict[str, Any] = {"bos_token_id": len(clip_tokenizer) - 2, "eos_token_id": len(clip_tokenizer) - 1}
    clip_config = CLIPTextConfig(vocab_size=len(clip_tokenizer), projection_dim=16, max_position_embeddings=16, **ends, **small)
    t5_config = T5Config(vocab_size=len(t5_tokenizer), d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    transformer = FluxTransformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=16,
        pooled_projection_dim=16,
        guidance_embeds=guided,
        axes_dims_rope=(2, 2, 4),
    )
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(4, 4, 8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=2,
        sample_size=64,
        scaling_factor=0.36,
        shift_factor=0.1,
        use_quant_conv=False,
        use_post_quant_conv=False,
        mid_block_add_attention=False,
    )
    pipe: Any = FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0),
        vae=vae,
        text_encoder=CLIPTextModel(clip_config),
        tokenizer=clip_tokenizer,
        text_encoder_2=T5EncoderModel(t5_config),
        tokenizer_2=t5_tokenizer,
        transformer=transformer,
    )
    pipe.save_pretrained(folder)
    return folder


@dataclass(eq=False)
class Request(Work[Draw, Picture]):
    """A job in the hands of the model, and what it does with it; `upon` is called with each partial."""

    asked: Draw
    upon: Callable[[Request, Partial], None] = lambda request, partial: None
    cancel: bool = False
    progress: list[Progress] = field(default_factory=list)
    previews: list[bytes] = field(default_factory=list)
    results: list[Picture] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def job(self) -> Draw:
        return self.asked

    @property
    def cancelled(self) -> bool:
        return self.cancel

    def emit(self, partial: Partial) -> None:
        if isinstance(partial, Progress):
            self.progress.append(partial)
        if isinstance(partial, Preview):
            self.previews.append(self.files[partial.image.id])
        self.upon(self, partial)

    def finish(self, result: Picture) -> None:
        self.results.append(result)

    def fail(self, reason: str) -> None:
        self.failures.append(reason)

    def refuse(self, sentence: str) -> None:
        self.refusals.append(sentence)

    def read(self, blob: Blob) -> bytes:
        return self.files[blob.id]

    def keep(self, content: bytes, mime: str, name: str = "") -> Blob:
        blob = Blob(f"kept-{len(self.files)}", mime, len(content), name)
        self.files[blob.id] = content
        return blob

    def pictures(self) -> list[tuple[Image.Image, Recipe]]:
        """What was drawn, and how."""
        [first] = self.results
        return [(self.picture(one), Recipe.model_validate(one.recipe)) for one in (first, *first.others)]

    def picture(self, one: Picture) -> Image.Image:
        return Image.open(io.BytesIO(self.files[one.image.id]))


class Requests(list[Request]):
    """A batch that nothing joins."""

    over = False

    def join(self, free: int) -> Sequence[Request]:
        return ()


def request(prompt: str = "a red circle", **asked: Any) -> Request:
    return Request(Draw(prompt=prompt, **{"seed": 1, "size": (64, 64), **asked}))


def apart(one: Image.Image, other: Image.Image) -> int:
    """The largest difference of any pixel in any colour, of 255."""
    pairs = zip(one.convert("RGB").tobytes(), other.convert("RGB").tobytes(), strict=True)
    return max(abs(left - right) for left, right in pairs)


def shelved(models_dir: Path, name: str = "tiny", **facts: Any) -> Path:
    """Puts the pipeline where an operator's models lie, with an entry of its own."""
    told = {**TINY.model_dump(exclude_none=True), **facts}
    image = "\n".join(f"{key} = {str(value).lower() if isinstance(value, bool) else json.dumps(value)}" for key, value in told.items())
    about = 'summary = "Draws noise"\nkind = "image"\nlicence = "Apache-2.0"\ndisk = 1_000_000\n'
    about += 'source = { type = "hub", format = "diffusers", repo = "nobody/tiny", folders = ["transformer"] }\n'
    build(models_dir / name)
    (models_dir / f"{name}.toml").write_text(f"{about}[image]\n{image}\n", encoding="utf-8")
    return models_dir
