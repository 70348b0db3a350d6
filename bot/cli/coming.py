"""`hobnob import`: takes over what it can from the configuration of another bot. What is done with it: `beginning.py`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import typer
import yaml

from bot.cli.beginning import settle
from bot.cli.wizard import leads
from bot.config import load
from bot.editing import Draft
from bot.errors import ConfigError
from bot.faults import variable

Kind = Literal["llmcord", "astrbot"]

KINDS: Mapping[str, Kind] = {"llmcord": "llmcord", "astrbot": "astrbot"}

LONGEST_PERSONA = 4000
"""Characters of a persona that the chat plugin takes."""

UNFILLED = re.compile(r"^\W*your\b|^your_|\bhere\W*$|_here$", re.IGNORECASE)
"""What examples have where a token belongs."""

SPEAKING = frozenset({"openai", "zhipu", "groq", "xai", "openrouter", "aihubmix"})
"""AstrBot's kinds of providers that speak OpenAI's protocol; `_chat_completion` stands behind each."""

TELEGRAM, OPENAI = "https://api.telegram.org", "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model behind an OpenAI-compatible server; `key` is a secret, or with a $ the variable that holds it; "" where it wants none."""

    name: str
    url: str
    model: str
    key: str = ""


@dataclass(slots=True)
class Brought:
    """What was found: by platform tokens, proxies and where a server of one's own answers; a persona, models in their order; and what is
    left behind, in words."""

    tokens: dict[str, str] = field(default_factory=dict)
    proxies: dict[str, str] = field(default_factory=dict)
    servers: dict[str, str] = field(default_factory=dict)
    persona: str = ""
    endpoints: list[Endpoint] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def bring(path: Path | None, kind: Kind, file: Path) -> None:
    """Shows what it would write, and writes it when that is wanted. Raises ConfigError for a file that is something else."""
    config = load(path)
    found = llmcord(_yaml(file)) if kind == "llmcord" else astrbot(_json(file))
    if found == Brought():
        raise ConfigError(f"{file}: nothing of {kind}'s is in it: no token, no persona, no model.")
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
    for platform, url in found.servers.items():
        draft.set(("connectors", platform, "api_url"), url)
    if found.persona:
        draft.set(("plugins", "chat", "defaults", "persona"), found.persona)
    for one in found.endpoints:
        at = ("plugins", "chat", "servers", one.name)
        draft.set((*at, "url"), one.url)
        draft.set((*at, "model"), one.model)
        if one.key:
            draft.set((*at, "key"), _kept(one, draft))
    if found.endpoints:
        names = [one.name for one in found.endpoints]
        draft.set(("plugins", "chat", "models"), [*names, *(name for name in models if name not in names)])


def _kept(one: Endpoint, draft: Draft) -> str:
    """The variable that holds the key; no other key is in it."""
    if one.key.startswith("$"):
        return one.key[1:]
    plain = re.sub(r"[^A-Z0-9]", "_", one.name.upper())
    plain = f"MODEL_{plain}" if plain[0].isdigit() else plain
    names = (f"{plain}_KEY", *(f"{plain}_{n}_KEY" for n in range(2, len(draft.set_secrets) + 3)))
    name = next(each for each in names if draft.set_secrets.get(each, one.key) == one.key)
    draft.secret(name, one.key)
    return name


def llmcord(document: Mapping[str, Any]) -> Brought:
    """llmcord's config.yaml: a Discord token, a system prompt, and models named PROVIDER/MODEL."""
    found = Brought()
    if token := _token(document.get("bot_token")):
        found.tokens["discord"] = token
    found.persona = _persona(_text(document.get("system_prompt")), found)
    if places := [place for place in ("{date}", "{time}") if place in found.persona]:
        found.left.append(f"the meaning of {' and '.join(places)} in the persona, which stand there as they are now")
    models = document.get("models") or document.get("model") or []
    for name in models if isinstance(models, Mapping | list) else [models]:
        _model(str(name), _table(_table(document.get("providers")).get(str(name).partition("/")[0])), found)
    permissions = _table(document.get("permissions"))
    if any(_table(permissions.get(who)).get(f"{what}_ids") for who in permissions for what in ("admin", "allowed", "blocked")):
        found.left.append("the permissions, which admins say with /permissions in each server")
    return found


