"""In which language people read the bot, in a room: their own choice, else the server's, else what their browser says."""

from __future__ import annotations

from bot.messages import Text
from bot.store.places import Draft
from tests.plugins.admin.hall import ANN, BOB, HALL, Hall


async def said(hall: Hall, text: str, language: str) -> str:
    """What the bot answers Ben, whose browser is in this language."""
    before = {one.id for one in await hall.shown()}
    await hall.rooms.say(HALL, Draft(BOB, (Text(text),), language=language))
    await hall.quiet()
    return "\n".join(one.text for one in await hall.shown() if one.id not in before)


async def test_a_person_reads_their_choice_else_that_of_the_server_else_what_their_browser_says(hall: Hall) -> None:
    await hall.own()
    assert (await said(hall, "/language", "en-GB")).startswith("I can say my own words")
    assert (await said(hall, "/language", "zh-CN")).startswith("我自己的提示")
    await hall.say("/settings hobnob language zh-Hans")
    assert (await said(hall, "/nonsense", "en-GB")).startswith("这里没有命令 /nonsense。")
    assert (await said(hall, "/language en", "zh-CN")).startswith("From now on I speak this language to you: English.")
    assert (await said(hall, "/help", "zh-CN")).startswith("Mention me, reply to me,")
    assert "我可以使用" not in await hall.press("As this server does", BOB)
    assert "- `/privacy` 看看我保存大家的哪些数据，保存多久。" in (await said(hall, "/help", "")).splitlines()


async def test_menus_buttons_forms_and_faults_are_in_it_too(hall: Hall) -> None:
    await hall.own()
    assert "从现在起，我用这种语言和你说话：中文 (简体)。" in await hall.say("/language zh-hans", ANN)
    assert "**singer** 已开启" in await hall.say("/plugins", ANN)
    assert "关闭 singer" in await hall.labels()
    assert "（由这个服务器决定）" in (await hall.press("关闭 singer", ANN)).replace("(", "（").replace(")", "）")
    assert "已保存。" in await hall.say("/settings hobnob quiet yes", ANN)
    assert "我不会说 klingon。" in await hall.say("/language klingon", ANN)
    assert "应为语言标签" in await hall.say("/settings hobnob language klingon", ANN)


async def test_what_was_chosen_is_given_back_and_forgotten_with_the_person(hall: Hall) -> None:
    await hall.say("/language zh-Hans", BOB)
    assert "language" in str([one async for one in hall.rooms._redis.scan_iter("*:data:hobnob:person:*")])
    await hall.say("/mydata", BOB)
    await hall.press("删除", BOB)
    await hall.press("全部删除", BOB)
    assert (await said(hall, "/help", "en")).startswith("Mention me, reply to me,")


async def test_what_admins_changed_is_read_in_the_language_of_who_reads_it(hall: Hall) -> None:
    await hall.own()
    await hall.say("/plugins")
    await hall.press("Switch singer off")
    for change in (
        "/settings singer loud 5",
        "/settings singer loud reset",
        "/permissions deny /song guest",
        "/permissions make @Bob moderator",
        "/quota messages 3/hour everyone",
    ):
        assert "Saved." in await hall.say(change)
    await hall.say("/language zh-Hans")
    log = (await hall.say("/audit")).splitlines()
    assert [line.partition(" UTC, ")[2] for line in log[1:]] == [
        "Ann: 所有人：3/hour 条消息",
        "Ann: Bob：版主",
        "Ann: 所有访客不能使用 /song",
        "Ann: singer, loud：5 → 未选择",
        "Ann: singer, loud：未选择 → 5",
        "Ann: singer, 已关闭",
    ]
