"""Models behind an OpenAI-compatible server, ours to start or not."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from pydantic import ValidationError

from bot import ConfigError, Generate, Placement
from bot.catalogue import load
from bot.testing import wait_until
from plugins.chat import openai as protocol
from plugins.chat.config import Config, Server, served
from plugins.chat.model import Plugin
from plugins.chat.remote import Remote, ServerRefusedError
from tests.plugins.chat.arrivals import Arrivals, Request, bot, generate, person, system
from tests.plugins.chat.server import Script, serving

HERE = Placement("cpu")
ROOT = Path(__file__).parents[3]


@pytest.fixture
def script() -> Iterator[Script]:
    with serving(Script()) as script:
        yield script


def remote(script: Script, **facts: Any) -> Remote:
    return Remote("big", Server.model_validate({"url": script.url, **facts}))


def run(model: Remote, job: Generate | None = None) -> Request:
    request = Request(job or generate("What is the capital of France?"))
    model.run(Arrivals(request))
    return request


def test_an_answer_streams_and_ends_with_the_servers_counts(script: Script) -> None:
    request = run(remote(script, model="llama3.1:8b"))
    assert request.partials == ["The capital", "The capital is", "The capital is Paris.", "The capital is Paris."]
    assert request.answer.model_dump(exclude={"seconds"}) == {
        **{"text": "The capital is Paris.", "finish": "stop", "prompt_tokens": 9, "tokens": 5, "model": "big", "calls": ()},
    }
    assert request.answer.seconds > 0 and script.asked[0]["model"] == "llama3.1:8b"


def test_the_request_says_what_the_job_says(script: Script) -> None:
    turns = (system("S."), person("Hi"), person("there", "Bob"), bot("Hello."), person("Bye"))
    run(remote(script), Generate(turns=turns, max_tokens=7, temperature=0.5, top_p=0.8, stop=("\n",), seed=3))
    (asked,) = script.asked
    assert asked["messages"] == [
        {"role": "system", "content": "S."},
        {"role": "user", "content": "Alice: Hi\nBob: there"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Alice: Bye"},
    ]
    assert [asked[key] for key in ("model", "max_tokens", "temperature", "top_p", "stop", "seed")] == ["big", 7, 0.5, 0.8, ["\n"], 3]


@pytest.mark.parametrize(
    "refusal",
    [
        "System role not supported None",
        "Conversation roles must alternate user/assistant/user/assistant/... None",
        "An error occurred in the chat template: the role 'system' is unknown",
    ],
)
def test_a_model_that_takes_no_system_message_is_asked_without_one_from_then_on(script: Script, refusal: str) -> None:
    script.plain = refusal
    model = remote(script)
    for _ in range(2):
        turns = (system("S."), bot("An answer whose question has left."), person("Hi"), bot("Hello."), person("Bye"))
        assert run(model, Generate(turns=turns)).answer.text == "The capital is Paris."
    first, *others = [[(message["role"], message["content"]) for message in asked["messages"]] for asked in script.asked]
    told = "S.\nYou talk with Alice."
    assert first == [("system", told), ("user", "Hi"), ("assistant", "Hello."), ("user", "Bye")]
    assert others == [[("user", f"{told}\n\nHi"), ("assistant", "Hello."), ("user", "Bye")]] * 2


def test_a_refusal_that_has_nothing_to_do_with_it_changes_nothing(script: Script) -> None:
    model, job = remote(script), Generate(turns=(system("S."), person("Hi")))
    script.refusals = [(400, {})]
    with pytest.raises(ServerRefusedError, match="not now"):
        run(model, job)
    run(model, job)
    assert [asked["messages"][0]["role"] for asked in script.asked] == ["system", "system"]


def test_an_answer_that_is_cut_says_so(script: Script) -> None:
    script.finish = "length"
    assert run(remote(script)).answer.finish == "length"


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_full_is_asked_again(script: Script, status: int) -> None:
    script.refusals = [(status, {"Retry-After": "0"}), (status, {"Retry-After": "0"})]
    assert run(remote(script)).answer.text == "The capital is Paris."
    assert len(script.asked) == 3


@pytest.mark.parametrize(
    ("status", "said"), [(401, "refuses the key"), (404, "check `url`, which ends with the version"), (400, "answers 400: .*not now")]
)
def test_a_refusal_says_what_to_do_and_is_not_repeated(script: Script, status: int, said: str) -> None:
    script.refusals = [(status, {})]
    with pytest.raises(ServerRefusedError, match=said):
        run(remote(script))
    assert len(script.asked) == 1


def test_an_answer_that_breaks_off_is_neither_begun_again_nor_taken_for_whole(script: Script) -> None:
    script.breaks = 2
    script.words = ("a", "b", "c")
    request = Request(generate("Hi"))
    with pytest.raises(ServerRefusedError, match=r"broke off \(its stream ended before the answer did"):
        remote(script).run(Arrivals(request))
    assert (request.results, request.partials[-1], len(script.asked)) == ([], "ab", 1)


FULL = {"message": "the engine is\n overloaded", "type": "ServiceUnavailable", "param": None, "code": 503}
BAD = {"message": "EngineDeadError: see its log", "type": "InternalServerError", "param": None, "code": 400}


@pytest.mark.parametrize("fault", [BAD, {"message": "EngineDeadError"}, "EngineDeadError"])
@pytest.mark.parametrize("words", [(), ("Par", "is")])
def test_a_fault_in_the_midst_of_an_answer_is_neither_nothing_nor_the_whole(script: Script, fault: Any, words: tuple[str, ...]) -> None:
    script.words, script.ends = words, [fault]
    with pytest.raises(ServerRefusedError, match=r"in the midst of an answer: .*EngineDeadError"):
        run(remote(script))
    assert len(script.asked) == 1


@pytest.mark.parametrize("fault", [FULL, {**FULL, "code": "429"}, None])
def test_what_ends_before_its_first_word_is_asked_again_where_that_may_help(
    script: Script, fault: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "LONGEST_PAUSE", 0.0)
    script.words, script.ends = (), [fault]
    script.calls = [{"index": 0, "id": "c1", "function": {"name": "time", "arguments": '{"zone": "UTC"}'}}]
    (call,) = run(remote(script)).answer.calls
    assert (call.name, call.arguments, len(script.asked)) == ("time", {"zone": "UTC"}, 2)
    script.ends = [fault] * protocol.TRIES
    with pytest.raises(ServerRefusedError, match=r"broke off \((in the midst of an answer: (503|429), the engine is over|its stream)"):
        run(remote(script))


def test_a_cancelled_answer_hangs_up(script: Script) -> None:
    script.hold = threading.Event()
    request = Request(generate("Hi"), lambda request: setattr(request, "cancel", True))
    remote(script).run(Arrivals(request))
    assert request.results == []
    assert script.hung_up.wait(10)


def test_the_key_comes_from_the_environment(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    model = remote(script, key="BIG_KEY")
    with pytest.raises(ValueError, match="big: expected the server's key in the environment variable BIG_KEY, found none"):
        model.load(HERE)
    monkeypatch.setenv("BIG_KEY", "sesame")
    run(model)
    assert script.keys == ["Bearer sesame"]


def test_servers_are_models_with_a_concurrency_of_their_own() -> None:
    servers = {
        "big": {"url": "http://127.0.0.1:1/v1", "concurrency": 9},
        "here": {"url": "http://127.0.0.1:2/v1", "command": ["x"], "memory": 5},
    }
    config = Config.model_validate({"models": ["big", "here", "phi-2"], "servers": servers})
    models = {model.name: model for model in Plugin(config, load()).register_models()}
    big, here = models["big"], models["here"]
    assert isinstance(big, Remote) and isinstance(here, Remote)
    assert (big.concurrency, big.remote, big.memory().weights) == (9, True, 0)
    assert (here.remote, here.memory().weights) == (False, 5_000_000_000)
    assert list(models) == ["big", "here", "phi-2"], "as the operator has them: the first one answers where nobody has chosen"


def test_a_server_that_is_not_among_the_models_is_named() -> None:
    with pytest.raises(ConfigError, match=r"servers\.big: expected 'big' among `models`"):
        served(Config.model_validate({"servers": {"big": {"url": "http://127.0.0.1:1/v1"}}}), load())
    with pytest.raises(ValidationError, match="url"):
        Server.model_validate({"url": "127.0.0.1"})


# One that is started ------------------------------------------------------------------------------------------------------


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


@pytest.fixture
def managed(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Remote]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = [sys.executable, "-m", "tests.plugins.chat.server", str(port), str(tmp_path / "log")]
    model = Remote("here", Server.model_validate({"url": f"http://127.0.0.1:{port}/v1", "command": command, "patience": 30}))
    yield model
    model.unload()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/v1/models", timeout=2).is_success
    except httpx.TransportError:
        return False


def test_a_server_is_started_stopped_and_started_again_when_it_dies(managed: Remote, port: int, tmp_path: Path) -> None:
    managed.load(HERE)
    assert run(managed).answer.text == "The capital is Paris."
    assert managed._managed and managed._managed._running
    (child,) = psutil.Process(managed._managed._running.process.pid).children()
    child.kill()
    managed._managed._running.process.wait(10)
    assert run(managed).answer.text == "The capital is Paris."
    assert (tmp_path / "log").read_text() == "started\n" * 2
    managed.unload()
    assert not answers(port)


@pytest.mark.parametrize("ended", ["it alone", "all of its group"])
async def test_a_server_goes_with_its_worker_however_that_ends(ended: str, port: int, tmp_path: Path) -> None:
    code = (
        "import sys, threading; from plugins.chat.config import Server; from plugins.chat.remote import Remote; from bot import Placement;"
        f"command = [sys.executable, '-m', 'tests.plugins.chat.server', '{port}', {str(tmp_path / 'log')!r}];"
        f"Remote('here', Server(url='http://127.0.0.1:{port}/v1', command=command)).load(Placement('cpu')); threading.Event().wait()"
    )
    command = [sys.executable, "-c", code]
    worker = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env={**os.environ, "PYTHONPATH": "."}, start_new_session=True)
    await wait_until(lambda: answers(port), 60)
    if ended == "it alone":
        worker.kill()
    else:
        os.killpg(worker.pid, signal.SIGTERM)
    await worker.wait()
    await wait_until(lambda: not answers(port), 30)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["/no/such/program"], "`/no/such/program` has ended with code 127"),
        ([sys.executable, "-c", "import threading; threading.Event().wait()"], "within 1 s, found none"),
    ],
)
def test_a_server_that_does_not_come_up_is_a_sentence(port: int, command: list[str], said: str) -> None:
    model = Remote("here", Server.model_validate({"url": f"http://127.0.0.1:{port}/v1", "command": command, "patience": 1}))
    with pytest.raises(RuntimeError, match=said):
        model.load(HERE)


SILENT = [sys.executable, "-c", "import threading; threading.Event().wait()"]


def slow(port: int) -> Remote:
    """One whose server never answers, for which the operator has ten minutes."""
    return Remote("here", Server.model_validate({"url": f"http://127.0.0.1:{port}/v1", "command": SILENT}))


def test_a_load_that_is_waited_for_takes_no_longer_than_who_waits(port: int) -> None:
    model = slow(port)
    with pytest.raises(RuntimeError, match=r"here: http://127.0.0.1:\d+/v1 did not answer in the 1 s that who waits for it had left"):
        model.load(Placement("cpu", seconds=0.6))
    model.unload()


def test_who_does_not_wait_for_a_start_any_more_leaves_it_to_the_next(port: int) -> None:
    model = slow(port)
    gone, waiting = Request(generate("Hi")), Request(generate("Hello"))
    gone.cancel = True
    try:
        model.run(Arrivals(gone))
        assert model._managed and model._managed._running
        begun = model._managed._running
        threading.Timer(0.3, setattr, (waiting, "cancel", True)).start()
        model.run(Arrivals(waiting))
        assert model._managed._running is begun and begun.process.poll() is None
        assert gone.results == waiting.results == []
    finally:
        model.unload()
    assert begun.process.poll() is not None
