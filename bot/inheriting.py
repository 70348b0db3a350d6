"""What an entry of the catalogue has from its family, and an adapter from the model that it lies on. The entries: `catalogue.py`."""

from __future__ import annotations

from typing import Any


def whole(name: str, facts: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """An entry with its name, the facts of its family or base, and the text of its template."""
    families, family = document.get("families", {}), facts.get("family", "")
    if family and family not in families:
        raise ValueError(f"{name} names the family {family!r}; there is {', '.join(families) or 'none'}")
    shared = _of_base(name, facts["base"], document) if facts.get("base") else families.get(family, {})
    made = {"name": name, **shared, **facts}
    if chat := {**shared.get("chat", {}), **facts.get("chat", {})}:
        template = chat.get("template", "")
        made["chat"] = {**chat, "template": document.get("templates", {}).get(template, template)}
    if image := {**shared.get("image", {}), **facts.get("image", {})}:
        made["image"] = image
    return made


def _of_base(name: str, base: str, document: dict[str, Any]) -> dict[str, Any]:
    """What an adapter has from the model that it lies on."""
    beneath = document.get("models", {}).get(base)
    if beneath is None or beneath.get("base"):
        raise ValueError(f"{name} is an adapter and lies on {base!r}, which {'is one too' if beneath else 'is not in the catalogue'}")
    own = whole(base, beneath, document)
    return {key: own[key] for key in ("kind", "languages", "chat") if key in own}
