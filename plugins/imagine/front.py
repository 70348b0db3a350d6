"""`/imagine` and what can be done with a picture: again, varied, with other words, deleted, by its recipe. Drawing: `model.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot import (
    Action,
    Blob,
    Button,
    Canvas,
    Catalogue,
    Command,
    Context,
    Draw,
    Form,
    Image,
    Picture,
    Refused,
    Reply,
    Route,
    Tool,
    UserError,
    hookimpl,
    tr,
)
from plugins.imagine import checking, rules
from plugins.imagine.args import Below, Drawing, Edited, ImagineArgs, RecipeArgs, RestyleArgs, args_for
from plugins.imagine.config import Config
from plugins.imagine.recipe import Recipe, read
from plugins.imagine.served import STARTER, Served, checker, served
from plugins.imagine.settings import Settings
from plugins.imagine.starter.words import refusal
from plugins.imagine.translating import expanded, translated
from plugins.imagine.wording import asked, compared, described

VARIED = 0.6
"""How much of a picture is drawn anew when it is varied."""

SEEDS = 1_000_000
"""Of those that are chosen for people; short enough to be typed."""

KEPT = 365 * 86_400.0
"""Seconds that a recipe is known by its letters, since it was drawn or used last: buttons that are pressed now and then work on."""


class Plugin:
    """Draws."""

    def __init__(self, config: Config, catalogue: Catalogue) -> None:
        self._models = {model.name: model for model in served(config, catalogue)}
        looking = checker(config, catalogue)
        self._checker = looking.name if looking else ""
        self._args = args_for(self._models.values(), list(config.styles))

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Pictures do not wait for one another, so no route is ordered."""
        return [
            Command("imagine", "Draw a picture from words.", self._args, self.imagine, example="/imagine a large red heart on white"),
            Command(
                "restyle", "Draw a picture anew, beginning with it.", RestyleArgs, self.restyle, menu=True, example="/restyle a night sky"
            ),
            Command("recipe", "Draw a picture again by its recipe.", RecipeArgs, self.recipe, example="/recipe K7MQP2XW"),
            Action("again", Below, self.again),
            Action("vary", Below, self.vary),
            Action("edit", Edited, self.edit),
            Action("delete", Below, self.delete),
        ]

    @hookimpl
    def register_tools(self) -> Iterable[Tool]:
        """For a model that is asked for a picture."""
        return [Tool("draw", "Draws a picture from words and shows it in the chat.", Drawing, self.draw, timeout=900.0, command="imagine")]

    async def draw(self, ctx: Context, args: Drawing) -> Reply:
        """One picture, as `/imagine` would draw it here; the model is told that it is shown, and the chat sees it."""
        reply = await self.imagine(ctx, self._args.model_validate({"prompt": args.prompt}))
        return Reply("The picture is drawn and shown below your answer.", *(part for part in reply.parts if isinstance(part, Image)))

    async def imagine(self, ctx: Context, args: ImagineArgs) -> Reply:
        """One reply with all pictures."""
        settings: Settings = ctx.settings
        model = self._chosen(settings)
        self._check(ctx, args.prompt)
        job = asked(args, model, settings, ctx.random.randrange(SEEDS))
        rules.check(job.negative, settings.blocked)
        if begin := _shown_picture(ctx):
            canvas = await self._canvas(ctx, model, begin)
            job = job.model_copy(update={"reference": canvas.image, "strength": VARIED})
        words, note = await _worded(ctx, args)
        self._check(ctx, words)
        _check_words(model.name, words)
        return await self._drawn(ctx, job.model_copy(update={"prompt": words}), note)

    async def restyle(self, ctx: Context, args: RestyleArgs) -> Reply:
        """Begins with the picture that is attached, replied to, or in whose menu this was; without words it says what it shows itself."""
        image = _shown_picture(ctx)
        if image is None:
            raise UserError(tr("Please attach a picture, or reply with this command to one."))
        settings: Settings = ctx.settings
        model = self._chosen(settings)
        canvas = await self._canvas(ctx, model, image)
        before = read(canvas.recipe)
        words = args.prompt or (before.prompt if before else rules.clean(image.alt)[: rules.LONGEST])
        if not words:
            raise UserError(tr("Please say what is to become of it: /restyle a night sky."))
        self._check(ctx, words)
        _check_words(model.name, words)
        job = asked(self._args(prompt=words), model, settings, ctx.random.randrange(SEEDS))
        return await self._drawn(ctx, job.model_copy(update={"reference": canvas.image, "strength": VARIED}))

    async def recipe(self, ctx: Context, args: RecipeArgs) -> Reply:
        """The picture again, and whether it is the same to the last bit."""
        recipe = await self._named(ctx, args.id) if args.id else await _attached(ctx)
        self._check(ctx, f"{recipe.prompt} {recipe.negative}")
        if recipe.model not in self._models:
            raise UserError(tr("This was drawn by {model}, which does not draw here.", model=recipe.model))
        job = recipe.job()
        if recipe.reference:
            job = job.model_copy(update={"reference": (await self._same_reference(ctx)).image})
        picture = await _run(ctx, job)
        now = Recipe.model_validate(picture.recipe)
        if recipe.reference != now.reference:
            raise UserError(tr("That is not the picture that this one began with. Please attach the same file."))
        return await self._reply(ctx, [(picture, now)], compared(recipe, now))

    async def again(self, ctx: Context, args: Below) -> Reply:
        """The same words with other seeds."""
        recipe = await self._named(ctx, args.recipes[0])
        self._check(ctx, recipe.prompt)
        if recipe.reference:
            raise UserError(tr("This picture began with another one. Please send that again with /imagine, or press Vary."))
        job = recipe.job().model_copy(update={"seed": ctx.random.randrange(SEEDS), "batch": None, "number": len(args.recipes)})
        return await self._drawn(ctx, job)

    async def vary(self, ctx: Context, args: Below) -> Reply:
        """Begins with the picture itself, as it stands in the chat; one that cannot be seen there is drawn again first."""
        recipe = await self._named(ctx, args.recipes[args.which])
        self._check(ctx, recipe.prompt)
        changed = {**await self._begun(ctx, recipe, args.which), "seed": ctx.random.randrange(SEEDS), "batch": None}
        return await self._drawn(ctx, recipe.job().model_copy(update=changed))

    async def _begun(self, ctx: Context, recipe: Recipe, which: int) -> dict[str, Any]:
        """What has a picture begin with that one as it stands."""
        model = self._models.get(recipe.model) or self._chosen(ctx.settings)
        pictures = [part for part in ctx.message.reply_to.parts if isinstance(part, Image)] if ctx.message.reply_to else []
        shown = pictures[which] if which < len(pictures) else await self._redrawn(ctx, recipe)
        return {"reference": (await self._canvas(ctx, model, shown)).image, "strength": VARIED}

    async def edit(self, ctx: Context, args: Edited) -> Reply:
        """The same picture of other words; one that began with another picture, which is not kept, goes on from what came of it."""
        recipe = await self._named(ctx, args.recipes[0])
        self._check(ctx, args.prompt)
        _check_words(recipe.model, args.prompt)
        changed = {"prompt": args.prompt, "batch": None, "number": len(args.recipes)}
        if recipe.reference:
            changed |= await self._begun(ctx, recipe, 0)
        return await self._drawn(ctx, recipe.job().model_copy(update=changed))

    async def delete(self, ctx: Context, args: Below) -> None:
        """By who asked, and by who manages the server."""
        if not (ctx.person.id == args.asker or ctx.message.manages):
            raise Refused(tr("Only the person who asked for this picture and the admins of this server can delete it."))
        await ctx.remove()

    def _chosen(self, settings: Settings) -> Served:
        """The server's model, while it is served; else the operator's first."""
        return self._models.get(settings.model) or next(iter(self._models.values()))

    def _check(self, ctx: Context, words: str) -> None:
        """Raises Refused for what this server does not want drawn."""
        rules.check(words, ctx.settings.blocked)
        if ctx.settings.restricted and not (ctx.message.age_restricted or ctx.address.direct):
            raise Refused(tr("Here pictures are drawn in age-restricted channels only."))
        checking.ready(ctx, self._checker)

    async def _canvas(self, ctx: Context, model: Served, image: Image) -> Canvas:
        if not model.facts.references:
            raise UserError(tr("{model} cannot begin with a picture.", model=model.name))
        return await ctx.picture(image, side=model.facts.most)

    async def _redrawn(self, ctx: Context, recipe: Recipe) -> Image:
        """Raises UserError where the recipe does not draw the same picture again."""
        model = self._models.get(recipe.model)
        gone = tr("I no longer see the picture here. Please reply to it with /imagine and some words.")
        if model is None or model.server or recipe.reference:
            raise UserError(gone)
        picture = await _run(ctx, recipe.job())
        if Recipe.model_validate(picture.recipe).pixels != recipe.pixels:
            raise UserError(gone)
        return Image(picture.image)

    async def _same_reference(self, ctx: Context) -> Canvas:
        if (image := _shown_picture(ctx)) is None:
            raise UserError(tr("This picture began with another one, which I do not keep. Please attach that to the command."))
        return await ctx.picture(image)

    async def _drawn(self, ctx: Context, job: Draw, note: str = "") -> Reply:
        picture = await _run(ctx, job)
        pictures = [(one, Recipe.model_validate(one.recipe)) for one in (picture, *picture.others)]
        return await self._reply(ctx, pictures, note)

    async def _reply(self, ctx: Context, pictures: Sequence[tuple[Picture, Recipe]], note: str) -> Reply:
        settings: Settings = ctx.settings
        unsafe = await checking.unsafe(ctx, self._checker, [one.image for one, _ in pictures])
        kept = [number for number in range(len(pictures)) if settings.check != "block" or number not in unsafe]
        missing = checking.withheld(len(pictures) - len(kept), len(pictures))
        recipes = [pictures[number][1] for number in kept]
        for recipe in recipes:
            await ctx.store.put(recipe, "server", f"recipe/{recipe.id}", ttl=KEPT)
        words = "\n".join(filter(None, [described(recipes), note, missing, tr("Drawn by a machine.") if settings.label else ""]))
        images = [_shown(*pictures[number], spoiler=settings.spoiler or number in unsafe) for number in kept]
        return Reply(words, *images, buttons=self._buttons(recipes, ctx.person.id))

    def _buttons(self, recipes: Sequence[Recipe], asker: str) -> list[Button]:
        below = {"recipes": [recipe.id for recipe in recipes], "asker": asker}
        model = self._models.get(recipes[0].model)
        which = range(len(recipes)) if model is None or model.facts.references else ()
        named = [tr("Vary {number}", number=number + 1) for number in which] if len(recipes) > 1 else [tr("Vary")]
        vary = [Button(name, "vary", {**below, "which": number}) for number, name in zip(which, named, strict=False)]
        words = Form.of(tr("Edit the prompt"), Edited, {"prompt": recipes[0].prompt}, ["prompt"])
        edit = Button(tr("Edit prompt"), "edit", {**below, "prompt": recipes[0].prompt}, words)
        return [Button(tr("Again"), "again", below), *vary, edit, Button(tr("Delete"), "delete", below)]

    async def _named(self, ctx: Context, id: str) -> Recipe:
        found = await ctx.store.get(Recipe, "server", f"recipe/{id.strip().strip('`').lower()}")
        if found is None:
            raise UserError(
                tr("There is no recipe “{id}” in this server. A picture's own file has its recipe too: attach it to /recipe.", id=id)
            )
        await ctx.store.put(found, "server", f"recipe/{found.id}", ttl=KEPT)
        return found


