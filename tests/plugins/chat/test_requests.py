"""The commands for one task, in the form that the chat's model needs, and the choice of that model. The model is scripted."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot import (
    Attachment,
    Audio,
    Call,
    Change,
    Chosen,
    Context,
    File,
    Function,
    Generate,
    Image,
    Message,
    NoArgs,
    Paper,
    Quote,
    Reply,
    Setting,
    Shape,
    Text,
    Turn,
    UserError,
)
from bot.catalogue import load
from bot.choosable import among
from bot.testing import ScriptedActs
from bot.turns import LONGEST_RESULT
from bot.web.pages.server import _setting as on_page
from plugins.chat.choosing import ModelsArgs
from plugins.chat.config import Config
from plugins.chat.forms import form
from plugins.chat.front import Plugin
from plugins.chat.prompt import PromptFormat
from plugins.chat.recordings import written_down
from plugins.chat.requests import ClassifyArgs, CodeArgs, ExtractArgs, SummarizeArgs, TranslateArgs, _Args
from plugins.chat.settings import Settings
from plugins.chat.tasks import closest
from tests.plugins.chat.families import tokenizer
from tests.plugins.chat.test_front import BOB, answer, said

BASE, TUNED = "bloom-560m", "smollm2-135m-instruct"


def plugin(*models: str) -> Plugin:
    return Plugin(Config(models=models or (TUNED,)), load())


def context(acts: ScriptedActs, message: Message | None = None) -> Context:
    return Context(message or said("/it"), Settings(), datetime(2026, 1, 1, tzinfo=UTC), "ref", acts)


def asked(acts: ScriptedActs) -> Generate:
    (job,) = acts.jobs
    assert isinstance(job, Generate)
    return job


CONTINUED = {
    "ask": (_Args(text="Who?"), "Question: Who wrote Hamlet?\nAnswer: William Shakespeare.\nQuestion: Who?\nAnswer:"),
    "translate": (
        TranslateArgs(text="Thank you.", language="French"),
        "Text: Where is the station?\nFrench: Où est la gare ?\nText: Thank you.\nFrench:",
    ),
    "summarize": (
        SummarizeArgs(text="Long."),
        "Summary: The old bridge is rusty and will be closed from May to July.\nText: Long.\nSummary:",
    ),
    "classify": (
        ClassifyArgs(text="Ha!", labels="positive, negative"),
        "Each text has one of these labels: positive, negative.\n\nText: The food was cold and late.\nLabel: negative\n"
        "Text: What a lovely evening!\nLabel: positive\nText: Ha!\nLabel:",
    ),
    "extract": (
        ExtractArgs(text="Eve.", what="names"),
        "Text: On 3 May Ada paid Ben 20 euros in Paris.\nNames: Ada, Ben\nText: Eve.\nNames:",
    ),
    "code": (CodeArgs(text="Double it."), "Python: def same(word): return word == word[::-1]\nTask: Double it.\nPython:"),
}


@pytest.mark.parametrize("name", CONTINUED)
async def test_a_base_model_is_shown_examples_and_a_hole(name: str) -> None:
    args, ending = CONTINUED[name]
    acts = ScriptedActs(answer("Oui."))
    await getattr(plugin(BASE)._requests, name)(context(acts), args)
    job, words = asked(acts), tokenizer(BASE)
    prompt = PromptFormat(form(words, load().models[BASE].chat)).encode(job.turns, 2000)
    assert words.decode(prompt.tokens).endswith(ending)
    assert job.model == BASE and job.temperature == 0.0
    assert job.stop and ending.split("\n")[-2].split(":")[0] in "".join(prompt.stops)


INSTRUCTED = {
    "ask": (
        "Instruct: Question: What is the capital of Italy?\nOutput: Rome.\nInstruct: Question: How many legs does a spider have?\n"
        "Output: Eight.\nInstruct: Question: Who wrote Hamlet?\nOutput: William Shakespeare.\nInstruct: Question: Who?\nOutput:"
    ),
    "translate": (
        "Instruct: Translate each text into French.\n"
        "Text: Good morning.\nOutput: Bonjour.\nInstruct: Text: How are you?\nOutput: Comment allez-vous ?\n"
        "Instruct: Text: Where is the station?\nOutput: Où est la gare ?\nInstruct: Text: Thank you.\nOutput:"
    ),
    "classify": (
        "Instruct: Each text has one of these labels: positive, negative.\nText: The food was cold and late.\nOutput: negative\n"
        "Instruct: Text: What a lovely evening!\nOutput: positive\nInstruct: Text: Ha!\nOutput:"
    ),
    "summarize": (
        "Instruct: Sum up each text.\nText: The council met on Monday to talk about the old bridge. Engineers found rust in two of its "
        "pillars. It will be closed from May to July, and buses will take another way.\n"
        "Output: The old bridge is rusty and will be closed from May to July.\nInstruct: Text: Long.\nOutput:"
    ),
    "extract": (
        "Instruct: List the names in each text, separated by commas.\nText: On 3 May Ada paid Ben 20 euros in Paris.\nOutput: Ada, Ben\n"
        "Instruct: Text: Eve.\nOutput:"
    ),
    "code": (
        "Instruct: Short and correct Python code.\nTask: Return the sum of two numbers.\nOutput: def add(a, b): return a + b\n"
        "Instruct: Task: Say whether a word is a palindrome.\nOutput: def same(word): return word == word[::-1]\n"
        "Instruct: Task: Double it.\nOutput:"
    ),
}
"""Of a base model with a form of its own, in which the place of the answer stands once."""


@pytest.mark.parametrize("name", INSTRUCTED)
async def test_a_base_model_with_a_template_is_shown_the_examples_in_that(name: str) -> None:
    args, _ = CONTINUED[name]
    acts = ScriptedActs(answer("Oui."))
    await getattr(plugin("phi-2")._requests, name)(context(acts), args)
    prompt = PromptFormat(form(words := tokenizer("phi-2"), load().models["phi-2"].chat)).encode(asked(acts).turns, 2000)
    assert words.decode(prompt.tokens) == INSTRUCTED[name]


UNSHOWN = {
    "translate": (TranslateArgs(text="Thank you.", language="Polish"), "Translate each text into Polish."),
    "extract": (ExtractArgs(text="Eve.", what="verbs"), "List the verbs in each text, separated by commas."),
    "code": (CodeArgs(text="Double it.", language="Rust"), "Short and correct Rust code."),
}
"""Of which there are no examples."""


@pytest.mark.parametrize("model", [BASE, "mpt-7b", "falcon-7b", "llama-3.1-8b", "gemma-2b", "phi-2"])
@pytest.mark.parametrize("name", UNSHOWN)
async def test_a_base_model_is_told_what_is_wanted_also_where_there_are_no_examples(name: str, model: str) -> None:
    args, head = UNSHOWN[name]
    acts, one = ScriptedActs(answer("Dziękuję.")), load().models[model].chat
    await getattr(plugin(model)._requests, name)(context(acts), args)
    words = tokenizer("phi-2" if model == "phi-2" else BASE)
    prompt = words.decode(PromptFormat(form(words, one)).encode(asked(acts).turns, 2000).tokens)
    assert one and not one.tuned and prompt.removeprefix("Instruct: ").startswith(head)
    assert prompt.count(args.text) == 1 and prompt.endswith(":")


def test_no_other_base_model_of_the_catalogue_has_a_template() -> None:
    """The others continue a transcript, whose hole is their turn."""
    chats = {name: entry.chat for name, entry in load().models.items() if entry.chat}
    assert [name for name, chat in chats.items() if chat.template and not chat.tuned] == ["phi-2"]


@pytest.mark.parametrize("name", CONTINUED)
async def test_a_tuned_model_is_told_what_to_do(name: str) -> None:
    args, _ = CONTINUED[name]
    acts = ScriptedActs(answer("Oui."))
    await getattr(plugin(TUNED)._requests, name)(context(acts), args)
    instruction, text = asked(acts).turns
    assert (instruction.role, text.role, text.text) == ("system", "person", args.text)
    assert asked(acts).stop == ()


async def test_a_replied_message_is_what_the_command_is_about() -> None:
    acts = ScriptedActs(answer("Bonjour."))
    message = said("/translate", reply_to=Quote("m0", BOB, (Text("Good morning."),)))
    assert await plugin()._requests.translate(context(acts, message), TranslateArgs(language="French")) == "Bonjour."
    assert asked(acts).turns[-1].text == "Good morning."


VOICE = Audio(Attachment("v", "audio/ogg", 10), voice=True)
LISTENS = Function(name="transcribe", description="Writes down what is said.", parameters={})


async def test_of_a_voice_note_that_is_replied_to_a_command_takes_what_is_said_in_it() -> None:
    acts = ScriptedActs(answer("Ela vem."), answer("Vê."))
    acts.offered, acts.results["transcribe"] = (LISTENS,), Reply("She is coming at nine.")
    message = said("/translate", reply_to=Quote("m0", BOB, (Text("For you:"), VOICE)))
    assert await plugin()._requests.translate(context(acts, message), TranslateArgs(language="Portuguese")) == "Ela vem."
    assert asked(acts).turns[-1].text == "For you:\nShe is coming at nine." and acts.called == [Call(name="transcribe")]
    assert await plugin()._requests.translate(context(acts, message), TranslateArgs(text="See.", language="Portuguese")) == "Vê."
    assert len(acts.called) == 1, "words behind the command are what it is about"


async def test_of_a_long_recording_it_is_said_how_much_was_read() -> None:
    acts = ScriptedActs(answer("A story."))
    acts.offered, acts.results["transcribe"] = (LISTENS,), Reply("word " * 799 + "end.…")
    message = said("/summarize", reply_to=Quote("m0", BOB, (VOICE,)))
    told = await plugin()._requests.summarize(context(acts, message), SummarizeArgs())
    assert re.fullmatch(r"A story\.\n\n\(I have read the first 3,\d\d\d characters of the recording\.\)", str(told))


@pytest.mark.parametrize(
    ("heard", "left_out"), [("o" * LONGEST_RESULT, ""), ("o" * LONGEST_RESULT + "…", "the first 4,001 characters of the recording")]
)
async def test_what_the_core_has_cut_of_a_recording_is_said_also_where_there_is_room(heard: str, left_out: str) -> None:
    acts = ScriptedActs()
    acts.offered, acts.results["transcribe"] = (LISTENS,), Reply(heard)
    assert await written_down(context(acts, said("/summarize")), 10_000) == (heard, left_out)


async def test_why_a_voice_note_cannot_be_listened_to_is_said_and_no_model_asked() -> None:
    message = said("/summarize", reply_to=Quote("m0", BOB, (VOICE,)))
    with pytest.raises(UserError, match=r"^I cannot listen to recordings here\.$"):
        await plugin()._requests.summarize(context(ScriptedActs(), message), SummarizeArgs())
    acts = ScriptedActs()
    acts.offered, acts.results["transcribe"] = (LISTENS,), Reply("Bob keeps their recordings out.", fault=True)
    with pytest.raises(UserError, match=r"^Bob keeps their recordings out\.$"):
        await plugin()._requests.summarize(context(acts, message), SummarizeArgs())
    assert not acts.jobs


async def test_of_a_picture_without_words_no_model_is_asked_for_a_translation() -> None:
    acts = ScriptedActs(answer("A cat."))
    picture = Image(Attachment("p", "image/png", 10, "cat.png"))
    with pytest.raises(UserError, match="Please write a text behind the command, or reply with it to a message"):
        await plugin()._requests.translate(context(acts, said("/translate", reply_to=Quote("m0", BOB, (picture,)))), TranslateArgs())
    named = said("/translate", reply_to=Quote("m0", BOB, (replace(picture, alt="Eine Katze"),)))
    assert await plugin()._requests.translate(context(acts, named), TranslateArgs()) == "A cat."


async def test_without_a_text_the_conversation_of_the_last_hours_is_summed_up() -> None:
    acts = ScriptedActs(answer("They greeted."))
    now = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    for hours, text in ((30, "old"), (2, "hello")):
        await acts.append(Turn(role="person", parts=(Text(text),), name="Bob", at=now - 3600 * hours, tokens=5))
    await plugin()._requests.summarize(context(acts), SummarizeArgs())
    assert asked(acts).turns[-1].text == "Bob: hello"
    nothing = await plugin()._requests.summarize(context(acts), SummarizeArgs(hours=1))
    why = "I know what is said to me, and all else only where an admin has me read along."
    assert nothing == f"I know of nothing that was said here in the last 1 h. {why}"
    alone = replace(said("/summarize"), address=replace(said().address, direct=True))
    assert await plugin()._requests.summarize(context(acts, alone), SummarizeArgs(hours=1)) == str(nothing).removesuffix(f" {why}")


async def test_a_long_period_is_summed_up_part_by_part_and_then_as_a_whole() -> None:
    acts = ScriptedActs(*[answer(f"Part {number}.") for number in range(1, 4)], answer("All of it."))
    ctx = context(acts)
    for number in range(30):
        await acts.append(Turn(role="person", parts=(Text("word " * 60 + f"n{number}"),), name="Bob", at=ctx.now.timestamp(), tokens=100))
    assert await plugin()._requests.summarize(ctx, SummarizeArgs()) == "All of it."
    jobs = [job for job in acts.jobs if isinstance(job, Generate)]
    assert [f"n{number}" in "".join(job.turns[-1].text for job in jobs[:3]) for number in range(30)] == [True] * 30
    assert jobs[3].turns[-1].text == "Part 1.\nPart 2.\nPart 3."


async def test_catching_up_tells_one_person_what_was_said_since_they_spoke() -> None:
    acts = ScriptedActs(answer("Bob asked about lunch."))
    for person, name, text in (("2", "Bob", "old"), ("1", "Alice", "bye"), ("2", "Bob", "Lunch?"), ("3", "Eve", "At noon.")):
        await acts.append(Turn(role="person", parts=(Text(text),), name=name, person=person, tokens=5))
    reply = await plugin()._requests.catch_up(context(acts), NoArgs())
    assert isinstance(reply, Reply) and (reply.text, reply.private) == ("Bob asked about lunch.", True)
    assert asked(acts).turns[-1].text == "Bob: Lunch?\nEve: At noon."
    await acts.append(Turn(role="person", parts=(Text("thanks"),), name="Alice", person="1", tokens=5))
    nothing = await plugin()._requests.catch_up(context(acts), NoArgs())
    assert isinstance(nothing, Reply) and nothing.text.startswith("You have missed nothing that I know of. I know what is said to me,")


async def test_what_is_missing_or_too_long_is_said() -> None:
    with pytest.raises(UserError, match="Please write a text behind the command"):
        await plugin()._requests.ask(context(ScriptedActs()), _Args())
    with pytest.raises(UserError, match="That is too long for me: 8,999 characters"):
        await plugin()._requests.ask(context(ScriptedActs()), _Args(text="word " * 1800))
    with pytest.raises(UserError, match="at least two labels"):
        await plugin()._requests.classify(context(ScriptedActs()), ClassifyArgs(text="x", labels="one"))


@pytest.mark.parametrize(("told", "label"), [("Positive.", "positive"), ("It is negative", "negative"), ("hm", "hm")])
def test_a_label_is_known_in_what_the_model_says(told: str, label: str) -> None:
    assert closest(told, ["positive", "negative"]) == label


async def test_bare_code_becomes_a_block() -> None:
    acts = ScriptedActs(answer("x = 1"), answer("```python\nx = 1\n```"))
    for _ in range(2):
        assert await plugin()._requests.code(context(acts), CodeArgs(text="one")) == "```python\nx = 1\n```"


async def test_an_admin_chooses_the_model_of_a_channel_or_thread_by_its_setting() -> None:
    acts, both = ScriptedActs(answer("Hi."), answer("Hi.")), plugin(TUNED, BASE)
    acts.holding = [Chosen("chat", "", True, "operator", False, (Setting("model", "", "plugin"),), {}, "")]
    assert await both._choosing.models(context(acts), ModelsArgs(name=BASE)) == f"{BASE} answers here from now on."
    assert acts.changes == [Change(settings={"model": BASE}, where="channel")]
    message = said("Hello")
    for ctx in (context(acts, message), Context(message, Settings(model=BASE), context(acts).now, "ref", acts)):
        await both.answer(ctx)
    assert [job.model for job in acts.jobs] == [TUNED, BASE]
    listed = await both._choosing.models(Context(message, Settings(model=BASE), context(acts).now, "ref", acts), ModelsArgs())
    assert f"**{BASE}**, answers here: Continues text in 46 languages" in str(listed)


async def test_a_model_that_is_not_served_is_refused_and_a_choice_that_left_falls_back() -> None:
    acts = ScriptedActs()
    with pytest.raises(UserError, match=f"No model here is called “gpt”. There is: {TUNED}, {BASE}"):
        await plugin(TUNED, BASE)._choosing.models(context(acts), ModelsArgs(name="gpt"))
    gone = Context(said("x"), Settings(model=BASE), context(acts).now, "ref", acts)
    assert plugin(TUNED, "phi-2")._choosing.chosen(gone).name == TUNED


@pytest.mark.parametrize("now", ["", "gone", TUNED])
def test_the_page_of_a_server_shows_what_is_chosen_though_it_is_none_of_those_that_are_served(now: str) -> None:
    shape = Shape({"properties": {"model": {"type": "string", "default": "", "enum": [TUNED, BASE]}}})
    shown = on_page(shape, Setting("model", now, "plugin"), {})
    assert (shown["value"], shown["choices"][-2:]) == (now, [TUNED, BASE])
    assert now in shown["choices"] and shown["labels"].get("", "nothing") == "nothing"


def test_the_settings_form_offers_the_models_that_are_served() -> None:
    from plugins.imagine.config import Config as Drawing
    from plugins.imagine.settings import Settings as Drawn

    assert among(Settings, "model", Config(models=(TUNED, BASE))) == (TUNED, BASE)
    assert among(Drawn, "model", Drawing()) == Drawing().models
    assert among(Settings, "persona", Config()) == ()


# Text files ---------------------------------------------------------------------------------------------------------------

NOTES = File(Attachment("n", "application/octet-stream", 20, "notes.md"))


def holding(raw: bytes, *script: Any) -> ScriptedActs:
    acts = ScriptedActs(*script)
    acts.files["n"] = raw
    return acts


SAYS = "Grüße\n\x1b[2J"


@pytest.mark.parametrize("raw", [SAYS.encode(), SAYS.encode("utf-16"), SAYS.encode("utf-8-sig"), SAYS.encode("cp1252")])
async def test_a_text_file_is_read_whatever_its_encoding_and_marked_as_one(raw: bytes) -> None:
    acts = holding(raw, answer("Hello."))
    assert await replied_to(acts, said("What does it say?", NOTES)) == "Hello."
    assert asked(acts).turns[-1].text == "What does it say?\n[notes.md]\n> Grüße\n> [2J"


async def test_a_file_in_the_message_that_is_replied_to_is_read() -> None:
    acts = holding(b"one", answer("Hello."))
    await replied_to(acts, said("What is it?", reply_to=Quote("m0", BOB, (NOTES,))))
    assert asked(acts).turns[-1].text == "> Bob: [file notes.md]\nWhat is it?\n[notes.md]\n> one"


async def test_a_long_file_is_read_as_far_as_it_fits_and_that_is_said() -> None:
    acts = holding(b"a word and another\n" * 1000, answer("Words."))
    assert re.search(
        r"Words\.\s+\(I have read the first 3,\d\d\d characters of notes\.md\.\)", await replied_to(acts, said("What?", NOTES))
    )
    assert asked(acts).turns[-1].tokens <= Settings().context_tokens


async def test_a_pdf_is_read_as_far_as_it_fits_and_marked_as_one() -> None:
    acts = ScriptedActs(answer("Paid."))
    acts.papers["n"] = Paper("Invoice\n" * 3000, 9, 9)
    invoice = File(Attachment("n", "application/pdf", 20, "invoice.pdf"))
    assert "I have read the first 2," in await replied_to(acts, said("Was it paid?", invoice))
    assert asked(acts).turns[-1].text.startswith("Was it paid?\n[invoice.pdf]\n> Invoice\n> Invoice")
    with pytest.raises(UserError, match="no PDF that I can read"):
        await replied_to(ScriptedActs(), said("And this?", File(Attachment("x", "", 20, "torn.PDF"))))


async def test_a_file_may_be_what_a_command_is_about() -> None:
    acts = holding(b"one two", answer("Short."))
    await plugin()._requests.summarize(context(acts, said("/summarize", reply_to=Quote("m0", BOB, (NOTES,)))), SummarizeArgs())
    assert asked(acts).turns[-1].text == "one two"


async def test_of_a_file_that_is_too_long_for_a_command_it_is_said_what_was_read() -> None:
    acts = holding(b"a word and another\n" * 5000, answer("Words."))
    message = said("/summarize", reply_to=Quote("m0", BOB, (NOTES,)))
    ctx = Context(message, Settings(context_tokens=200_000), datetime(2026, 1, 1, tzinfo=UTC), "ref", acts)
    told = await plugin()._requests.summarize(ctx, SummarizeArgs())
    assert re.fullmatch(r"Words\.\n\n\(I have read the first 4,\d\d\d characters of notes\.md\.\)", str(told))
    assert len(asked(acts).turns[-1].text) < 5000
    with pytest.raises(UserError, match=r"24,999 characters, and I can read about 4,\d\d\d at once"):
        await plugin()._requests.ask(Context(said("/ask"), ctx.settings, ctx.now, "ref", acts), _Args(text="word " * 5000))


async def replied_to(acts: ScriptedActs, message: Message) -> str:
    outcome = await plugin().answer(context(acts, message))
    return outcome if isinstance(outcome, str) else outcome.text
