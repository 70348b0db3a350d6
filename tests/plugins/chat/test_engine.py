"""The batched engine: the same tokens as `generate`, whoever shares the batch, come and gone at any step."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.chat.engine import STRIDE, Engine
from tests.plugins.chat.arrivals import Arrivals, Request, alone, generate, ran

pytestmark = pytest.mark.models

QUESTIONS = (
    "What is the capital of France?",
    "Hi!",
    "Tell me a story about a cat and a dog who live together on a farm near the sea.",
    f"What comes next? {'one two three ' * 30}",
    "Write a function in Python that adds two numbers.",
    f"Which word is different? {'apple ' * 110}",
    "¿Cuál es la capital de España?",
    "List three colours.",
)


@pytest.mark.parametrize("index", [0, 2, 5])
def test_one_answer_equals_generate(engine: Engine, index: int) -> None:
    request = Request(generate(QUESTIONS[index]))
    (answer,) = ran(engine, request)
    assert (answer.text, answer.tokens) == alone(engine, request)


def test_eight_answers_that_come_and_go_equal_generate(engine: Engine) -> None:
    requests = [Request(generate(question, max_tokens=8 + 5 * index)) for index, question in enumerate(QUESTIONS)]
    late = {1: requests[2:3], 3: requests[3:5], 4: requests[5:6], 9: requests[6:]}
    answers = ran(engine, *requests[:2], late=late)
    assert [(answer.text, answer.tokens) for answer in answers] == [alone(engine, request) for request in requests]


def test_a_prompt_longer_than_a_stride_is_read_in_several(engine: Engine) -> None:
    request = Request(generate(QUESTIONS[5] * 3, max_tokens=8))
    assert len(engine.speakers.first.encode(request.job).tokens) > STRIDE["cpu"]
    (answer,) = ran(engine, request)
    assert (answer.text, answer.tokens) == alone(engine, request)


def test_others_go_on_while_a_long_prompt_is_read(engine: Engine) -> None:
    shown: list[str] = []
    first = Request(generate(QUESTIONS[2], max_tokens=20), lambda _: shown.append("first"))
    long = Request(generate("apple " * 700, max_tokens=4), lambda _: shown.append("long"))
    strides = -(-len(engine.speakers.first.encode(long.job).tokens) // STRIDE["cpu"])
    ran(engine, first, late={1: [long]})
    assert strides == 3
    assert shown.index("long") > strides


def test_who_asks_while_a_turn_begins_is_read_with_the_first(engine: Engine) -> None:
    shown: list[str] = []
    first = Request(generate(QUESTIONS[2], max_tokens=4), lambda _: shown.append("first"))
    second = Request(generate(QUESTIONS[2], max_tokens=4), lambda _: shown.append("second"))
    ran(engine, first, late={0: [second]})
    assert shown[:4] == ["first", "second"] * 2


def test_who_waits_holds_nothing_of_what_was_read_before(engine: Engine) -> None:
    ran(engine, Request(generate(QUESTIONS[5], max_tokens=2)))
    long, short = Request(generate("pear " * 700, max_tokens=2)), Request(generate(QUESTIONS[5], max_tokens=2))
    engine.run(Arrivals(long, short, ends=1))
    assert [(one.work, one.known.tokens) for one in engine._desk.waiting] == [(short, 0)]
    long.cancel = short.cancel = True
    engine.run(Arrivals())


def test_a_batch_is_never_larger_than_allowed(engine: Engine) -> None:
    requests = [Request(generate("Hi!", max_tokens=3)) for _ in range(12)]
    arrivals = Arrivals(*requests[:4], late={1: requests[4:]})
    engine.run(arrivals)
    assert all(0 <= free <= engine.max_batch for free in arrivals.asked)
    assert all(request.answer.text for request in requests)


def test_the_same_tokens_are_counted_as_made(engine: Engine) -> None:
    request = Request(generate(QUESTIONS[2], max_tokens=5))
    (answer,) = ran(engine, request)
    assert (answer.finish, answer.tokens, answer.prompt_tokens) == ("length", 5, len(engine.speakers.first.encode(request.job).tokens))


def test_an_answer_ends_where_the_window_does(engine: Engine) -> None:
    (answer,) = ran(engine, Request(generate("apple " * 3000, max_tokens=600)))
    assert answer.prompt_tokens + answer.tokens <= engine.speakers.window
    assert answer.prompt_tokens <= engine.speakers.window // 2


def test_partials_grow_into_the_answer(engine: Engine) -> None:
    request = Request(generate(QUESTIONS[4]))
    (answer,) = ran(engine, request)
    assert len(request.partials) > 10
    for before, after in zip(request.partials, [*request.partials[1:], answer.text], strict=True):
        assert after.startswith(before)


def test_a_cancelled_answer_leaves_within_a_step_and_the_others_stay_right(engine: Engine) -> None:
    def cancel(request: Request) -> None:
        request.cancel = len(request.partials) >= 3

    gone, stays = Request(generate(QUESTIONS[2]), cancel), Request(generate(QUESTIONS[4]))
    engine.run(Arrivals(gone, stays))
    assert len(gone.partials) == 3
    assert gone.results == []
    assert (stays.answer.text, stays.answer.tokens) == alone(engine, stays)


def test_what_is_cancelled_before_it_starts_is_never_run(engine: Engine) -> None:
    request = Request(generate("Hi!"))
    request.cancel = True
    engine.run(Arrivals(request))
    assert (request.partials, request.results) == ([], [])


def test_a_request_that_cannot_be_put_into_words_fails_alone(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = Request(generate("Hi!", max_tokens=2)), Request(generate("Hi!", max_tokens=2))
    encode = engine.speakers.first.encode

    def broken(job: Any) -> Any:
        if job is bad.job:
            raise ValueError("no words")
        return encode(job)

    monkeypatch.setattr(engine.speakers.first, "encode", broken)
    engine.run(Arrivals(bad, good))
    assert bad.reason == "no prompt could be made: ValueError: no words"
    assert good.answer.tokens == 2


def test_a_seed_gives_the_same_answer_alone_and_in_company(engine: Engine) -> None:
    sampled = generate(QUESTIONS[2], temperature=1.0, seed=7)
    (first,) = ran(engine, Request(sampled))
    company = [Request(generate(question, temperature=1.0)) for question in QUESTIONS[:3]]
    again = ran(engine, company[0], Request(sampled), late={2: company[1:]})[1]
    (other,) = ran(engine, Request(generate(QUESTIONS[2], temperature=1.0, seed=8)))
    assert (again.text, again.tokens) == (first.text, first.tokens)
    assert other.text != first.text


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_any_order_of_arrivals_gives_each_its_own_answer(engine: Engine, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 6), st.integers(0, 5)), min_size=1, max_size=6))
    requests = [(step, Request(generate(QUESTIONS[index], max_tokens=most))) for index, most, step in chosen]
    late: dict[int, list[Request]] = {}
    for step, request in requests:
        late.setdefault(step, []).append(request)
    first = late.pop(0, [])
    if not first:
        first = [Request(generate("Hi!", max_tokens=8))]
    engine.run(Arrivals(*first, late=late))
    for _, request in requests:
        if request.results:  # the batch ends when it is empty, whoever would have come later
            assert (request.answer.text, request.answer.tokens) == alone(engine, request)


@pytest.mark.parametrize("ends", [1, 2, 7])
def test_answers_go_on_where_they_were_when_another_model_had_its_turn(engine: Engine, ends: int) -> None:
    requests = [Request(generate(question, max_tokens=12)) for question in QUESTIONS[:4]]
    newcomer = Request(generate(QUESTIONS[6], max_tokens=12))
    engine.run(Arrivals(*requests[:3], late={2: requests[3:]}, ends=ends))
    assert not all(request.results for request in requests[:3])
    engine.run(Arrivals(*requests, newcomer))
    assert [(one.answer.text, one.answer.tokens) for one in [*requests, newcomer]] == [alone(engine, one) for one in [*requests, newcomer]]


def test_what_was_parked_and_is_cancelled_does_not_go_on(engine: Engine) -> None:
    dropped, kept = (Request(generate(QUESTIONS[2], max_tokens=20)) for _ in range(2))
    engine.run(Arrivals(dropped, kept, ends=4))
    dropped.cancel, shown = True, len(dropped.partials)
    engine.run(Arrivals(kept))
    assert (dropped.results, len(dropped.partials)) == ([], shown)
    assert kept.answer.tokens == 20
