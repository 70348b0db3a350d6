"""A server of our own that forgets scripts, cuts connections, dies and comes back, reads for long, or is full."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from pathlib import Path

import pytest
from redis.exceptions import NoPermissionError, RedisError

from bot import Command, Context, NoArgs, Route, hookimpl
from bot.connector import Post
from bot.errors import StoreError
from bot.messages import Address, Called, Message, Person, Text
from bot.plugins import Loaded, Plugins
from bot.router.app import build, running
from bot.store.changes import Changes
from bot.store.connection import ANSWER_SECONDS, check, connect
from bot.store.keys import Keys
from bot.store.leads import Leads
from bot.store.places import BOT, Body, Draft, Place
from bot.store.queue import Depth, Finished, Queue
from bot.store.rooms import Rooms
from bot.store.shifts import Offer, Shift
from bot.store.tickets import LEASE, Tickets
from bot.store.tracing import Tracing
from bot.testing import wait_until
from bot.testing.platform import Platform
from tests.chaos.proxy import Proxy
from tests.guarded import rights
from tests.hands import Said, Say
from tests.store.tcp import Server

OFFER = Offer("model", ["say"], most=50)
MANY = 40


def queue_of(server: Server) -> Queue:
    return Queue(server.redis, Keys(), depth=Depth(1000, 1000))


async def submit(queue: Queue, *numbers: int, words: str = "") -> None:
    each = (queue.submit(Say(words=words), id=f"{number}", ticket=f"t{number}", tenant="s", person=f"p{number}") for number in numbers)
    await asyncio.gather(*each)


async def waiting(server: Server) -> int:
    return int(await server.redis.hget(f"{Keys().prefix}:depth", "s") or 0)


async def test_scripts_that_the_server_forgot_are_loaded_again_in_the_middle_of_everything(server: Server) -> None:
    queue = queue_of(server)
    await submit(queue, *range(MANY))
    await server.redis.script_flush()
    await submit(queue, *range(MANY, 2 * MANY))
    assert await waiting(server) == 2 * MANY


async def test_connections_that_the_server_cut_while_they_were_idle_cost_nobody_an_error(server: Server) -> None:
    tickets, killer = Tickets(server.redis, Keys(), "r"), connect(server.url)
    held = [await server.redis.connection_pool.get_connection() for _ in range(MANY)]  # type: ignore[no-untyped-call]  # redis-py left it bare
    for connection in held:
        await server.redis.connection_pool.release(connection)
    assert await killer.client_kill_filter(_type="normal", skipme=True) >= MANY

    async def alone() -> bool:
        return len(await killer.client_list("normal")) == 1

    await wait_until(alone)
    await killer.aclose()
    assert await asyncio.gather(*(tickets.asked("nobody") for _ in range(MANY))) == [None] * MANY


class Long:
    """Sings until it is told to stop, and counts how often it began."""

    def __init__(self) -> None:
        self.began, self.enough = 0, asyncio.Event()

    @hookimpl
    def register_routes(self) -> list[Route]:
        return [Command("sing", "Sings.", NoArgs, self.sing)]

    async def sing(self, ctx: Context, args: NoArgs) -> None:
        self.began += 1
        await self.enough.wait()


async def test_connections_that_die_without_a_word_cost_a_router_nothing(server: Server) -> None:
    proxy, platform, singer = Proxy(server.port, random.Random(0)), Platform(), Long()
    await proxy.start()
    client, plugins = connect(f"redis://127.0.0.1:{proxy.port}"), Plugins([Loaded("singer", singer, version="1")])
    one, other = build(client, Keys(), plugins, [platform]), build(server.redis, Keys(), plugins, [platform])

    async def looked() -> int:
        return int(await server.redis.get(f"{Keys().prefix}:reaped") or 0)

    async with running(one, plugins), running(other, plugins):
        await one.deliver(Message("1", "1", Address("room", "hall", "main"), Person("ada", "Ada"), trigger=Called("sing"), me="bot"))
        await wait_until(lambda: singer.began and one.tickets.holds(0.0) and one.pacing.several)
        assert await one.leads.take("what only one may do")
        before = await looked()
        proxy.hit(lambda pair: setattr(pair, "trouble", "silence"), 1.0)
        assert await one.leads.renew("what only one may do")

        async def looks_long_after() -> bool:
            return await looked() > before + 1_500 * LEASE

        await wait_until(looks_long_after, ANSWER_SECONDS)
        assert (singer.began, len(one.runner.held), len(other.runner.held)) == (1, 1, 0)
        assert other.pacing.several
        singer.enough.set()
        proxy.heal()
    await client.aclose()
    await proxy.stop()


@pytest.mark.parametrize("silent", ["before it leads", "before it gives up"])
async def test_connections_that_die_without_a_word_keep_nobody_from_leading_or_from_giving_up(server: Server, silent: str) -> None:
    proxy = Proxy(server.port, random.Random(0))
    await proxy.start()
    client = connect(f"redis://127.0.0.1:{proxy.port}")
    mine, theirs = Leads(client, Keys(), "mine", lease=LEASE), Leads(server.redis, Keys(), "theirs", lease=LEASE)
    assert await mine.take("one")
    async with asyncio.timeout(2 * LEASE):  # far below what a connection waits for an answer
        if silent == "before it leads":
            proxy.hit(lambda pair: setattr(pair, "trouble", "silence"), 1.0)
        assert await mine.take("another")
        assert not await theirs.take("another")
        if silent == "before it gives up":
            proxy.hit(lambda pair: setattr(pair, "trouble", "silence"), 1.0)
        await mine.give_up("another")
        assert await theirs.take("another")
    await client.aclose()
    await proxy.stop()


async def test_what_was_accepted_outlives_the_death_of_the_server(server: Server) -> None:
    queue = queue_of(server)
    await submit(queue, *range(MANY))
    server.kill()
    with pytest.raises(StoreError, match="Redis does not answer"):
        await submit(queue, 1000)
    server.start()
    await server.up()
    assert await waiting(server) == MANY
    assert (await Shift(server.redis, Keys(), "w", [OFFER]).claim([OFFER])).claims


class Falling(Platform):
    """When it has taken something, the server dies before that can be written down; it knows nothing that is sent again."""

    async def send(self, to: Address, post: Post, nonce: str) -> str:
        id = await super().send(to, post, f"{nonce} {len(self.calls)}")
        if len(self.calls) == 1:
            self.server.kill()
            self.said.set()
        return id

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server, self.said = server, asyncio.Event()


class Brief:
    """Answers at once."""

    @hookimpl
    def register_routes(self) -> list[Route]:
        return [Command("hello", "Greets.", NoArgs, self.hello)]

    async def hello(self, ctx: Context, args: NoArgs) -> str:
        return "hello"


async def test_what_was_sent_while_the_server_died_is_written_down_and_not_said_again(server: Server) -> None:
    platform, plugins = Falling(server), Plugins([Loaded("brief", Brief(), version="1")])
    async with running(build(server.redis, Keys(), plugins, [platform]), plugins) as router:
        await router.deliver(Message("1", "1", Address("room", "hall", "main"), Person("ada", "Ada"), trigger=Called("hello"), me="bot"))
        await platform.said.wait()
        server.start()
        await server.up()

        async def ended() -> bool:
            return not router.runner.held and not await server.redis.zcard(Keys().ticket_leases())

        await wait_until(ended, 60.0)
        assert [what for what, _, _ in platform.calls] == ["send"]


async def test_a_server_that_reads_a_large_file_is_waited_for(server: Server) -> None:
    async with server.redis.pipeline(transaction=False) as batch:
        for number in range(300):
            batch.set(f"{number}", "x" * 2_000)
        await batch.execute()
    await server.redis.bgrewriteaof()

    async def rewritten() -> bool:
        found = await server.redis.info("persistence")
        return not found["aof_rewrite_in_progress"] and not found["aof_rewrite_scheduled"]

    await wait_until(rewritten)
    server.kill()
    began = time.monotonic()
    server.start("--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024")

    async def speaks() -> bool:
        with suppress(RedisError, OSError):
            return bool(await server.redis.info("server"))
        return False

    await wait_until(speaks)
    with pytest.raises(StoreError, match="loading"):
        await Tickets(server.redis, Keys(), "r").reap()
    await check(server.redis, server.url)
    assert await Tickets(server.redis, Keys(), "r").reap() == 0
    assert time.monotonic() - began > 1.0


async def test_a_full_server_takes_nothing_new_and_what_runs_comes_to_its_end(server: Server, tmp_path: Path) -> None:
    queue, shift, rooms = queue_of(server), Shift(server.redis, Keys(), "w", [OFFER]), Rooms(server.redis, Keys(), tmp_path / "files")
    place, ada = Place("hall"), Person("p.ada", "Ada")
    await submit(queue, 1, 2)
    [one, two] = (await shift.claim([OFFER])).claims
    line = await rooms.send(place, BOT, Body(parts=(Text("…"),), busy=True), "status")
    await server.redis.config_set("maxmemory", "1mb")

    with pytest.raises(StoreError, match="Redis is full: raise its maxmemory"):
        await submit(queue, 3, words="x" * 10_000)
    with pytest.raises(StoreError, match="Redis is full"):
        await rooms.say(place, Draft(ada, (Text("hello"),)))
    assert not await shift.renew()
    assert await shift.finish(one, Said(words="done").model_dump_json(), 1.0)
    await shift.hand_back([two])
    assert await rooms.edit(place, line, Body(parts=(Text("done"),)))
    assert await rooms.send(place, BOT, Body(parts=(Text("beside"),)), "more")
    assert await queue.reap() == 0

    await server.redis.config_set("maxmemory", "0")
    assert [type(update) async for update in queue.follow("1")][-1] is Finished
    await queue.close()
    await rooms.close()


async def test_the_user_of_the_documentation_can_do_all_that_is_needed_and_nothing_else(server: Server, tmp_path: Path) -> None:
    await server.redis.execute_command("ACL", "SETUSER", "hobnob", *rights("hobnob", "PASSWORD"))  # type: ignore[no-untyped-call]  # redis-py left it bare
    url = f"redis://hobnob:PASSWORD@127.0.0.1:{server.port}"
    client = connect(url)
    await check(client, url)
    queue, shift, rooms = Queue(client, Keys()), Shift(client, Keys(), "w", [OFFER]), Rooms(client, Keys(), tmp_path / "files")
    await rooms.say(Place("hall"), Draft(Person("p.ada", "Ada"), (Text("hello"),)))
    [arrival] = await rooms.arrivals()
    await rooms.done(arrival)
    async with Changes(client, Keys(), "weights").heard() as notices:
        await notices.begin()
        await queue.weigh({"s": 2.0})
        await notices.wait(60.0)
    tracing = Tracing(client, Keys())
    assert not await tracing.heard()
    await tracing.tell(["a call"])
    await submit(queue, 1)
    await shift.wait(["say"], 1.0)
    await shift.renew()
    [claim] = (await shift.claim([OFFER])).claims
    await shift.finish(claim, Said(words="done").model_dump_json(), 1.0)
    assert [type(update) async for update in queue.follow("1")][-1] is Finished
    await queue.drop("t1")
    for command in ("FLUSHALL", "KEYS *", "CONFIG GET *", "GET others", "CLIENT KILL TYPE normal", "SHUTDOWN"):
        with pytest.raises(NoPermissionError):
            await client.execute_command(*command.split())  # type: ignore[no-untyped-call]
    await queue.close()
    await rooms.close()
    await client.aclose()
