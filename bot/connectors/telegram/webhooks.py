"""Telegram brings updates itself, over HTTP, to any router behind one address, and is answered when they are written down."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from bot.connectors.telegram.reading import ALLOWED
from bot.connectors.telegram.receiving import Receiver
from bot.errors import ConnectorError, StoreError

SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  a header's name
LARGEST = 1 << 20
"""Bytes of a request; an update has some thousand."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Hook:
    """Where Telegram brings updates (`url`), where they arrive (`host`, `port`), and the secret that proves that they are Telegram's."""

    url: str
    host: str
    port: int
    secret: str

    @staticmethod
    def of(token: str, url: str, host: str, port: int) -> Hook:
        """With a secret that every router finds by itself, because it follows from the token."""
        return Hook(url, host, port, hashlib.blake2b(token.encode(), digest_size=24, person=b"webhook").hexdigest())


@dataclass
class Webhook:
    """Serves a hook."""

    hook: Hook
    receiver: Receiver

    async def run(self) -> None:
        """Until cancelled. The address stays known to Telegram: other routers serve it too, and what comes meanwhile waits there."""
        app = web.Application(client_max_size=LARGEST)
        app.router.add_post(urlsplit(self.hook.url).path or "/", self._request)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, self.hook.host, self.hook.port).start()
            except OSError as error:
                where = f"connectors.telegram.webhook_port {self.hook.port} of {self.hook.host}"
                raise ConnectorError(f"{where} cannot be listened on: {error.strerror}", retry_after=1.0) from error
            await self.receiver.bot.set_webhook(self.hook.url, secret_token=self.hook.secret, allowed_updates=ALLOWED)
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _request(self, request: web.Request) -> web.Response:
        if not hmac.compare_digest(request.headers.get(SECRET, "").encode(), self.hook.secret.encode()):
            return web.Response(status=403)
        try:
            update = json.loads(await request.read())
        except ValueError:
            return web.Response(status=400)
        try:
            await self.receiver.take([update])
        except StoreError as error:  # Telegram brings it again
            log.warning("updates wait", fault=str(error))
            return web.Response(status=503)
        return web.Response()
