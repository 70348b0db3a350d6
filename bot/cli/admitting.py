"""`hobnob servers`: who may use the bot at all, from the operator's side. In a chat an owner does the same with `/house`."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import typer

from bot.choices import Deed
from bot.cli.reaching import setup, store
from bot.config import Config
from bot.errors import UserError
from bot.house import OPERATOR, Applicant, Door, Policy, at_door, decided
from bot.store.applicants import Applicants
from bot.store.house import HouseRules
from bot.store.keys import Keys
from bot.translation import Phrase


def servers(path: Path | None) -> None:
    """Prints what holds for servers that are new, and which of them wait."""
    asyncio.run(_show(setup(path, "servers")))


def admit(path: Path | None, server: str, *, admitted: bool) -> None:
    """Lets one in, or keeps it out, from its next message on. Raises UserError for what is no server's name."""
    asyncio.run(_decide(setup(path, "servers"), server, admitted))


def policy(path: Path | None, door: Door, policy: Policy) -> None:
    """Changes what holds, from the next message on; who is in stays in."""
    asyncio.run(_open(setup(path, "servers"), door, policy))


async def _show(config: Config) -> None:
    async with store(config) as redis:
        rules = await HouseRules(redis, Keys()).get()
        waiting = await Applicants(redis, Keys()).waiting()
    holds = config.admission.holding(rules)
    typer.echo(f"New servers: {holds['servers']}. New people alone with it: {holds['direct']}.")
    for one in waiting:
        typer.echo(f"{one.address.tenant} waits: {_name(one)}. `hobnob servers admit {one.address.tenant}` lets it in.")


def _name(applicant: Applicant) -> str:
    return f"{applicant.name}, since {time.strftime('%Y-%m-%d %H:%M', time.localtime(applicant.at))}"


async def _decide(config: Config, server: str, admitted: bool) -> None:
    if len([word for word in server.split("/") if word]) != 2:
        raise UserError(f"expected the name of a server, CONNECTOR/ID, found {server!r}; `hobnob servers` lists those that wait")
    async with store(config) as redis:
        applicants, house = Applicants(redis, Keys()), HouseRules(redis, Keys())
        writes = applicants.admitting(server) if admitted else applicants.refusing(await applicants.get(server))
        await applicants.decide([*writes, *house.noting(_deed(decided(server, admitted=admitted)))])
    typer.echo(f"{server} {'is let in' if admitted else 'is not let in, and hears nothing more'}, from its next message on.")


async def _open(config: Config, door: Door, policy: Policy) -> None:
    async with store(config) as redis:
        await HouseRules(redis, Keys()).open(door, policy, _deed(at_door(door, policy)))
    typer.echo(f"From the next message on, {door} that are new: {policy}. Who is in stays in.")


def _deed(what: Phrase) -> Deed:
    return Deed(time.time(), "", OPERATOR, "", "", (what,))
