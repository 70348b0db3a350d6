"""From tokens to the text that may be shown: whole characters only, never half a stop string. Where tokens come from: `engine.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

BROKEN = "\ufffd"
"""What a decoder puts for bytes that are no character, or not yet one."""


def ended(text: str, stops: Iterable[str], start: int = 0) -> str:
    """The text before the first stop string that begins at `start` or later; all of it where there is none."""
    found = [at for stop in stops if stop and (at := text.find(stop, start)) >= 0]
    return text[: min(found)] if found else text


class TextStream:
    """The text of one answer as it grows. `decode` turns tokens into text; what was `begun` before stands in front."""

    def __init__(self, decode: Callable[[Sequence[int]], str], stops: Iterable[str] = (), begun: str = "") -> None:
        self._decode = decode
        self._stops = [stop for stop in stops if stop]
        self._tail: list[int] = []
        self._read = 0
        self._text = begun

    def push(self, token: int) -> bool:
        """Takes the next token; true when it completed a stop string."""
        self._tail.append(token)
        # Tokens are decoded together with the ones before them, because many tokenizers drop the space of a first word.
        before, now = self._decode(self._tail[: self._read]), self._decode(self._tail)
        if now.endswith(BROKEN):
            return False
        self._tail, self._read = self._tail[self._read :], len(self._tail) - self._read
        return self._grow(now[len(before) :].replace(BROKEN, ""))

    def _grow(self, new: str) -> bool:
        longest = max(map(len, self._stops), default=1)
        whole = self._text + new
        self._text = ended(whole, self._stops, max(0, len(self._text) - longest + 1))
        return len(self._text) < len(whole)

    @property
    def shown(self) -> str:
        """What can no longer be taken back: a prefix of the final text."""
        return self._text[: len(self._text) - self._held()].strip()

    def _held(self) -> int:
        """The longest end of the text that may become a stop string."""
        most = max((len(stop) - 1 for stop in self._stops), default=0)
        ends = (length for length in range(min(most, len(self._text)), 0, -1) if self._may_stop(self._text[-length:]))
        return next(ends, 0)

    def _may_stop(self, end: str) -> bool:
        return any(len(end) < len(stop) and stop.startswith(end) for stop in self._stops)

    @property
    def text(self) -> str:
        """All of the text, once no more tokens come; bytes of an unfinished character are left out."""
        return self._text.strip()
