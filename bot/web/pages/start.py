"""The page of the first run: greets, shows how far the models are, and asks what `hobnob init` asks. Behind it: `bot/cli/wizard.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from nicegui import ui
from pydantic import BaseModel, Field, SecretStr
from starlette.requests import Request

from bot.catalogue import Use
from bot.errors import BotError, ConfigError, ConnectorError, StoreError, Unavailable, UserError
from bot.translation import tr, translated
from bot.web.desk import Desk, Link, Nothing, desk
from bot.web.live import Live
from bot.web.setup import Beginning, Platform, Quality, Round
from bot.web.site import Works
from bot.web.view import View, styled
from bot.web.visitors import START, Visitors

R = TypeVar("R")

PLATFORMS: tuple[Platform, ...] = ("discord", "telegram")

NAMES: Mapping[Platform, str] = {"discord": "Discord", "telegram": "Telegram"}


class StartView(View, component="../static/start.js"):
    """The first run in the browser."""


class Connecting(BaseModel):
    """Somebody pastes a token."""

    platform: Platform
    token: SecretStr = Field(min_length=1, max_length=300)
    proxy: SecretStr = Field(default=SecretStr(""), max_length=300)
    nonce: str = ""


class Wishing(BaseModel):
    """What the bot is for, and the languages that people write in (ISO 639)."""

    use: Use
    quality: Quality
    languages: list[str] = Field(max_length=20)
    nonce: str = ""


class Choosing(BaseModel):
    """The models that somebody wants, and the hub that they come from; "" leaves it as it is."""

    models: list[str] = Field(max_length=10)
    endpoint: str = Field(default="", max_length=300)
    token: SecretStr = Field(default=SecretStr(""), max_length=300)
    nonce: str = ""


class Switching(BaseModel):
    """A plugin is to be on or off."""

    name: str = Field(max_length=64)
    on: bool
    nonce: str = ""


class Acting(BaseModel):
    """What needs no more words."""

    nonce: str = ""


class StartPage:
    """One tab of it, with a round of answers of its own."""

    def __init__(self, made: Desk, beginning: Beginning) -> None:
        self._made = made
        self._beginning = beginning
        self._round: Round | None = None
        made.hear("begin", Nothing, self.begin)
        made.hear("connect", Connecting, self.connect)
        made.hear("propose", Wishing, self.propose)
        made.hear("choose", Choosing, self.choose)
        made.hear("switch", Switching, self.switch)
        made.hear("code", Acting, self.code)
        made.hear("write", Acting, self.write)

    async def begin(self, _: Nothing) -> None:
        """What is decided already; of secrets, that they are set."""
        round = await self._begun()
        found = await self._tried(round.plugins())
        plugins = [{"name": name, "about": translated(about), "on": on} for name, (about, on) in found.items()]
        self._made.view.take("begun", connected=[name for name in PLATFORMS if round.connected(name)], plugins=plugins)

    async def _begun(self) -> Round:
        if self._round is None:
            self._round = await self._tried(asyncio.to_thread(self._beginning.begin))
        return self._round

    async def connect(self, given: Connecting) -> None:
        """Tries the token."""
        name = NAMES[given.platform]
        try:
            round = await self._begun()
            found = await round.connect(given.platform, given.token.get_secret_value().strip(), given.proxy.get_secret_value().strip())
        except ConnectorError as error:
            if error.retry_after is None:
                raise Unavailable(
                    tr("{platform} does not know this token. Copy it once more, or make a new one there.", platform=name)
                ) from error
            self._made.view.take("unreached", platform=given.platform)
            said = tr(
                "{platform} cannot be reached from here. Where it is blocked, a proxy helps: name one below the token.", platform=name
            )
            raise Unavailable(said) from error
        except ConfigError as error:
            raise Unavailable(str(error)) from error
        self._made.view.take("connected", platform=given.platform, **asdict(found))
        await self._draft()

    async def propose(self, given: Wishing) -> None:
        """What fits this machine."""
        languages = [word for each in given.languages if (word := each.strip().lower())]
        round = await self._begun()
        self._made.view.take("proposed", **asdict(await self._tried(round.propose(languages, given.use, given.quality))))
        await self._draft()

    async def choose(self, given: Choosing) -> None:
        """Whether we would be given the files is asked before anything is taken down."""
        round = await self._begun()
        try:
            round.hub(given.endpoint.strip(), given.token.get_secret_value().strip())
        except ConfigError as error:
            raise Unavailable(str(error)) from error
        await self._tried(round.choose(given.models))
        self._made.view.take("chosen", models=given.models)
        await self._draft()

    async def switch(self, given: Switching) -> None:
        """In the draft."""
        await self._tried((await self._begun()).switch(given.name, given.on))
        self._made.view.take("switched", name=given.name, on=given.on)
        await self._draft()

    async def code(self, _: Acting) -> None:
        """A code that makes an owner of who says it."""
        self._made.view.take("code", code=await self._beginning.claim())

    async def _draft(self) -> None:
        self._made.view.take("draft", text=await (await self._begun()).shown())

    async def write(self, _: Acting) -> None:
        """From now on it holds; where somebody starts us anew, that is asked for at once."""
        lacking = await self._tried((await self._begun()).write())
        self._round = None
        again = self._beginning.again
        self._made.view.take("written", again=again is not None, lacking=lacking)
        if again is not None:
            again(lacking)

    async def _tried(self, doing: Awaitable[R]) -> R:
        """What is wrong with what was chosen is said to whoever chose it."""
        try:
            return await doing
        except (UserError, StoreError):
            raise
        except BotError as error:
            raise Unavailable(str(error)) from error


def start_page(beginning: Beginning, works: Works, visitors: Visitors, links: Sequence[Link]) -> None:
    """Puts the page below the operator's door."""

    async def look() -> Mapping[str, Any]:
        serving = {model for worker in (await works.snapshots.take(1)).workers for model in worker.models}
        pulls = [one.model_dump() for one in await works.pulls.all()]
        return {"pulls": pulls, "serving": sorted(serving)}

    live = Live(look, works.changes("worker:", "pulls"))

    @ui.page(START)
    async def show(request: Request) -> None:
        made = desk(StartView(), visitors, request, "operator", links)
        styled("start")  # after the frame's, some of which it changes
        made.shows(live)
        StartPage(made, beginning)
