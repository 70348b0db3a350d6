"""What monitoring sees of a router and a worker that run: figures, health, traces, and one reference through all of them."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import promql_parser
import psutil
import pytest
import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from prometheus_client.parser import text_string_to_metric_families

from bot.metrics import Metrics, RouterMetrics, WorkerMetrics
from bot.testing import wait_until
from tests.house import House

DEPLOY = Path(__file__).parents[1] / "deploy"

OUR_WORDS = {
    *("room", "echo", "parrot", "told", "core"),
    *("generate", "generate:parrot", "on", "off", "read", "written"),
    *("answered", "silent", "refused", "failed", "finished", "cancelled", "overtaken", "handed back", "not understood"),
    *("taken", "put off", "lost", "gone"),
    *("router", "worker"),
}
"""Every value that a label of ours may have here."""


SECRET = "hf_a_secret_of_the_operator"

PATIENCE = 60.0


@dataclass
class Collector:
    """Takes traces, as Jaeger or Tempo do."""

    bodies: list[bytes] = field(default_factory=list)

    @property
    def spans(self) -> list[Any]:
        """What has come so far."""
        exports = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [span for export in exports for of in export.resource_spans for scope in of.scope_spans for span in scope.spans]


@pytest.fixture(scope="module")
def collector() -> Iterator[tuple[Collector, str]]:
    """One that listens."""
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.bodies.append(body)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield found, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, collector: tuple[Collector, str]) -> Iterator[House]:
    """The whole product, observed, after one question."""
    more = f'[observe]\nrouter_port = 0\nworker_port = 0\ntraces = "{collector[1]}"\n[models]\ntoken = "{SECRET}"\n'
    shared = House(tmp_path_factory.mktemp("observed"), more)
    shared.environ["OTEL_BSP_SCHEDULE_DELAY"] = "50"
    with shared.running():
        asyncio.run(wait_until(lambda: set(ports(shared)) == {"router", "worker"}, PATIENCE))
        assert shared.do("ask", "a secret question").stdout == "a secret question\n"
        yield shared


def lines(house: House) -> list[dict[str, Any]]:
    return [json.loads(line) for line in house.log.splitlines() if line.startswith("{")]


def ports(house: House) -> dict[str, int]:
    return {line["process"]: line["port"] for line in lines(house) if line["message"] == "observed"}


def get(house: House, process: str, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{ports(house)[process]}{path}", timeout=30)


def samples(house: House, process: str) -> dict[str, dict[tuple[str, ...], float]]:
    """The values, by name and by the values of their labels, which stand in the order of their names."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(get(house, process, "/metrics").text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


async def test_a_router_tells_what_it_did(house: House) -> None:
    await wait_until(lambda: samples(house, "router").get("hobnob_tickets_total"), PATIENCE)
    told = samples(house, "router")
    assert told["hobnob_tickets_total"] == {("answered", "echo"): 1}
    assert told["hobnob_ticket_seconds_count"] == {("echo",): 1}
    assert told["hobnob_messages_total"][("room",)] >= 1
    assert sum(told["hobnob_platform_calls_total"].values()) >= 1
    assert told["hobnob_plugin_calls_total"][("answered", "echo")] >= 1
    assert told["hobnob_plugin_seconds_total"][("echo",)] > 0
    assert told["hobnob_plugin_load_seconds"][("echo",)] > 0
    assert told["hobnob_plugin_memory_bytes"].keys() == {("echo",)}
    assert told["hobnob_store_up"] == {(): 1}
    assert told["hobnob_queue_workers"] == {("on",): 1, ("off",): 0}
    assert told["hobnob_queue_waiting_jobs"] == {("generate",): 0, ("generate:parrot",): 0}
    assert told["hobnob_store_memory_bytes"][()] > 100_000


async def test_a_worker_tells_what_it_did(house: House) -> None:
    await wait_until(lambda: samples(house, "worker").get("hobnob_jobs_total"), PATIENCE)
    told = samples(house, "worker")
    assert told["hobnob_jobs_total"] == {("parrot", "finished"): 1}
    for name in ("job_wait_seconds", "job_run_seconds", "turn_jobs"):
        assert told[f"hobnob_{name}_count"] == {("parrot",): 1}
    assert told["hobnob_tokens_total"] == {("read", "parrot"): 1, ("written", "parrot"): 1}
    assert told["process_resident_memory_bytes"][()] > 1_000_000


def test_labels_are_words_of_ours_and_of_the_operator(house: House) -> None:
    """So their number is bounded, and they name nobody."""
    for process in ("router", "worker"):
        for family in text_string_to_metric_families(get(house, process, "/metrics").text):
            for sample in family.samples if family.name.startswith("hobnob_") else ():
                assert {value for name, value in sample.labels.items() if name not in ("le", "release")} <= OUR_WORDS


def test_a_process_is_alive_and_ready(house: House) -> None:
    for process in ("router", "worker"):
        assert (get(house, process, "/healthz").status_code, get(house, process, "/readyz").text) == (200, "ready\n")


