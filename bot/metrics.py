"""What a process counts, for Prometheus: names, labels, units. Serving it: `probes.py`; what is read from the store: `store/figures.py`.

Labels are connectors, plugins, models, and words of ours: what an operator configured, never a server, a person or what anybody said.
Each process has a registry of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, PlatformCollector, ProcessCollector

from bot.calls import Calls, Total
from bot.plugins import Loaded
from bot.store.figures import Figures

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Buckets for whatever people wait for: from what feels immediate to what is hardly worth an answer."""

JOBS = (1, 2, 4, 8, 16, 32, 64)


def release() -> str:
    """The release that is installed."""
    return version("hobnob")


class Metrics:
    """What every process tells: its memory, descriptors and processor time, and its release."""

    def __init__(self, process: str, release: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        Info("hobnob_build", "What runs here.", registry=self.registry).info({"process": process, "release": release})
        self._plugin_memory = self._gauge("plugin_memory_bytes", "By how much the process grew while it loaded a plugin.", "plugin")
        self._plugin_load = self._gauge("plugin_load_seconds", "What loading a plugin took.", "plugin")

    def loaded(self, plugins: Iterable[Loaded]) -> None:
        """What it took to load these."""
        for one in plugins:
            self._plugin_memory.labels(one.name).set(one.cost.memory)
            self._plugin_load.labels(one.name).set(one.cost.seconds)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"hobnob_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"hobnob_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, *labels: str, buckets: tuple[float, ...] = SECONDS) -> Histogram:
        return Histogram(f"hobnob_{name}", meaning, labels, registry=self.registry, buckets=buckets)


class RouterMetrics(Metrics):
    """What a router counts, and what it reads in the store when it is asked: that is the same in every router."""

    def __init__(self, release: str = "") -> None:
        super().__init__("router", release)
        self.messages = self._counter("messages", "Events that connectors brought.", "connector")
        self.tickets = self._counter("tickets", "Tickets that ended here, by how.", "plugin", "outcome")
        self.ticket_seconds = self._histogram("ticket_seconds", "From an event's acceptance to the end of its ticket.", "plugin")
        self.held = self._gauge("tickets_running", "Tickets that this router runs.")
        self.takeovers = self._counter("ticket_takeovers", "Tickets that ran here after they had begun elsewhere.")
        self.calls = self._counter(
            "platform_calls", "Calls that bring answers to a chat platform, by how they went.", "connector", "outcome"
        )
        self.call_seconds = self._histogram("platform_call_seconds", "What such a call took.", "connector")
        self._plugin_calls = self._counter("plugin_calls", "Calls of a plugin's hooks and handlers, by how they went.", "plugin", "outcome")
        self._plugin_seconds = self._counter("plugin_seconds", "What these took, without what handlers waited for.", "plugin")
        self._resting = self._gauge("plugin_rests", "1 while a plugin that failed too often is not asked.", "plugin")
        self._told: dict[str, Total] = {}
        self.store_up = self._gauge("store_up", "1 when the store answered just now.")
        self._store_memory = self._gauge("store_memory_bytes", "What the store's data take in memory.")
        self._store_limit = self._gauge("store_memory_limit_bytes", "The store's maxmemory; 0: none.")
        self._store_keys = self._gauge("store_keys", "Keys in the store.")
        self._waiting = self._gauge("queue_waiting_jobs", "Jobs that wait, by what they want.", "wanted")
        self._oldest = self._gauge("queue_oldest_wait_seconds", "How long the first of them has waited.", "wanted")
        self._running = self._gauge("queue_running_jobs", "Jobs that run, by model.", "model")
        self._workers = self._gauge("queue_workers", "Workers that live.", "duty")
        self._dead = self._gauge("queue_dead_jobs", "Jobs that killed three workers and were given up.")

    def called(self, calls: Calls) -> None:
        """Takes over what plugins were asked since it was last told."""
        for plugin, total in calls.totals.items():
            before = self._told.get(plugin, Total())
            faults = total.faults - before.faults
            self._plugin_calls.labels(plugin, "failed").inc(faults)
            self._plugin_calls.labels(plugin, "answered").inc(total.calls - before.calls - faults)
            self._plugin_seconds.labels(plugin).inc(total.seconds - before.seconds)
            self._told[plugin] = replace(total)
        _replace(self._resting, dict.fromkeys((rest.plugin for rest in calls.resting()), 1))

    def set(self, figures: Figures) -> None:
        """Takes over what the store said; what is not in it any more is forgotten."""
        self.store_up.set(1)
        self._store_memory.set(figures.used)
        self._store_limit.set(figures.most)
        self._store_keys.set(figures.keys)
        _replace(self._waiting, figures.waiting)
        _replace(self._oldest, figures.oldest)
        _replace(self._running, figures.running)
        _replace(self._workers, {"on": figures.on, "off": figures.off})
        self._dead.set(figures.dead)


class WorkerMetrics(Metrics):
    """What a worker counts."""

    def __init__(self, release: str = "") -> None:
        super().__init__("worker", release)
        self.jobs = self._counter("jobs", "Jobs that left this worker, by how.", "model", "outcome")
        self.wait_seconds = self._histogram("job_wait_seconds", "From a job's submission until a worker claimed it.", "model")
        self.run_seconds = self._histogram("job_run_seconds", "From a job's claim until it left the worker.", "model")
        self.device_seconds = self._counter("device_seconds", "What jobs took of the device, each its part.", "model")
        self.tokens = self._counter("tokens", "Tokens that were read and written.", "model", "direction")
        self.turn_jobs = self._histogram("turn_jobs", "Jobs that a turn began with.", "model", buckets=JOBS)
        self.load_seconds = self._histogram("model_load_seconds", "What loading a model took that somebody waited for.", "model")
        self.memory = self._gauge("model_memory_bytes", "What a model takes of its device; 0: it is not there.", "model")


def _replace(gauge: Gauge, values: Mapping[str, float]) -> None:
    gauge.clear()
    for label, value in values.items():
        gauge.labels(label).set(value)
