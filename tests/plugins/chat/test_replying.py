"""Answers that were given: again, going on, undo; and what of a conversation is remembered for whom. The model is scripted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from bot import Button, Context, Generate, JobCancelled, Message, NoArgs, Quote, Reply, Summary, Text, Turn, Unavailable, estimate_tokens
from bot.catalogue import load
from bot.testing import ScriptedActs
from plugins.chat.config import Config
from plugins.chat.front import Plugin
from plugins.chat.recalling import Due
from plugins.chat.replying import GONE, Asked
from plugins.chat.settings import Settings
from tests.plugins.chat.test_front import ALICE, BOB, HOBNOB, answer, asked, replied, said


def context(acts: ScriptedActs, message: Message | None = None, **settings: Any) -> Context:
    return Context(message or said("/it"), Settings(**settings), datetime(2026, 1, 1, tzinfo=UTC), "ref", acts)


async def command(acts: ScriptedActs, name: str, args: Any = NoArgs(), message: Message | None = None, **settings: Any) -> Reply:
    plugin = Plugin(Config(), load())
    handler = getattr(plugin, name, None) or getattr(plugin._replying, name)
    outcome = await handler(context(acts, message, **settings), args)
    return Reply(outcome) if isinstance(outcome, str) else outcome


async def talked(acts: ScriptedActs, *questions: str) -> None:
    """Alice asks these, as messages m1, m2, …"""
    for number, question in enumerate(questions, 1):
        await replied(replace(said(question), id=f"m{number}"), acts)


async def test_undo_forgets_the_last_question_and_its_answer() -> None:
    acts = ScriptedActs(answer("Paris."), answer("Two million."))
    await talked(acts, "Where is the Louvre?", "How many live there?")
    assert (await command(acts, "undo")).text == "Forgotten: “How many live there?”"
    assert [turn.text for turn in acts.remembered] == ["Where is the Louvre?", "Paris."]
    await command(acts, "undo")
    assert (await command(acts, "undo")).text == "There is nothing to forget."


async def test_what_others_said_since_is_neither_undone_nor_answered_again() -> None:
    acts = ScriptedActs(answer("Paris."), answer("It is Paris."))
    await talked(acts, "Where is the Louvre?")
    await acts.append(Turn(role="person", parts=(Text("Lunch?"),), name="Bob", person="2", message="m7", tokens=5))
    assert (await command(acts, "again")).text == "It is Paris."
    assert asked(acts, 1).turns[-1].text == "Where is the Louvre?"
    assert (await command(acts, "undo")).text == "Forgotten: “Where is the Louvre?”"
    assert [turn.text for turn in acts.remembered] == ["Lunch?"]


async def test_again_answers_the_last_question_in_other_words_and_keeps_only_these() -> None:
    acts = ScriptedActs(answer("Paris."), answer("It is Paris."))
    await talked(acts, "Where is the Louvre?")
    assert (await command(acts, "again")).text == "It is Paris."
    first, second = asked(acts), asked(acts, 1)
    assert [turn.text for turn in second.turns] == [turn.text for turn in first.turns]
    assert second.temperature > first.temperature and second.seed is not None
    assert [(turn.text, turn.message) for turn in acts.remembered] == [("Where is the Louvre?", "m1"), ("It is Paris.", "m1")]
    assert (await command(ScriptedActs(), "again")).text == "There is no question to answer again."


async def test_again_that_fails_leaves_the_first_answer() -> None:
    acts = ScriptedActs(answer("Paris."), JobCancelled())
    await talked(acts, "Where is the Louvre?")
    with pytest.raises(JobCancelled):
        await command(acts, "again")
    assert [turn.text for turn in acts.remembered] == ["Where is the Louvre?", "Paris."]


async def test_the_button_below_an_answer_answers_that_question_with_what_was_said_before_it() -> None:
    acts = ScriptedActs(answer("Paris."), answer("Two million."), answer("In Paris."))
    await talked(acts, "Where is the Louvre?", "How many live there?")
    (button,) = (await replied(said("x"), ScriptedActs(answer("y")))).buttons
    assert button == Button("Again", "again", {"message": "m1"})
    assert (await command(acts, "again", Asked(message="m1"))).text == "In Paris."
    assert [turn.text for turn in asked(acts, 2).turns[1:]] == ["Where is the Louvre?"]
    assert [turn.text for turn in acts.remembered] == ["How many live there?", "Two million.", "Where is the Louvre?", "In Paris."]
    assert (await command(acts, "again", Asked(message="m9"))).text == GONE


async def test_a_server_may_do_without_buttons() -> None:
    assert (await replied(said("Tell me."), ScriptedActs(answer("Once", "length")), buttons=False)).buttons == ()


async def test_an_answer_that_was_cut_off_goes_on_where_it_ended_and_is_remembered_whole() -> None:
    acts = ScriptedActs(
        answer("Once upon a", "length"), answer("Once upon a time there was", "length"), answer("Once upon a time there was a cat.")
    )
    cut = await replied(said("Tell me a story."), acts)
    assert (cut.text, [button.action for button in cut.buttons]) == ("Once upon a …", ["continue", "again"])
    assert (await command(acts, "go_on", Asked(message="m1"))).text == "time there was …"
    assert asked(acts, 1).turns[-1].role == "bot" and asked(acts, 1).turns[-1].text == "Once upon a"
    assert (await command(acts, "go_on")).text == "a cat."
    assert [(turn.text, turn.tokens) for turn in acts.remembered[1:]] == [("Once upon a time there was a cat.", 9)]


async def test_where_nothing_is_left_to_say_that_is_said() -> None:
    acts = ScriptedActs(answer("Paris."), answer("Paris."))
    await talked(acts, "Where is the Louvre?")
    assert (await command(acts, "go_on")).text == "That was all."
    assert (await command(ScriptedActs(), "go_on")).text == "There is no answer to go on with."


async def test_a_code_block_that_was_cut_begins_anew() -> None:
    acts = ScriptedActs(answer("Here:\n```python\nx = 1", "length"), answer("Here:\n```python\nx = 1\ny = 2\n```"))
    await replied(said("Code!"), acts)
    assert (await command(acts, "go_on")).text == "```python\ny = 2\n```"


async def test_people_may_have_conversations_apart() -> None:
    acts = ScriptedActs(*[answer(text) for text in ("Paris.", "Berlin.", "Two million.")])
    await replied(said("Capital of France?"), acts, memory="person")
    await replied(replace(said("Capital of Germany?", sender=BOB), id="m2"), acts, memory="person")
    await replied(replace(said("How many live there?"), id="m3"), acts, memory="person")
    assert [turn.text for turn in asked(acts, 1).turns[1:]] == ["Capital of Germany?"]
    assert [turn.text for turn in asked(acts, 2).turns[1:]] == ["Capital of France?", "Paris.", "How many live there?"]
    await command(acts, "undo", message=said("/undo", sender=BOB), memory="person")
    await command(acts, "reset", message=said("/reset", sender=ALICE), memory="person")
    assert acts.remembered == []


async def test_a_quote_of_the_last_answer_is_not_repeated_though_more_stands_below_it() -> None:
    acts = ScriptedActs(answer("Once", "length"), answer("Yes."))
    shown = await replied(said("Tell me."), acts)
    await replied(replace(said("Really?", reply_to=Quote("b1", HOBNOB, (Text(shown.text),))), id="m2"), acts)
    assert asked(acts, 1).turns[-1].text == "Really?"


# Summaries ---------------------------------------------------------------------------------------------------------------


async def long_talk(acts: ScriptedActs, count: int = 30) -> None:
    for number in range(count):
        await acts.append(Turn(role="person", parts=(Text(f"question {number}"),), name="Bob", message=f"b{number}", tokens=10))
        await acts.append(Turn(role="bot", parts=(Text(f"answer {number}"),), message=f"b{number}", tokens=10))


async def condensed(acts: ScriptedActs, **settings: Any) -> None:
    await Plugin(Config(), load())._replying._condensing.condense(context(acts, **settings), Due())


async def fired(acts: ScriptedActs, **settings: Any) -> None:
    """All that was scheduled, and what that schedules."""
    while acts.scheduled:
        acts.scheduled.clear()
        await condensed(acts, **settings)


def summed_up(acts: ScriptedActs) -> list[str]:
    return [job.turns[-1].text for job in acts.jobs if isinstance(job, Generate) and "Sum up" in job.turns[0].text]


async def test_what_leaves_the_memory_is_summed_up_by_the_model_and_stands_before_the_rest() -> None:
    acts = ScriptedActs(answer("Bob asked 0 to 2."), answer("Yes."))
    await long_talk(acts, 7)
    await condensed(acts, context_tokens=100)
    job = asked(acts)
    assert job.turns[-1].text == "Bob: question 0\nBot: answer 0\nBob: question 1\nBot: answer 1\nBob: question 2"
    await replied(said("And now?"), acts, context_tokens=100)
    earlier, first, *_ = asked(acts, 1).turns[1:]
    assert (earlier.role, earlier.name, earlier.text) == ("person", "Earlier", "Bob asked 0 to 2.")
    assert first.role == "person"


async def test_a_summary_goes_on_from_the_one_before() -> None:
    acts = ScriptedActs(answer("Bob asked."))
    await long_talk(acts)
    acts.summaries[""] = Summary(text="They greeted.", upto=480)
    await condensed(acts, context_tokens=100)
    assert asked(acts).turns[-1].text.splitlines()[:2] == ["Earlier: They greeted.", "Bob: question 24"]
    assert acts.summaries[""].upto == 500
    await condensed(acts, context_tokens=100)  # nothing has left since


async def test_all_that_leaves_is_summed_up_though_others_speak_more_than_they_ask() -> None:
    """Read along, several times what the model is shown may be said between two questions."""
    acts, chance, heard = ScriptedActs(*[answer("So it went.") for _ in range(2000)]), Random(7), 0
    for number in range(60):
        for _ in range(chance.randrange(5, 31)):
            await acts.append(Turn(role="person", parts=(Text(f"overheard {heard} " + "word " * 8),), name="Bob", tokens=24))
            heard += 1
        await replied(replace(said(f"asked {number}"), id=f"n{number}"), acts, context_tokens=400)
        await fired(acts, context_tokens=400)
    everything, (oldest, *_) = "\n".join(summed_up(acts)), await acts.turns(400, "")
    gone = [turn for turn in acts.remembered if turn.offset < oldest.offset and turn.text.startswith(("overheard", "asked"))]
    assert len(gone) > 900
    assert [turn.text for turn in gone if turn.text.strip() not in everything] == []
    assert acts.summaries[""].upto == oldest.offset
    assert all(estimate_tokens(text) <= 400 + len(text.splitlines()) for text in summed_up(acts)), "no more than it is shown at once"


async def test_several_questions_have_one_summary_made() -> None:
    acts = ScriptedActs(*[answer("Yes.") for _ in range(9)])
    await long_talk(acts)
    for number in range(3):
        await replied(replace(said("And?"), id=f"n{number}"), acts, context_tokens=100)
    assert len(acts.scheduled) == 1
    acts.script.insert(0, Unavailable("no worker"))
    await fired(acts, context_tokens=100)
    await replied(replace(said("And?"), id="n3"), acts, context_tokens=100)
    assert not acts.scheduled, "one that failed is not tried again at once"


@pytest.mark.parametrize("name", ["again", "go_on"])
async def test_a_second_answer_moves_the_memory_on_though_it_stands_for_an_older_one(name: str) -> None:
    acts = ScriptedActs(answer("Once upon a time"))
    await long_talk(acts, 29)
    await acts.append(Turn(role="person", parts=(Text("Tell me."),), name="Alice", message="m1", tokens=10))
    await acts.append(Turn(role="bot", parts=(Text("Once"),), message="m1", tokens=10))
    acts.summaries[""] = Summary(text="They talked.", upto=500)
    await command(acts, name, context_tokens=100)
    assert len(acts.scheduled) == 1


async def test_where_a_deletion_took_the_summary_another_is_made() -> None:
    acts = ScriptedActs(*[answer("They talked.") for _ in range(30)])
    await long_talk(acts)
    await fired_after_a_question(acts, "n1")
    assert acts.summaries[""].text == "They talked."
    acts.summaries[""] = Summary(forgotten=1)
    await fired_after_a_question(acts, "n2")
    assert (acts.summaries[""].text, acts.summaries[""].forgotten) == ("They talked.", 1)


async def fired_after_a_question(acts: ScriptedActs, id: str) -> None:
    await replied(replace(said("And?"), id=id), acts, context_tokens=100)
    await fired(acts, context_tokens=100)


async def test_the_beginning_of_the_prompt_stays_the_same_until_something_leaves() -> None:
    acts = ScriptedActs(*[answer("Well.") for _ in range(80)])
    acts.summaries[""] = Summary(text="They greeted.", upto=1)
    await long_talk(acts, 10)
    heads = []
    for number in range(20):
        await replied(replace(said(f"number {number}"), id=f"n{number}"), acts, context_tokens=200)
        heads.append(tuple(turn.text for turn in asked(acts, -1).turns[:3]))
        await fired(acts, context_tokens=200)
    assert 2 <= len(set(heads)) <= 6
    assert len(summed_up(acts)) in (len(set(heads)) - 1, len(set(heads)))


async def test_a_summary_that_fails_disturbs_nobody() -> None:
    acts = ScriptedActs(Unavailable("no worker"))
    await long_talk(acts)
    await condensed(acts, context_tokens=100)
    assert acts.summaries == {}


async def test_where_no_summary_is_wanted_none_is_made() -> None:
    acts = ScriptedActs(answer("Yes."))
    await long_talk(acts)
    await replied(said("And now?"), acts, context_tokens=100, summary=False)
    assert acts.scheduled == {}
