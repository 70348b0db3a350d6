"""`/imagine`: what is asked for, what is refused and how, what stands in the chat. The model is scripted."""

from __future__ import annotations

import pytest

from bot import (
    Answer,
    BadArguments,
    Blob,
    Button,
    Canvas,
    Catalogue,
    Command,
    ConfigError,
    Draw,
    Generate,
    Image,
    JobFailed,
    Quote,
    Refused,
    Reply,
    Text,
    UserError,
)
from bot.catalogue import load
from bot.router.arguments import quoted
from bot.store.plugindata import BUTTON_TTL
from plugins.imagine.args import Drawing, args_for
from plugins.imagine.config import Config, Server
from plugins.imagine.front import KEPT
from plugins.imagine.recipe import Recipe
from plugins.imagine.served import served
from tests.plugins.imagine.scene import BEN, BOTH, PICTURE, Scene, button, context, imagine, message, plugin


async def test_a_prompt_becomes_a_picture_with_its_recipe_its_words_and_its_buttons() -> None:
    acts = Scene()
    reply = await imagine("a red cat --seed 7", acts)
    assert acts.asked == Draw(model="flux.1-schnell", prompt="a red cat", size=(1024, 1024), steps=4, seed=7)
    [recipe] = [Recipe.model_validate_json(kept) for (scope, _), kept in acts.stored.items() if scope == "server"]
    assert acts.lifetimes == {f"recipe/{recipe.id}": KEPT}
    assert KEPT > BUTTON_TTL, "the buttons below it are of use to the end"
    assert reply.text == f"**a red cat**\n1024×1024 · 4 steps · seed 7 · flux.1-schnell · recipe `{recipe.id}`\nDrawn by a machine."
    [image] = [part for part in reply.parts if isinstance(part, Image)]
    assert (image.alt, image.source.name, image.spoiler) == ("Drawn by a machine: a red cat", f"{recipe.id}.png", False)
    assert [one.label for one in reply.buttons if isinstance(one, Button)] == ["Again", "Vary", "Edit prompt", "Delete"]


@pytest.mark.parametrize(
    ("size", "drawn"),
    [
        ("square", (1024, 1024)),
        ("portrait", (880, 1184)),
        ("landscape", (1184, 880)),
        ("wide", (1360, 768)),
        ("1000x700", (992, 704)),
        ("8000 x 8000", (1408, 1408)),
    ],
)
async def test_sizes_are_snapped_to_what_the_model_and_the_server_allow(size: str, drawn: tuple[int, int]) -> None:
    acts = Scene()
    await imagine(f'a cat --size "{size}"', acts)
    assert acts.asked.size == drawn


async def test_a_chat_model_may_have_a_picture_drawn_as_the_server_wants_them() -> None:
    acts = Scene()
    (tool,) = plugin().register_tools()
    reply = await tool.handler(context(acts), Drawing(prompt="a red cat"))
    assert isinstance(reply, Reply) and reply.text == "The picture is drawn and shown below your answer."
    assert [type(part) for part in reply.parts if not isinstance(part, Text)] == [Image] and acts.asked.prompt == "a red cat"
    with pytest.raises(Refused):
        await tool.handler(context(Scene(), blocked="cat"), Drawing(prompt="a red cat"))


async def test_a_server_has_its_own_defaults_and_caps() -> None:
    acts = Scene()
    await imagine("a cat", acts, model="flux.1-dev", size="wide", steps=99, most_steps=30, most_pixels=500_000)
    assert (acts.asked.model, acts.asked.steps, acts.asked.size) == ("flux.1-dev", 30, (944, 528))
    with pytest.raises(UserError, match="Here at most 1 picture can be asked for at once"):
        await imagine("a cat --number 3", Scene(), most_number=1)
    with pytest.raises(UserError, match=r"flux.1-schnell takes at most 4 steps here, 20 were asked for"):
        await imagine("a cat --steps 20", Scene())


async def test_several_pictures_have_a_recipe_and_a_vary_button_each() -> None:
    acts = Scene()
    reply = await imagine("a cat --number 3 --seed 4", acts)
    assert len([part for part in reply.parts if isinstance(part, Image)]) == len(acts.stored) == 3
    labels = [one.label for one in reply.buttons if isinstance(one, Button)]
    assert labels == ["Again", "Vary 1", "Vary 2", "Vary 3", "Edit prompt", "Delete"]
    assert [button(reply, f"Vary {number}").which for number in (1, 2, 3)] == [0, 1, 2]


async def test_options_are_there_where_a_model_heeds_them_and_refused_by_one_that_does_not() -> None:
    assert "guidance" not in args_for(served(Config(models=("flux.1-schnell",)), load()), []).model_fields
    assert {"guidance", "style"} <= set(args_for(served(BOTH, load()), ["pixel"]).model_fields)
    acts = Scene()
    await imagine("a cat --guidance 2.5 --style pixel", acts, model="flux.1-dev")
    assert (acts.asked.guidance, acts.asked.style) == (2.5, "pixel")
    with pytest.raises(UserError, match=r"flux.1-schnell does not heed --guidance"):
        await imagine("a cat --guidance 2.5", Scene())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\u0000\u200b \u0007", "prompt: expected words that say what to draw, found none"),
        ("x" * 10_000, "prompt: expected at most 2,000 characters, found 10,000"),
        ("a cat --size 100000x100000", "size: expected square, portrait, landscape, wide, or width and height in pixels"),
        ("a cat --size 0x5", "size: expected square"),
        ("a cat --size huge", "size: expected square"),
        ("a cat --number 9", "number: input should be less than or equal to 4"),
        ("a cat --seed -1", "seed: input should be greater than or equal to 0"),
        ("a cat --style oil", "style: input should be 'pixel'"),
    ],
)
async def test_what_cannot_be_drawn_is_answered_by_a_sentence(text: str, said: str) -> None:
    with pytest.raises(BadArguments) as caught:
        await imagine(text, Scene())
    assert said in str(caught.value)


