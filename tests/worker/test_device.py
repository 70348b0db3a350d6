"""Where models run, what stands on a device, and what is parked beside it."""

from __future__ import annotations

import pytest

from bot import heap
from bot.config import Config
from bot.errors import ConfigError
from bot.models import Batch, Memory, Model, Placement
from bot.tables import WorkerTable
from bot.worker.app import _room, device_of
from bot.worker.device import Device
from tests.worker.drill import Beat, Done, Drum


class Sticky(Drum):
    """Fails to unload."""

    def memory(self) -> Memory:
        return Memory(6)

    def unload(self) -> None:
        raise RuntimeError("it sticks")


class Unmeasured(Drum):
    """Fails to say how large it is."""

    def memory(self) -> Memory:
        raise RuntimeError("no idea")


class Quiet(Drum):
    """Does as it should."""

    name = "quiet"

    def memory(self) -> Memory:
        return Memory(6)

    def load(self, placement: Placement) -> None: ...

    def unload(self) -> None: ...


@pytest.mark.parametrize("chosen", ["cuda", "cuda:7", "mps"])
def test_a_device_that_is_not_here_is_a_sentence(chosen: str) -> None:
    import torch

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ConfigError, match=f'worker.device = "{chosen}": torch .* finds no such device here'):
        device_of(Config(worker=WorkerTable(device=chosen)))


def test_the_operator_may_allow_models_less_memory_than_there_is() -> None:
    assert _room("cpu", 1000) == 1000
    assert 1000 < _room("cpu", None) == pytest.approx(_room("cpu", 2**60), rel=0.2)


def test_a_model_that_fails_to_unload_is_gone_and_the_next_one_comes(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("DRILL_LOG", f"{tmp_path}/log")
    made, sticky, quiet = Device(10, lambda _: Placement("cpu")), Sticky(), Quiet()
    made.warm(Unmeasured())
    made.warm(sticky)
    assert made.has(sticky)
    with pytest.raises(RuntimeError, match="it sticks"):
        made.bring_in(quiet)
    made.bring_in(quiet)
    assert (made.has(sticky), made.has(quiet)) == (False, True)


def test_what_a_model_leaves_behind_is_given_back_after_a_while_and_at_once_when_all_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []
    bench, chat, image = Bench(), Movable("chat"), Movable("image")
    monkeypatch.setattr(heap, "give_back", lambda: given.append(bench.now))
    bench.use(chat, image)
    for leaves in (["chat"], ["image"]):  # one is parked by then
        bench.device.tidy()
        bench.now += 600.0
        assert not bench.device.untidy(5.0)
        bench.device.free(leaves)
        assert not bench.device.untidy(5.0), "who is loaded in its place does not pay for it"
        bench.now += 5.0
        assert bench.device.untidy(5.0)
    bench.use(chat)
    bench.device.free()
    bench.device.free()
    assert given == [0.0, 605.0, 1210.0] and not bench.device.untidy(0.0)


class Movable(Model[Beat, Done]):
    """Keeps its weights in a host, where it can; what it was told is noted."""

    job = Beat

    def __init__(self, name: str, size: int = 6, *, parked: int = 6, after: int | None = None) -> None:
        self.name = name
        self.told: list[str] = []
        self.fails: str = ""
        self._size = size
        self._after = size if after is None else after
        self._parked = parked

    def memory(self) -> Memory:
        return Memory(self._after if self.told else self._size, parked=self._parked)

    def _do(self, what: str) -> None:
        self.told.append(what)
        if self.fails == what:
            raise RuntimeError(f"no {what}")

    def load(self, placement: Placement) -> None:
        self._do("load")

    def unload(self) -> None:
        self._do("unload")

    def park(self) -> None:
        self._do("park")

    def unpark(self) -> None:
        self._do("unpark")

    def run(self, batch: Batch[Beat, Done]) -> None: ...


class Bench:
    """A device of ten bytes beside a host of twelve, and a clock."""

    def __init__(self, *, host: bool = True) -> None:
        self.now, self.spare, self.loads = 0.0, 12, list[float]()
        spare = (lambda: self.spare) if host else None
        self.device = Device(10, lambda _: Placement("cpu"), spare=spare, clock=lambda: self.now)

    def use(self, *models: Movable) -> None:
        for model in models:
            self.device.bring_in(model, self.loads.append)


def test_a_second_load_is_a_copy_where_the_host_has_room() -> None:
    bench, chat, image = Bench(), Movable("chat"), Movable("image")
    bench.use(chat, image, chat, image)
    assert chat.told == ["load", "park", "unpark", "park"]
    assert image.told == ["load", "park", "unpark"]
    assert len(bench.loads) == 4
    assert bench.device.has(image)
    assert not bench.device.has(chat)


def test_weights_that_find_no_room_in_the_host_or_cannot_move_are_unloaded() -> None:
    bench, chat, speech, image = Bench(), Movable("chat", parked=13), Movable("speech", parked=0), Movable("image")
    bench.use(chat, speech, image)
    assert (chat.told, speech.told) == (["load", "unload"], ["load", "unload"])


def test_on_a_cpu_nothing_is_parked() -> None:
    bench, chat, image = Bench(host=False), Movable("chat"), Movable("image")
    bench.use(chat, image)
    assert chat.told == ["load", "unload"]


def test_a_model_that_fails_to_park_is_unloaded_and_one_that_fails_to_return_is_loaded_anew() -> None:
    bench, chat, image = Bench(), Movable("chat"), Movable("image")
    chat.fails = "park"
    bench.use(chat, image)
    assert chat.told == ["load", "park", "unload"]
    image.fails = "unpark"
    bench.use(chat)
    with pytest.raises(RuntimeError, match="no unpark"):
        bench.use(image)
    bench.use(image)
    assert image.told == ["load", "park", "unpark", "unload", "load"]


def test_a_model_is_as_large_as_it_measures_once_it_is_loaded() -> None:
    bench, unknown, other = Bench(host=False), Movable("unknown", 0, after=8), Movable("other", 4)
    bench.use(unknown, other)
    assert unknown.told == ["load", "unload"]


def test_what_a_model_took_counts_more_than_what_it_foretells() -> None:
    bench, cautious, other = Bench(host=False), Movable("cautious", 10, after=5), Movable("other", 5)
    bench.use(other, cautious)
    assert other.told == ["load", "unload"]
    bench.device.free(["cautious"])
    cautious.told.clear()
    bench.use(other, cautious)
    assert other.told == ["load", "unload", "load"]


def test_who_ran_out_of_memory_beside_others_is_not_put_beside_them_again() -> None:
    bench, chat, image = Bench(), Movable("chat", 5), Movable("image", 5)
    bench.use(chat, image)
    assert bench.device.alone(image)
    assert not bench.device.alone(image), "there is nobody left"
    bench.use(chat)
    assert image.told == ["load", "park"]
    assert chat.told == ["load", "unload", "load"]


def test_models_that_nobody_uses_leave_device_and_host() -> None:
    bench, chat, image = Bench(), Movable("chat"), Movable("image")
    bench.use(chat)
    bench.now = 10.0
    bench.use(image)
    bench.now = 15.0
    assert bench.device.idle(12.0) == ["chat"]
    assert bench.device.idle(12.0, busy=["chat"]) == []
    bench.device.free(bench.device.idle(12.0))
    assert chat.told == ["load", "park", "unload"]
    image.fails = "unload"
    bench.device.free()
    assert not bench.device.has(image)
    assert bench.device.idle(0.0) == []
