"""The front half of chat: what the model is told, what the chat is shown, what is remembered. The model is scripted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from bot import (
    Address,
    Answer,
    Attachment,
    Audio,
    Context,
    File,
    Function,
    Generate,
    Image,
    JobCancelled,
    Listener,
    Message,
    NoArgs,
    Person,
    Progress,
    Quote,
    Reply,
    Summary,
    Text,
    TextSoFar,
    Turn,
    UserError,
)
from bot.catalogue import load
from bot.messages import Part
from bot.testing import ScriptedActs
from plugins.chat.config import Config
from plugins.chat.front import Plugin, speaks
from plugins.chat.settings import PERSONA, Settings
from plugins.chat.speaker import Speaker

ALICE, BOB, HOBNOB = Person("1", "Alice"), Person("2", "Bob"), Person("9", "Hobnob", bot=True)

PICTURE = Image(Attachment("p", "image/png", 10, "cat.png"))
REPORT = File(Attachment("f", "application/zip", 10, "report.zip"))
VOICE = Audio(Attachment("v", "audio/ogg", 10), voice=True)


def said(text: str = "", *others: Part, sender: Person = ALICE, reply_to: Quote | None = None) -> Message:
    parts = (Text(text), *others) if text else others
    mentions = (HOBNOB,) if "@hobnob" in text.lower() else ()
    address = Address("room", "lobby", "lobby")
    return Message("m1", "m1/0", address, sender, parts, at=5.0, me="9", mentions=mentions, reply_to=reply_to, addressed=True)


def answer(text: str, finish: Any = "stop") -> Answer:
    return Answer(text=text, finish=finish, prompt_tokens=10, tokens=3, model="m")


async def replied(message: Message, acts: ScriptedActs, **settings: Any) -> Reply:
    ctx = Context(message, Settings(**settings), datetime(2026, 1, 1, tzinfo=UTC), "ref", acts)
    outcome = await Plugin(Config(), load()).answer(ctx)
    return Reply(outcome) if isinstance(outcome, str) else outcome


def asked(acts: ScriptedActs, index: int = 0) -> Generate:
    job = acts.jobs[index]
    assert isinstance(job, Generate)
    return job


async def test_a_question_is_answered() -> None:
    acts = ScriptedActs(answer("Paris."))
    assert (await replied(said("What is the capital of France?"), acts)).text == "Paris."


async def test_the_model_is_told_who_speaks_and_who_it_is() -> None:
    acts = ScriptedActs(answer("Paris."))
    await replied(said("Where is the Louvre?"), acts)
    persona, turn = asked(acts).turns
    assert (persona.role, persona.text) == ("system", PERSONA)
    assert (turn.role, turn.name, turn.person, turn.text) == ("person", "Alice", "1", "Where is the Louvre?")


async def test_a_servers_settings_reach_the_model() -> None:
    acts = ScriptedActs(answer("Arr."))
    await replied(said("hello"), acts, persona="You are a pirate.", temperature=1.5, max_tokens=99)
    job = asked(acts)
    assert (job.turns[0].text, job.temperature, job.max_tokens, job.model) == ("You are a pirate.", 1.5, 99, Config().models[0])


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("@Hobnob what is it?", "what is it?"),
        ("@hobnob, what is it?", "what is it?"),
        ("What is it, @Hobnob?", "What is it?"),
        ("hey @Hobnob, what is it?", "hey, what is it?"),
        ("one\n@Hobnob two\nthree", "one two\nthree"),
        ("@Hobnobs are biscuits", "@Hobnobs are biscuits"),
        ("mail me@hobnob.example", "mail me@hobnob.example"),
    ],
)
async def test_the_bots_own_mention_is_not_part_of_the_question(text: str, heard: str) -> None:
    acts = ScriptedActs(answer("ok"))
    await replied(said(text), acts)
    assert asked(acts).turns[-1].text == heard


@pytest.mark.parametrize("text", ["@Hobnob", "  @hobnob ", "@Hobnob!", "@Hobnob ?", "@Hobnob @Hobnob"])
async def test_a_bare_mention_gets_a_friendly_sentence(text: str) -> None:
    acts = ScriptedActs()
    assert (await replied(said(text), acts)).text.startswith("Hello Alice!")
    assert acts.remembered == []


async def test_a_bare_mention_below_anothers_question_takes_that_question() -> None:
    acts = ScriptedActs(answer("Four."))
    quote = Quote("m0", BOB, (Text("How much is two and two?"),))
    assert (await replied(said("@Hobnob", reply_to=quote), acts)).text == "Four."
    assert asked(acts).turns[-1].text == "> Bob: How much is two and two?"


async def test_a_quoted_message_is_part_of_the_question() -> None:
    acts = ScriptedActs(answer("Yes."))
    quote = Quote("m0", BOB, (Text("The sky is green.\nIt is."), PICTURE))
    await replied(said("Is that so?", reply_to=quote), acts)
    assert asked(acts).turns[-1].text == "> Bob: The sky is green.\n> It is.\n> [picture]\nIs that so?"


async def test_a_question_about_a_voice_note_is_answered_with_what_is_said_in_it_in_mind() -> None:
    acts = ScriptedActs(answer("At nine."), answer("It is a voice note."), answer("Nice."))
    acts.offered = (Function(name="transcribe", description="Writes down what is said.", parameters={}),)
    acts.results["transcribe"] = Reply("She is coming at nine.")
    message = said("@Hobnob when?", reply_to=Quote("m0", BOB, (VOICE,)))
    await replied(message, acts)
    assert asked(acts).turns[-1].text == "> Bob: [voice note]\nwhen?\n[voice note]\n> She is coming at nine."
    acts.results["transcribe"] = Reply("Bob keeps their recordings out.", fault=True)
    await replied(message, acts)
    assert asked(acts, 1).turns[-1].text == "> Bob: [voice note]\nwhen?"
    await replied(replace(message, reply_to=Quote("m0", BOB, (replace(VOICE, voice=False),))), acts)
    assert len(acts.called) == 2, "nobody who says a word about a film waits until all of it was listened to"


async def test_a_long_quote_is_cut() -> None:
    acts = ScriptedActs(answer("Yes."))
    await replied(said("Short?", reply_to=Quote("m0", BOB, (Text("word " * 1000),))), acts)
    assert len(asked(acts).turns[-1].text) < 1100


async def test_a_reply_to_the_last_answer_does_not_repeat_it() -> None:
    acts = ScriptedActs(answer("Paris."), answer("Two million."))
    await replied(said("What is the capital of France?"), acts)
    await replied(said("How many live there?", reply_to=Quote("b1", HOBNOB, (Text("Paris."),))), acts)
    assert asked(acts, 1).turns[-1].text == "How many live there?"


async def test_question_and_answer_are_remembered() -> None:
    acts = ScriptedActs(answer("Paris."), answer("Two million."))
    await replied(said("What is the capital of France?"), acts)
    await replied(said("How many live there?", sender=BOB), acts)
    turns = asked(acts, 1).turns
    assert [(turn.role, turn.name, turn.text) for turn in turns[1:]] == [
        ("person", "Alice", "What is the capital of France?"),
        ("bot", "", "Paris."),
        ("person", "Bob", "How many live there?"),
    ]


async def test_both_turns_bear_the_id_of_the_message_that_was_asked() -> None:
    acts = ScriptedActs(answer("Paris."))
    await replied(said("Where?"), acts)
    assert [turn.message for turn in acts.remembered] == ["m1", "m1"]


@pytest.mark.parametrize("fault", [JobCancelled("by Alice"), RuntimeError("a crash")])
async def test_a_question_without_an_answer_leaves_nothing_behind(fault: Exception) -> None:
    acts = ScriptedActs((TextSoFar(text="Par"), fault))
    with pytest.raises(type(fault)):
        await replied(said("Where?"), acts)
    assert acts.remembered == []


async def test_an_empty_answer_becomes_a_sentence() -> None:
    acts = ScriptedActs(answer("  "))
    assert (await replied(said("Where?"), acts)).text == "I could not think of an answer to that. Please ask in other words."
    assert acts.remembered == []


async def test_an_answer_that_was_cut_off_says_so() -> None:
    acts = ScriptedActs(answer("Once upon a time", "length"))
    assert (await replied(said("Tell me a story."), acts)).text == "Once upon a time …"
    assert acts.remembered[-1].text == "Once upon a time"


async def test_the_answer_is_shown_as_it_grows() -> None:
    partials = (TextSoFar(text=""), Progress(done=1, total=2, unit="tokens"), TextSoFar(text="Par"), TextSoFar(text="Paris"))
    acts = ScriptedActs((*partials, answer("Paris.")))
    await replied(said("Where?"), acts)
    assert [reply.text for reply in acts.shown] == ["Par", "Paris"]


async def test_a_name_that_the_model_puts_before_its_answer_is_never_seen() -> None:
    partials = tuple(TextSoFar(text=text) for text in ("Al", "Alice", "Alice:", "Alice: He", "Alice: Hello"))
    acts = ScriptedActs((*partials, answer("Alice: Hello!")))
    assert (await replied(said("hi"), acts)).text == "Hello!"
    assert [reply.text for reply in acts.shown] == ["He", "Hello"]
    assert acts.remembered[-1].text == "Hello!"


async def test_a_name_that_is_the_answer_stays() -> None:
    acts = ScriptedActs((TextSoFar(text="Alice"), answer("Alice")))
    assert (await replied(said("Who am I?"), acts)).text == "Alice"


@pytest.mark.parametrize(("parts", "kinds"), [((PICTURE,), "pictures"), ((REPORT,), "files"), ((REPORT, PICTURE), "pictures or files")])
async def test_what_it_cannot_read_is_said(parts: tuple[Part, ...], kinds: str) -> None:
    acts = ScriptedActs()
    assert (await replied(said("", *parts), acts)).text.startswith(f"I cannot read {kinds} yet.")


async def test_where_nobody_else_listens_it_says_so_and_answers_the_words() -> None:
    acts = ScriptedActs(answer("I am."))
    assert (await replied(said("", VOICE), acts)).text.startswith("I cannot listen to recordings here. Tell me in words")
    reply = await replied(said("Are you sure?", VOICE), acts)
    assert reply.text == "I am.\n\n(I cannot listen to recordings here. I have answered the words alone.)"


async def test_words_beside_a_picture_are_answered_and_the_rest_admitted() -> None:
    acts = ScriptedActs(answer("A cat, perhaps."))
    reply = await replied(said("What is this?", PICTURE, REPORT), acts)
    assert reply.text == "A cat, perhaps.\n\n(I cannot read pictures or files yet. I have answered the words alone.)"
    assert asked(acts).turns[-1].text == "What is this?\n[picture]\n[file report.zip]"


async def test_a_question_that_is_too_long_is_refused_with_the_limit() -> None:
    acts = ScriptedActs()
    with pytest.raises(UserError, match=r"1,000,000 characters, and I can read about 3,5\d\d at once"):
        await replied(said("a" * 1_000_000), acts)


async def test_history_is_cut_to_the_servers_budget() -> None:
    acts = ScriptedActs(answer("ok"))
    for index in range(50):
        await acts.append(Turn(role="person", parts=(Text(f"line {index}"),), name="Bob", tokens=10))
    await replied(said("and now?"), acts, context_tokens=100)
    texts = [turn.text for turn in asked(acts).turns[1:]]
    assert texts[-2:] == ["line 49", "and now?"]
    assert 5 <= len(texts) <= 11


@pytest.mark.models
@pytest.mark.parametrize("tools", [False, True])
@pytest.mark.parametrize("window", [512, 2048])
async def test_a_larger_memory_loses_nothing_between_prompt_and_summary(tokenizer: Any, window: int, tools: bool) -> None:
    """All that the front half counts as shown is in the prompt that the worker makes of it: summary, oldest turn and question."""
    entry = load().models["smollm2-135m-instruct"]
    assert entry.chat
    entry = entry.model_copy(update={"chat": entry.chat.model_copy(update={"tools": tools})})
    plugin, acts = Plugin(Config(context=window), load().model_copy(update={"models": {entry.name: entry}})), ScriptedActs(answer("ok"))
    acts.offered = tuple(Function(name=f"tool_{number}", description="Looks things up. " * 9, parameters={}) for number in range(30))
    for index in range(300):
        acts.remembered.append(Turn(role="person", parts=(Text(f"line {index} of many"),), name="Bob", tokens=16, offset=index * 16))
    acts.summaries[""] = Summary(text="They spoke of lines. " * 2, upto=4000)
    ctx = Context(said("and now?"), Settings(context_tokens=200_000), datetime(2026, 1, 1, tzinfo=UTC), "ref", acts)
    await plugin.answer(ctx)
    job = asked(acts)
    assert bool(job.tools) is tools and 3 < len(job.turns) < 200
    speaker = Speaker(
        "x",
        SimpleNamespace(config=SimpleNamespace(), generation_config=SimpleNamespace(eos_token_id=2)),
        tokenizer,
        context=window,
        chat=entry.chat,
    )
    prompt = tokenizer.decode(speaker.encode(job).tokens)
    assert [turn.text.strip() for turn in job.turns if turn.text.strip() not in prompt] == []


async def test_a_question_that_the_models_window_has_no_room_for_is_told_whatever_the_setting() -> None:
    with pytest.raises(UserError, match=r"24,999 characters, and I can read about \d,\d\d\d at once. Please send less"):
        await replied(said("word " * 5000), ScriptedActs(), context_tokens=200_000)
    servers = {"big": {"url": "http://127.0.0.1:1/v1"}}
    acts = ScriptedActs(answer("ok"))
    ctx = Context(said("word " * 5000), Settings(context_tokens=200_000), datetime(2026, 1, 1, tzinfo=UTC), "ref", acts)
    await Plugin(Config.model_validate({"models": ["big"], "servers": servers}), load()).answer(ctx)
    assert len(asked(acts).turns[-1].text) == 24_999, "where a server runs the model, it alone knows its window"


async def test_reset_forgets() -> None:
    acts = ScriptedActs(answer("Paris."))
    await replied(said("Where?"), acts)
    ctx = Context(said("/reset"), Settings(), datetime(2026, 1, 1, tzinfo=UTC), "ref", acts)
    assert await Plugin(Config(), load()).reset(ctx, NoArgs()) == "Done. I have forgotten what we said here."
    assert acts.remembered == []


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (said("hello"), True),
        (said("@Hobnob"), True),
        (said("", PICTURE), True),
        (said("listen", VOICE), True),
        (replace(said("hello"), addressed=False), False),
    ],
)
def test_it_speaks_when_spoken_to(message: Message, expected: bool) -> None:
    assert speaks(message) is expected


@pytest.mark.parametrize("message", [said("listen", VOICE), said("", VOICE), said("@Hobnob", VOICE, PICTURE)])
def test_recordings_are_left_to_whoever_listens(message: Message) -> None:
    listener = next(iter(Plugin(Config(), load()).register_routes()))
    assert isinstance(listener, Listener)
    assert listener.yields is not None
    assert listener.yields(message)
    assert not listener.yields(said("hello", PICTURE))


def test_what_appends_turns_or_counts_votes_is_ordered() -> None:
    routes = {(type(route).__name__, route.name): route.ordered for route in Plugin(Config(), load()).register_routes()}
    assert sorted(name for _, name in [key for key, ordered in routes.items() if ordered]) == sorted(
        ["said", "reset", "undo", "again", "continue", "again", "continue", "vote", "result"]
    )
