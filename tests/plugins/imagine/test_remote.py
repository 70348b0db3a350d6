"""FLUX.1 [pro] over HTTP: every end that a request can have, what is paid for once, what the key is told to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot import Blob, Placement
from plugins.imagine import bfl
from plugins.imagine.bfl import ServerRefusedError
from plugins.imagine.config import Server
from plugins.imagine.recipe import read
from plugins.imagine.remote import Remote
from tests.plugins.imagine.bfl_server import KEY, Script, serving
from tests.plugins.imagine.tiny import Request, Requests, request

PACE = 0.01
"""Of the pauses between two looks."""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    monkeypatch.setenv("BFL_API_KEY", KEY)
    with serving(Script()) as script:
        yield script


def remote(script: Script, **facts: Any) -> Remote:
    return Remote("pro", Server.model_validate({"url": script.url, **facts}), pace=PACE)


def run(model: Remote, one: Request | None = None) -> Request:
    one = one or request(size=(512, 288), seed=7)
    model.run(Requests([one]))
    return one


def test_a_picture_is_asked_for_looked_for_and_fetched_without_the_key(script: Script) -> None:
    one = run(remote(script))
    [asked] = script.asked
    wanted = {"prompt": "a red circle", "width": 512, "height": 288, "seed": 7, "safety_tolerance": 2, "output_format": "png"}
    assert asked == wanted
    assert (script.looks, script.downloads, script.leaks) == (3, 1, [])
    [(picture, recipe)] = one.pictures()
    assert (picture.size, picture.getpixel((0, 0)), recipe.cost, recipe.revision) == ((512, 288), (7, 0, 0), "4 credits", "flux-pro-1.1")
    assert read(picture.info["hobnob"]) == recipe


def test_several_pictures_are_several_requests_with_seeds_in_a_row(script: Script) -> None:
    one = run(remote(script), request(size=(256, 256), seed=1, number=3))
    assert [body["seed"] for body in script.asked] == [recipe.seed for _, recipe in one.pictures()] == [1, 2, 3]


def test_a_picture_to_begin_with_goes_along(script: Script) -> None:
    one = request(size=(256, 256), reference=Blob("ref", "image/png", 3))
    one.files["ref"] = b"png"
    run(remote(script), one)
    assert script.asked[0]["image_prompt"] == "cG5n"
    assert len(one.pictures()[0][1].reference) == 64


@pytest.mark.parametrize(
    ("state", "said"), [("Request Moderated", "its check refused the words"), ("Content Moderated", "its check refused the picture")]
)
def test_what_the_server_does_not_draw_its_person_is_told(script: Script, state: str, said: str) -> None:
    script.end = state
    one = run(remote(script))
    assert said in one.refusals[0]
    assert (one.results, script.downloads) == ([], 0)


@pytest.mark.parametrize("state", ["Error", "Failed", "Task not found"])
def test_each_failure_ends_the_request_with_its_name(script: Script, state: str) -> None:
    script.end = state
    with pytest.raises(ServerRefusedError, match=f"ends with {state}"):
        run(remote(script))


def test_a_state_of_tomorrow_and_a_moment_without_an_answer_are_waited_through(script: Script) -> None:
    script.states = ["Pending", 503, "Thinking Deeply", 429, "Reasoning"]
    assert len(run(remote(script)).results) == 1


def test_what_never_ends_is_given_up(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bfl, "PATIENCE", 20.0)
    script.hold = True
    with pytest.raises(TimeoutError):
        run(remote(script))


def test_who_does_not_wait_any_more_is_not_waited_for(script: Script) -> None:
    class Impatient(Request):
        @property
        def cancelled(self) -> bool:
            return script.looks > 1

    script.hold = True
    one = run(remote(script), Impatient(request(size=(256, 256)).asked))
    assert (one.results, one.failures, one.refusals) == ([], [], [])


@pytest.mark.parametrize(
    ("status", "said"),
    [(402, "no credits left"), (500, "answers 500"), (422, "answers 422")],
)
def test_a_request_that_may_have_been_taken_is_never_made_twice(script: Script, status: int, said: str) -> None:
    script.refusals = [status]
    with pytest.raises(ServerRefusedError, match=said):
        run(remote(script))
    assert script.asked == []


def test_a_server_that_is_too_busy_to_take_it_is_asked_again_a_few_times(script: Script) -> None:
    script.refusals = [429, 429]
    assert len(run(remote(script)).results) == len(script.asked) == 1
    script.refusals = [429] * 9
    with pytest.raises(ServerRefusedError, match="lower `concurrency`"):
        run(remote(script))


def test_a_download_that_fails_is_tried_again_while_its_address_holds(script: Script) -> None:
    script.broken = 2
    assert len(run(remote(script)).results) == 1
    script.broken = 99
    with pytest.raises(ServerRefusedError, match="could not be fetched"):
        run(remote(script))


def test_a_file_without_an_end_is_cut_off(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bfl, "LARGEST", 100_000)
    script.size = 4_000_000
    with pytest.raises(ServerRefusedError, match="has more than"):
        run(remote(script))


@pytest.mark.parametrize("address", ["http://elsewhere.example/v1/get_result?id=1", "https://127.0.0.1/v1/get_result?id=1"])
def test_the_key_goes_to_nobody_but_the_server(script: Script, address: str) -> None:
    script.polling = address
    with pytest.raises(ServerRefusedError, match="is given no key"):
        run(remote(script))


def test_a_missing_or_wrong_key_and_a_wrong_model_are_named(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ServerRefusedError, match=r"404; check `model` and `url`"):
        run(remote(script, model="flux-nothing"))
    monkeypatch.setenv("BFL_API_KEY", "old")
    with pytest.raises(ServerRefusedError, match="refuses the key"):
        run(remote(script))
    monkeypatch.delenv("BFL_API_KEY")
    with pytest.raises(ValueError, match="expected the server's key in the environment variable BFL_API_KEY, found none"):
        remote(script).load(Placement("remote"))


def test_a_region_is_an_address() -> None:
    assert [bfl.base(Server(region=region)) for region in ("", "eu", "us")] == [
        "https://api.bfl.ai/v1",
        "https://api.eu.bfl.ai/v1",
        "https://api.us.bfl.ai/v1",
    ]
