"""`hobnob router` and `hobnob worker`: one process each, put together here. What they do is in `bot/router/` and `bot/worker/`."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
import typer
import uvloop

from bot import heap, log, tracing
from bot.allowing import Allowed
from bot.cli.checking import write
from bot.cli.connecting import platforms
from bot.cli.recording import recording
from bot.cli.wizard import Wizard
from bot.config import Config, load
from bot.connectors.room import RoomConnector, typing
from bot.errors import StoreError
from bot.messages import Person
from bot.metrics import RouterMetrics, release
from bot.permissions import Usable
from bot.plugins import Half, Loaded, Plugins
from bot.plugins import load as load_plugins
from bot.probes import serving
from bot.router.app import Router, build
from bot.router.app import running as routing
from bot.router.watchdog import Watchdog
from bot.store import embedded
from bot.store.connection import PROBE, check, connect, unreachable
from bot.store.figures import figures
from bot.store.hearsay import Hearsay
from bot.store.house import HouseRules
from bot.store.keys import Keys
from bot.store.places import Place
from bot.store.restoring import sweep
from bot.store.rooms import Rooms
from bot.store.schema import migrate
from bot.store.sessions import OPERATOR, SERVED, Sessions
from bot.store.troubles import KEPT, Trouble, Troubles
from bot.supervise import Stop, stopping
from bot.translation import Phrase
from bot.web.binding import bind, url
from bot.web.setup import Beginning
from bot.web.site import Site, works

if TYPE_CHECKING:
    from redis.asyncio import Redis

LAST_WORDS = 1.0
"""Seconds for which a process that is blocked waits for Redis before it ends."""

SPINS = "10000"
"""How long threads that compute together wait for one another without giving their cores away, less than half a millisecond. GNU's
OpenMP has 300,000: once anything else wants a core (our own router does), most of the time goes to waiting. A third of this is shorter
than what Python does between two products of a small model: each would wait to be woken."""

YOUNG = 10_000
"""Objects by which a router grows before it is looked for garbage among them. What 64 messages that are answered at once are made of comes
and goes by itself, with no cycles in it; at Python's 700 it was looked at every few messages.
"""

logger = structlog.get_logger(__name__)


def router(path: Path | None, patience: float, announce: int | None, pages: bool) -> None:
    """Runs a router until it is told to stop. Raises ConfigError, PluginError and StoreError while it starts."""
    recent = log.Recent()
    config, plugins = _begin(path, "front", patience, recent)
    with recording(config.redis_url, recent):
        uvloop.run(_route(config, plugins, announce, pages))


def worker(path: Path | None, patience: float) -> int:
    """Runs a worker until it is told to stop; returns its exit code."""
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)  # read when a model library is loaded
    heap.share()
    from bot.worker.app import main

    recent = log.Recent()
    config, plugins = _begin(path, "model", patience, recent)
    with recording(config.redis_url, recent):
        return main(config, plugins)


def _begin(path: Path | None, half: Half, patience: float, recent: log.Recent) -> tuple[Config, Plugins]:
    config = load(path)
    process = "router" if half == "front" else "worker"
    log.setup(config.log, log.secrets_of(config), process=process, recent=recent)
    plugins = load_plugins(config, half)
    log.setup(config.log, log.secrets_of(config, *(one.config for one in plugins.loaded.values())), process=process, recent=recent)
    tracing.setup(config.observe, process, release())
    if config.redis.url is None:
        await_store(config.data_dir, patience)
    return config, plugins


def await_store(data_dir: Path, patience: float) -> None:
    """Until the store answers, which the supervisor starts at the same time. Raises StoreError after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not embedded.answers(data_dir):
        if time.monotonic() > deadline and not embedded.loading(data_dir):
            raise StoreError(f"no store runs in {data_dir}: `hobnob run` starts everything; to run this process by itself set `redis.url`")
        time.sleep(0.02)


async def _route(config: Config, plugins: Plugins, announce: int | None, pages: bool) -> None:
    bound = bind(config) if pages else None
    redis = connect(config.redis_url)
    try:
        await check(redis, config.redis_url)
        plugins = await _without_blockers(plugins, Troubles(redis, Keys()))
        rooms, sessions = Rooms(redis, Keys(), config.files_dir), Sessions(redis, Keys())
        theirs = (connector for _, connector in plugins.collect("register_connectors"))
        connectors = [RoomConnector(rooms), *platforms(config, Hearsay(redis, Keys(), config.talking), plugins.locales.of), *theirs]
        with stopping() as stop:
            router = build(
                redis,
                Keys(),
                plugins,
                connectors,
                queue=config.queue,
                talking=config.talking,
                allowed=Allowed(config.admission, config.quotas),
                metrics=RouterMetrics(release()),
                contents=config.web.contents,
            )
            await sweep(redis, Keys())
            await migrate(redis, Keys())
            await router.stores.queue.weigh(config.queue.weights)
            again = None if announce is None else partial(say, announce)
            site = site_of(config, rooms, sessions, router, plugins, redis, Keys(), again)
            dog = Watchdog(plugins.loaded, lambda plugin, what: asyncio.run(_bench(config.redis_url, plugin, what)))
            async with (
                routing(router, plugins),
                _observed(config, redis, router.metrics, stop, plugins),
                serving_pages(site, bound) as link,
            ):
                with dog.watching():
                    say_ready(announce, link)  # the pipe stays, for who wants everything to begin anew
                    settled()
                    await stop.asked.wait()
        await rooms.close()
    finally:
        await redis.aclose()


