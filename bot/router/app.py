"""Puts a router together and runs it until it is told to stop. What it is made of: the other files here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from bot.allowing import Allowed
from bot.choices import CORE
from bot.connector import Closing, Connector, Deliver, Private
from bot.errors import StoreError
from bot.messages import Address, Message
from bot.metrics import RouterMetrics
from bot.plugins import Plugins
from bot.queueing import QueueTable
from bot.router.acts import DurableActs
from bot.router.admitting import Admitting
from bot.router.allowance import adopting
from bot.router.announcing import ANNOUNCE
from bot.router.choosing import Choosing
from bot.router.clicking import Instead, StatusButtons
from bot.router.completing import Suggestions
from bot.router.deciding import Offices
from bot.router.delivery import Delivery, Line
from bot.router.dispatch import Dispatch
from bot.router.doorsteps import Doorsteps
from bot.router.ending import Endings
from bot.router.entering import Entering
from bot.router.explaining import Explaining
from bot.router.filling import Forms
from bot.router.finding import Finder
from bot.router.forgeries import Forgeries
from bot.router.gate import Gate
from bot.router.gathering import Gathering
from bot.router.giving import Giving
from bot.router.helping import Helping
from bot.router.journal import Journal
from bot.router.keeping import fire, keep, retry, take
from bot.router.lateness import Lateness
from bot.router.listening import Standing, end, listen, named
from bot.router.metering import Meters
from bot.router.noting import Noting
from bot.router.onpages import OnPages
from bot.router.pace import Pace
from bot.router.permitting import Permitting
from bot.router.picking import Picking
from bot.router.posts import Posts
from bot.router.publishing import Publishing
from bot.router.ranking import Ranking
from bot.router.readers import Readers
from bot.router.remembering import FOLLOWED
from bot.router.reporting import Reporting
from bot.router.residence import Residence
from bot.router.rewriting import Rewriting
from bot.router.rounds import Beat, again, lasting
from bot.router.ruling import Ruling
from bot.router.runner import Runner
from bot.router.stopping import stopping
from bot.router.stores import Stores
from bot.router.table import Table
from bot.router.terms import Terms
from bot.router.threads import Threads
from bot.router.toolbox import Toolbox
from bot.router.working import Work
from bot.store.albums import Albums
from bot.store.applicants import Applicants
from bot.store.blobs import Blobs
from bot.store.conversations import Conversations
from bot.store.dead import DeadList
from bot.store.house import HouseRules
from bot.store.keys import Keys
from bot.store.leads import Leads, process_name
from bot.store.leaving import Leaving
from bot.store.moving import Moving
from bot.store.offered import Offered
from bot.store.pacing import Pacing
from bot.store.personal import PersonalData
from bot.store.plugindata import PluginData
from bot.store.presence import Presence
from bot.store.queue import Depth, Queue
from bot.store.quotas import Counters
from bot.store.schedules import Schedules
from bot.store.servers import Servers
from bot.store.sessions import Sessions
from bot.store.tally import Tally
from bot.store.tickets import LEASE, Tickets
from bot.store.traces import Traces
from bot.store.tracing import Tracing
from bot.store.trimming import PAUSE, Trimming
from bot.store.troubles import Troubles
from bot.tables import TalkingTable

if TYPE_CHECKING:
    from redis.asyncio import Redis

ROUNDS = 6
"""Rounds per lease: what a dead router held is taken over half a second after its leases have lapsed."""

DRAIN = 2.0
"""Seconds that running tickets get to end at a stop; the others are handed back, and nothing of them is lost."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Router:
    """A router whose parts know each other; its rounds begin at the `beat`."""

    gathering: Gathering
    dispatch: Dispatch
    runner: Runner
    tickets: Tickets
    stores: Stores
    connectors: dict[str, Connector]
    endings: Endings
    dead: DeadList
    leads: Leads
    pacing: Pacing
    publishing: Publishing
    metrics: RouterMetrics
    office: OnPages
    tally: Tally
    reporting: Reporting
    standing: dict[str, Standing]
    trimming: Trimming
    beat: Beat

    @property
    def deliver(self) -> Deliver:
        """What connectors call."""
        return self.gathering.deliver