def _check_words(model: str, words: str) -> None:
    """Raises UserError for a prompt without one word that the starter knows."""
    if model == STARTER and (why := refusal(words)):
        raise UserError(why)


async def _worded(ctx: Context, args: ImagineArgs) -> tuple[str, str]:
    """The prompt as it is drawn, and what is told of how it came to that."""
    if args.expand:
        return await expanded(ctx, args.prompt)
    return await translated(ctx, args.prompt) if ctx.settings.translate else (args.prompt, "")


def _shown_picture(ctx: Context) -> Image | None:
    """The picture that came with the command, else one of the message it replies to."""
    quote = ctx.message.reply_to
    parts = (*ctx.message.parts, *(quote.parts if quote else ()))
    return next((part for part in parts if isinstance(part, Image)), None)


async def _attached(ctx: Context) -> Recipe:
    image = _shown_picture(ctx)
    if image is None:
        raise UserError(tr("Please give the eight letters that stand below a picture, or attach the picture's file."))
    found = read((await ctx.picture(image)).recipe)
    if found is None:
        raise UserError(
            tr("This file does not say how it was drawn; some platforms take that out. The eight letters below the picture do it too.")
        )
    return found


async def _run(ctx: Context, job: Draw) -> Picture:
    """Where pictures are looked at before they are shown, or hidden until somebody opens them, nothing is shown on the way either."""
    shown = ctx.settings.check == "off" and not ctx.settings.spoiler
    return await ctx.run(job if shown else job.model_copy(update={"previews": False}))


def _shown(picture: Picture, recipe: Recipe, *, spoiler: bool) -> Image:
    blob = picture.image
    file = Blob(blob.id, blob.mime, blob.size, f"{recipe.id}.png")
    return Image(file, alt=tr("Drawn by a machine: {prompt}", prompt=recipe.prompt)[:1000], spoiler=spoiler)
