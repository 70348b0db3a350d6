"""Drawing: settings of the real models, seeds alone and in a batch, recipes bit for bit, previews, cancelling, reference pictures."""

from __future__ import annotations

import functools
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot import Blob, Partial
from plugins.imagine import previews
from plugins.imagine.files import digest
from plugins.imagine.recipe import Recipe, differences, read
from tests.plugins.imagine.conftest import Make
from tests.plugins.imagine.tiny import TINY, Request, Requests, apart, request

TOLERANCE = 2
"""Of 255: what a seed may differ by between a picture that is drawn alone and one that is drawn beside others."""


def drawn(engine: Any, *requests: Request) -> list[Image.Image]:
    """The first picture of each."""
    engine.run(Requests(requests))
    return [one.pictures()[0][0] for one in requests]


def test_a_seed_draws_the_same_and_another_one_something_else(make: Make) -> None:
    engine = make()
    first, again, other = (drawn(engine, request(seed=seed))[0] for seed in (1, 1, 2))
    assert (first.size, first.mode) == ((64, 64), "RGB")
    assert digest(first) == digest(again)
    assert apart(first, other) > 20


def test_the_words_matter_and_each_prompt_is_encoded_once(make: Make) -> None:
    engine = make()
    encoded: list[str] = []
    encode = engine._pipe.encode_prompt

    def spying(**options: Any) -> Any:
        encoded.extend(options["prompt"] or [])
        return encode(**options)

    engine._pipe.encode_prompt = spying
    cat, house, again = (drawn(engine, request(prompt))[0] for prompt in ("a cat", "a house on a house", "a cat"))
    assert digest(cat) == digest(again)
    assert digest(cat) != digest(house)
    assert encoded == ["a cat", "a house on a house"]


@pytest.mark.parametrize(
    ("dev", "asked"), [(False, {}), (True, {"guidance": 2.0, "steps": 6}), (True, {})], ids=["schnell", "dev", "usual"]
)
def test_the_pipeline_is_asked_as_its_model_is_made_for(
    make: Make, monkeypatch: pytest.MonkeyPatch, dev: bool, asked: dict[str, Any]
) -> None:
    engine = make(dev=dev)
    seen: list[dict[str, Any]] = []
    kind = type(engine._pipe)
    call = kind.__call__

    def spying(self: Any, prompt: Any = None, **options: Any) -> Any:
        seen.append(options)
        return call(self, prompt, **options)

    functools.update_wrapper(spying, call)
    monkeypatch.setattr(kind, "__call__", spying)
    engine.run(Requests([one := request(**asked)]))
    [options] = seen
    recipe = one.pictures()[0][1]
    assert options["guidance_scale"] == (asked.get("guidance", 3.5) if dev else 0.0)
    assert recipe.guidance == (asked.get("guidance", 3.5) if dev else None)
    assert options["num_inference_steps"] == recipe.steps == asked.get("steps", 4)
    assert options["max_sequence_length"] == options["prompt_embeds"].shape[1] == (32 if dev else 16)


def test_a_seed_alone_and_in_a_batch_agree_within_the_tolerance(make: Make) -> None:
    engine = make()
    alone = [drawn(engine, request(prompt, seed=seed))[0] for prompt, seed in (("a red cat", 5), ("a blue dog", 6), ("a house", 7))]
    together = drawn(engine, request("a red cat", seed=5), request("a blue dog", seed=6), request("a house", seed=7))
    assert all(apart(one, other) <= TOLERANCE for one, other in zip(alone, together, strict=True))


def test_several_pictures_have_seeds_in_a_row_and_more_than_fit_are_drawn_in_turns(make: Make) -> None:
    engine = make(plan=TINY.planned(1 << 40, on="cpu", rows=3))
    engine.run(Requests([one := request(seed=10, number=4), other := request(seed=20)]))
    assert [recipe.seed for _, recipe in one.pictures()] == [10, 11, 12, 13]
    assert [(recipe.rows, recipe.row) for _, recipe in one.pictures()] == [(3, 0), (3, 1), (3, 2), (2, 0)]
    assert [(recipe.seed, recipe.rows, recipe.row) for _, recipe in other.pictures()] == [(20, 2, 1)]
    assert len({digest(picture) for picture, _ in one.pictures()}) == 4


def test_a_recipe_draws_the_same_picture_to_the_last_bit_whatever_it_was_beside(make: Make) -> None:
    first, later = make(), make()
    asked = [request(prompt, seed=seed) for seed, prompt in enumerate(("a red cat", "a blue dog", "a house"))]
    first.run(Requests(asked))
    for one in asked:
        picture, recipe = one.pictures()[0]
        again = Request(recipe.job())
        later.run(Requests([again]))
        [(repeated, now)] = again.pictures()
        assert digest(picture) == digest(repeated) == recipe.pixels == now.pixels
        assert list(differences(recipe, now)) == []
        assert now.id == recipe.id


