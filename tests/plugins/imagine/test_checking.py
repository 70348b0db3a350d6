"""Pictures that are looked at before they are shown: what becomes of them in a server, and the classifier that looks."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pixels

from bot import Blob, Button, ConfigError, Image, JobFailed, Placement, Refused, Reply
from bot.catalogue import load
from plugins.imagine.checker import Checker
from plugins.imagine.config import Config
from plugins.imagine.front import Plugin
from plugins.imagine.jobs import Look, Looked
from plugins.imagine.model import Plugin as Models
from plugins.imagine.recipe import Recipe
from tests.plugins.imagine.scene import BOTH, Scene, imagine
from tests.plugins.imagine.tiny import Request, Requests

LOOKING = BOTH.model_copy(update={"checker": "nsfw-vit"})
ENTRY = load().models["nsfw-vit"]


async def drawn(acts: Scene, *, number: int = 1, **settings: Any) -> Reply:
    return await imagine(f"a cat --number {number} --seed 4", acts, config=LOOKING, **settings)


def hidden(reply: Reply) -> list[bool]:
    """Of each picture that is shown."""
    return [part.spoiler for part in reply.parts if isinstance(part, Image)]


async def test_a_picture_that_is_not_for_everybody_is_hidden_or_not_shown_as_the_server_wants() -> None:
    acts = Scene(unsafe=(0.1, 0.9, 0.5))
    assert hidden(await drawn(acts, number=3, check="spoiler")) == [False, True, True]
    assert [type(job).__name__ for job in acts.jobs] == ["Draw", "Look"]
    acts = Scene(unsafe=(0.1, 0.9, 0.5))
    reply = await drawn(acts, number=3, check="block")
    assert hidden(reply) == [False]
    assert "(2 pictures are not shown" in reply.text
    [recipe] = [Recipe.model_validate_json(kept) for kept in acts.stored.values()]
    assert recipe.seed == 4, "what is not shown leaves no recipe"
    assert [one.label for one in reply.buttons if isinstance(one, Button)] == ["Again", "Vary", "Edit prompt", "Delete"]
    with pytest.raises(Refused, match="takes this for a picture that is not for everybody, so it is not shown"):
        await drawn(Scene(unsafe=(0.9,)), check="block")


async def test_nothing_is_shown_on_the_way_either() -> None:
    for check, shown in (("off", True), ("spoiler", False), ("block", False)):
        acts = Scene(unsafe=(0.1,))
        await drawn(acts, check=check)
        assert acts.asked.previews is shown
    acts = Scene()
    await drawn(acts, spoiler=True)
    assert not acts.asked.previews


async def test_what_could_not_be_looked_at_is_not_shown() -> None:
    with pytest.raises(JobFailed):
        await drawn(Scene(unsafe=JobFailed("out of memory")), check="spoiler")
    with pytest.raises(Refused, match="no model for that is set up"):
        await imagine("a cat", Scene(), check="block")


def test_the_operator_chooses_who_looks() -> None:
    assert [model.name for model in Models(LOOKING, load()).register_models()][-1] == "nsfw-vit"
    with pytest.raises(ConfigError, match="checker: whisper-base is a model for speech, expected one of the kind checker"):
        Plugin(Config(checker="whisper-base"), load())


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ViT that was taught that red is not for everybody."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    torch.manual_seed(0)
    small: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    labels: dict[str, Any] = {"id2label": {0: "normal", 1: "NSFW"}, "label2id": {"normal": 0, "NSFW": 1}}
    model = ViTForImageClassification(ViTConfig(**small, image_size=32, patch_size=16, **labels))
    colours = torch.tensor([[-1.0, -1.0, 1.0], [1.0, -1.0, -1.0]])[:, :, None, None].expand(2, 3, 32, 32)
    steps = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(30):
        steps.zero_grad()
        model(pixel_values=colours, labels=torch.tensor([0, 1])).loss.backward()
        steps.step()
    folder = tmp_path_factory.mktemp("classifier")
    model.save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def test_a_classifier_says_how_likely_each_picture_is_not_for_everybody(classifier: Path) -> None:
    checker = Checker(ENTRY, Config().unsafe)
    checker.load(Placement("cpu", classifier))
    one: Any = Request(Look(pictures=(Blob("0", "image/png", 1), Blob("1", "image/png", 1))))  # type: ignore[arg-type]
    for number, colour in enumerate(("red", "blue")):
        out = io.BytesIO()
        Pixels.new("RGB", (50, 40), colour).save(out, "PNG")
        one.files[str(number)] = out.getvalue()
    checker.run(Requests([one]))  # type: ignore[arg-type]  # the batch is of the other job
    [looked] = one.results
    assert isinstance(looked, Looked)
    assert looked.unsafe[0] > 0.9 > 0.1 > looked.unsafe[1]
    checker.unload()


def test_what_cannot_look_says_what_to_do(classifier: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="run `hobnob models pull nsfw-vit`"):
        Checker(ENTRY, ("nsfw",)).load(Placement("cpu", tmp_path))
    with pytest.raises(ValueError, match="nsfw-vit knows the labels normal, NSFW: name those that are not for everybody as `unsafe`"):
        Checker(ENTRY, ("gore",)).load(Placement("cpu", classifier))
