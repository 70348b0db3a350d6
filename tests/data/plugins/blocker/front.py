"""Waits without letting anybody else have a turn."""

from __future__ import annotations

import time
from collections.abc import Iterable

from bot import Command, Context, NoArgs, Route, hookimpl


class Plugin:
    """Blocks."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Command("block", "Block everybody.", NoArgs, self.block)]

    async def block(self, ctx: Context, args: NoArgs) -> str:
        time.sleep(600)  # noqa: ASYNC251  the fault that is to be found
        return "Done."
