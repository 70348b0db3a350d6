"""What stands in all places in the end, held against what was said there. Who said it: `people.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from redis.asyncio import Redis

from bot.store.conversations import Conversations
from bot.store.keys import Keys
from tests.chaos.people import People, Said
from tests.chaos.venues import Shown, Venue

BELOW = "(answer.md has "
"""What stands where a file would have the rest; where one has it, it comes without words."""

NEWEST = 5
"""Answers by which it is seen whether the store can be asked."""

NEVER = ("lost", "doubled", "reordered", "wrong answers", "wrong turns", "cut short", "orphan status lines", "repeated later parts")
"""What is shown even if it never happened."""

TOLD = "told: "
"""How what an answer says begins here that is none; the person's own cancellation is one of these."""


@dataclass
class Verdict:
    """What was found, counted by kind, or by platform and kind."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def count(self, what: str, message: str = "") -> None:
        """One more; with a message, it should not have been."""
        self.counts[what] += 1
        if message:
            self.wrong.append(f"{what}: {message}")


async def judged(people: People, redis: Redis, keys: Keys, kills: Sequence[float]) -> Verdict:
    """Reads everything, once nothing happens any more; `kills` are when the store was killed."""
    verdict, conversations = Verdict(Counter(dict.fromkeys(NEVER, 0))), Conversations(redis, keys)
    for venue in {id(talker.venue): talker.venue for talker in people.talkers}.values():
        said = sorted((said for talker in people.talkers if talker.venue is venue for said in talker.said), key=lambda one: int(one.id))
        found = await conversations.turns(venue.conversation, 1_000_000)
        turns: list[tuple[str, str]] = [(turn.message, turn.role) for turn in found]
        await Judge(verdict, venue, redis, keys, kills).judge(said, turns)
    return verdict


@dataclass(frozen=True, slots=True)
class Judge:
    """Looks at one place."""

    verdict: Verdict
    venue: Venue
    redis: Redis
    keys: Keys
    kills: Sequence[float]

    async def judge(self, said: list[Said], turns: list[tuple[str, str]]) -> None:
        """All that was said there."""
        first = await self.venue.first()  # a room forgets what is further back
        self.verdict.counts["further back than a room remembers"] += sum(int(one.id) < first for one in said)
        answers = self._answers(said, await self.venue.shown(), first)
        said = [one for one in said if int(one.id) >= first]
        unwritten = [one for one in said if one.unwritten(self.kills) and not answers[one.id]]
        gone = [one for one in unwritten if not await self.venue.known(one.id, self.redis, self.keys)]
        if self.kills and not await self._knows([one.id for one in said if answers[one.id]][-NEWEST:]):
            self.verdict.wrong.append(f"{self.venue.name}: the store has heard of nothing that was answered, so what it lost is not known")
        if gone:
            self.verdict.counts["gone with the store's last two seconds"] += len(gone)
        said = [one for one in said if one not in gone]
        for one in said:
            self._one(one, answers[one.id])
        strangers = {asked: found for asked, found in answers.items() if asked not in {one.id for one in (*said, *gone)}}
        for asked, found in strangers.items():
            self.verdict.count("without a question", f"{self.venue.name} {asked}: {[message.text[:40] for message in found]}")
        remembered = [(id, role) for id, role in turns if not first or int(id) >= first]  # conversations remember more
        self._order([one for one in said if one.ordered], {id: found for id, found in answers.items() if found}, remembered)

    async def _knows(self, answered: list[str]) -> bool:
        """Whether the store has heard of any of these, if there are some."""
        return not answered or any([await self.venue.known(id, self.redis, self.keys) for id in answered])

    def _answers(self, said: list[Said], shown: list[Shown], first: int) -> dict[str, list[Shown]]:
        """What the bot said, by what it answers: later parts reply to nothing, but say what they are parts of."""
        ids = {one.text: one.id for one in said}
        found: dict[str, list[Shown]] = {one.id: [] for one in said if int(one.id) >= first}
        for message in shown:
            wordless = not (message.text or message.busy or self.venue.keyed)  # Telegram alone takes so large a file
            if message.text.startswith(BELOW) or wordless:
                continue
            asked = message.asked or ids.get(message.text.partition("\n")[0], "")
            if not asked or int(asked) >= first:
                found.setdefault(asked, []).append(message)
        return found

    def _one(self, said: Said, found: list[Shown]) -> None:
        verdict, what = self.verdict, f"{self.venue.name} {said.id} {said.text!r}"
        lines, final = [one for one in found if one.busy], [one for one in found if not one.busy]
        fault = any(one.fault for one in final)
        parts = 2 if said.text.startswith("long") and not fault else 1
        texts = {one.text for one in final}
        verdict.counts["orphan status lines" if self.venue.keyed else "orphan status lines where posts have no key"] += len(lines)
        if not final and self.venue.excused(said.id):
            verdict.count("commands that Discord itself called unanswered")
        elif not final:
            verdict.count("lost", f"{what}: {[one.text[:40] for one in found]}")
        elif len(final) > parts and len(texts) <= parts and not self.venue.keyed:
            verdict.count("said again where posts have no key")
        elif len(final) > parts:
            verdict.count("repeated later parts" if len(texts) == parts > 1 else "doubled", f"{what}: {[one.text[:40] for one in final]}")
        elif fault:
            verdict.count(f"{TOLD}{final[0].text[:60].split(' Reference')[0]}")
        elif len(final) < parts:
            verdict.count("cut short", f"{what}: {len(final)} of {parts} parts")
        else:
            whole = "\n".join(one.text for one in final)
            right = whole.count(said.text) == (self.venue.long // len(said.text) if parts == 2 else 1)
            verdict.count("answered" if right else "wrong answers", "" if right else f"{what}: {whole[:80]!r}")

    def _order(self, said: list[Said], answers: dict[str, list[Shown]], turns: list[tuple[str, str]]) -> None:
        """Answers stand in the order in which the questions came, which is the order of what is remembered; and nothing is so twice."""
        came = {id: number for number, (id, role) in enumerate(turns) if role == "person"}
        if not self.venue.strict:  # what was found in its history came later
            said = sorted((one for one in said if one.id in came), key=lambda one: came[one.id])
        order = [int(answers[one.id][0].id) for one in said if one.id in answers]
        if bad := sum(after < before for before, after in pairwise(order)):
            self.verdict.counts["reordered"] += bad
            self.verdict.wrong.append(f"reordered: {bad} answers in {self.venue.name}")
        remembered = iter([(one.id, role) for one in said for role in ("person", "bot")])
        for turn in turns:
            if turn not in remembered:
                self.verdict.count("wrong turns", f"{self.venue.name} {turn}")
                return
