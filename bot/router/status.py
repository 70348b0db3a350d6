"""The words of a status line while somebody waits. When it is shown and becomes the answer: `delivery.py`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from bot.jobs import Preview, Progress
from bot.messages import Image
from bot.replies import Reply
from bot.store.queue import Running, Shown, Waiting
from bot.translation import later, tr, translated

WAITED = later("This has waited {wait} for its turn, so I have let it go. Please ask again if you still want to know.")


class Meanwhile:
    """What is said of one job as it goes: its place, that its model is loaded, how far it is, and what it looks like so far."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` in seconds."""
        self._clock = clock
        self._text = "…"
        self._picture: Image | None = None
        self._first: tuple[float, Progress] | None = None

    def of(self, update: Waiting | Running | Shown) -> Reply:
        """The status line after this update."""
        match update:
            case Waiting(ahead=ahead, seconds=seconds, away=away):
                self._begin(paused(ahead, away) if away else waiting(ahead, seconds))
            case Running(loading=loading):
                self._begin("…" if loading is None else preparing(loading))
            case Shown(partial=Progress() as made):
                self._text = progress(made, self._left(made))
            case Shown(partial=Preview(image=image)):
                self._picture = Image(image, alt=tr("How it looks so far"))
            case _:
                pass
        return Reply(self._text) if self._picture is None else Reply(self._text, self._picture)

    def _begin(self, text: str) -> None:
        """After a crash everything begins anew."""
        self._text, self._picture, self._first = text, None, None

    def _left(self, made: Progress) -> float | None:
        """Seconds until it is done, at the pace since the first that was heard of it; None while that says nothing."""
        now = self._clock()
        if self._first is None or made.done < self._first[1].done:
            self._first = now, made
        since, first = self._first
        return (now - since) * (made.total - made.done) / (made.done - first.done) if made.done > first.done else None


def waiting(ahead: int, seconds: float | None) -> str:
    """So many are ahead, and it takes about so long, where that is known and worth a word."""
    if seconds is None or seconds < 1.0:
        return tr("You are next.") if ahead == 0 else tr("Waiting: {ahead} ahead of you.", ahead=ahead)
    wait = roughly(seconds)
    return tr("You are next, {wait}.", wait=wait) if ahead == 0 else tr("Waiting: {ahead} ahead of you, {wait}.", ahead=ahead, wait=wait)


def paused(ahead: int, away: float) -> str:
    """The operator has the device, and it is back in about so long, where that is known."""
    said = tr("This is paused for now.") if math.isinf(away) else tr("This is paused and goes on in {wait}.", wait=roughly(away))
    return said if ahead == 0 else f"{said} {tr('{ahead} ahead of you.', ahead=ahead)}"


def preparing(seconds: float) -> str:
    """The model is being loaded, which takes about so long, where that is known and worth a word."""
    return tr("Loading the model.") if seconds < 1.0 else tr("Loading the model, {wait}.", wait=roughly(seconds))


def progress(made: Progress, left: float | None) -> str:
    """So much is done, and the rest takes about so long, where that is known and worth a word."""
    unit, done, total = translated(made.unit), f"{made.done:.0f}", f"{made.total:.0f}"
    if made.total <= 0:
        return tr("{done} {unit} so far.", done=done, unit=unit)
    if left is None or left < 1.0:
        return tr("{done} of {total} {unit}.", done=done, total=total, unit=unit)
    return tr("{done} of {total} {unit}, {wait} left.", done=done, total=total, unit=unit, wait=roughly(left))


def expired(seconds: float) -> str:
    """Why there is no answer after so many seconds of waiting."""
    return translated(WAITED, wait=roughly(seconds))


def roughly(seconds: float) -> str:
    """A duration as people say it, no more exact than it is known."""
    if seconds < 10.0:
        return tr("a few seconds")
    if seconds < 55.0:
        return tr("about {n} seconds", n=int(round(seconds, -1)))
    if seconds < 3300.0:
        return tr("about {n} minute", "about {n} minutes", n=max(1, round(seconds / 60)))
    return tr("about {n} hour", "about {n} hours", n=max(1, round(seconds / 3600)))
