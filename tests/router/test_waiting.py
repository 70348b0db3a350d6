"""What people see while they wait, and what they are told when waiting ends without an answer."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from bot.errors import JobRefused
from bot.jobs import Preview, Progress, TextSoFar
from bot.messages import Address
from bot.queueing import QueueTable
from bot.router.gate import View
from bot.router.terms import Terms
from bot.store.dead import DeadList
from bot.store.duty import ALL, Duty, Leave
from bot.store.keys import Keys
from bot.store.servers import Choices, Server, Servers
from bot.store.shifts import Claim, Offer, Shift
from bot.testing import wait_until
from tests.hands import Said
from tests.router.waiting import BEN, EVE, OFFER, ROOM, scene

PNG = b"\x89PNG\r\n\x1a\n"


async def test_what_killed_its_workers_is_listed_and_asked_again_the_answer_replies_to_the_question(redis: Redis, keys: Keys) -> None:
    async with scene(redis, keys, lease=0.05) as at:
        await at.ask("asked")
        for _ in range(4):
            await at.claim()  # and is never heard of again
        await wait_until(lambda: any("Reference:" in text for text in at.shown()))
        dead = DeadList(redis, keys)
        [one] = await dead.all()
        assert (one.wanted, one.server, one.worker, one.crashes) == ("say", "room/lounge", "worker-1", 3)
        assert any(one.ref in text for text in at.shown())
        await at.quiet()
        await dead.retry([one.id])
        assert await dead.retried({"discord"}) == {}, "left to a router that speaks it"
        at.shift.lease = 8.0
        await at.finish(await at.claim())
        await wait_until(lambda: "hello" in at.shown())
        assert [post.reply_to for post in at.posts()] == ["asked", "asked"]
        await at.quiet()
        assert await dead.all() == []
        assert await dead.retried({"room"}) == {}


async def test_what_a_model_refuses_to_do_its_person_reads_why(redis: Redis, keys: Keys) -> None:
    async with scene(redis, keys) as at:
        await at.ask()
        assert await at.shift.fail(await at.claim(), JobRefused("The server draws no such thing."), 0.1)
        await at.sees("The server draws no such thing.")


async def test_what_was_dropped_is_not_asked_again(redis: Redis, keys: Keys) -> None:
    async with scene(redis, keys, lease=0.05) as at:
        await at.ask()
        for _ in range(4):
            await at.claim()
        await at.quiet()
        dead = DeadList(redis, keys)
        [one] = await dead.all()
        await dead.drop([one.id])
        assert not await redis.exists(keys.dead_job(one.id))
        await dead.retry([one.id])
        await wait_until(lambda: _taken(dead))
        assert len(at.shown()) == 1


async def _taken(dead: DeadList) -> bool:
    return await dead.retried({"room"}) == {}


async def test_an_answer_that_would_come_too_late_is_dropped_with_a_notice(redis: Redis, keys: Keys) -> None:
    async with scene(redis, keys, QueueTable(deadlines={"say": 1.0})) as at:
        await at.ask()
        await at.quiet()
        assert at.shown() == [
            "This has waited a few seconds for its turn, so I have let it go. Please ask again if you still want to know."
        ]


async def test_who_asks_too_much_is_told_how_much_waits_of_theirs_and_how_much_of_all(redis: Redis, keys: Keys) -> None:
    async with scene(redis, keys, QueueTable(per_person=1, per_server=2)) as at:
        await at.ask("1")
        await wait_until(lambda: at.posts())
        await at.ask("2")
        await wait_until(lambda: "1 request of yours is waiting here already. Please ask again when it is answered." in at.shown())
        await at.ask("3", person=BEN)
        await wait_until(lambda: len(at.posts()) == 3)
        await at.ask("4", person=EVE)
        full = "2 requests are waiting here already, all of them ahead of you. Please ask again when some of them are answered."
        await wait_until(lambda: full in at.shown())


async def test_the_status_line_tells_of_place_loading_progress_and_preview_and_becomes_the_answer(redis: Redis, keys: Keys) -> None:
    async with scene(redis, keys) as at:
        blob = await at.router.stores.blobs.put(PNG, "image/png", "preview.png")
        await at.ask()
        await at.sees("You are next.")
        claim = await at.claim(replace(OFFER, resident=False))
        await at.sees("Loading the model.")
        await at.shift.loaded(OFFER, 20.0, [claim])
        await at.sees("…")
        for done in (1.0, 2.0):
            await at.emit(claim, Progress(done=done, total=4.0, unit="steps"))
            await at.sees(f"{done:.0f} of 4 steps.")
        await at.emit(claim, Preview(image=blob))
        await wait_until(lambda: [upload.content for post in at.posts() for upload in post.uploads] == [PNG])
        assert (at.shown(), at.labels()) == (["2 of 4 steps."], ["Cancel"])
        await at.finish(claim)
        await at.sees("hello")
        [answer] = at.posts()
        assert (answer.keys, answer.uploads, answer.busy) == ((), (), False)
        assert len([call for call in at.platform.calls if call[0] == "send"]) == 1


async def test_pictures_in_a_status_line_are_rationed(redis: Redis, keys: Keys) -> None:
    async with scene(redis, keys) as at:
        await at.ask()
        claim = await at.claim()
        for number in range(40):
            blob = await at.router.stores.blobs.put(b"%d" % number, "image/png", "preview.png")
            await at.emit(claim, Preview(image=blob))
            if not number:
                await wait_until(lambda: [upload for post in at.posts() for upload in post.uploads])
        await wait_until(lambda: [upload.content for post in at.posts() for upload in post.uploads] == [b"39"])
        assert len(at.platform.calls) <= 4
        await at.finish(claim)


@pytest.mark.parametrize("state", ["waits", "loads", "runs", "parked", "streams", "between"])
async def test_cancel_works_in_every_state(redis: Redis, keys: Keys, state: str) -> None:
    async with scene(redis, keys) as at:
        await at.ask(command={"between": "twice", "streams": "recite"}.get(state, "say"))
        if state != "waits":
            claim = await at.claim(replace(OFFER, resident=state != "loads"))
        if state == "parked":
            await at.shift.park([claim])
        if state == "streams":
            await at.emit(claim, TextSoFar(text="so far"))
            await at.sees("so far")
        await wait_until(lambda: at.labels() == ["Cancel"])
        if state == "between":
            await at.finish(claim)
            await at.asker.between.wait()
        await at.press("Cancel")
        at.asker.onward.set()
        await at.sees("Cancelled.")
        assert (await at.shift.claim([OFFER])).claims == []


async def test_a_quiet_server_sees_answers_alone(redis: Redis, keys: Keys) -> None:
    await Servers(redis, keys).put(ROOM.tenant, Server(choices=Choices(quiet=True)))
    async with scene(redis, keys) as at:
        await at.ask("1")
        claim = await at.claim()
        await at.emit(claim, Progress(done=1.0, total=4.0, unit="steps"))
        await at.ask("2", "recite", BEN)
        await at.emit(await at.claim(), TextSoFar(text="so far"))
        await at.sees("so far")
        assert at.shown() == ["so far"], "what streams is the answer already"
        await at.finish(claim)
        await wait_until(lambda: at.shown() == ["so far", "hello"])
        sent = [text for _, _, text in at.platform.calls]
        assert sent == ["so far", "hello"]


async def test_a_channel_may_be_loud_where_the_server_or_the_operator_is_quiet(redis: Redis, keys: Keys) -> None:
    quiet = Server(choices=Choices(quiet=True), channels={"loud": Choices(quiet=False), "other": Choices()})
    seen = [View(server, {}, Terms(quiet=default)).quiet(replace(ROOM, channel=channel)) for server, default, channel in (
        (quiet, False, "main"), (quiet, False, "loud"), (quiet, False, "other"), (Server(), True, "main"), (Server(), False, "main"),
    )]  # fmt: skip
    assert seen == [True, False, True, True, False]


async def test_who_waits_and_who_asks_is_told_of_a_pause_and_when_it_ends(redis: Redis, keys: Keys) -> None:
    duty = Duty(redis, keys)
    async with scene(redis, keys, QueueTable(deadlines={"say": 7200.0})) as at:
        await at.ask("1")
        await at.sees("You are next.")
        await duty.order([ALL], Leave("pause", time.time() + 3590.0))
        await at.sees("This is paused and goes on in about 1 hour.")
        await at.ask("2", person=BEN)
        await at.sees("This is paused and goes on in about 1 hour. 1 ahead of you.")
        await duty.order([ALL], Leave("pause"))
        await at.sees("This is paused for now. 1 ahead of you.")
        await duty.resume([ALL])
        await at.sees("Waiting: 1 ahead of you.")


async def test_a_pause_that_outlasts_what_an_answer_is_worth_refuses_at_once(redis: Redis, keys: Keys) -> None:
    async with scene(redis, keys) as at:
        await Duty(redis, keys).order([ALL], Leave("pause", time.time() + 3590.0))
        await at.ask()
        await at.quiet()
        assert at.shown() == ["This is paused and goes on in about 1 hour. Please ask again then."]
        await Duty(redis, keys).resume([ALL])


async def test_a_long_wait_offers_what_the_operator_allows_and_the_choice_is_kept(redis: Redis, keys: Keys) -> None:
    table = QueueTable(offer_after=30.0, instead={"say": {"finch": "A smaller one, now", "gone": "Not here", "remote": "A remote one"}})
    async with scene(redis, keys, table) as at:
        others = Shift(redis, keys, "w2", [FINCH, Offer("remote", ["say:remote"])], owns=False, lease=60.0)
        await others.renew()
        await Duty(redis, keys).order([ALL], Leave("pause", time.time() + 3590.0))
        await at.ask()
        await wait_until(lambda: at.labels() == ["Cancel", "A smaller one, now", "A remote one"])
        assert at.shown() == ["This is paused and goes on in about 1 hour."]
        await at.press("A smaller one, now", by=BEN)
        await wait_until(lambda: len(at.shown()) == 2)
        assert at.shown()[1].startswith("Only the person who asked") and at.posts()[1].private
        alone = Address("room", BEN.id, "ben", direct=True)
        await at.press("A smaller one, now", by=BEN, manages=True, where=alone)
        await wait_until(lambda: at.platform.shown(alone))
        assert at.platform.shown(alone)[0].startswith("Only the person who asked"), "no admin of where it was asked"
        await at.press("A smaller one, now")
        [claim] = await wait_until(lambda: _claims(others))
        assert claim.body["job"]["model"] == "finch"
        held = at.router.runner.held
        await at.again(held[0])
        await others.finish(claim, Said(words="chirp").model_dump_json(), 0.1)
        await wait_until(lambda: "chirp" in at.shown())
        await at.quiet()
        await Duty(redis, keys).resume([ALL])


FINCH = Offer("finch", ["say:finch"])


async def _claims(shift: Shift) -> list[Claim]:
    return (await shift.claim([FINCH])).claims


async def test_a_choice_comes_too_late_for_what_has_begun_or_ended(redis: Redis, keys: Keys) -> None:
    async with scene(redis, keys, QueueTable(instead={"say": {"finch": "Smaller"}})) as at:
        await at.ask()
        claim = await at.claim()
        [ticket] = at.router.runner.held
        assert not await at.router.stores.queue.exchange(ticket.id, "say", "finch")
        await at.finish(claim)
        await at.sees("hello")
        await at.quiet()
        assert not await at.router.stores.queue.exchange(ticket.id, "say", "finch")


async def test_a_result_of_another_release_is_read_as_far_as_it_is_known(redis: Redis, keys: Keys) -> None:
    outdated = "I was updated while I worked on this. Please ask again."
    async with scene(redis, keys) as at:
        for said, shown in (('{"words": "hi", "mood": "new"}', "hi"), ('{"words": 3}', outdated)):
            await at.ask(said)
            claim = await at.claim()
            assert await at.shift.emit_all([(claim, '{"kind": "unheard of"}')]) == [True]
            assert await at.shift.finish(claim, said, 0.1)
            await at.sees(shown)


async def test_a_pause_of_some_is_none_for_what_others_serve_too(redis: Redis, keys: Keys) -> None:
    async with scene(redis, keys) as at:
        await Shift(redis, keys, "z", [Offer("finch", ["say", "say:finch"])], name="z", owns=False, lease=60.0).renew()
        await Shift(redis, keys, "a", [Offer("finch", ["say", "say:finch"])], name="a", owns=False, lease=60.0).renew()
        await Duty(redis, keys).order([ALL, "a"], Leave("pause"))
        await at.ask()
        await at.sees("You are next.")
        await Duty(redis, keys).resume([ALL, "a"])
