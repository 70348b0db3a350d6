"""How one setting looks and is changed, by its JSON schema: switches, menus, forms. Which settings there are: `forms.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot import BadArguments, Button, Choice, Form, Option, Select, Setting, Shape, tr
from plugins.admin.menus import MOST

LONGEST = 70
"""Characters of a value in a list of many."""

LONG = 1000
"""Characters of one that is shown alone."""


class Fields(Shape):
    """The settings of a plugin, as people see and change them in a chat."""

    def shown(self, setting: Setting, *, whole: bool = False) -> str:
        """Its value as people read it."""
        match setting.label or setting.value:
            case None | "" | []:
                return tr("nothing")
            case bool() as on:
                return tr("yes") if on else tr("no")
            case str() as text:
                text = text if whole else " ".join(text.split())
            case [*words] if all(isinstance(word, str) for word in words):
                text = ", ".join(words)
            case value:
                text = json.dumps(value, ensure_ascii=False)
        most = LONG if whole else LONGEST
        return text if len(text) <= most else text[: most - 1] + "…"

    def read(self, name: str, value: Any) -> Any:
        """What a person gave, as the setting takes it: words of a list stand on lines of their own, or behind commas."""
        if not self.part(name) or value is None:
            return value
        if not self.editable(name) and isinstance(value, str):
            raise BadArguments(tr("{setting} has parts of its own: import it as TOML.", setting=self.title(name)))
        if self.kind(name) == "list" and isinstance(value, str):
            return [word.strip() for word in value.replace("，", ",").replace("\n", ",").split(",") if word.strip()]
        return value

    def controls(self, setting: Setting, action: str, payload: Mapping[str, Any]) -> list[Button | Select]:
        """What to press or to fill in; an input that is left empty resets."""
        option, label = self.option(setting.name), self.title(setting.name)
        if option.kind == "boolean":
            return [
                Button(word, action, {**payload, "value": on}) for word, on in ((tr("Yes"), True), (tr("No"), False)) if on != setting.value
            ]
        if 0 < len(option.choices) <= MOST:  # what has more is typed
            choices = tuple(Choice(str(one), str(one), chosen=one == setting.value) for one in option.choices)
            return [Select(action, "value", choices, payload, label)]
        here = [Button(tr("Here"), action, {**payload, "value": "here"})] if option.kind == "channel" else []
        return [*here, Button(tr("Change"), action, payload, form=self._form(setting, option, label))]

    def _form(self, setting: Setting, option: Option, label: str) -> Form:
        array = self.kind(setting.name) == "list"
        kind = "text" if array else option.kind
        least, most = (None, None) if array else (option.least, option.most)
        description = f"{option.description} {tr('Several with commas.')}" if array else option.description
        value = Option("value", description, kind, least=least, most=most)
        now = ", ".join(setting.value) if array else setting.value
        return Form(label[:45], (value,), {"value": now})
