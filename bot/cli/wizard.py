"""What somebody new is asked, in a terminal and in a browser alike, and what becomes of the answers: a draft of the configuration.

The terminal's questions: `beginning.py`; the browser's: `bot/web/pages/start.py`. How a draft is written: `bot/editing.py`.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import urlsplit

import httpx

from bot import catalogue, discovery
from bot.catalogue import Catalogue, Entry, Hub, Use
from bot.cli.fitting import Advice, Machine, Quality, Rung, Wish, advise
from bot.cli.listing import access
from bot.cli.recommending import look
from bot.config import Config
from bot.editing import Draft
from bot.errors import BotError, ConfigError
from bot.faults import variable
from bot.pull import Access, status
from bot.pull.hub import look as look_up
from bot.tables import DiscordTable, TelegramTable
from bot.translation import tr
from bot.web.setup import Introduced, Offered, Platform, Proposal

SERVING = {"chat": "chat", "image": "imagine", "speech": "transcribe"}
"""Which plugin runs the models of a kind."""

HUB = "https://huggingface.co"


class Wizard:
    """One round of answers. What is understood goes into the draft, and nothing is written before that is."""

    def __init__(self, config: Config) -> None:
        """Raises ConfigError where the configuration cannot be changed."""
        self.config = config
        self.draft = Draft(config.source.path)
        self._hub = access(config)
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
            found = await asyncio.gather(asyncio.to_thread(look), asyncio.to_thread(catalogue.load, added=self.config.models_dir))
            self._looked = (found[0], found[1])
        return self._looked

    async def advise(self, wish: Wish) -> Advice:
        """The ladder and the line-up for this machine; the use is taken down."""
        machine, known = await self.look()
        self.draft.set(("models", "use"), wish.use)
        self._advice = advise(known, machine, wish)
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
        now = self._hub
        moved = bool(endpoint) and endpoint.rstrip("/") != (now.endpoint or HUB).rstrip("/")
        anonymous = not token and (moved or now.anonymous)
        self._typed = Access(endpoint or now.endpoint, "" if anonymous else token or now.token, now.proxy, anonymous)

    async def choose(self, names: Sequence[str], *, unseen: bool = False) -> None:
        """Has these serve, each before what its plugin has now, as the last advice runs it.

        Raises PullError where the files of one would not be given to us, with what to do; with `unseen` nobody is asked yet.
        """
        entries = (await self.look())[1].find(names)
        typed, self._typed = self._typed or self._hub, None
        for entry in entries if not unseen else ():
            await self._reach(entry, typed)
        self._settle(typed)
        for entry in entries:
            plugin = SERVING[entry.kind]
            now = list(self.config.plugins[plugin].options.get("models", ())) if plugin in self.config.plugins else []
            self.draft.set(("plugins", plugin, "models"), [entry.name, *(name for name in now if name != entry.name)])
            rungs = self._advice.ladder if self._advice else ()
            for rung in rungs:
                if rung.model == entry.name and rung.precision in ("int8", "int4"):
                    self.draft.set(("plugins", plugin, "running", entry.name, "precision"), rung.precision)
        self._chosen = entries

    async def _reach(self, entry: Entry, by: Access) -> None:
        if isinstance(entry.source, Hub) and not self._here(entry):
            await asyncio.to_thread(look_up, entry.source, by)

    def _settle(self, tried: Access) -> None:
        """A hub that has answered is the one that holds."""
        if tried.endpoint != self._hub.endpoint:
            self.draft.set(("models", "endpoint"), tried.endpoint)
        if tried.token and tried.token != self._hub.token:
            self.draft.secret(variable(("models", "token")), tried.token)
        self._hub = tried

    def plugins(self) -> dict[str, tuple[str, bool]]:
        """Those that are installed or configured: what each does, and whether it is on."""
        found: dict[str, tuple[str, bool]] = {}
        for name in sorted({*discovery.installed(), *self.config.plugins}):
            try:
                found[name] = (discovery.find(self.config, name).manifest().summary, name in self.config.plugins)
            except BotError:  # `hobnob check` says what is wrong with it
                continue
        return found

    def switch(self, name: str, on: bool) -> None:
        """Whether a plugin is loaded. Raises ConfigError."""
        if on:
            self.draft.table(("plugins", name))
        else:
            self.draft.drop(("plugins", name))

    def shown(self) -> str:
        """What would be written, "" for nothing new; secrets by their names."""
        return self.draft.shown() if self.draft.changed else ""

    async def write(self) -> list[str]:
        """Writes it, and gives the models that have to be brought.

        Raises ConfigError with all that a start would refuse, and leaves everything as it was.
        """
        self.draft.write()
        command = (sys.executable, "-m", "bot.cli", "check", "--config", str(self.draft.file))
        checking = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=PIPE)
        _, said = await checking.communicate()
        if checking.returncode:
            self.draft.undo()
            raise ConfigError(*(said.decode("utf-8", "replace").splitlines()[:-1] or ["the configuration would not start"]))
        return [entry.name for entry in self._chosen if not self._here(entry)]


def _readable(token: str, url: str, example: str) -> None:
    """Before either is used: what the libraries say of one that cannot be would hold it. Raises ConfigError, which never does."""
    if not token.isascii():
        raise ConfigError(tr("A token has no letters but those of English: copy it once more."))
    try:
        address = urlsplit(url)
        sound = url.isascii() and address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        sound = False
    if url and not sound:
        raise ConfigError(example)


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