async def test_without_a_store_a_process_is_alive_and_not_ready(house: House) -> None:
    store = house.family["valkey"]
    store.send_signal(signal.SIGSTOP)
    try:
        for process in ("router", "worker"):
            assert get(house, process, "/healthz").status_code == 200
            assert (get(house, process, "/readyz").status_code, get(house, process, "/readyz").text) == (503, "Redis does not answer\n")
        assert samples(house, "router")["hobnob_store_up"] == {(): 0}
    finally:
        store.send_signal(signal.SIGCONT)
    await wait_until(lambda: get(house, "router", "/readyz").status_code == 200, PATIENCE)


async def test_a_trace_goes_from_the_message_to_its_reply(house: House, collector: tuple[Collector, str]) -> None:
    (ref,) = {line["ref"] for line in lines(house) if line["message"] == "ticket.finished"}
    await wait_until(lambda: {span.name for span in collector[0].spans} >= {"ticket", "job", "run", "deliver"}, PATIENCE)
    spans = {span.name: span for span in collector[0].spans}
    assert {span.trace_id.hex()[:10] for span in spans.values()} == {ref}
    assert not spans["ticket"].parent_span_id
    assert spans["job"].parent_span_id == spans["ticket"].span_id
    assert spans["run"].parent_span_id == spans["job"].span_id
    assert spans["deliver"].parent_span_id == spans["ticket"].span_id


async def test_a_trace_says_nothing_that_anybody_said(house: House, collector: tuple[Collector, str]) -> None:
    await wait_until(lambda: collector[0].bodies, PATIENCE)
    assert not any(b"secret" in body or b"question" in body for body in collector[0].bodies)


def test_nothing_listens_but_the_pages_and_what_was_switched_on_and_all_of_it_on_loopback(house: House) -> None:
    places = {
        name: [
            one.laddr
            for process in (child, *child.children(recursive=True))
            for one in process.net_connections("inet")
            if one.status == psutil.CONN_LISTEN
        ]
        for name, child in house.family.items()
    }
    assert all(place.ip == "127.0.0.1" for found in places.values() for place in found)
    told = ports(house)
    assert len(places["router"]) == 2 and told["router"] in [place.port for place in places["router"]]
    assert [place.port for place in places["worker"]] == [told["worker"]]
    assert sum(map(len, places.values())) == 3


def test_no_secret_is_in_the_list_of_processes(house: House, collector: tuple[Collector, str]) -> None:
    """Nor in the log, the figures or a trace."""
    words = [" ".join(process.cmdline()) for child in house.family.values() for process in (child, *child.children(recursive=True))]
    assert len(words) >= 4
    told = [*words, house.log, *(get(house, process, "/metrics").text for process in ("router", "worker"))]
    assert not any(SECRET in text for text in told)
    assert not any(SECRET.encode() in body for body in collector[0].bodies)


# What is deployed with it ------------------------------------------------------------------------------------------------


def names(metrics: Metrics) -> dict[str, frozenset[str]]:
    """What Prometheus calls each value, with its labels."""
    found: dict[str, frozenset[str]] = {}
    for family in metrics.registry.collect():
        labels = frozenset(getattr(metrics.registry._names_to_collectors.get(family.name), "_labelnames", ()))
        kinds = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "info": ("_info",)}.get(family.type, ("",))
        found |= {f"{family.name}{kind}": labels for kind in kinds}
    return found


THERE = names(RouterMetrics("1")) | names(WorkerMetrics("1"))
GIVEN = {"job", "instance", "le", "process", "release"}
"""Labels that Prometheus or the kind of metric brings."""


def queries() -> Iterator[tuple[str, str]]:
    """Every query of the dashboard and of the alert rules, with where it stands."""
    board = json.loads((DEPLOY / "grafana/dashboards/hobnob.json").read_text())
    for panel in board["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel.get("targets", ()))
    for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"]:
        yield from ((rule["alert"], rule["expr"]) for rule in group["rules"])


@pytest.mark.parametrize(("where", "query"), [pytest.param(*found, id=found[0]) for found in queries()])
def test_a_query_can_be_read_and_asks_for_what_there_is(where: str, query: str) -> None:
    promql_parser.parse(query)
    asked = set(re.findall(r"\b(?:hobnob|process)_\w+", query)) - {"hobnob_"}
    assert asked <= THERE.keys() or where == "HobnobProcessDown"
    grouped = {label for words in re.findall(r"by \(([^)]*)\)", query) for label in words.split(", ")}
    labels = grouped | set(re.findall(r"(\w+)=~?\"", query))
    assert labels <= GIVEN.union(*(THERE[name] for name in asked))


def test_every_metric_of_ours_is_shown_or_watched() -> None:
    asked = {name for _, query in queries() for name in re.findall(r"\bhobnob_\w+", query)}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in THERE if name.startswith("hobnob_")}
    assert families <= {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked}


def test_names_follow_the_conventions() -> None:
    for metrics in (RouterMetrics("1"), WorkerMetrics("1")):
        for family in metrics.registry.collect():
            if family.name.startswith("hobnob_"):
                assert re.fullmatch(r"hobnob_[a-z_]+", family.name)
                assert family.type in ("counter", "gauge", "histogram", "info")
                assert family.type != "histogram" or family.name.endswith(("_seconds", "_jobs"))
                assert family.documentation.endswith(".")


def test_every_alert_says_what_to_do() -> None:
    for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"].keys() == {"summary", "action"}
            assert rule["labels"]["severity"] in ("info", "warning", "critical")
