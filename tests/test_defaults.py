"""The page of defaults says what the code does."""

from __future__ import annotations

from pathlib import Path

from bot.config import load
from bot.plugins import Loaded
from bot.store.conversations import DAY, RETENTION
from bot.tables import Talking
from plugins.transcribe.settings import Settings as Voice

ROOT = Path(__file__).parents[1]


def table() -> dict[str, str]:
    rows = [line.strip("|").split("|") for line in (ROOT / "docs/defaults.md").read_text().splitlines() if line.startswith("| ")]
    return {row[0].strip(): row[1].strip() for row in rows[1:]}


def test_what_holds_before_anybody_chooses_is_what_the_page_says() -> None:
    config = load(ROOT / "config/bot.toml")
    talking, quotas = config.talking, config.quotas
    assert (config.admission.servers, config.admission.direct) == ("approve", "approve")
    assert Talking(**{name: getattr(talking, name) for name in Talking.model_fields}) == Talking()
    assert not (talking.listens or talking.words or talking.follows or talking.threads)
    assert talking.retention * DAY == RETENTION
    person = quotas.person
    assert (person.messages, person.images, person.audio, person.device) == (("120/hour",), ("60/hour",), ("240/day",), ())
    assert not any(getattr(quotas.server, name) for name in type(quotas.server).model_fields)
    assert config.plugins["imagine"].enabled
    voice = Loaded("transcribe", object(), settings=Voice)
    assert (Voice().policy, voice.begins("discord"), voice.begins("telegram")) == ("demand", {}, {})
    assert (voice.begins("room"), config.plugins["transcribe"].defaults) == ({"policy": "always"}, {})
    assert table() == {
        "new servers, and people alone with the bot": "are let in when an owner says so",
        "chat answers": "when it is mentioned, replied to, or alone with somebody",
        "voice notes": "become text on demand, what is said to the bot always (`demand`); in our own rooms all of them (`always`)",
        "images": "may be asked for by everybody; age-restricted channels as the platform allows",
        "silent following": "off: what is not said to the bot is not remembered",
        "a conversation is remembered": "30 days after its last turn",
        "a person may use, in one server": "120 messages and 60 images an hour, 240 minutes of audio a day",
        "a server may use": "as much as its people may",
    }
