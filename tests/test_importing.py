"""Python looks for no garbage while large libraries are imported, and does so again afterwards, whatever came of it."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from bot.catalogue import load
from bot.importing import importing
from plugins.chat import loading as chat
from plugins.chat.precision import Numbers
from plugins.imagine import loading as imagine


class Watched(ModuleType):
    """A library from which nothing can be imported."""

    looks: bool | None = None

    def __getattr__(self, name: str) -> None:
        if not name.startswith("__"):
            self.looks = gc.isenabled()
            raise ImportError(name)


@pytest.fixture(autouse=True)
def enabled() -> Iterator[None]:
    assert gc.isenabled()
    yield
    assert gc.isenabled(), "whatever was tried with it"


def test_the_collector_waits_and_goes_on_also_after_a_fault_and_stays_off_where_it_was() -> None:
    with pytest.raises(ImportError), importing():
        assert not gc.isenabled()
        raise ImportError
    assert gc.isenabled()
    gc.disable()
    with importing():
        pass
    assert not gc.isenabled()
    gc.enable()


def test_a_pipeline_is_imported_so_before_its_weights_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "FluxPipeline"}))
    library = Watched("diffusers")
    monkeypatch.setattr(imagine, "diffusers", library)
    facts = load().models["flux.1-schnell"].image
    assert facts is not None
    with pytest.raises(ImportError, match="FluxPipeline"):
        imagine.loaded(tmp_path, facts.planned(1 << 40, on="cpu"), "cpu", facts)
    assert library.looks is False


def test_so_is_a_chat_models_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Watched("transformers")
    monkeypatch.setitem(sys.modules, "transformers", library)
    with pytest.raises(ImportError):
        chat.loaded(tmp_path, "cpu", None, Numbers("float32", torch.float32))
    assert library.looks is False
