"""Sizes that a model is asked for, and those that it draws."""

from __future__ import annotations

import pytest

from bot import ImageFacts

FLUX = ImageFacts(pipeline="FluxPipeline", denoiser=1, encoders=1, decoder=1, largest=1)
SMALL = FLUX.model_copy(update={"side": 128, "least": 128, "most": 128, "ratio": 1.0})


@pytest.mark.parametrize(
    ("facts", "asked", "drawn"),
    [
        (FLUX, (1024, 1024), (1024, 1024)),
        (FLUX, (1001, 700), (1008, 704)),
        (FLUX, (64, 64), (256, 256)),
        (FLUX, (8192, 8192), (1440, 1440)),
        (FLUX, (8192, 16), (576, 224)),
        (SMALL, (1024, 512), (128, 128)),
        (SMALL, (16, 16), (128, 128)),
    ],
)
def test_a_size_is_drawn_as_the_nearest_that_the_model_can(facts: ImageFacts, asked: tuple[int, int], drawn: tuple[int, int]) -> None:
    assert facts.snapped(*asked) == drawn
