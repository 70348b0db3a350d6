"""The parts of a very small FLUX: tokenizers, text encoders, transformer, autoencoder and scheduler, of the classes of the large one.

How they learn: `autoencoder.py`, `flow.py`.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer, T5Config, T5EncoderModel, T5Tokenizer

from plugins.imagine.starter.vocabulary import COLOURS, NOUNS, SIZES
from plugins.imagine.starter.words import SIDE, TOKENS
from tools.train_starter.beginning import begin

WIDTH, HEADS = 128, 4
"""Of the transformer."""

TEXT = 128
"""Width of both text encoders."""

CHANNELS = 16
"""Of the latents, as in the large one; 8 pixels of a side each."""

WORDS = tuple(dict.fromkeys((*COLOURS, *SIZES, *NOUNS, "top", "bottom", "left", "right", "center", "of", "above", "inside", "on")))
"""Every word of a canonical prompt; each is one token."""


def clip_tokenizer() -> CLIPTokenizer:
    """Byte pair encoding whose merges make each word one token; others fall apart into letters."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    ranks: dict[tuple[str, str], int] = {}
    for word in WORDS:
        while len(parts := _parts(word, ranks)) > 1:
            ranks[parts[0], parts[1]] = len(ranks)
    pieces = (*letters, *(f"{letter}</w>" for letter in letters), *map("".join, ranks), "<|startoftext|>", "<|endoftext|>")
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    merges: Any = list(ranks)
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=TOKENS)


def _parts(word: str, ranks: dict[tuple[str, str], int]) -> list[str]:
    """What the merges so far make of a word. Later merges change nothing about words that are whole already."""
    parts = [*word[:-1], f"{word[-1]}</w>"]
    while pairs := [pair for pair in pairwise(parts) if pair in ranks]:
        first = min(pairs, key=lambda pair: ranks[pair])
        at = 0
        while at < len(parts) - 1:
            if (parts[at], parts[at + 1]) == first:
                parts[at : at + 2] = ["".join(first)]
            at += 1
    return parts


def t5_tokenizer() -> T5Tokenizer:
    """A unigram model of the words, and of letters for others."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((f"▁{word}", -1.0) for word in WORDS)]
    pieces += [("▁", -9.0), *((letter, -9.0) for letter in "abcdefghijklmnopqrstuvwxyz")]
    return T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=TOKENS)


def text_encoders(clip: CLIPTokenizer, t5: T5Tokenizer) -> tuple[CLIPTextModel, T5EncoderModel]:
    """Two layers each, with random weights; those by which T5 tells one place in a prompt from another begin large."""
    clip_config = CLIPTextConfig(
        vocab_size=len(clip),
        hidden_size=TEXT,
        intermediate_size=2 * TEXT,
        projection_dim=TEXT,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=TOKENS,
        bos_token_id=clip.bos_token_id,
        eos_token_id=clip.eos_token_id,
        pad_token_id=clip.pad_token_id,
    )
    t5_config = T5Config(
        vocab_size=len(t5),
        d_model=TEXT,
        d_kv=TEXT // 4,
        d_ff=2 * TEXT,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
        relative_attention_num_buckets=32,
        relative_attention_max_distance=32,
    )
    encoder: Any = T5EncoderModel(t5_config)
    nn.init.normal_(encoder.encoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight, std=2.0)
    return CLIPTextModel(clip_config), encoder


def transformer() -> FluxTransformer2DModel:
    """Two double and four single blocks. Their modulation begins at nothing, so that each block at first passes on what it gets."""
    model = FluxTransformer2DModel(
        in_channels=4 * CHANNELS,
        num_layers=2,
        num_single_layers=4,
        attention_head_dim=WIDTH // HEADS,
        num_attention_heads=HEADS,
        joint_attention_dim=TEXT,
        pooled_projection_dim=TEXT,
        axes_dims_rope=(8, 12, 12),
    )
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and (name.endswith(".linear") or name == "proj_out"):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
    return model


def autoencoder() -> AutoencoderKL:
    """Eight pixels of a side become one latent of 16 channels. No attention: what is at one place does not depend on the others."""
    model = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 16, 32, 64),
        layers_per_block=1,
        latent_channels=CHANNELS,
        norm_num_groups=1,
        sample_size=SIDE,
        scaling_factor=1.0,
        shift_factor=0.0,
        force_upcast=False,
        use_quant_conv=False,
        use_post_quant_conv=False,
        mid_block_add_attention=False,
    )
    begin(model, CHANNELS)
    return model


def pipeline(vae: AutoencoderKL, clip: CLIPTextModel, t5: T5EncoderModel, flux: FluxTransformer2DModel) -> FluxPipeline:
    """All of it, in training or out of it."""
    made = FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0),
        vae=vae,
        text_encoder=clip,
        tokenizer=clip_tokenizer(),
        text_encoder_2=t5,
        tokenizer_2=t5_tokenizer(),
        transformer=flux,
    )
    made.set_progress_bar_config(disable=True)
    return made


def packed(latents: Tensor) -> Tensor:
    """Batch × channels × 16 × 16 becomes batch × 64 tokens × 64, as the pipeline does it."""
    tokens: Tensor = FluxPipeline._pack_latents(latents, len(latents), CHANNELS, *latents.shape[-2:])
    return tokens


def place_ids() -> Tensor:
    """Where each of the 64 tokens lies in the picture."""
    side = SIDE // 16
    places: Tensor = FluxPipeline._prepare_latent_image_ids(1, side, side, torch.device("cpu"), torch.float32)
    return places


def export(made: FluxPipeline, folder: Path) -> int:
    """Writes the pipeline with 16 bits for each weight. Returns its size in bytes."""
    made.to(torch.float16).save_pretrained(folder, safe_serialization=True)
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
