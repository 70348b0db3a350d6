"""Pictures that a server wants looked at before they are shown. The model that looks: `checker.py`; what words may be drawn: `rules.py`."""

from __future__ import annotations

from collections.abc import Sequence

from bot import Blob, Context, Refused, tr
from plugins.imagine.jobs import Look

UNSAFE = 0.5
"""From this probability on a picture is not for everybody."""


def ready(ctx: Context, checker: str) -> None:
    """Raises Refused where the server wants pictures looked at, and the operator has nobody who does."""
    if ctx.settings.check != "off" and not checker:
        raise Refused(
            tr("Here pictures are to be checked before they are shown, and no model for that is set up. An admin can switch the check off.")
        )


async def unsafe(ctx: Context, checker: str, pictures: Sequence[Blob]) -> set[int]:
    """Which of the pictures are not for everybody, counted from 0; none where the server does not want to know."""
    if ctx.settings.check == "off":
        return set()
    looked = await ctx.run(Look(model=checker, pictures=tuple(pictures)))
    return {number for number, likely in enumerate(looked.unsafe) if likely >= UNSAFE}


def withheld(count: int, of: int) -> str:
    """What is said of those that are not shown, "" for none. Raises Refused where nothing is left to show."""
    if not count:
        return ""
    if count == of:
        raise Refused(tr("The check of this server takes this for a picture that is not for everybody, so it is not shown."))
    return tr(
        "({n} picture is not shown: the check of this server takes it for one that is not for everybody.)",
        "({n} pictures are not shown: the check of this server takes them for some that are not for everybody.)",
        n=count,
    )
