"""Serves `/metrics`, `/healthz` and `/readyz` of one process. What is counted: `metrics.py`; who is asked whether it is ready: its caller.

`/healthz` answers as long as the process does anything at all; `/readyz` says 503 and why, while it could do no work.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from bot.config import ObserveTable
from bot.errors import ConfigError
from bot.metrics import Metrics

log = structlog.get_logger(__name__)

Ready = Callable[[], Awaitable[str]]
"""Why the process can do no work now; "" when it can."""

Refresh = Callable[[], Awaitable[None]]
"""Brings what is read elsewhere up to date, before it is told."""


@asynccontextmanager
async def serving(table: ObserveTable, key: str, metrics: Metrics, ready: Ready, refresh: Refresh) -> AsyncIterator[None]:
    """While the block runs, where the table's `key` has a port. Raises ConfigError when it is taken."""
    if (port := getattr(table, key)) is None:
        yield
        return
    from aiohttp import web  # a router without Telegram's webhooks, and a worker, need it for nothing else
    from prometheus_client.exposition import choose_encoder

    async def told(request: web.Request) -> web.Response:
        await refresh()
        encode, kind = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(metrics.registry), headers={"Content-Type": kind})

    async def alive(request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def able(request: web.Request) -> web.Response:
        why = await ready()
        return web.Response(text=f"{why or 'ready'}\n", status=503 if why else 200)

    app = web.Application()
    app.add_routes([web.get("/metrics", told), web.get("/healthz", alive), web.get("/readyz", able)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, table.host, port)
        try:
            await site.start()
        except OSError as error:
            raise ConfigError(f"observe.{key} {port} of {table.host} cannot be listened on: {error.strerror}") from error
        log.info("observed", host=table.host, port=runner.addresses[0][1])
        yield
    finally:
        await runner.cleanup()
