"""A worker's dealings with the queue, counted and traced on the way. What they are: `bot/store/shifts.py`."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.trace import Span

from bot import tracing
from bot.errors import JobCancelled, JobError, JobRefused
from bot.jobs import Generate
from bot.metrics import WorkerMetrics
from bot.store.shifts import Begun, Claim, Offer, Shift


@dataclass(frozen=True, slots=True)
class Hold:
    """A job in hand: which model has it, since when (monotonic), and its part of its message's trace."""

    model: str
    since: float
    span: Span


class CountedShift(Shift):
    """Tells `metrics` of every job that comes and leaves, whichever way."""

    def __init__(self, metrics: WorkerMetrics, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._metrics = metrics
        self._holds: dict[tuple[str, int], Hold] = {}

    async def claim(self, offers: Sequence[Offer], *, joined: str = "", batch: str = "") -> Begun:
        """As a shift does."""
        begun = await super().claim(offers, joined=joined, batch=batch)
        if begun.claims and not joined:
            self._metrics.turn_jobs.labels(begun.model).observe(len(begun.claims))
        for claim in begun.claims:
            self._take(claim, begun.model or joined)
        return begun

    def _take(self, claim: Claim, model: str) -> None:
        if submitted := claim.body.get("at"):
            self._metrics.wait_seconds.labels(model).observe(max(0.0, time.time() - submitted))
        span = tracing.begin("run", claim.body.get("trace", ""), model=model, fence=claim.fence)
        self._holds[claim.id, claim.fence] = Hold(model, time.monotonic(), span)

    async def finish(self, claim: Claim, result: str, seconds: float) -> bool:
        """As a shift does."""
        ours = await super().finish(claim, result, seconds)
        model = self._leave(claim, "finished" if ours else "overtaken", seconds)
        if ours and claim.body["kind"] == Generate.kind:
            said = json.loads(result)
            self._metrics.tokens.labels(model, "read").inc(said.get("prompt_tokens", 0))
            self._metrics.tokens.labels(model, "written").inc(said.get("tokens", 0))
        return ours

    async def fail(self, claim: Claim, error: JobError, seconds: float) -> bool:
        """As a shift does."""
        ours = await super().fail(claim, error, seconds)
        self._leave(claim, _outcome(error), seconds)
        return ours

    async def hand_back(self, claims: Sequence[Claim]) -> None:
        """As a shift does."""
        for claim in claims:
            self._leave(claim, "handed back", 0.0)
        await super().hand_back(claims)

    async def refuse(self, claim: Claim, model: str) -> None:
        """As a shift does."""
        self._leave(claim, "not understood", 0.0)
        await super().refuse(claim, model)

    def _leave(self, claim: Claim, outcome: str, seconds: float) -> str:
        """Once for each claim, however often its end is sent; the model that had it."""
        hold = self._holds.pop((claim.id, claim.fence), None)
        if hold is None:
            return ""
        self._metrics.jobs.labels(hold.model, outcome).inc()
        self._metrics.run_seconds.labels(hold.model).observe(time.monotonic() - hold.since)
        self._metrics.device_seconds.labels(hold.model).inc(max(0.0, seconds))
        hold.span.set_attribute("hobnob.outcome", outcome)
        if outcome == "failed":
            tracing.fail(hold.span, "JobFailed")
        hold.span.end()
        return hold.model

    async def loaded(self, offer: Offer, seconds: float, claims: Sequence[Claim]) -> None:
        """As a shift does."""
        self._metrics.load_seconds.labels(offer.model).observe(seconds)
        await super().loaded(offer, seconds, claims)

    async def holds(self, models: Mapping[str, int]) -> None:
        """As a shift does."""
        for model in (offer.model for offer in self._serves):
            self._metrics.memory.labels(model).set(models.get(model, 0))
        await super().holds(models)


def _outcome(error: JobError) -> str:
    return "cancelled" if isinstance(error, JobCancelled) else "refused" if isinstance(error, JobRefused) else "failed"
