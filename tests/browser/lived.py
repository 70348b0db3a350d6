"""A day in the life of a house, so that pages have something to show. How they show it: `test_dashboard.py`."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from redis.asyncio import Redis

from bot.jobs import Generate
from bot.messages import Text
from bot.quotas import Quota
from bot.router.watchdog import BLOCKS
from bot.store.keys import Keys
from bot.store.loglines import LogLines
from bot.store.queue import Queue
from bot.store.servers import Choices, Server, Servers
from bot.store.traces import Traces
from bot.store.troubles import Trouble, Troubles
from bot.tables import Talking
from bot.traces import Request, Step, Trace
from bot.translation import Phrase
from bot.turns import Turn

SERVERS = {"discord/81384788765712384": 0.5, "telegram/-1001234567890": 0.3, "room/lounge": 0.2}

LINES: tuple[tuple[str, str, str, dict[str, object]], ...] = (
    ("info", "supervisor", "Hobnob is ready", {}),
    ("info", "worker", "loaded", {"model": "smollm2-135m-instruct", "seconds": 2.41, "parked": False}),
    ("info", "router", "this router receives", {"connector": "discord"}),
    ("info", "router", "ticket.finished", {"server": "discord/81384788765712384", "plugin": "chat", "route": "chat", "seconds": 3.2}),
    ("warning", "router", "updates wait", {"fault": "Timed out"}),
    ("info", "router", "Telegram answers again", {}),
    ("info", "router", "ticket.finished", {"server": "room/lounge", "plugin": "imagine", "route": "imagine", "seconds": 0.9}),
    ("error", "worker", "a model could not be loaded", {"model": "whisper-base", "exception": "Traceback …\nOSError: No space left"}),
    ("info", "router", "a model refused a job", {"job": "8f2c"}),
)


@asynccontextmanager
async def lived(redis: Redis, keys: Keys) -> AsyncIterator[None]:
    """While the block runs there is a past, and people wait."""
    await _counted(redis, keys)
    await _written(redis, keys)
    await _passed(redis, keys)
    await _chosen(redis, keys)
    queue = Queue(redis, keys)
    tickets = [await _asked(queue, n, tenant) for n, tenant in enumerate(SERVERS)]
    yield
    for ticket in tickets:
        await queue.drop(ticket)


async def _counted(redis: Redis, keys: Keys) -> None:
    dice, now = random.Random(7), time.time()
    async with redis.pipeline(transaction=False) as batch:
        for unit, length, many in (("minute", 60, 60), ("hour", 3600, 24)):
            for back in range(1, many):
                at = int(now) // length * length - back * length
                busy = max(0.0, math.sin(back / many * 9) + 0.6) * length / 60
                requests = round(busy * dice.uniform(1, 4))
                counts = {
                    "requests": requests,
                    "seconds": requests * dice.uniform(1, 6),
                    "tokens": requests * dice.randint(60, 220),
                    "pictures": round(requests * dice.uniform(0, 0.3)),
                    "audio": requests * dice.uniform(0, 9),
                    "device": min(length * 0.9, requests * dice.uniform(1, 3)),
                    "failed": int(dice.random() < 0.05),
                    "errors": int(dice.random() < 0.08),
                    **{f"server:{name}": round(requests * share) for name, share in SERVERS.items()},
                }
                batch.hset(keys.tally(unit, at), mapping={name: str(count) for name, count in counts.items()})
                batch.expire(keys.tally(unit, at), 3600)
        await batch.execute()


async def _written(redis: Redis, keys: Keys) -> None:
    began, lines = datetime.now(UTC) - timedelta(minutes=40), []
    for n, (level, process, message, facts) in enumerate(LINES * 3):
        at = (began + timedelta(seconds=n * 71)).isoformat()
        head = {"message": message, "level": level, "timestamp": at, "process": process, "logger": f"bot.{process}"}
        lines.append(json.dumps(head | ({"ref": f"{n:04x}c0ffee"} if "seconds" in facts else {}) | facts))
    await LogLines(redis, keys).write(lines)


async def _passed(redis: Redis, keys: Keys) -> None:
    traces, now = Traces(redis, keys), time.time()
    chat = Step(plugin="chat", route="chat", ref="c0ffee0001")
    ran = chat.model_copy(
        update={
            "seconds": 6.4,
            "answers": 1,
            "requests": (Request(kind="generate", model="smollm2-135m-instruct", waited=2.1, worked=3.6),),
        }
    )
    draw = Step(plugin="imagine", route="imagine", ref="c0ffee0002", seconds=0.9, answers=1)
    drawn = draw.model_copy(update={"requests": (Request(kind="draw", model="flux-starter", waited=0.1, worked=0.6),)})
    over = Step(plugin="chat", route="chat", ref="c0ffee0003", words="You may use 120 messages in an hour here.", seconds=0.1)
    seen = (
        ("discord/81384788765712384/5512", Trace(message="1184", person="ann", at=now - 50, rule="mention", steps=(chat,)), ran),
        ("room/lounge", Trace(message="77", person="ben", at=now - 300, rule="command", steps=(draw,)), drawn),
        ("telegram/-1001234567890", Trace(message="903", person="zoe", at=now - 700, rule="reply", steps=(over,)), over),
        ("telegram/-1001234567890", Trace(message="899", person="zoe", at=now - 900, rule="word", missed=("transcribe",)), None),
        ("discord/4242/1", Trace(message="12", person="eve", at=now - 1800, rule="mention", stop="not admitted"), None),
    )
    for conversation, trace, ended in seen:
        traces.seen(conversation, trace, last=False)
        if ended is not None:
            traces.ended(conversation, trace.message, ended, ())
    await traces.written()


async def _chosen(redis: Redis, keys: Keys) -> None:
    servers = Servers(redis, keys)
    limit = Quota(whose="everyone", measure="images", rates=("20/hour",))
    chosen = Choices(plugins={"chat": False}, talking=Talking(language="zh-Hans"))
    await servers.put("telegram/-1001234567890", Server(choices=chosen, quotas=(limit,)))
    await servers.put("discord/81384788765712384", Server(choices=Choices(plugins={"chat": True})))
    what = Phrase(BLOCKS, {"plugin": "remind", "n": "5"})
    await Troubles(redis, keys).tell(Trouble(plugin="remind", what=what, until=time.time() + 3600, out=True))


async def _asked(queue: Queue, n: int, tenant: str) -> str:
    job = Generate(turns=(Turn(role="person", parts=(Text(text="hello"),)),))
    await queue.submit(job, id=f"lived-{n}", ticket=f"lived-{n}", tenant=tenant, person=f"p{n}")
    return f"lived-{n}"
