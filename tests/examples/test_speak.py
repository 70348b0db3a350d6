"""The example that speaks: a tiny VITS with chance for weights, from words on one platform to a voice note in Opus."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import av
import pytest
from redis.asyncio import Redis

from bot import Answer, Batch, Called, Generate, Limits, Memory, Message, Model, Person, Placement, Progress, Quote, Text
from bot.config import Config, PluginTable
from bot.messages import Address
from bot.plugins import load
from bot.store.blobs import Blobs
from bot.store.keys import Keys
from bot.store.shifts import Shift
from bot.testing import wait_until
from bot.testing.model import run
from bot.testing.platform import Platform
from bot.worker.device import Device
from bot.worker.loop import Loop
from bot.worker.offers import offer
from tests.router.world import Fate, router

FOLDER = Path(__file__).parents[2] / "docs/examples/speak"

LETTERS = " abcdefghijklmnopqrstuvwxyz'-"

ROOM, ADA = Address("room", "lounge", "main"), Person("ada", "Ada")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A voice of 60,000 numbers, made as transformers makes every VITS, in a catalogue of its own."""
    from transformers import VitsConfig, VitsModel

    folder = tmp_path_factory.mktemp("data")
    voice = folder / "models/tiny-voice"
    small: dict[str, Any] = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "ffn_dim": 16,
        "flow_size": 16,
        "spectrogram_bins": 9,
        "upsample_initial_channel": 16,
    }
    decoder: dict[str, Any] = {
        "upsample_rates": (8, 8),
        "upsample_kernel_sizes": (16, 16),
        "resblock_kernel_sizes": (3,),
        "resblock_dilation_sizes": ((1,),),
    }
    layers: dict[str, Any] = {"duration_predictor_filter_channels": 16, "prior_encoder_num_flows": 2, "prior_encoder_num_wavenet_layers": 1}
    made = VitsConfig(vocab_size=len(LETTERS) + 1, **small, **decoder, **layers, posterior_encoder_num_wavenet_layers=1)
    VitsModel(made).save_pretrained(voice)
    (voice / "vocab.json").write_text(json.dumps({"<pad>": 0, **{letter: number for number, letter in enumerate(LETTERS, 1)}}))
    (voice / "tokenizer_config.json").write_text(json.dumps({"phonemize": False, "add_blank": True, "normalize": True}))
    entry = 'summary = "Noise."\nkind = "voice"\nlicence = "MIT"\ndisk = 300_000\n[source]\ntype = "hub"\nrepo = "a/b"\n'
    (folder / "models/tiny-voice.toml").write_text(entry)
    table = PluginTable.model_validate({"path": FOLDER, "model": "tiny-voice"})
    return Config(data_dir=folder, models={"dir": folder / "models"}, plugins={"speak": table})


@pytest.fixture(scope="module")
def vits(config: Config) -> Iterator[Any]:
    ((_, model),) = load(config, "model").collect("register_models")
    model.load(Placement("cpu", config.models_dir / "tiny-voice"))
    yield model
    model.unload()


class Oracle(Model[Generate, Answer]):
    """A chat model with one answer."""

    name = "oracle"
    job = Generate

    def memory(self) -> Memory:
        return Memory(0)

    def load(self, placement: Placement) -> None: ...

    def run(self, batch: Batch[Generate, Answer]) -> None:
        for work in batch:
            work.finish(Answer(text="It **scatters** light.", finish="stop", prompt_tokens=1, tokens=3, model=self.name))

    def unload(self) -> None: ...


@asynccontextmanager
async def working(redis: Redis, keys: Keys, models: Iterable[Model[Any, Any]], config: Config) -> AsyncIterator[None]:
    """A worker's loop in this process."""
    models = list(models)
    shift = Shift(redis, keys, "worker", [offer(model) for model in models], lease=600.0)
    device = Device(1 << 30, lambda model: Placement("cpu", config.models_dir / model.weights if model.weights else None))
    loop = Loop(models, shift, Blobs(redis, keys), device)
    await shift.renew()
    running = asyncio.create_task(loop.run())
    yield
    loop.stop()
    await running
    assert await loop.close()
    await shift.sign_off()


async def test_words_come_back_as_a_voice_note(config: Config, vits: Any, redis_url: str, redis: Redis, keys: Keys) -> None:
    platform, plugins = Platform(most=Limits(text=200, file=1 << 20, edit_interval=0.0)), load(config, "front")
    async with working(redis, keys, [vits, Oracle()], config), router(redis_url, keys, plugins, platform, Fate()) as made:

        async def answered(id: str, command: str, text: str = "", **facts: Any) -> Any:
            await made.deliver(Message(id, id, ROOM, ADA, trigger=Called(command, text=text), **facts))
            await wait_until(lambda: platform.chats.get(ROOM) and not platform.busy() and not made.runner.held, 60.0)
            return list(platform.chats[ROOM].values())[-1]

        spoken = await answered("1", "speak", "Dinner is ready. Come!")
        quoted = await answered("2", "speak", reply_to=Quote("0", ADA, (Text("See [this](https://example.com)."),)))
        aloud = await answered("3", "aloud", "why is the sky blue?")
        refused = await answered("4", "speak", "x" * 601)
    for post in (spoken, quoted, aloud):
        (upload,) = post.uploads
        assert upload.mime == "audio/ogg"
        with av.open(io.BytesIO(upload.content), "r") as sound:
            assert (sound.streams.audio[0].codec_context.name, sound.streams.audio[0].rate) == ("opus", 48_000)
            assert sum(frame.samples for frame in sound.decode(audio=0)) > 4_800
    assert aloud.text == "It **scatters** light."
    assert refused.text == "I read at most 600 characters aloud, and this is 601."


def test_letters_of_another_language_are_refused_and_whoever_left_is_not_spoken_to(vits: Any) -> None:
    speak = import_module(f"{type(vits).__module__.rpartition('.')[0]}.jobs").Speak
    silent, left, said = run(vits, speak(text="你好。"), speak(text="hello"), speak(text="hello there"), cancelled=[1])
    assert silent.failed == "I have no sounds for these letters: this voice speaks another language."
    assert (left.result, left.failed, said.failed) == (None, None, None)
    assert said.partials == [Progress(done=0, total=1, unit="sentences")]
    assert getattr(said.result, "seconds", 0) > 0.2


def test_long_texts_are_spoken_in_parts(vits: Any) -> None:
    pieces = import_module(type(vits).__module__).pieces
    assert list(pieces("One. Two! 三。四")) == ["One.", "Two!", "三。", "四"]
    assert [len(piece) <= 240 for piece in pieces("word " * 200)] == [True] * len(list(pieces("word " * 200)))
    assert "".join(pieces("x" * 500)) == "x" * 500