async def test_control_characters_and_line_breaks_are_left_out() -> None:
    acts = Scene()
    await imagine("a\u0000 red\n\ncat\u200b  on\ta\u202e mat", acts)
    assert acts.asked.prompt == "a red cat on a mat"


@pytest.mark.parametrize("prompt", ["a gun", "A GÚN!", "knives and forks", "the ＧＵＮ"])
async def test_a_servers_blocked_words_are_not_drawn_however_they_are_written(prompt: str) -> None:
    with pytest.raises(Refused, match="This server does not want such pictures"):
        await imagine(prompt, Scene(), blocked="gun, knive*")
    await imagine("a gunwale and a knife", Scene(), blocked="gun, knive*")


async def test_a_server_may_want_pictures_in_age_restricted_channels_only_and_hidden() -> None:
    with pytest.raises(Refused, match="in age-restricted channels only"):
        await imagine("a cat", Scene(), restricted=True)
    reply = await imagine("a cat", Scene(), message(age_restricted=True), restricted=True, spoiler=True, label=False)
    assert [part.spoiler for part in reply.parts if isinstance(part, Image)] == [True]
    assert "machine" not in reply.text


async def test_without_words_it_draws_what_the_message_says_that_it_replies_to() -> None:
    acts, args = Scene(), next(route.args for route in plugin().register_routes() if isinstance(route, Command))
    said = message(reply_to=Quote("q", BEN, (Text("a cat\non a mat"),)))
    await imagine(quoted(args, {}, said)["prompt"], acts, said)
    assert acts.asked.prompt == "a cat on a mat"
    assert quoted(args, {"prompt": "a dog"}, said) == {"prompt": "a dog"}


async def test_a_picture_that_came_along_or_is_replied_to_is_begun_with() -> None:
    for said in (message(PICTURE), message(reply_to=Quote("q", BEN, (PICTURE,)))):
        acts = Scene()
        acts.canvases["p"] = Canvas(Blob("c", "image/png", 5), 10, 10)
        await imagine("a cat", acts, said)
        assert (acts.asked.reference, acts.asked.strength) == (Blob("c", "image/png", 5), 0.6)
    with pytest.raises(UserError, match="no picture that I can read"):
        await imagine("a cat", Scene(), message(PICTURE))


async def test_a_prompt_in_another_language_is_translated_where_the_server_wants_that_and_the_answer_says_so() -> None:
    answer = Answer(text="A red cat.", finish="stop", prompt_tokens=1, tokens=1, model="m")
    acts = Scene(answer)
    reply = await imagine("eine rote Katze", acts, message(language="de"), translate=True)
    assert acts.asked.prompt == "A red cat."
    assert "(translated from “eine rote Katze”)" in reply.text
    [edit] = [one for one in reply.buttons if isinstance(one, Button) and one.form]
    assert edit.form is not None
    assert edit.form.values == {"prompt": "A red cat."}, "what was made of it can be edited"
    for said, wanted in ((message(language="en-GB"), True), (message(language="de"), False)):
        acts = Scene()
        await imagine("a red cat", acts, said, translate=wanted)
        assert [type(job) for job in acts.jobs] == [Draw]


async def test_where_nobody_can_translate_it_is_drawn_as_it_is() -> None:
    acts = Scene(JobFailed("x"))
    reply = await imagine("一只红猫", acts, translate=True)
    assert acts.asked.prompt == "一只红猫"
    assert "could not be translated" in reply.text


async def test_the_chat_model_writes_a_prompt_out_when_asked_and_its_words_pass_the_servers_rules() -> None:
    answer = Answer(text="A red cat\nwith a gun.", finish="stop", prompt_tokens=1, tokens=1, model="m")
    acts = Scene(answer)
    reply = await imagine("a cat --expand", acts)
    assert acts.asked.prompt == "A red cat with a gun."
    assert isinstance(acts.jobs[0], Generate)
    assert "(written out from “a cat”)" in reply.text
    with pytest.raises(Refused):
        await imagine("a cat --expand", Scene(answer), blocked="gun")


async def test_what_a_paid_server_takes_is_shown() -> None:
    config = Config(models=("pro",), servers={"pro": Server()})
    reply = await imagine("a cat", Scene(cost="4 credits"), config=config)
    assert "cost 4 credits" in reply.text


def test_a_model_that_does_not_draw_is_no_model_for_this() -> None:

    catalogue: Catalogue = load()
    for models, said in ((("whisper-base",), "a model for speech, expected one for image"), (("nothing-such",), "no model or set")):
        with pytest.raises(ConfigError, match=said):
            served(Config(models=models), catalogue)
    with pytest.raises(ConfigError, match=r"servers.pro: expected 'pro' among `models`"):
        served(Config(servers={"pro": Server()}), catalogue)