def test_the_file_says_how_it_was_drawn_and_that_a_machine_did(make: Make) -> None:
    engine = make()
    engine.run(Requests([one := request("a red cat", seed=3)]))
    [(picture, recipe)] = one.pictures()
    assert picture.format == "PNG"
    assert read(picture.info["hobnob"]) == recipe
    assert "trainedAlgorithmicMedia" in picture.info["XML:com.adobe.xmp"]
    assert (recipe.prompt, recipe.seed, recipe.steps, recipe.model, recipe.made_by) == ("a red cat", 3, 4, "tiny", "a machine")
    assert recipe.versions.keys() == {"torch", "diffusers", "transformers", "tokenizers", "numpy"}
    assert recipe.device.startswith("cpu with ")
    assert len(recipe.revision) == 64
    assert recipe.precision == "float32"


def test_what_differs_is_told() -> None:
    recipe = Recipe(prompt="x", seed=1, width=8, height=8, steps=1, model="m", revision="a" * 64, versions={"torch": "2.13.0"})
    now = recipe.model_copy(update={"revision": "b" * 64, "versions": {"torch": "2.14.0"}, "device": "cpu"})
    assert list(differences(recipe, now)) == [
        "the model's files (aaaaaaaaaaaa then, bbbbbbbbbbbb now)",
        "the device (none then, cpu now)",
        "torch (2.13.0 then, 2.14.0 now)",
    ]


def test_each_step_is_told_and_a_quick_picture_has_no_preview(make: Make) -> None:
    make().run(Requests([one := request()]))
    assert [(made.done, made.total, made.unit) for made in one.progress] == [(step, 4, "steps") for step in (1, 2, 3, 4)]
    assert one.previews == []


def test_a_slow_picture_is_shown_on_its_way_and_looks_more_and_more_like_it(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "SLOW", -1.0)
    monkeypatch.setattr(previews, "SHARE", 1e9)
    make().run(Requests([one := request(size=(128, 64), steps=8), other := request(size=(128, 64), steps=8, seed=2)]))
    shown = [Image.open(io.BytesIO(content)) for content in one.previews]
    assert [picture.size for picture in shown] == [(128, 64)] * 7
    picture = one.pictures()[0][0]
    means = [sum(abs(a - b) for a, b in zip(each.tobytes(), picture.tobytes(), strict=True)) for each in (shown[0], shown[-1])]
    assert means[1] < means[0]
    assert len(other.previews) == 7


def test_previews_take_no_more_than_their_share_of_the_time(make: Make) -> None:
    now = iter([0.0, *(second for step in range(1, 9) for second in (step * 1.0,))])
    watch = previews.Previews(None, (64, 64), 8, clock=lambda: next(now))
    watch._cost = 0.2
    assert [watch.due(step) for step in range(1, 9)] == [False, True, True, True, True, True, True, False]


@pytest.mark.parametrize("after", [1, 2])
def test_who_cancels_ends_it_at_the_next_step_and_others_go_on(make: Make, after: int) -> None:
    def cancel(request: Request, partial: Partial) -> None:
        request.cancel = len(request.progress) == after or request.cancel

    engine = make()
    alone = Request(request().asked, upon=cancel)
    engine.run(Requests([alone]))
    assert (len(alone.progress), alone.results) == (after, [])
    leaving, staying = Request(request().asked, upon=cancel), request(seed=2)
    engine.run(Requests([leaving, staying]))
    assert len(staying.results) == 1
    assert len(staying.progress) == 4


def reference(colour: str, size: tuple[int, int] = (50, 100)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def test_a_reference_picture_is_begun_with(make: Make) -> None:
    engine = make()
    made = []
    for colour in ("white", "black"):
        one = request(reference=Blob("ref", "image/png", 1), strength=0.5)
        one.files["ref"] = reference(colour)
        engine.run(Requests([one]))
        made.append(one.pictures()[0])
    (light, recipe), (dark, _) = made
    assert light.size == (64, 64)
    assert apart(light, dark) > 20
    assert (recipe.strength, len(recipe.reference)) == (0.5, 64)


def test_a_folder_of_another_pipeline_is_refused(tiny: Path, tmp_path: Path) -> None:
    from plugins.imagine.loading import loaded

    facts = TINY.model_copy(update={"pipeline": "StableDiffusionPipeline"})
    with pytest.raises(ValueError, match=r"expected StableDiffusionPipeline in .*, found FluxPipeline"):
        loaded(tiny, TINY.planned(1 << 40, on="cpu"), "cpu", facts)
    with pytest.raises(FileNotFoundError, match=r"found no model_index.json there"):
        loaded(tmp_path, TINY.planned(1 << 40, on="cpu"), "cpu", TINY)