def _model(name: str, provider: Mapping[str, Any], found: Brought) -> None:
    model, before = name.partition("/")[2].removesuffix(":vision"), len(found.left)
    url = _url(provider.get("base_url"), found)
    if model and url:
        found.endpoints.append(Endpoint(_name(model, found), url, model, _token(provider.get("api_key"))))
        if extras := [extra for extra in ("extra_headers", "extra_query", "extra_body") if provider.get(extra)]:
            found.left.append(f"what {name} is asked with besides, by {' and '.join(extras)}")
    elif len(found.left) == before:
        found.left.append(f"the model {name}, whose provider has no address")


def astrbot(document: Mapping[str, Any]) -> Brought:
    """AstrBot's cmd_config.json: platforms, personas, and providers that speak OpenAI's protocol, the one that answers usually first."""
    found = Brought()
    for one in _tables(document, "platform"):
        _platform(one, _text(document.get("http_proxy")), found)
    wanted = _table(document.get("provider_settings"))
    found.persona = _persona(_chosen_persona(document, _text(wanted.get("default_personality")), found), found)
    sources = {_text(source.get("id")): source for source in _tables(document, "provider_sources")}
    usual = _text(wanted.get("default_provider_id"))
    for one in sorted(_tables(document, "provider"), key=lambda each: _text(each.get("id")) != usual):
        _provider(one, sources, found)
    return found


def _platform(one: Mapping[str, Any], proxy: str, found: Brought) -> None:
    kind, token = _text(one.get("type")), _token(one.get("discord_token") or one.get("telegram_token"))
    if not one.get("enable", True):
        return
    if kind not in ("discord", "telegram"):
        found.left.append(f"the platform {one.get('id') or kind}, which Hobnob does not speak")
    elif kind in found.tokens:
        found.left.append(f"the platform {one.get('id')}: one bot of a kind is connected, and there is one already")
    elif token:
        found.tokens[kind] = token
        if through := _text(one.get("discord_proxy")) or proxy:
            found.proxies[kind] = through
        server = _url(one.get("telegram_api_base_url"), found).removesuffix("/bot")
        if server not in ("", TELEGRAM):
            found.servers[kind] = server


def _provider(one: Mapping[str, Any], sources: Mapping[str, Mapping[str, Any]], found: Brought) -> None:
    facts = {**sources.get(_text(one.get("provider_source_id")), {}), **one}
    if not facts.get("enable", True):
        return
    model = _text(facts.get("model") or _table(facts.get("model_config")).get("model"))
    speaks, _, task = _text(facts.get("type")).partition("_")
    if speaks not in SPEAKING or task != "chat_completion" or not model:
        found.left.append(f"the provider {_text(facts.get('id'))}, which is no chat model over OpenAI's protocol")
    elif url := _url(facts.get("api_base") or (OPENAI if speaks == "openai" else ""), found):
        keys = facts.get("key")
        found.endpoints.append(Endpoint(_name(model, found), url, model, _token(keys[0] if isinstance(keys, list) and keys else keys)))
    else:
        found.left.append(f"the provider {_text(facts.get('id'))}, which has no address")


def _chosen_persona(document: Mapping[str, Any], wanted: str, found: Brought) -> str:
    personas = {_text(one.get("name")): _text(one.get("prompt")) for one in _tables(document, "persona")}
    if not personas and wanted not in ("", "default"):
        found.left.append(f"the persona {wanted}, which AstrBot keeps in its database")
    return personas.get(wanted, "") or next(iter(personas.values()), "")


def _tables(document: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    found = document.get(key)
    yield from (one for one in (found if isinstance(found, list) else []) if isinstance(one, Mapping))


def _table(given: object) -> Mapping[str, Any]:
    return given if isinstance(given, Mapping) else {}


def _persona(text: str, found: Brought) -> str:
    """As much of it as the chat plugin takes."""
    if len(text) > LONGEST_PERSONA:
        found.left.append(f"the end of the persona, of which {LONGEST_PERSONA:,} characters are kept")
    return text[:LONGEST_PERSONA]


def _url(given: object, found: Brought) -> str:
    url = _text(given).rstrip("/")
    if url and not leads(url):
        found.left.append(f"the address {url}, which is none of http or https")
    return url if leads(url) else ""


def _name(model: str, found: Brought) -> str:
    """A name that a table may have, and no other one has."""
    name = re.sub(r"[^a-z0-9._-]+", "-", model.lower()).strip("-._") or "model"
    taken = {one.name for one in found.endpoints}
    return next(each for each in (name, *(f"{name}-{n}" for n in range(2, len(taken) + 3))) if each not in taken)


def _token(value: object) -> str:
    """A secret that somebody has filled in."""
    return "" if UNFILLED.search(text := _text(value)) else text


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
