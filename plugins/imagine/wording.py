"""What is asked for becomes a job, and what was drawn becomes words; pure functions. When they are used: `front.py`."""

from __future__ import annotations

from collections.abc import Sequence

from bot import Draw, UserError, tr
from plugins.imagine.args import ImagineArgs
from plugins.imagine.recipe import Recipe, differences
from plugins.imagine.served import Served
from plugins.imagine.settings import Settings
from plugins.imagine.sizes import pixels

LONGEST_SHOWN = 300
"""Characters of a prompt below its picture; platforms allow captions of 1,024."""


def asked(args: ImagineArgs, model: Served, settings: Settings, seed: int) -> Draw:
    """The job, within what the model heeds and the server allows. Raises UserError for what goes beyond."""
    facts = model.facts
    guidance, negative, style = (getattr(args, name, None) for name in ("guidance", "negative", "style"))
    for name, given, heeded in (("guidance", guidance is not None, facts.guidance is not None), ("negative", negative, facts.negative)):
        if given and not heeded:
            raise UserError(tr("{model} does not heed --{name}; please leave it out.", model=model.name, name=name))
    if args.number > settings.most_number:
        raise UserError(
            tr(
                "Here at most {n} picture can be asked for at once.",
                "Here at most {n} pictures can be asked for at once.",
                n=settings.most_number,
            )
        )
    most = min(facts.most_steps, settings.most_steps)
    if args.steps is not None and args.steps > most:
        raise UserError(
            tr(
                "{model} takes at most {n} step here, {asked} were asked for.",
                "{model} takes at most {n} steps here, {asked} were asked for.",
                n=most,
                model=model.name,
                asked=args.steps,
            )
        )
    return Draw(
        model=model.name,
        prompt=args.prompt,
        negative=negative or "",
        size=pixels(args.size or settings.size, facts, settings.most_pixels),
        number=args.number,
        steps=args.steps or min(settings.steps or facts.steps, most),
        guidance=guidance,
        seed=args.seed if args.seed is not None else seed,
        style=style,
    )


def described(recipes: Sequence[Recipe]) -> str:
    """What stands above the pictures."""
    first = recipes[0]
    prompt = first.prompt if len(first.prompt) <= LONGEST_SHOWN else f"{first.prompt[: LONGEST_SHOWN - 1]}…"
    facts = [f"{first.width}×{first.height}", tr("{n} step", "{n} steps", n=first.steps), tr("seed {seed}", seed=first.seed), first.model]
    facts += [first.style] if first.style else []
    facts += [tr("cost {cost}", cost=" + ".join(recipe.cost for recipe in recipes))] if first.cost else []
    ids = ", ".join(f"`{recipe.id}`" for recipe in recipes)
    return f"**{prompt}**\n{' · '.join(facts)} · {tr('recipe {ids}', ids=ids)}"


def compared(before: Recipe, now: Recipe) -> str:
    """Whether the second picture is the first one, and why not."""
    if before.pixels == now.pixels:
        return tr("The same picture, bit for bit.")
    other = list(differences(before, now))
    if not other:
        return tr("Not bit for bit the same, though nothing that I know of differs.")
    return tr("Not bit for bit the same. What differs: {what}.", what="; ".join(other))
