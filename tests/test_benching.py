"""`hobnob models bench`: answers side by side, with figures, and a judge who knows no names. The models are scripted servers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.cli.benching import bench
from bot.errors import ConfigError
from tests.plugins.chat.families import checkpoint
from tests.plugins.chat.server import Script, serving
from tests.plugins.chat.test_adapters import BASE, adapter


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    (tmp_path / "prompts.txt").write_text("# ours\nWhat is the capital of France?\n\nAnd of Italy?\n", encoding="utf-8")
    return tmp_path / "prompts.txt"


def configured(folder: Path, **servers: Script) -> Path:
    tables = "".join(f'[plugins.chat.servers.{name}]\nurl = "{script.url}"\n' for name, script in servers.items())
    (folder / "bot.toml").write_text(f"[plugins.chat]\nmodels = {json.dumps(list(servers))}\n{tables}", encoding="utf-8")
    return folder / "bot.toml"


def test_models_answer_the_same_prompts_side_by_side(tmp_path: Path, prompts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(Script()) as good, serving(Script(words=("No ", "idea."))) as bad, serving(Script(words=("Number 1",))) as judge:
        config = configured(tmp_path, good=good, bad=bad, judge=judge)
        bench(config, ["good", "bad"], prompts, "judge", as_json=True)
        found = json.loads(capsys.readouterr().out)
        bench(config, ["good", "bad"], prompts, "", as_json=False)
    assert found["prompts"] == ["What is the capital of France?", "And of Italy?"]
    assert [[answer["text"] for answer in model["answers"]] for model in found["models"]] == [
        ["The capital is Paris."] * 2,
        ["No idea."] * 2,
    ]
    assert sum(model["votes"] for model in found["models"]) == 2
    assert all(answer["seconds"] >= answer["first"] >= 0 for model in found["models"] for answer in model["answers"])
    shown = judge.asked[0]["messages"][-1]["content"]
    assert "Answer 1:" in shown and "good" not in shown and "bad" not in shown
    table = capsys.readouterr().out
    assert "The capital is Paris." in table and "No idea." in table and "tokens/s" in table


def test_a_model_that_is_not_served_and_a_file_without_prompts_are_named(tmp_path: Path, prompts: Path) -> None:
    with serving(Script()) as script:
        config = configured(tmp_path, good=script)
        with pytest.raises(ConfigError, match=r"serves \(good\), found gpt"):
            bench(config, ["good", "gpt"], prompts, "", as_json=True)
        prompts.write_text("# nothing\n", encoding="utf-8")
        with pytest.raises(ConfigError, match="expected a prompt on each line, found none"):
            bench(config, ["good"], prompts, "", as_json=True)


def test_an_adapter_answers_to_its_own_name(tmp_path: Path, prompts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its own weights on those of its base, which answers by itself as it does without."""
    models = tmp_path / "models"
    adapter(models / "poet", checkpoint(models / BASE.name, BASE.name), seed=1)
    source = 'source = { type = "hub", repo = "ada/NAME" }\n'
    for name in ("poet", "absent"):
        entry = f'summary = "Rhymes"\nlicence = "mit"\ndisk = 1\nbase = "{BASE.name}"\n{source.replace("NAME", name)}'
        (models / f"{name}.toml").write_text(entry, encoding="utf-8")
    names = [BASE.name, "poet", "absent"]
    chat = f'[plugins.chat]\nmodels = {json.dumps(names)}\n[plugins.chat.running."{BASE.name}"]\nprecision = "float32"\n'
    (tmp_path / "bot.toml").write_text(f'data_dir = "{tmp_path}"\n{chat}', encoding="utf-8")
    bench(tmp_path / "bot.toml", names[:2], prompts, "", as_json=True)
    base, poet = json.loads(capsys.readouterr().out)["models"]
    assert (base["model"], poet["model"]) == (BASE.name, "poet")
    assert all(told["tokens"] for model in (base, poet) for told in model["answers"])
    assert [told["text"] for told in base["answers"]] != [told["text"] for told in poet["answers"]]
    assert poet["memory"] > base["memory"], "its weights are on top"
    with pytest.raises(ConfigError, match="absent is not here: hobnob models pull absent"):
        bench(tmp_path / "bot.toml", ["absent"], prompts, "", as_json=True)
