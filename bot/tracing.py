"""Traces of a message from its ticket to its reply, over routers and workers, for OpenTelemetry. Without `observe.traces` nothing is kept.

The id of a trace is the id of its ticket, so it begins with the reference id that people are told and that the log has. Spans say where
and how long, never what anybody said: no texts, no errors' words, no people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bot.config import ObserveTable
from bot.errors import ConfigError

NAME = "hobnob"

_TICKET: ContextVar[str] = ContextVar("ticket", default="")

Value = str | int | float | bool

NOTHING = nullcontext(trace.INVALID_SPAN)

_kept = False
"""Whether anybody keeps traces. Spans of nothing took a seventh of a message, and OpenTelemetry looks into the environment to say so."""


def setup(table: ObserveTable, process: str, release: str) -> None:
    """Sends this process's spans to `observe.traces`, once; raises ConfigError when the libraries for it are not installed."""
    global _kept  # as OpenTelemetry's provider
    if table.traces is None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ImportError as error:
        raise ConfigError("observe.traces needs OpenTelemetry's SDK: pip install 'hobnob[traces]'") from error

    class Tickets(RandomIdGenerator):
        """The id of a ticket's first span is the ticket's."""

        def generate_trace_id(self) -> int:
            return int(_TICKET.get() or "0", 16) or super().generate_trace_id()

    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(table.traces_share)),
        resource=Resource({"service.name": f"{NAME}-{process}", "service.version": release}),
        id_generator=Tickets(),
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{table.traces}/v1/traces")))
    trace.set_tracer_provider(provider)
    _kept = True


def ticket(id: str, **facts: Value) -> AbstractContextManager[Span]:
    """A run of a ticket, which begins its trace; a later run, maybe elsewhere, is in the same."""
    return _ticket(id, facts) if _kept else NOTHING


def span(name: str, **facts: Value) -> AbstractContextManager[Span]:
    """A part of what is going on here. An exception marks it as failed by its type alone: its words may be somebody's."""
    return _span(name, facts) if _kept else NOTHING


@contextmanager
def _ticket(id: str, facts: Mapping[str, Value]) -> Iterator[Span]:
    token = _TICKET.set(id)
    try:
        with _span("ticket", facts) as one:
            yield one
    finally:
        _TICKET.reset(token)


@contextmanager
def _span(name: str, facts: Mapping[str, Value]) -> Iterator[Span]:
    tracer = trace.get_tracer(NAME)
    with tracer.start_as_current_span(name, attributes=_named(facts), record_exception=False, set_status_on_exception=False) as one:
        try:
            yield one
        except Exception as error:
            fail(one, type(error).__name__)
            raise


def carried() -> str:
    """Where we are, as another process can be told: W3C's traceparent; "" when nothing is traced."""
    found: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(found)
    return found.get("traceparent", "")


def begin(name: str, within: str, **facts: Value) -> Span:
    """A span of another process's trace; whoever begins it ends it."""
    if not within:
        return trace.INVALID_SPAN
    context = TraceContextTextMapPropagator().extract({"traceparent": within})
    return trace.get_tracer(NAME).start_span(name, context, SpanKind.CONSUMER, _named(facts))


def fail(one: Span, kind: str) -> None:
    """It went wrong, in this way."""
    one.set_attribute("error.type", kind)
    one.set_status(StatusCode.ERROR)


def _named(facts: Mapping[str, Value]) -> dict[str, Value]:
    return {f"{NAME}.{name}": value for name, value in facts.items()}
