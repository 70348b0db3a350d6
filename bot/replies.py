"""What goes out, free of any platform: Reply. Its parts: `messages.py`; what stands below them: `forms.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from bot.forms import Button, Select
from bot.messages import Audio, File, Image, Part, Text


@dataclass(frozen=True, slots=True, init=False)
class Reply:
    """What a handler returns: parts, and buttons and menus below them. A plain string is a Text part.

    `silent` asks the platform not to notify, `private` to show it only to the asker where the platform can; `fault` says
    that this is no answer but the reason why there is none. `instead` answers a click by changing the message that has the button; where
    that is gone it is sent anew.
    """

    parts: tuple[Part, ...]
    buttons: tuple[Button | Select, ...]
    silent: bool
    private: bool
    fault: bool = False
    instead: bool = False

    def __init__(
        self,
        *parts: Text | Image | Audio | File | str,
        buttons: Sequence[Button | Select] = (),
        silent: bool = False,
        private: bool = False,
        fault: bool = False,
        instead: bool = False,
    ) -> None:
        said = tuple(Text(part) if isinstance(part, str) else part for part in parts)
        flags = {"silent": silent, "private": private, "fault": fault, "instead": instead}
        for name, value in {"parts": said, "buttons": tuple(buttons), **flags}.items():
            object.__setattr__(self, name, value)  # a frozen dataclass with a friendlier signature than its fields

    @property
    def text(self) -> str:
        """All words of the reply, parts joined by a blank line."""
        return "\n\n".join(part.text for part in self.parts if isinstance(part, Text))


reply_json: TypeAdapter[Reply] = TypeAdapter(Reply)
