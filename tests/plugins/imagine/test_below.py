"""What can be done with a picture: its buttons, its recipe, and drawing any picture anew. The model is scripted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import (
    Attachment,
    Blob,
    Button,
    Canvas,
    Draw,
    Image,
    Quote,
    Refused,
    UserError,
)
from plugins.imagine.args import Edited, RecipeArgs, RestyleArgs
from plugins.imagine.config import Config, Server
from plugins.imagine.recipe import Recipe
from tests.plugins.imagine.scene import BEN, PICTURE, Scene, button, click, context, drawn, imagine, message, plugin


async def test_again_draws_the_same_words_from_other_seeds() -> None:
    acts = Scene()
    reply = await imagine("a cat --number 2 --seed 7 --size wide", acts)
    drawn_first = set(acts.lifetimes)
    acts.lifetimes.clear()
    await plugin().again(context(acts, click()), button(reply, "Again"))
    assert len(drawn_first & set(acts.lifetimes)) == 1, "a recipe that is used is known for another year"
    assert acts.asked.seed != 7
    assert (acts.asked.prompt, acts.asked.number, acts.asked.size, acts.asked.batch) == ("a cat", 2, (1360, 768), None)


async def test_vary_begins_with_the_picture_that_is_meant() -> None:
    acts = Scene()
    reply = await imagine("a cat --number 2", acts)
    acts.canvases["r"] = Canvas(Blob("d", "image/png", 5), 10, 10)
    there = click(PICTURE, Image(Attachment("r", "image/png", 10)))
    await plugin().vary(context(acts, there), button(reply, "Vary 2"))
    assert (acts.asked.reference, acts.asked.strength, acts.asked.number) == (Blob("d", "image/png", 5), 0.6, 1)


async def test_a_picture_that_the_platform_does_not_show_is_drawn_again_before_it_is_varied() -> None:
    acts = Scene()
    reply = await imagine("a cat --number 2 --seed 7", acts)
    acts.canvases["b0"] = Canvas(Blob("c", "image/png", 5), 10, 10)
    await plugin().vary(context(acts, click(PICTURE)), button(reply, "Vary 2"))
    again, varied = acts.jobs[-2:]
    assert isinstance(again, Draw) and isinstance(varied, Draw)
    assert (again.seed, again.batch, again.reference) == (8, (1, 0), None), "as its recipe says"
    assert (varied.reference, varied.prompt) == (Blob("c", "image/png", 5), "a cat")
    acts.changed = {"pixels": "xyz"}
    with pytest.raises(UserError, match="I no longer see the picture"):
        await plugin().vary(context(acts, click()), button(reply, "Vary 2"))
    acts.changed = {}
    paid = Config(models=("pro",), servers={"pro": Server()})
    reply = await imagine("a cat", acts, config=paid)
    with pytest.raises(UserError, match="I no longer see the picture"):
        await plugin(paid).vary(context(acts, click()), button(reply, "Vary"))


async def test_edit_offers_the_words_and_keeps_all_else() -> None:
    acts = Scene()
    reply = await imagine("a cat --number 2 --seed 7 --size wide --style pixel --guidance 2.5", acts, model="flux.1-dev")
    [edit] = [one for one in reply.buttons if isinstance(one, Button) and one.label == "Edit prompt"]
    assert edit.form is not None
    assert edit.form.values == {"prompt": "a cat"}
    edited = Edited.model_validate({**edit.payload, "prompt": " a  dog "})
    await plugin().edit(context(acts, click()), edited)
    same = {"size": (1360, 768), "steps": 28, "guidance": 2.5, "seed": 7, "number": 2, "style": "pixel"}
    assert acts.asked == Draw(model="flux.1-dev", prompt="a dog", **same)
    with pytest.raises(Refused):
        await plugin().edit(context(acts, click(), blocked="dog"), edited)


async def test_edit_of_a_picture_that_began_with_another_one_goes_on_from_what_came_of_it() -> None:
    acts = Scene(reference="5" * 64, strength=0.6)
    acts.canvases["p"] = Canvas(Blob("c", "image/png", 5), 10, 10)
    reply = await imagine("a cat --seed 7", acts)
    edited = Edited.model_validate({**button(reply, "Edit prompt").model_dump(), "prompt": "a dog"})
    await plugin().edit(context(acts, click(PICTURE)), edited)
    assert (acts.asked.prompt, acts.asked.seed) == ("a dog", 7)
    assert (acts.asked.reference, acts.asked.strength) == (Blob("c", "image/png", 5), 0.6)
    with pytest.raises(UserError, match="I no longer see the picture"):
        await plugin().edit(context(acts, click()), edited)


async def test_a_picture_is_deleted_by_who_asked_for_it_and_by_who_manages_the_server() -> None:
    acts = Scene()
    reply = await imagine("a cat", acts)
    delete = button(reply, "Delete")
    for said, gone in ((click(), 1), (click(by=BEN, manages=True), 2)):
        await plugin().delete(context(acts, said), delete)
        assert acts.removed == gone
    with pytest.raises(Refused, match="Only the person who asked"):
        await plugin().delete(context(acts, click(by=BEN)), delete)


# Recipes -----------------------------------------------------------------------------------------------------------------


async def test_a_recipe_draws_the_picture_again_and_says_whether_it_is_the_same() -> None:
    acts = Scene(rows=4, row=2)
    await imagine("a cat --seed 7", acts)
    [id] = [key.removeprefix("recipe/") for _, key in acts.stored]
    reply = await plugin().recipe(context(acts), RecipeArgs(id=f" `{id.upper()}` "))
    assert (acts.asked.batch, acts.asked.seed) == ((4, 2), 7)
    assert "The same picture, bit for bit." in reply.text
    acts.changed = {"pixels": "xyz", "versions": {"torch": "3.0"}}
    reply = await plugin().recipe(context(acts), RecipeArgs(id=id))
    assert "Not bit for bit the same. What differs: torch (none then, 3.0 now)." in reply.text


async def test_a_recipe_that_nobody_knows_may_be_in_the_pictures_own_file() -> None:
    with pytest.raises(UserError, match="There is no recipe “abc” in this server"):
        await plugin().recipe(context(Scene()), RecipeArgs(id="abc"))
    with pytest.raises(UserError, match="Please give the eight letters"):
        await plugin().recipe(context(Scene()), RecipeArgs())
    recipe = Recipe.model_validate(drawn(Draw(model="flux.1-schnell", prompt="a cat", size=(512, 512), seed=3)).recipe)
    acts = Scene()
    for said, text in ((recipe.model_dump_json(), ""), ("nonsense", "does not say how it was drawn")):
        acts.canvases["p"] = Canvas(Blob("c", "image/png", 5), 10, 10, said)
        if text:
            with pytest.raises(UserError, match=text):
                await plugin().recipe(context(acts, message(PICTURE)), RecipeArgs())
        else:
            await plugin().recipe(context(acts, message(PICTURE)), RecipeArgs())
            assert (acts.asked.prompt, acts.asked.seed) == ("a cat", 3)


async def test_a_recipe_is_bound_by_the_servers_rules_of_today_and_by_its_models() -> None:
    acts = Scene()
    await imagine("a gun", acts)
    [id] = [key.removeprefix("recipe/") for _, key in acts.stored]
    with pytest.raises(Refused):
        await plugin().recipe(context(acts, blocked="gun"), RecipeArgs(id=id))
    with pytest.raises(UserError, match=r"drawn by flux.1-schnell, which does not draw here"):
        await plugin(Config(models=("flux.1-dev",))).recipe(context(acts), RecipeArgs(id=id))


# Other people's pictures -------------------------------------------------------------------------------------------------


async def test_a_picture_in_the_chat_is_drawn_anew_from_its_own_words_or_others() -> None:
    recipe = Recipe.model_validate(drawn(Draw(model="flux.1-schnell", prompt="a cat", size=(512, 512), seed=3)).recipe)
    acts = Scene()
    told = replace(PICTURE, alt="a dog  on a mat")
    for said, image, prompt, wanted in (
        (recipe.model_dump_json(), PICTURE, "", "a cat"),
        ("", told, "", "a dog on a mat"),
        ("", told, " a night\nsky", "a night sky"),
    ):
        acts.canvases["p"] = Canvas(Blob("c", "image/png", 5), 10, 10, said)
        args = RestyleArgs(prompt=prompt)
        await plugin().restyle(context(acts, message(reply_to=Quote("q", BEN, (image,)))), args)
        assert (acts.asked.prompt, acts.asked.reference, acts.asked.strength) == (wanted, Blob("c", "image/png", 5), 0.6)
    with pytest.raises(UserError, match="Please say what is to become of it"):
        await plugin().restyle(context(acts, message(PICTURE)), RestyleArgs())
    with pytest.raises(UserError, match="Please attach a picture"):
        await plugin().restyle(context(acts), RestyleArgs())
    with pytest.raises(Refused):
        await plugin().restyle(context(acts, message(PICTURE), blocked="sky"), RestyleArgs(prompt="a night sky"))
