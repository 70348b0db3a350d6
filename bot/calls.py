"""What plugins are asked, how long that takes, and which of them rest because they failed. Who asks: `plugins.py`, `router/runner.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from bot.translation import Phrase, later

REST = 60.0
"""Seconds for which a plugin that failed too often is not asked."""

ADMIT, HANDLERS = "admit", "handlers"
"""What rests by itself: what a plugin is asked before a message is accepted, and all that it does with those that are."""

RESTS = later("{plugin} rests until {time} UTC, because it failed {n} times in a row, the last time in {last}.")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a hook, or of a route's handler (`command:roll`): how many `seconds` it took, and what came of it in a few words."""

    plugin: str
    what: str
    seconds: float
    outcome: str


@dataclass(slots=True)
class Total:
    """All calls of one plugin in this process so far; `seconds` without what its handlers waited for through ctx."""

    calls: int = 0
    faults: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Rest:
    """A plugin is not asked for this any more until then, in seconds since 1970: it failed so many `times` in a row, at `last` in a route
    or hook, with an exception of a type (never with its words, which may be somebody's).
    """

    plugin: str
    what: str
    until: float
    times: int
    last: str

    @property
    def said(self) -> Phrase:
        """For whoever has to know."""
        time = f"{datetime.fromtimestamp(self.until, UTC):%H:%M:%S}"
        return Phrase(RESTS, {"plugin": self.plugin, "time": time, "n": str(self.times), "last": self.last})


@dataclass(slots=True)
class _Breaker:
    failures: int = 0
    rest: Rest | None = None


@dataclass(slots=True)
class Calls:
    """`hear` is told of every call while it is set, `rested` of every plugin that begins to rest; `begun` are the calls of the start."""

    clock: Callable[[], float] = time.time
    totals: dict[str, Total] = field(default_factory=dict)
    begun: list[Call] = field(default_factory=list)
    hear: Callable[[Call], None] | None = None
    rested: Callable[[Rest], None] | None = None
    _breakers: dict[tuple[str, str], _Breaker] = field(default_factory=dict)

    def note(self, plugin: str, what: str, seconds: float, outcome: object, *, fault: bool = False) -> None:
        """A call has ended."""
        total = self.totals.setdefault(plugin, Total())
        total.calls, total.faults, total.seconds = total.calls + 1, total.faults + fault, total.seconds + seconds
        if self.hear is not None:
            self.hear(Call(plugin, what, seconds, _short(outcome)))

    def begin(self, plugin: str, what: str, seconds: float, outcome: object) -> None:
        """A call of the start, which happens before anybody can listen."""
        self.begun.append(Call(plugin, what, seconds, _short(outcome)))

    def failed(self, plugin: str, what: str, most: int, where: str, error: Exception) -> None:
        """`most` failures in a row are too many: it rests."""
        breaker = self._breakers.setdefault((plugin, what), _Breaker())
        breaker.failures += 1
        if breaker.failures < most:
            return
        last = f"{where.replace(':', ' ')} ({type(error).__name__})"
        breaker.failures, breaker.rest = 0, Rest(plugin, what, self.clock() + REST, most, last)
        log.error("a plugin failed too often and is not asked for a while", plugin=plugin, what=what, seconds=REST)
        if self.rested is not None:
            self.rested(breaker.rest)

    def worked(self, plugin: str, what: str) -> None:
        """The next failure is the first again."""
        if (breaker := self._breakers.get((plugin, what))) is not None:
            breaker.failures = 0

    def resting(self) -> list[Rest]:
        """What plugins are not asked for now."""
        now = self.clock()
        return [one.rest for one in self._breakers.values() if one.rest is not None and one.rest.until > now]

    def trouble(self, plugin: str) -> Phrase | None:
        """Why its handlers are not asked now."""
        return next((rest.said for rest in self.resting() if (rest.plugin, rest.what) == (plugin, HANDLERS)), None)

    def wake(self, plugin: str) -> None:
        """It is asked again, from now on."""
        for breaker in (one for (name, _), one in self._breakers.items() if name == plugin):
            breaker.failures, breaker.rest = 0, None

    def rests(self, plugin: str, what: str) -> bool:
        """Whether it is better not asked now."""
        breaker = self._breakers.get((plugin, what))
        return breaker is not None and breaker.rest is not None and breaker.rest.until > self.clock()


def _short(outcome: object) -> str:
    words = " ".join(repr(outcome).split())
    return words if len(words) <= 120 else f"{words[:119]}…"
