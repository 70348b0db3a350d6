"""Which models leave so that another fits, and which of them stay in host memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.worker.residency import Held, Plan, plan


def resident(**sizes: int) -> dict[str, Held]:
    return {name: Held(size) for name, size in sizes.items()}


def test_nothing_leaves_while_there_is_room() -> None:
    assert plan(resident(chat=30, speech=20), "image", 50, 100, 0) == Plan()


def test_who_was_used_longest_ago_leaves_first_and_no_more_than_needed() -> None:
    held = resident(chat=30, speech=20, other=40)
    assert sorted(plan(held, "image", 50, 100, 0).unload) == ["chat", "speech"]
    assert plan(held, "image", 40, 100, 0).unload == ["chat"]


def test_a_resident_model_displaces_nobody() -> None:
    assert plan(resident(chat=80, speech=80), "chat", 80, 100, 0) == Plan()


def test_a_model_that_is_too_large_has_the_device_to_itself() -> None:
    assert sorted(plan(resident(chat=30, speech=20), "giant", 500, 100, 0).unload) == ["chat", "speech"]


def test_weights_are_parked_where_the_host_has_room_and_the_model_can() -> None:
    held = {"chat": Held(60, host=50), "speech": Held(30)}
    assert plan(held, "image", 100, 100, 50) == Plan(park=["chat"], unload=["speech"])
    assert plan(held, "image", 100, 100, 49) == Plan(unload=["speech", "chat"])


def test_of_two_that_leave_the_one_used_last_is_parked() -> None:
    held = {"chat": Held(50, host=50), "image": Held(50, host=50)}
    assert plan(held, "giant", 100, 100, 70) == Plan(park=["image"], unload=["chat"])


def test_the_host_drops_what_was_used_before_and_no_more_than_needed() -> None:
    held = {
        "first": Held(20, host=20, resident=False, copied=True),
        "second": Held(20, host=20, resident=False, copied=True),
        "chat": Held(60, host=50),
        "third": Held(90, host=90, resident=False, copied=True),
    }
    assert plan(held, "image", 100, 100, 35) == Plan(drop=["first"], park=["chat"])
    assert plan(held, "image", 100, 100, 9) == Plan(unload=["chat"]), "what was used after it stays"


def test_what_is_needed_is_not_dropped_to_make_room_for_itself() -> None:
    held = {"chat": Held(60, host=50, resident=False, copied=True), "image": Held(60, host=50)}
    assert plan(held, "chat", 60, 100, 10) == Plan(unload=["image"])


def test_who_was_parked_before_is_parked_again_for_nothing() -> None:
    assert plan({"chat": Held(60, host=50, copied=True)}, "image", 60, 100, 0) == Plan(park=["chat"])


models = st.builds(Held, st.integers(0, 60), st.integers(0, 60), st.booleans(), st.booleans()).filter(
    lambda one: (one.resident or one.copied) and (one.host > 0 or not one.copied)
)


@given(st.lists(models, max_size=6), st.integers(0, 100), st.integers(0, 100), st.integers(0, 6))
def test_a_plan_makes_room_on_the_device_and_never_takes_more_of_the_host_than_there_is(
    known: list[Held], size: int, spare: int, needed: int
) -> None:
    held = {f"{number}": one for number, one in enumerate(known)}
    made = plan(held, f"{needed}", size, 100, spare)
    leave = {*made.park, *made.unload}
    left = {name: one.size for name, one in held.items() if one.resident and name not in leave}
    assert f"{needed}" not in leave | set(made.drop)
    assert all(held[name].resident for name in leave)
    assert not any(held[name].resident for name in made.drop)
    if f"{needed}" not in left:
        assert sum(left.values()) + size <= 100 or not left
    new = sum(held[name].host for name in made.park if not held[name].copied)
    assert new <= spare + sum(held[name].host for name in made.drop)
