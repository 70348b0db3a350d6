"""The tools that plugins declared: which of them a model may call for a person here, and calling one. What one may do: `acts.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from pydantic import BaseModel

from bot.acts import Acts
from bot.context import Context
from bot.declared import tool_fault
from bot.errors import BadArguments, JobCancelled, JobError, Refused, StoreError, UserError
from bot.jobs import Function
from bot.messages import Message, Text
from bot.replies import Reply
from bot.router.arguments import validate
from bot.router.gate import Gate
from bot.router.journal import Journal
from bot.router.readers import Readers
from bot.routes import Tool, Toolset
from bot.store.tickets import Superseded
from bot.translation import later, reader, tr, translated
from bot.turns import LONGEST_RESULT, Call

UNKNOWN = later("{tool} was cut off, so nobody knows whether it did its work. It was not called a second time.")

log = structlog.get_logger(__name__)


class Toolbox:
    """Asks the gate anew for every call: whatever a text makes a model want, it can do no more than the person who asked."""

    def __init__(self, declared: Iterable[tuple[str, Tool | Toolset]], gate: Gate, readers: Readers) -> None:
        declared = list(declared)
        self._fixed = {one.name: (plugin, one) for plugin, one in declared if isinstance(one, Tool)}
        self._sets = [(plugin, one) for plugin, one in declared if isinstance(one, Toolset)]
        self._told: set[str] = set()
        self._gate = gate
        self._readers = readers

    @property
    def _tools(self) -> Mapping[str, tuple[str, Tool]]:
        """By name, those that there are now."""
        found = dict(self._fixed)
        for plugin, given in self._sets:
            for tool in given.tools or ():
                if fault := tool_fault(tool) or (f"Tool {tool.name!r}: another has this name" if tool.name in found else ""):
                    self._left_out(plugin, fault)
                else:
                    found[tool.name] = plugin, tool
        return found

    def _left_out(self, plugin: str, fault: str) -> None:
        """Said once."""
        if fault not in self._told:
            self._told.add(fault)
            log.warning("a tool is left out", plugin=plugin, fault=fault)

    async def offered(self, message: Message) -> tuple[Function, ...]:
        """What may be called for the sender of this message."""
        view = await self._gate.view(message.address)
        may = [(plugin, tool) for plugin, tool in self._tools.values() if view.may(plugin, tool.command, message)]
        return tuple(function for plugin, tool in may if (function := self._function(plugin, tool)))

    def _function(self, plugin: str, tool: Tool) -> Function | None:
        """None for one of which no model can be told: it takes no other's away."""
        try:
            function = _function(tool)
            function.model_dump_json()  # as it goes to the model
        except Exception as error:  # a stranger's code
            self._left_out(plugin, f"Tool {tool.name!r}: {error}")
            return None
        return function

    async def call(self, call: Call, name: str, journal: Journal, act: Callable[[Journal], Acts]) -> Reply:
        """What came of it, faults included; `name` is that of the call in the journal, under which all is kept that the tool does."""
        try:
            return _short(await self._called(call, name, journal, act))
        except (JobCancelled, Superseded, StoreError):
            raise
        except UserError as error:
            return Reply(str(error), fault=True)
        except TimeoutError:
            return Reply(tr("{tool} took too long.", tool=call.name), fault=True)
        except JobError as error:
            return Reply(tr("{tool} did not work: {fault}", tool=call.name, fault=error), fault=True)
        except Exception:  # a stranger's code
            log.exception("a tool failed", tool=call.name)
            return Reply(tr("{tool} did not work.", tool=call.name), fault=True)

    async def _called(self, call: Call, name: str, journal: Journal, act: Callable[[Journal], Acts]) -> Reply:
        message = journal.message
        plugin, tool = self._tools.get(call.name, ("", None))
        view = await self._gate.view(message.address)
        if tool is None or not view.may(plugin, tool.command, message):
            raise Refused(tr("There is no tool {tool} for {person} here.", tool=call.name, person=message.sender.name))
        settings = self._gate.settings(plugin, view, message.address)
        inner = journal.within(name, plugin, settings.model_dump(mode="json"))
        now = datetime.fromtimestamp(journal.ticket.at, UTC)
        acts = act(inner)
        ctx = Context(message, settings, now, journal.ref, acts, view.level(message))
        args = _arguments(tool, call)
        if tool.once and await _begun(inner):
            return await _unknown(tool, acts)
        try:
            with reader(self._readers.of(message, plugin)):
                async with asyncio.timeout(tool.timeout):
                    outcome = await tool.handler(ctx, args)
        except TimeoutError:
            if tool.once:
                return await _unknown(tool, acts)
            raise
        finally:
            journal.busy = journal.busy or inner.busy
        return Reply(outcome) if isinstance(outcome, str) else outcome or Reply(tr("Done."))


async def _begun(journal: Journal) -> bool:
    """Whether a run before this one came so far; from now on one did."""
    name = journal.name("begun")
    begun = journal.find(name) is not None
    if not begun:
        await journal.write(name, b"")
    return begun


async def _unknown(tool: Tool, acts: Acts) -> Reply:
    """The person is told by the core: a model may keep it to itself."""
    said = translated(UNKNOWN, tool=tool.name)
    await acts.post(Reply(said))
    return Reply(said, fault=True)


def _arguments(tool: Tool, call: Call) -> BaseModel:
    try:
        return tool.args.model_validate(validate(tool.args, call.arguments))
    except BadArguments as error:
        raise BadArguments(tr("{tool} was called wrongly: {fault}", tool=call.name, fault=error)) from error


def _function(tool: Tool) -> Function:
    schema = tool.args.model_json_schema() if tool.schema is None else tool.schema
    return Function(name=tool.name, description=tool.description, parameters=_untitled(schema))


def _untitled(schema: Any) -> Any:
    """Without titles, which repeat the names: what a model is told of its tools stands in every prompt."""
    if isinstance(schema, Mapping):
        return {key: _untitled(value) for key, value in schema.items() if not (key == "title" and isinstance(value, str))}
    return schema


def _short(reply: Reply) -> Reply:
    if len(reply.text) <= LONGEST_RESULT:
        return reply
    others = [part for part in reply.parts if not isinstance(part, Text)]
    return Reply(f"{reply.text[:LONGEST_RESULT]}…", *others, fault=reply.fault)
