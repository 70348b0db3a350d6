"""Two models answer the same questions in a chat, without their names, and people vote for the better answers. Who asks: `choosing.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, Field

from bot import (
    Action,
    Answer,
    Button,
    Context,
    Generate,
    Refused,
    Reply,
    Route,
    Text,
    Turn,
    UserError,
    estimate_tokens,
    later,
    reaches,
    tr,
    translated,
)

MOST_QUESTIONS = 5
"""Of one comparison; each stands in the chat as a message of its own."""

KEPT = 14 * 86_400.0
"""Seconds in which people may vote, and for which votes are kept."""

CLOSED = later("That vote is over.")

ANSWERED = later("{one} and {other} have answered, in an order of chance. Everybody may vote; the names stand in the result.")


class Question(BaseModel):
    """What was asked, in the order in which the answers stand there: the models, what they took, and the votes for each and for neither."""

    models: tuple[str, str]
    seconds: tuple[float, float]
    tokens: tuple[int, int]
    votes: tuple[int, int, int] = (0, 0, 0)
    closed: bool = False


class Ballot(BaseModel):
    """How somebody has voted: for the first answer, the second, or neither."""

    choice: int


class Vote(BaseModel):
    """What a button below two answers says; `key` is that of the Question."""

    key: str
    choice: int = Field(ge=0, le=2)


class Result(BaseModel):
    """What the button of a comparison says: its id, and how many questions it has."""

    id: str
    questions: int


class Taken(BaseModel):
    """The model that is to answer here."""

    name: str


class Comparing:
    """Asks, counts, and tells; votes are counted one at a time in each chat."""

    def routes(self) -> Iterable[Route]:
        """The buttons below the answers, and below all of them."""
        return [Action("vote", Vote, self.vote, ordered=True), Action("result", Result, self.result, ordered=True)]

    async def compare(self, ctx: Context, models: tuple[str, str], questions: Sequence[str], most: int) -> Reply:
        """Has both models answer questions of at most so many tokens.

        Raises Refused for who does not manage the server, UserError for what cannot be asked.
        """
        _check(ctx, questions, most)
        for number, question in enumerate(questions):
            await self._ask(ctx, f"compared/{ctx.ref}/{number}", models, question)
        told = translated(ANSWERED, one=models[0], other=models[1])
        return Reply(told, buttons=[Button(tr("Result"), "result", {"id": ctx.ref, "questions": len(questions)})])

    async def _ask(self, ctx: Context, key: str, models: tuple[str, str], question: str) -> None:
        first, second = ctx.random.sample(models, 2)
        answers = [await ctx.run(_job(ctx, name, question)) for name in (first, second)]
        one, other = answers
        asked = Question(models=(first, second), seconds=(one.seconds, other.seconds), tokens=(one.tokens, other.tokens))
        await ctx.store.put(asked, "chat", key, ttl=KEPT)  # before anybody can vote
        buttons = [Button(label, "vote", {"key": key, "choice": choice}) for choice, label in enumerate(("1", "2", tr("No difference")))]
        await ctx.reply(Reply(f"**{question}**", _shown("1", one), _shown("2", other), buttons=buttons))

    async def vote(self, ctx: Context, vote: Vote) -> Reply:
        """Counts a vote; who has voted before changes it."""
        question = await ctx.store.get(Question, "chat", vote.key)
        if question is None or question.closed:
            return Reply(translated(CLOSED), private=True)
        before = await ctx.store.get(Ballot, "person", vote.key)
        votes = [count - (before is not None and before.choice == choice) for choice, count in enumerate(question.votes)]
        votes[vote.choice] += 1
        await ctx.store.put(question.model_copy(update={"votes": tuple(votes)}), "chat", vote.key, ttl=KEPT)
        await ctx.store.put(Ballot(choice=vote.choice), "person", vote.key, ttl=KEPT)
        return Reply(tr("Counted. You may change your mind until the result is out."), private=True)

    async def result(self, ctx: Context, asked: Result) -> Reply:
        """Ends the vote, and says which model wrote what. Raises Refused."""
        _manages(ctx)
        questions = [await self._close(ctx, f"compared/{asked.id}/{number}") for number in range(asked.questions)]
        found = [question for question in questions if question]
        if not found:
            return Reply(translated(CLOSED), private=True)
        names = sorted(found[0].models)
        neither = sum(question.votes[2] for question in found)
        lines = [_line(name, found) for name in names]
        buttons = [Button(tr("Use {model} here", model=name), "take", {"name": name}) for name in names]
        told = [_order(number, question) for number, question in enumerate(found, 1)]
        return Reply("\n".join([*lines, tr("No difference: {n}", n=neither), *told]), buttons=buttons)

    async def _close(self, ctx: Context, key: str) -> Question | None:
        question = await ctx.store.get(Question, "chat", key)
        if question is not None:
            await ctx.store.put(question.model_copy(update={"closed": True}), "chat", key, ttl=KEPT)
        return question


def _check(ctx: Context, questions: Sequence[str], most: int) -> None:
    _manages(ctx)
    if not 1 <= len(questions) <= MOST_QUESTIONS:
        raise UserError(
            tr("Please say what both are to answer: --prompt with one to {most} questions, separated by |.", most=MOST_QUESTIONS)
        )
    if any(estimate_tokens(question) > most for question in questions):
        raise UserError(tr("A question is too long: {most} tokens are the most that a model is shown here.", most=most))


def _manages(ctx: Context) -> None:
    if not reaches(ctx.level, "admin"):
        raise Refused(tr("Only who manages this server compares models."))


def _job(ctx: Context, model: str, question: str) -> Generate:
    settings = ctx.settings
    turns = (_turn("system", settings.persona), _turn("person", question))
    return Generate(model=model, turns=turns, max_tokens=settings.max_tokens, temperature=settings.temperature, seed=0)


def _turn(role: str, text: str) -> Turn:
    return Turn.model_validate({"role": role, "parts": (Text(text),)})


def _shown(label: str, answer: Answer) -> str:
    return f"**{label}**\n{answer.text or tr('(no answer)')}"


def _line(name: str, questions: Sequence[Question]) -> str:
    places = [(question, question.models.index(name)) for question in questions]
    votes = sum(question.votes[place] for question, place in places)
    seconds = sum(question.seconds[place] for question, place in places)
    tokens = sum(question.tokens[place] for question, place in places)
    speed = tr(", {n} tokens/s", n=round(tokens / seconds)) if seconds else ""
    took = f"{seconds / len(places):.1f}"
    return (
        tr("**{model}**: {n} vote, {took} s an answer", "**{model}**: {n} votes, {took} s an answer", n=votes, model=name, took=took)
        + speed
    )


def _order(number: int, question: Question) -> str:
    return tr("Question {number}: 1 is {one}, 2 is {other}", number=number, one=question.models[0], other=question.models[1])
