"""A strict Telegram on loopback: the Bot API over HTTP, as an unmodified client library meets it. What calls do: `telegram_methods.py`."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import BodyPartReader, ClientError, ClientSession, ClientTimeout, web

from tests.wire.telegram_chats import Chats
from tests.wire.telegram_methods import TAKES, TOKEN, Methods
from tests.wire.telegram_rules import Json, Pace, Refusal

__all__ = ["BOT", "TOKEN", "Call", "Telegram"]

BOT: Json = {
    **{"id": 123456789, "is_bot": True, "first_name": "Hobnob", "username": "hobnob_bot"},
    **{"can_join_groups": True, "can_read_all_group_messages": True, "supports_inline_queries": False},
    **{"can_connect_to_business": False, "has_main_web_app": False, "has_topics_enabled": False, "allows_users_to_create_topics": False},
    **{"can_manage_bots": False},
}

RETRY = 0.2
"""Seconds until an update is posted again to a webhook that did not take it."""

UPDATES = frozenset({"getUpdates", "setWebhook", "deleteWebhook", "getWebhookInfo"})


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it came and what it gave; `result` is a Refusal's words for one that was not carried out."""

    method: str
    params: Json
    result: Any


class Telegram:
    """The platform. Tests let people act through `chats` and look at what stands there; `calls` is everything that bots asked."""

    def __init__(self, pace: Pace | None = None) -> None:
        self.bot = dict(BOT)
        self.pace = pace or Pace(time.monotonic, overall=0)
        self.chats = Chats(self.bot, self._tell)
        self.methods = Methods(self.chats, self.pace)
        self.calls: list[Call] = []
        self.updates: list[Json] = []
        self.told: list[Json] = []
        self.confirmed = 0
        self.webhook: Json = {}
        self.behind: Iterator[str] | None = None
        """Where the webhook's address leads, from one call to the next, where several serve it."""
        self.refused_posts = 0
        self.unreached = ""
        """Why a webhook cannot be reached."""
        self.hidden: set[str] = set()
        """Files that are not given over HTTP."""
        self.root = ""
        self._faults: dict[str, deque[Refusal | str | None]] = defaultdict(deque)
        self._last_update = 900
        self._news = asyncio.Event()
        self._poller: asyncio.Task[Any] | None = None
        self._lines: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._posting: set[asyncio.Task[None]] = set()

    # What tests say -------------------------------------------------------------------------------------------------------

    def fail(self, method: str, *faults: Refusal | None, after: int = 0) -> None:
        """The calls behind the next `after` are refused; for None one is carried out, and the connection breaks before its answer."""
        self._faults[method] += [*["passes"] * after, *faults]

    def again(self, update: Json) -> None:
        """Tells an update a second time."""
        self.updates.append(update)
        self._news.set()

    def asked(self, method: str) -> list[Json]:
        """The parameters of all calls of a method that were carried out."""
        return [call.params for call in self.calls if call.method == method and not isinstance(call.result, str)]

    @property
    def polled(self) -> bool:
        """Whether a bot waits for updates now."""
        return self._poller is not None and not self._poller.done()

    def _tell(self, what: Json) -> None:
        self._last_update += 1
        update = {"update_id": self._last_update, **what}
        self.told.append(update)
        if self.webhook:
            task = asyncio.ensure_future(self._post(update))
            self._posting.add(task)
            task.add_done_callback(self._posting.discard)
            return
        self.updates.append(update)
        self._news.set()

    # The wire -------------------------------------------------------------------------------------------------------------

    async def answer(self, request: web.Request) -> web.Response:
        """One call."""
        if request.match_info["token"] != TOKEN:
            return _reply(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
        method = request.match_info["method"]
        params, files = await _read(request)
        if method not in TAKES and method not in UPDATES:
            return _reply(404, {"ok": False, "error_code": 404, "description": "Not Found: method not found"})
        try:
            broken = self._fault(method)
            result = await self._updates(method, params) if method in UPDATES else self.methods.call(method, params, files)
        except Refusal as refusal:
            self.calls.append(Call(method, params, str(refusal)))
            return _reply(refusal.code, refusal.answer)
        if method != "getUpdates" or result:
            self.calls.append(Call(method, params, result))
        if broken and request.transport is not None:
            request.transport.abort()
        return _reply(200, {"ok": True, "result": result})

    def _fault(self, method: str) -> bool:
        """Raises the next fault that a test ordered; true when the connection is to break instead."""
        if not self._faults[method]:
            return False
        fault = self._faults[method].popleft()
        if isinstance(fault, Refusal):
            raise fault
        return fault is None

    async def _updates(self, method: str, params: Json) -> Any:
        if method == "getUpdates":
            return await self._poll(params)
        if method == "setWebhook":
            self.webhook = params
            waiting, self.updates = self.updates, []
            for update in waiting:
                self._posting.add(asyncio.ensure_future(self._post(update)))
            return True
        if method == "deleteWebhook":
            self.webhook = {}
            return True
        told = {"url": self.webhook.get("url", ""), "has_custom_certificate": False, "pending_update_count": len(self.updates)}
        return told | ({"last_error_date": int(time.time()), "last_error_message": self.unreached} if self.unreached else {})

    async def _poll(self, params: Json) -> list[Json]:
        if self.webhook:
            raise Refusal(
                409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
        offset, until = int(params.get("offset") or 0), time.monotonic() + int(params.get("timeout") or 0)  # some send words
        self.confirmed = max(self.confirmed, offset)
        self.updates = [update for update in self.updates if update["update_id"] >= offset]
        if self._poller is not None and not self._poller.done():
            self._poller.cancel("another poller")
        self._poller = asyncio.current_task()
        try:
            while not self.updates and (left := until - time.monotonic()) > 0:
                self._news.clear()
                try:
                    await asyncio.wait_for(self._news.wait(), left)
                except TimeoutError:
                    break
        except asyncio.CancelledError as cancelled:
            if cancelled.args != ("another poller",):
                raise
            asyncio.current_task().uncancel()  # type: ignore[union-attr]  # a request has a task
            raise Refusal(
                409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
            ) from None
        finally:
            if self._poller is asyncio.current_task():
                self._poller = None
        return self.updates[: int(params.get("limit") or 100)]

    async def _post(self, update: Json) -> None:
        """Until the webhook takes it; what is of one chat comes one after the other."""
        [about] = (value for name, value in update.items() if name != "update_id")
        chat = about.get("chat", about.get("message", {}).get("chat", {})).get("id", 0)
        async with self._lines[chat]:
            await self._bring(update)

    async def _bring(self, update: Json) -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook["secret_token"]} if "secret_token" in self.webhook else {}
        async with ClientSession(timeout=ClientTimeout(total=30)) as session:
            while self.webhook:
                try:
                    url = next(self.behind) if self.behind else self.webhook["url"]
                    async with session.post(url, json=update, headers=headers) as answer:
                        if 200 <= answer.status < 300:
                            return
                except (ClientError, TimeoutError):
                    pass
                self.refused_posts += 1
                await asyncio.sleep(RETRY)

    async def file(self, request: web.Request) -> web.Response:
        """Bytes of a file whose path `getFile` told."""
        content = self.chats.files.get(request.match_info["id"])
        if request.match_info["token"] != TOKEN or content is None or request.match_info["id"] in self.hidden:
            return _reply(404, {"ok": False, "error_code": 404, "description": "Not Found"})
        return web.Response(body=content, content_type="application/octet-stream")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Telegram]:
        """On a port of its own, in `root`."""
        app = web.Application(client_max_size=60_000_000)
        app.router.add_route("*", "/file/bot{token}/files/{id}", self.file)
        app.router.add_route("*", "/bot{token}/{method}", self.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.root = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            self.webhook = {}
            for task in self._posting:
                task.cancel()
            await asyncio.gather(*self._posting, return_exceptions=True)
            await runner.cleanup()


async def _read(request: web.Request) -> tuple[Json, dict[str, bytes]]:
    """The parameters, with what was JSON in them decoded, and the files, of any of the encodings that the platform takes."""
    if request.content_type == "application/json":
        return await request.json(), {}
    if request.content_type != "multipart/form-data":
        return {name: _decoded(name, str(value)) for name, value in [*request.query.items(), *(await request.post()).items()]}, {}
    params: Json = {}
    files: dict[str, bytes] = {}
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        name, content = str(part.name), bytes(await part.read())
        if part.filename is None:
            params[name] = _decoded(name, content.decode())
        else:
            files[name] = content
            params.setdefault(name, name)
    return {name: value for name, value in params.items() if name not in files or name in DIRECT}, files


TEXTS = frozenset({"text", "caption", "title", "url", "secret_token", "language_code", "callback_query_id", "file_id", "action"})
DIRECT = frozenset({"photo", "voice", "audio", "document", "video"})


def _decoded(name: str, value: str) -> Any:
    """Words stay words; everything else is JSON where it can be."""
    if name in TEXTS | DIRECT:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _reply(status: int, body: Json) -> web.Response:
    return web.json_response(body, status=status, dumps=_dumps)


_dumps: Callable[[Any], str] = json.dumps