def settled() -> None:
    """What a router is made of lives as long as it does: from now on the garbage collector looks at what came since, and at that alone.

    A full collection of everything took 160 to 240 ms of the loop.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)
    gc.enable()


async def _without_blockers(plugins: Plugins, troubles: Troubles) -> Plugins:
    """The plugins but for those which blocked a router, in the version that did."""
    found = {name: one for name, one in (await troubles.all()).items() if one.out and name in plugins.loaded}
    out = {name: str(one.what) for name, one in found.items() if one.version == plugins.loaded[name].version}
    for name, what in out.items():
        logger.error("a plugin is left out: `hobnob plugins retry` has it tried again", plugin=name, why=what)
    return plugins.without(out) if out else plugins


async def _bench(url: str, plugin: Loaded, what: Phrase) -> None:
    """Notes for the next router that it is better without this plugin; from a thread, over a connection of its own."""
    redis = connect(url)
    async with asyncio.timeout(LAST_WORDS):
        until = time.time() + KEPT
        await Troubles(redis, Keys()).tell(Trouble(plugin=plugin.name, what=what, until=until, version=plugin.version, out=True))


def _observed(config: Config, redis: Redis, metrics: RouterMetrics, stop: Stop, plugins: Plugins) -> AbstractAsyncContextManager[None]:
    """What monitoring sees of this router: it is ready from its start to its stop, while the store answers."""
    metrics.loaded(plugins.loaded.values())

    async def ready() -> str:
        return "it stops" if stop.asked.is_set() else await unreachable(redis)

    async def refresh() -> None:
        metrics.called(plugins.calls)
        try:
            async with asyncio.timeout(PROBE):
                metrics.set(await figures(redis, Keys()))
        except (StoreError, TimeoutError):
            metrics.store_up.set(0)

    return serving(config.observe, "router_port", metrics, ready, refresh)


def site_of(
    config: Config,
    rooms: Rooms,
    sessions: Sessions,
    router: Router,
    plugins: Plugins,
    redis: Redis,
    keys: Keys,
    say: Callable[[Mapping[str, Any]], None] | None = None,
) -> Site:
    """What the pages of this router stand on; `say` tells its supervisor something, where there is one."""

    def again(models: Sequence[str]) -> None:
        assert say is not None
        say({"again": list(models)})

    def platforms() -> Mapping[str, tuple[str, str]]:
        return {name: standing.now for name, standing in router.standing.items()}

    async def commands(place: Place, person: Person, language: str) -> Sequence[Usable]:
        return await router.office.commands(typing(place, person, language))

    async def language(place: Place, person: Person) -> str:
        chosen = await router.office.reader(typing(place, person, ""))
        return chosen.tag if chosen else ""

    return Site(
        config,
        rooms,
        sessions,
        works(redis, keys, platforms, router.stores.queue.cancel),
        router.office,
        plugins.loaded,
        plugins.calls,
        commands,
        language,
        Beginning(lambda: Wizard(load(config.source.path)), HouseRules(redis, keys).offer, write, None if say is None else again),
    )


@asynccontextmanager
async def serving_pages(site: Site, bound: socket.socket | None) -> AsyncIterator[str]:
    """Gives a link that lets one operator in; "" where there are no pages, for which their library is not even imported."""
    if bound is None:
        yield ""
        return
    from bot.web.app import serve

    sessions, address = site.sessions, site.config.web.address or url(bound)
    ready = asyncio.Event()
    serving = asyncio.create_task(serve(site, bound=bound, ready=ready))
    starting = asyncio.create_task(ready.wait())
    telling = asyncio.create_task(_tell(sessions, address))
    try:
        await asyncio.wait({serving, starting}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        yield await sessions.link(url(bound), OPERATOR)
    finally:
        for task in (starting, telling, serving):
            task.cancel()
        await asyncio.gather(starting, telling, serving, return_exceptions=True)
        with suppress(StoreError):  # it is forgotten by itself in a minute
            await sessions.unserve(address)


async def _tell(sessions: Sessions, address: str) -> None:
    """Keeps it known where the pages are, for `hobnob link`."""
    while True:
        with suppress(StoreError):  # the store is away; it is told when it is back
            await sessions.serve(address)
        await asyncio.sleep(SERVED / 4)


def say_ready(announce: int | None, link: str = "") -> None:
    """Tells the supervisor over the pipe that it gave us; without one, whoever started this process."""
    if announce is not None:
        say(announce, {"link": link})
    elif link:
        typer.echo(f"Hobnob is ready: {link}")


def say(announce: int, what: Mapping[str, Any]) -> None:
    """Tells the supervisor something."""
    os.write(announce, json.dumps(what).encode() + b"\n")
