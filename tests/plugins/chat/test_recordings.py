"""What a message says that replies to a voice note, where there is hardly room for it. Else: `test_front.py` and `test_requests.py`."""

from __future__ import annotations

from bot import Function, Quote, Reply, UserError
from bot.testing import ScriptedActs
from tests.plugins.chat.test_front import BOB, VOICE, answer, replied, said

LISTENS = Function(name="transcribe", description="Writes down what is said.", parameters={})


async def test_a_question_that_fits_is_answered_also_where_there_is_no_room_for_the_voice_note_it_replies_to() -> None:
    answered, listened = [], []
    for length in range(3400, 3640, 5):
        message = said("@Hobnob " + "word " * (length // 5), reply_to=Quote("m0", BOB, (VOICE,)))
        for offered in ((), (LISTENS,)):
            acts = ScriptedActs(answer("At nine."))
            acts.offered, acts.results["transcribe"] = offered, Reply("She is coming at nine.")
            try:
                await replied(message, acts)
                answered.append(True)
            except UserError:
                answered.append(False)
        listened.append(bool(acts.called))
    assert answered[::2] == answered[1::2] and {*answered} == {True, False}
    assert listened == sorted(listened, reverse=True) and {*listened} == {True, False}, "what has no room is not listened to"
