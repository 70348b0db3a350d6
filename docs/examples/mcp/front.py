"""Tools of servers that speak the Model Context Protocol, as tools that a chat model may call. The protocol is the library `mcp`'s."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import mcp
from pydantic import BaseModel, ConfigDict

from bot import Audio, Context, Image, Reply, Tool, Toolset, Unavailable, UserError, hookimpl

from .config import Config, Server

PAUSE, AGAIN = 1.0, 60.0
"""Seconds before a server that is gone is tried again, at first and at most; and between two looks which tools it has."""

LONGEST = 1000
"""Characters of a tool's description: it stands in every prompt."""

MOST_PAGES = 100
"""Of a server's list of tools."""

log = logging.getLogger(__name__)


class Given(BaseModel):
    """Whatever the model says: the server knows what it wants, and checks it."""

    model_config = ConfigDict(extra="allow")


class Plugin:
    """One session with each server, for as long as the router lives."""

    def __init__(self, config: Config) -> None:
        self.sessions = [Session(name, server) for name, server in config.servers.items()]

    @hookimpl
    def register_tools(self) -> Iterable[Toolset]:
        """Filled when a server has said what it can."""
        return [session.offered for session in self.sessions]

    @hookimpl
    def lifespan(self) -> AbstractAsyncContextManager[None]:
        """A server that is away keeps nobody from starting."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        keeping = [asyncio.create_task(session.keep()) for session in self.sessions]
        try:
            yield
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)


class Session:
    """With one server; its tools are called `NAME_TOOL`."""

    def __init__(self, name: str, server: Server) -> None:
        self.offered = Toolset(name)
        self._name = name
        self._server = server
        self._client: mcp.Client | None = None
        self._look = asyncio.Event()

    async def keep(self) -> None:
        """Until cancelled."""
        pause = PAUSE
        while True:
            try:
                async with mcp.Client(self._where(), read_timeout_seconds=self._server.timeout) as client:
                    pause = PAUSE
                    await self._serve(client)
            except Exception as fault:  # whatever a program or a network does
                log.warning("the MCP server %s is away: %s", self._name, fault)
            finally:
                self._client, self.offered.tools = None, ()
            await asyncio.sleep(pause)
            pause = min(pause * 2, AGAIN)

    def _where(self) -> mcp.StdioServerParameters | str:
        if self._server.url:
            return self._server.url
        program, *words = self._server.command
        return mcp.StdioServerParameters(
            command=program, args=words, env={name: value.get_secret_value() for name, value in self._server.env.items()}
        )

    async def _serve(self, client: mcp.Client) -> None:
        """Raises what the library raises when the server is gone."""
        while True:
            self._look.clear()
            self._client, self.offered.tools = client, [self._tool(tool) for tool in await self._tools(client) if self._allowed(tool)]
            try:
                await asyncio.wait_for(self._look.wait(), AGAIN)
            except TimeoutError:
                continue

    async def _tools(self, client: mcp.Client) -> list[mcp.Tool]:
        """All pages, of a list that comes to an end."""
        found: list[mcp.Tool] = []
        cursor, seen = None, set[str]()
        for _ in range(MOST_PAGES):
            page = await client.list_tools(cursor=cursor, cache_mode="bypass")
            found += page.tools
            if (cursor := page.next_cursor) is None:
                return found
            if cursor in seen:
                break
            seen.add(cursor)
        log.warning("the MCP server %s lists its tools without end: the first %d are taken", self._name, len(found))
        return found

    def _allowed(self, tool: mcp.Tool) -> bool:
        return not self._server.only or tool.name in self._server.only

    def _tool(self, tool: mcp.Tool) -> Tool:
        """Its name as every model takes it."""

        async def call(ctx: Context, args: Given) -> Reply:
            return await self._call(ctx, tool.name, args.model_dump())

        name = re.sub("[^a-z0-9_]", "_", f"{self._name}_{tool.name}".lower())[:32]
        description = (tool.description or tool.title or tool.name)[:LONGEST]
        return Tool(name, description, Given, call, timeout=self._server.timeout, schema=tool.input_schema, once=not _harmless(tool))

    async def _call(self, ctx: Context, tool: str, arguments: dict[str, Any]) -> Reply:
        if self._client is None:
            raise Unavailable(f"{self._name} is away just now.")
        try:
            result = await self._client.call_tool(tool, arguments)
        except mcp.MCPError as fault:
            self._look.set()  # whether it is still there
            raise UserError(f"{self._name}: {fault}") from fault
        reply = await _reply(ctx, result)
        if result.is_error:
            raise UserError(reply.text)
        return reply


def _harmless(tool: mcp.Tool) -> bool:
    """Whether its server says that calling it twice is as good as once."""
    hints = tool.annotations
    return hints is not None and bool(hints.read_only_hint or hints.idempotent_hint)


async def _reply(ctx: Context, result: Any) -> Reply:
    parts: list[str | Image | Audio] = []
    for number, content in enumerate(result.content, 1):
        match content.type:
            case "text":
                parts.append(content.text)
            case "image":
                parts.append(Image(await ctx.keep(base64.b64decode(content.data), content.mime_type, f"picture-{number}")))
            case "audio":
                parts.append(Audio(await ctx.keep(base64.b64decode(content.data), content.mime_type, f"sound-{number}")))
            case "resource_link":
                parts.append(f"{content.name}: {content.uri}")
            case "resource":
                parts.append(getattr(content.resource, "text", str(content.resource.uri)))
    return Reply(*parts or [json.dumps(result.structured_content)])