def build(
    redis: Redis,
    keys: Keys,
    plugins: Plugins,
    connectors: Sequence[Connector],
    *,
    queue: QueueTable = QueueTable(),
    talking: TalkingTable = TalkingTable(),
    allowed: Allowed = Allowed(),
    lease: float = LEASE,
    run: Callable[..., Runner] = Runner,
    metrics: RouterMetrics | None = None,
    contents: bool = False,
) -> Router:
    """Connects the parts; nothing runs yet. Raises PluginError for routes or connectors whose names collide.

    `queue` is how jobs may wait, `talking` when the bot is spoken to, `allowed` who may use it and how much.
    `lease` in seconds is how long tickets stay with a router that has gone silent, and its rounds are a sixth of that. `run` makes the
    Runner, which tests of plugins can stop anywhere. With `contents` the operator may read what was said to the bot.
    """
    metrics = metrics or RouterMetrics()
    by_name = named(connectors)
    servers, owner = Servers(redis, keys), process_name()
    tickets = Tickets(redis, keys, owner, lease=lease)
    jobs = Queue(redis, keys, depth=Depth(queue.per_server, queue.per_person), deadlines=queue.deadlines)
    work = Work(tickets, jobs)
    table = Table.of(plugins.collect("register_routes"), own=[FOLLOWED, ANNOUNCE, stopping(work)])
    private = frozenset(name for name, one in by_name.items() if isinstance(one, Private) and one.private)
    gate = Gate(servers, plugins.loaded, Terms(queue.quiet, talking, table.least(), allowed, private))
    schedules = Schedules(redis, keys)
    rewriting = Rewriting(servers, schedules, gate, lambda message: publishing.changed(message))
    troubles, noting, picking = Troubles(redis, keys), Noting(servers, schedules, gate), Picking(by_name)
    choosing = Choosing(servers, gate, plugins, work, rewriting, troubles, picking)
    blobs = Blobs(redis, keys)
    giving = Giving(PersonalData(redis, keys), blobs, by_name)
    data = PluginData(redis, keys)
    readers = Readers(plugins.locales, data)
    administering = [name for name, one in plugins.loaded.items() if "administration" in one.manifest.rights]
    ruling, everywhere = Ruling(HouseRules(redis, keys), gate, work), table.everywhere(administering)

    async def say(address: Address, event: str, words: str) -> None:
        await dispatch.say(address, event, words)

    admitting = Admitting(
        Applicants(redis, keys), ruling, gate, table, everywhere, by_name, say, lambda message: publishing.changed(message)
    )
    table.known.update(((entry.plugin, entry.id), entry) for entry in admitting.entries())
    helping, permitting = Helping(table, gate, plugins.locales), Permitting(servers, rewriting, picking)
    entering, tally = Entering(Sessions(redis, keys), gate), Tally(redis, keys)
    free = {CORE, *administering}
    meters = Meters(servers, gate, Counters(redis, keys), rewriting, free)
    explaining = Explaining(Traces(redis, keys), table, gate, jobs, free, contents=contents)
    offices = Offices(choosing, permitting, ruling, helping, giving, admitting, readers, entering, meters, explaining, picking)
    stores = Stores(
        jobs,
        blobs,
        Conversations(redis, keys),
        data,
        schedules,
        offices,
        Instead(queue.instead, queue.offer_after),
        tally.result,
    )
    doorsteps = Doorsteps(say, time.time, Presence(redis, keys), by_name)
    pacing = Pacing(redis, keys, owner, lease=lease)
    delivery = Delivery(by_name, Posts(stores.blobs, stores.data, talking.messages), Pace(together=pacing), doorsteps.tell, metrics)
    toolbox = Toolbox(plugins.collect("register_tools"), gate, readers)
    endings = Endings(plugins, gate, stores.queue, metrics, tally, explaining, noting)

    async def forward(message: Message) -> None:
        await dispatch.deliver(message)

    def act(journal: Journal, line: Line) -> DurableActs:
        return DurableActs(journal, line, stores, by_name[journal.message.address.connector], forward, toolbox)

    runner = run(table, plugins, tickets, delivery, act, endings.ended)
    lateness = Lateness(lambda address: by_name[address.connector].limits(address).patience, time.time)
    start, buttons = runner.start, StatusButtons(tickets, stores.queue, stores.instead)
    publishing = Publishing(table, gate, by_name, Offered(redis, keys), readers, doorsteps.tell, everywhere)
    dispatch = Dispatch(
        table,
        plugins,
        gate,
        tickets,
        Finder(table, buttons, data, schedules, Forgeries(noting), picking),
        stores.conversations,
        start,
        buttons,
        time.time,
        lateness,
        publishing,
        Threads(by_name, doorsteps.tell),
        Forms(by_name, data, picking),
        Suggestions(table, gate, by_name, readers),
        Residence(table, tickets, buttons, doorsteps, admitting, publishing, Leaving(redis, keys), Moving(redis, keys).move),
        admitting,
        readers,
        meters,
        explaining,
        Ranking(by_name),
    )
    dead, leads = DeadList(redis, keys), Leads(redis, keys, owner, lease=lease)
    reporting = Reporting(plugins.calls, Tracing(redis, keys), troubles)
    gathering = Gathering(Albums(redis, keys, pause=lease / ROUNDS), _counting(dispatch.deliver, metrics))
    metrics.held.set_function(lambda: len(runner.held))
    office = OnPages(servers, gate, offices, by_name)
    received = gathering, dispatch, runner, tickets, stores, by_name, endings, dead, leads
    standing = {name: Standing(connector) for name, connector in by_name.items()}
    return Router(*received, pacing, publishing, metrics, office, tally, reporting, standing, Trimming(redis, keys), Beat(lease / ROUNDS))


