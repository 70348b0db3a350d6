"""The weights that the autoencoder begins with: it hands colours through, and learns what edges look like.

Group norms forget how bright a picture is as a whole, and a picture of two flat colours is little else. With random weights 500 steps were
too few to learn a colour; with these, a mean error of 0.12 (of 2) takes 60. Colours go through as themselves and as their opposites,
because silu(x) - silu(-x) = x, beside a channel that is the same everywhere, by which the norms can be undone.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn

RGB = 3
SAME = 3.0
"""What the channel after the colours holds everywhere."""

QUIET = -5.0
"""The logarithm of the latents' variance. With the usual 0 the decoder sees noise for hundreds of steps."""


@torch.no_grad()
def begin(model: AutoencoderKL, latents: int) -> None:
    """Sets all weights of the model, whose first block has eight channels and whose last has 64."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
            nn.init.zeros_(module.bias)
            if name.endswith("conv2"):  # a residual branch begins at nothing
                nn.init.zeros_(module.weight)
    _encoder(model.encoder, latents)
    _decoder(model.decoder)


def _encoder(encoder: Any, latents: int) -> None:
    _same(encoder.conv_in)
    for block in encoder.down_blocks:
        _shortcuts(block)
        for sampler in block.downsamplers or ():
            weight = sampler.conv.weight
            weight[: RGB + 1] = 0
            for channel in range(RGB + 1):
                weight[channel, channel, :2, :2] = 1 / 4
    last = encoder.down_blocks[-1].resnets[0].conv_shortcut.weight
    half = len(last) // 2
    last[half:] = -last[:half]
    out = encoder.conv_out.weight
    out[:, half:] = -out[:, :half]
    _pairs(out, half, 1.0)
    out[latents:] *= 0.1
    encoder.conv_out.bias[latents:] = QUIET


def _decoder(decoder: Any) -> None:
    _same(decoder.conv_in)
    for block in decoder.up_blocks:
        _shortcuts(block)
        for sampler in block.upsamplers or ():
            nn.init.dirac_(sampler.conv.weight)
    last = decoder.up_blocks[-1].resnets[0].conv_shortcut.weight
    last.zero_()
    for channel in range(RGB):
        last[channel, channel], last[RGB + channel, channel] = 1, -1
    last[2 * RGB, RGB], last[2 * RGB + 1, RGB] = 1, -1
    decoder.conv_out.weight.zero_()
    _pairs(decoder.conv_out.weight, RGB, 1.6)  # about what the last norm divides by


def _same(convolution: Any) -> None:
    """Colours pass, and the channel after them holds SAME."""
    _pass(convolution.weight, RGB)
    convolution.weight[RGB] = 0
    convolution.bias[RGB] = SAME


def _shortcuts(block: Any) -> None:
    for resnet in block.resnets:
        if resnet.conv_shortcut is not None:
            _pass(resnet.conv_shortcut.weight, RGB + 1)


def _pass(weight: Tensor, channels: int) -> None:
    middle = weight.shape[-1] // 2
    weight[:channels] = 0
    for channel in range(channels):
        weight[channel, channel, middle, middle] = 1


def _pairs(weight: Tensor, apart: int, gain: float) -> None:
    """The first outputs are the colours, put together from what they and their opposites have become."""
    weight[:RGB] = 0
    for channel in range(RGB):
        weight[channel, channel, 1, 1], weight[channel, apart + channel, 1, 1] = gain, -gain
