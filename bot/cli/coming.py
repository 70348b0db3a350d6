"""`hobnob import`: takes over what it can from the configuration of another bot. What is done with it: `beginning.py`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import typer
import yaml

from bot.cli.beginning import settle
from bot.config import load
from bot.editing import Draft
from bot.errors import ConfigError
from bot.faults import variable

Kind = Literal["llmcord", "astrbot"]

KINDS: Mapping[str, Kind] = {"llmcord": "llmcord", "astrbot": "astrbot"}

LONGEST_PERSONA = 4000
"""Characters of a persona that the chat plugin takes."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model behind an OpenAI-compatible server; `key` is a secret, "" where it wants none."""

    name: str
    url: str
    model: str
    key: str = ""


@dataclass(slots=True)
class Brought:
    """What was found: tokens by platform, a persona, models in their order, proxies by platform; and what is left behind, in words."""

    tokens: dict[str, str] = field(default_factory=dict)
    proxies: dict[str, str] = field(default_factory=dict)
    persona: str = ""
    endpoints: list[Endpoint] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def bring(path: Path | None, kind: Kind, file: Path) -> None:
    """Shows what it would write, and writes it when that is wanted. Raises ConfigError for a file that is something else."""
    config = load(path)
    found = llmcord(_yaml(file)) if kind == "llmcord" else astrbot(_json(file))
    draft = Draft(config.source.path)
    put(found, draft, list(config.plugins["chat"].options.get("models", ())) if "chat" in config.plugins else [])
    for words in found.left:
        typer.echo(f"Left behind: {words}.")
    settle(draft)


def put(found: Brought, draft: Draft, models: Sequence[str]) -> None:
    """Puts it into a draft; `models` answer already, and go on doing so behind those that come."""
    for platform, token in found.tokens.items():
        draft.secret(variable(("connectors", platform, "token")), token)
    for platform, proxy in found.proxies.items():
        draft.secret(variable(("connectors", platform, "proxy")), proxy)
    if found.persona:
        draft.set(("plugins", "chat", "defaults", "persona"), found.persona)
    for one in found.endpoints:
        at = ("plugins", "chat", "servers", one.name)
        draft.set((*at, "url"), one.url)
        draft.set((*at, "model"), one.model)
        if one.key:
            secret = f"{re.sub(r'[^A-Z0-9]', '_', one.name.upper())}_KEY"
            draft.secret(secret, one.key)
            draft.set((*at, "key"), secret)
    if found.endpoints:
        names = [one.name for one in found.endpoints]
        draft.set(("plugins", "chat", "models"), [*names, *(name for name in models if name not in names)])


def llmcord(document: Mapping[str, Any]) -> Brought:
    """llmcord's config.yaml: a Discord token, a system prompt, and models named PROVIDER/MODEL."""
    found = Brought()
    if token := _text(document.get("bot_token")):
        found.tokens["discord"] = token
    found.persona = _persona(_text(document.get("system_prompt")), found)
    providers, models = document.get("providers") or {}, document.get("models") or {}
    names = list(models) if isinstance(models, Mapping | list) else [str(models)]
    for name in names or [_text(document.get("model"))]:
        provider, _, model = str(name).partition("/")
        facts = providers.get(provider) if isinstance(providers, Mapping) else None
        if not model or not isinstance(facts, Mapping) or not (url := _url(facts.get("base_url"), found)):
            found.left.append(f"the model {name}, whose provider has no address")
            continue
        found.endpoints.append(Endpoint(_name(model, found), url, model.removesuffix(":vision"), _text(facts.get("api_key"))))
    if any((document.get("permissions") or {}).get(who) for who in ("users", "roles", "channels")):
        found.left.append("the permissions, which admins say with /permissions in each server")
    return found


def astrbot(document: Mapping[str, Any]) -> Brought:
    """AstrBot's cmd_config.json: platforms, personas, and providers that speak OpenAI's protocol."""
    found = Brought()
    for one in _tables(document, "platform"):
        kind, token = _text(one.get("type")), _text(one.get("discord_token") or one.get("telegram_token"))
        if kind not in ("discord", "telegram"):
            found.left.append(f"the platform {one.get('id') or kind}, which Hobnob does not speak")
        elif one.get("enable", True) and token:
            found.tokens[kind] = token
            if proxy := _text(one.get("discord_proxy")):
                found.proxies[kind] = proxy
    found.persona = _persona(_chosen_persona(document), found)
    for one in _tables(document, "provider"):
        _provider(one, {_text(source.get("id")): source for source in _tables(document, "provider_sources")}, found)
    return found


def _provider(one: Mapping[str, Any], sources: Mapping[str, Mapping[str, Any]], found: Brought) -> None:
    facts = {**sources.get(_text(one.get("provider_source_id")), {}), **one}
    id = _text(facts.get("id"))
    if not facts.get("enable", True):
        return
    model = _text(facts.get("model") or (facts.get("model_config") or {}).get("model"))
    if "openai" not in _text(facts.get("type")) or "chat_completion" not in _text(facts.get("type")) or not model:
        found.left.append(f"the provider {id}, which is no chat model over OpenAI's protocol")
    elif url := _url(facts.get("api_base"), found):
        keys = facts.get("key") or []
        key = _text(keys[0] if isinstance(keys, list) and keys else keys if isinstance(keys, str) else "")
        found.endpoints.append(Endpoint(_name(model, found), url, model, key))


def _chosen_persona(document: Mapping[str, Any]) -> str:
    wanted = _text((document.get("provider_settings") or {}).get("default_personality"))
    personas = {_text(one.get("name")): _text(one.get("prompt")) for one in _tables(document, "persona")}
    return personas.get(wanted, "") or next(iter(personas.values()), "")


def _tables(document: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    found = document.get(key) or []
    yield from (one for one in (found if isinstance(found, list) else []) if isinstance(one, Mapping))


def _persona(text: str, found: Brought) -> str:
    """As much of it as the chat plugin takes."""
    if len(text) > LONGEST_PERSONA:
        found.left.append(f"the end of the persona, of which {LONGEST_PERSONA:,} characters are kept")
    return text[:LONGEST_PERSONA]


def _url(given: object, found: Brought) -> str:
    url = _text(given).rstrip("/")
    if url and urlsplit(url).scheme not in ("http", "https"):
        found.left.append(f"the address {url}, which is none of http or https")
        return ""
    return url


def _name(model: str, found: Brought) -> str:
    """A name that a table may have, and no other one has."""
    name = re.sub(r"[^a-z0-9._-]+", "-", model.lower()).strip("-._") or "model"
    taken = {one.name for one in found.endpoints}
    return next(each for each in (name, *(f"{name}-{n}" for n in range(2, len(taken) + 3))) if each not in taken)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _yaml(file: Path) -> Mapping[str, Any]:
    try:
        return _document(yaml.safe_load(file.read_text(encoding="utf-8-sig")), file)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{file}: expected llmcord's config.yaml, found: {' '.join(str(error).split())}") from error


def _json(file: Path) -> Mapping[str, Any]:
    try:
        return _document(json.loads(file.read_text(encoding="utf-8-sig")), file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: expected AstrBot's cmd_config.json, found: {error}") from error


def _document(read: object, file: Path) -> Mapping[str, Any]:
    if not isinstance(read, Mapping):
        raise ConfigError(f"{file}: expected a table of settings, found {type(read).__name__}")
    return read
