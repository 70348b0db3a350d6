"""What `/why` tells of a message's path, and to whom."""

from __future__ import annotations

from redis.asyncio import Redis

from bot.allowing import AdmissionTable, PersonAmounts, QuotasTable
from bot.messages import Address, Quote
from bot.store.keys import Keys
from bot.testing import wait_until
from tests.hands import Said, worker
from tests.plugins.admin.street import ANN, BOB, BOT, CHESS, Street, street

OPEN = AdmissionTable(servers="open", direct="open")
SEEN = "I saw it at "


async def why(here: Street, *, manages: bool = False, about: Quote | None = None) -> list[str]:
    """What Ann or Bob is told, without the time and the references."""
    for router in here.routers:
        await router.endings.close()
    [text] = await here.say("/why", ANN if manages else BOB, reply_to=about, manages=manages)
    return [line.partition(" Reference:")[0] for line in text.splitlines() if not line.startswith(SEEN)]


async def test_the_path_goes_from_the_message_to_its_answer(redis: Redis, keys: Keys) -> None:
    async with street(redis, keys, OPEN) as here, worker(redis, keys, ["say"], lambda job: ("", Said(words="hm"))):
        await here.say("/hum")
        command, taken, request, finished = await why(here)
        assert (command, taken) == ("It was a command.", "- **singer** took it (command hum): it is on here, and you may use it.")
        assert request.startswith("  - A request to model (say). In line for ")
        assert request.endswith(" s. On the device for 0.1 s.")
        assert finished.startswith("  - Finished after ")
        assert finished.endswith(" s; messages: 1.")


async def test_it_says_why_there_is_no_answer(redis: Redis, keys: Keys) -> None:
    async with street(redis, keys, OPEN, QuotasTable(person=PersonAmounts(messages=("1/day",)))) as here:
        await here.say("hello", mentions=())
        assert (await why(here))[0].startswith("It was not said to me: it does not mention me")
        await here.say("hello")
        assert await why(here) == ["It was said to me, because it mentions me.", "No plugin that is on here wanted it."]
        await here.say("/plugins", ANN, manages=True)
        await here.press("Switch singer off", ANN, CHESS, manages=True)
        await here.say("sing")
        assert (await why(here))[1] == "singer would have taken it, but is switched off here: /plugins."
        await here.press("Switch singer on", ANN, CHESS, manages=True)
        for _ in range(2):
            await here.say("/song")
        assert (await why(here))[1].startswith("- I said instead of an answer: You may use 1 messages in a day here")


async def test_an_answer_leads_to_its_question_and_only_the_asker_and_admins_are_told(redis: Redis, keys: Keys) -> None:
    async with street(redis, keys, OPEN) as here:
        await here.say("/song", ANN)
        [answer] = here.platform.chats[CHESS]
        about = Quote(answer, BOT)
        await wait_until(lambda: not here.routers[0].runner.held)
        assert await why(here, about=about) == ["Only whose message it is, and the admins of this server, can see why."]
        assert (await why(here, about=about, manages=True))[0] == "It was a command."
        elsewhere = await here.say("/why", BOB, Address("chat", "choir", "main"), reply_to=about)
        assert elsewhere[0].startswith("I know nothing of that")
