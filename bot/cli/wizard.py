"""What somebody new is asked, in a terminal and in a browser alike, and what becomes of the answers: a draft of the configuration.

The terminal's questions: `beginning.py`; the browser's: `bot/web/pages/start.py`. How a draft is written: `bot/editing.py`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import TypeAdapter

from bot import catalogue
from bot.catalogue import Catalogue, Entry, Use
from bot.cli.checking import write
from bot.cli.fitting import Advice, Quality, Rung, Wish, advise
from bot.cli.listing import access
from bot.cli.machine import Machine
from bot.config import Config
from bot.editing import Draft
from bot.errors import ConfigError
from bot.faults import variable
from bot.origins import Hub
from bot.pull import Access, status
from bot.pull.hub import HUB, same
from bot.pull.hub import look as look_up
from bot.tables import DiscordTable, TelegramTable
from bot.translation import tr
from bot.web.errands import Errands
from bot.web.setup import Introduced, Offered, Platform, Proposal

SERVING = {"chat": "chat", "image": "imagine", "speech": "transcribe"}
"""Which plugin runs the models of a kind."""

P = ParamSpec("P")
R = TypeVar("R")


class Wizard:
    """One round of answers. What is understood goes into the draft, and nothing is written before that is.

    Behind a page it runs in the router: what measures or hashes is done by processes of their own, what reads and writes files by threads.
    """

    def __init__(self, config: Config) -> None:
        """Raises ConfigError where the configuration cannot be changed."""
        self.config = config
        self.draft = Draft(config.source.path)
        self._errands = Errands(config.source.path)
        self._drafting = asyncio.Lock()
        self._hub = access(config)
        self._token = (config.models.token.get_secret_value() if config.models.token else ""), config.models.trusted_hub or ""
        self._typed: Access | None = None
        self._looked: tuple[Machine, Catalogue] | None = None
        self._advice: Advice | None = None
        self._chosen: list[Entry] = []

    def connected(self, platform: Platform) -> bool:
        """Whether there is a token already; which, nobody is told."""
        return self._table(platform).token is not None

    def _table(self, platform: Platform) -> DiscordTable | TelegramTable:
        return self.config.connectors.discord if platform == "discord" else self.config.connectors.telegram

    async def connect(self, platform: Platform, token: str, proxy: str = "") -> Introduced:
        """Asks who the token is for, and takes it. Raises ConfigError or ConnectorError; with `retry_after` a proxy may help."""
        _readable(token, proxy, tr("A proxy is written like http://user:password@host:3128."))
        table, ask = self._table(platform), _ASKING[platform]
        known = table.proxy.get_secret_value() if table.proxy else ""
        try:
            found = await ask(self.config, token, proxy or known or None)
        except (httpx.InvalidURL, ValueError):  # whose words hold what was typed
            raise ConfigError(tr("Nobody can be asked with this token and this proxy: look at how they are written.")) from None
        self.draft.secret(variable(("connectors", platform, "token")), token)
        if proxy and proxy != known:
            self.draft.secret(variable(("connectors", platform, "proxy")), proxy)
        return found

    async def look(self) -> tuple[Machine, Catalogue]:
        """What there is, looked at once."""
        if self._looked is None:
            known = await asyncio.to_thread(catalogue.load, added=self.config.models_dir)
            said = json.loads(await self._errands.text("models", "recommend", "--json"))
            self._looked = TypeAdapter(Machine).validate_python(said["machine"]), known
        return self._looked

    async def _drafted(self, do: Callable[P, R], *args: P.args, **named: P.kwargs) -> R:
        """One at a time has the draft."""
        async with self._drafting:
            return await asyncio.to_thread(do, *args, **named)

    async def advise(self, wish: Wish) -> Advice:
        """The ladder and the line-up for this machine; the use is taken down."""
        machine, known = await self.look()
        await self._drafted(self.draft.set, ("models", "use"), wish.use)
        self._advice = await asyncio.to_thread(advise, known, machine, wish)
        return self._advice

    async def propose(self, languages: Sequence[str], use: Use, quality: Quality) -> Proposal:
        """The same as people choose from it: the largest first, then what is no chat model."""
        advice, (machine, known) = await self.advise(Wish(tuple(languages) or ("en",), quality, use, alone=True)), await self.look()
        picked = {part.model for part in advice.lineup}
        parts = [Rung(part.model, part.how, part.needs, 0.0, precision="bfloat16") for part in advice.lineup if part.kind != "chat"]
        offers = [self._offered(known, rung, best=rung.model in picked) for rung in (*reversed(advice.ladder), *parts)]
        cards = tuple((card.name, card.memory) for card in machine.cards)
        return Proposal(machine.memory, cards, machine.room(len(cards)), tuple(offers), advice.notes)

    def _offered(self, known: Catalogue, rung: Rung, *, best: bool) -> Offered:
        entry = known.models[rung.model]
        return Offered(
            model=entry.name,
            kind=entry.kind,
            how=rung.how,
            needs=rung.needs,
            speed=rung.speed,
            why_not=rung.why_not,
            able=rung.precision is not None,
            best=best,
            here=self._here(entry),
            licence=known.licence(entry).name,
            duties=known.licence(entry).duties,
            gated=self.page(entry) if entry.gated else "",
        )

    def _here(self, entry: Entry) -> bool:
        return status(entry, self.config.models_dir) in ("ready", "own")

    def page(self, entry: Entry) -> str:
        """Where the licence of a model is read and accepted, "" for one that comes from no hub."""
        return f"{self._hub.endpoint or HUB}/{entry.source.repo}" if isinstance(entry.source, Hub) else ""

    def hub(self, endpoint: str, token: str) -> None:
        """Where models come from, and as whom, for the next choice; "" leaves it as it is. Raises ConfigError.

        No token that is known already goes to another address than the one that it is for.
        """
        _readable(token, endpoint, tr("A hub's address looks like https://huggingface.co."))
        now, (known, owner) = self._hub, self._token
        there = endpoint or now.endpoint
        shown = token or (known if same(there, owner) else "")
        self._typed = Access(there, shown, now.proxy, anonymous=bool(known) and not shown)

    async def choose(self, names: Sequence[str], *, unseen: bool = False) -> None:
        """Has these serve, each before what its plugin has now, as the last advice runs it.

        Raises PullError where the files of one would not be given to us, with what to do; with `unseen` nobody is asked yet.
        """
        entries = (await self.look())[1].find(names)
        typed, self._typed = self._typed or self._hub, None
        for entry in entries if not unseen else ():
            await self._reach(entry, typed)
        await self._drafted(self._take, entries, typed)

    def _take(self, entries: Sequence[Entry], typed: Access) -> None:
        self._settle(typed)
        for entry in entries:
            plugin = SERVING[entry.kind]
            now = list(self.config.plugins[plugin].options.get("models", ())) if plugin in self.config.plugins else []
            self.draft.set(("plugins", plugin, "models"), [entry.name, *(name for name in now if name != entry.name)])
            rungs = self._advice.ladder if self._advice else ()
            for rung in rungs:
                if rung.model == entry.name and rung.precision in ("int8", "int4"):
                    self.draft.set(("plugins", plugin, "running", entry.name, "precision"), rung.precision)
        self._chosen = list(entries)

    async def _reach(self, entry: Entry, by: Access) -> None:
        if isinstance(entry.source, Hub) and not self._here(entry):
            await asyncio.to_thread(look_up, entry.source, by)

    def _settle(self, tried: Access) -> None:
        """A hub that has answered is the one that holds."""
        if tried.endpoint != self._hub.endpoint:
            self.draft.set(("models", "endpoint"), tried.endpoint)
        known, owner = self._token
        if tried.token and (tried.token != known or not same(tried.endpoint, owner)):
            self.draft.secret(variable(("models", "token")), tried.token)
            if not same(tried.endpoint, owner):
                self.draft.set(("models", "trusted_hub"), tried.endpoint or HUB)
            self._token = tried.token, tried.endpoint
        self._hub = tried

    async def plugins(self) -> dict[str, tuple[str, bool]]:
        """Those that are installed or configured: what each does, and whether it is on. What is wrong with others, `hobnob check` says."""
        found: list[dict[str, Any]] = json.loads(await self._errands.text("plugins", "list", "--json"))
        return {one["name"]: (one["summary"], one["on"]) for one in found if not one["fault"]}

    async def switch(self, name: str, on: bool) -> None:
        """Whether a plugin is loaded. Raises ConfigError."""
        await self._drafted(self.draft.table if on else self.draft.drop, ("plugins", name))

    async def shown(self) -> str:
        """What would be written, "" for nothing new; secrets by their names."""
        return await self._drafted(self.draft.shown) if self.draft.changed else ""

    async def write(self) -> list[str]:
        """Writes it, and gives the models that have to be brought. Raises ConfigError, as `checking.write`."""
        async with self._drafting:
            await write(self.draft)
        return [entry.name for entry in self._chosen if not self._here(entry)]


def _readable(token: str, url: str, example: str) -> None:
    """Before either is used: what the libraries say of one that cannot be would hold it. Raises ConfigError, which never does."""
    if not token.isascii():
        raise ConfigError(tr("A token has no letters but those of English: copy it once more."))
    if url and not (url.isascii() and leads(url)):
        raise ConfigError(example)


def leads(url: str) -> bool:
    """Whether it is an address of the web."""
    try:
        address = urlsplit(url)
        return address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        return False


async def _discord(config: Config, token: str, proxy: str | None) -> Introduced:
    from bot.connectors.discord.access import Access, application, invitation

    table = config.connectors.discord
    access = Access(token, table.api_url, table.gateway_url, table.cdn_url, proxy)
    found = await application(access)
    missing = tr(
        "The message content intent is off, so the bot reads only mentions, replies, direct messages and commands. In the developer "
        "portal: your application, Bot, switch Message Content Intent on, Save Changes."
    )
    return Introduced(found.name, invitation(access, found.id), () if found.reads_content else (missing,))


async def _telegram(config: Config, token: str, proxy: str | None) -> Introduced:
    from bot.connectors.telegram.access import myself

    me = await myself(token, config.connectors.telegram.api_url, proxy)
    missing = []
    if not me.joins:
        missing.append(tr("Nobody can add it to a group. In a chat with @BotFather: /setjoingroups, Enable."))
    if not me.hears:
        missing.append(
            tr("In groups it sees commands, mentions and replies alone. To have it hear everything: @BotFather, /setprivacy, Disable.")
        )
    return Introduced(f"@{me.name}", f"https://t.me/{me.name}", tuple(missing))


_ASKING: Mapping[Platform, Callable[[Config, str, str | None], Awaitable[Introduced]]] = {"discord": _discord, "telegram": _telegram}