def _counting(deliver: Deliver, metrics: RouterMetrics) -> Deliver:
    async def counted(message: Message) -> None:
        metrics.messages.labels(message.address.connector).inc()
        await deliver(message)

    return counted


@asynccontextmanager
async def running(router: Router, plugins: Plugins) -> AsyncIterator[Router]:
    """Runs the router in the background; leaving stops receiving first, then ends or hands back what runs."""
    adopting(asyncio.get_running_loop())
    async with AsyncExitStack() as stack:
        for lifespan in plugins.lifespans():
            await stack.enter_async_context(lifespan)
        stack.push_async_callback(_close, router.connectors.values())
        stack.push_async_callback(router.stores.queue.close)
        stack.push_async_callback(router.endings.close)
        stack.push_async_callback(_leave, router.pacing)
        names = list(router.connectors)
        rounds = [
            keep(router.tickets, router.runner, router.stores.queue, router.beat),
            fire(router.stores.schedules, router.dispatch.lacks, router.deliver, names, router.beat),
            retry(router.dead, router.dispatch.again, names, router.beat),
            lasting("commands", router.publishing.run),
            lasting("counts", router.tally.run),
            router.reporting.run(router.beat),
            router.gathering.run(names, router.beat),
            take(router.tickets, router.runner, names),
            again("pace", router.pacing.count, router.beat),
            again("trimming", router.trimming.once, Beat(PAUSE)),
        ]
        tasks = [asyncio.create_task(one) for one in rounds]
        stack.push_async_callback(end, tasks[:1])
        stack.push_async_callback(router.runner.drain, DRAIN)
        listening = [asyncio.create_task(listen(standing, router.deliver, router.leads)) for standing in router.standing.values()]
        stack.push_async_callback(end, tasks[1:] + listening)
        yield router


async def _leave(pacing: Pacing) -> None:
    """Others need not share any more; without a store they notice it soon."""
    with suppress(StoreError):
        await pacing.leave()


async def _close(connectors: Iterable[Connector]) -> None:
    """Ends the connections of those that have any; nothing is sent any more."""
    await asyncio.gather(*(one.close() for one in connectors if isinstance(one, Closing)), return_exceptions=True)
