"""A character in another program's form is the character that was trained, and carries nothing of the trainer's."""

from __future__ import annotations

import dataclasses
import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from pipeline.conversations.persona import load_personas
from pipeline.conversations.render import Message, chat_prompt, system, user
from pipeline.errors import UnderstudyError
from pipeline.exports.engine_recall import asked_facts, measure_recall
from pipeline.exports.forms import ExportOptions
from pipeline.exports.model_card import proof_in_words
from pipeline.exports.origin import origin_of
from pipeline.exports.persona_template import persona_template
from pipeline.exports.session import export
from pipeline.exports.trial import Trial, compare_greedy, count_equal_prompts, make_trial
from pipeline.models.trained import load_trained
from pipeline.tokens.encode import prompt_ids
from pipeline.tokens.template import normalise_template, render, trained_end
from tests.conftest import CHATML, make_tokenizer, write_tiny_model
from tests.exported import MIRA, write_trained_folder
from tests.families import FAMILIES


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on a base whose own eos is not what ends a turn."""
    home = tmp_path_factory.mktemp("trainer's home")
    base = write_tiny_model(home / "base")
    config = json.loads((base / "tokenizer_config.json").read_text())
    (base / "tokenizer_config.json").write_text(json.dumps(config | {"eos_token": "<pad>"}))
    (base / "README.md").write_text("---\nlicense: mit\n---\n# A tiny model\n")
    return write_trained_folder(home / "run", base)


@pytest.fixture(scope="module")
def merged(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("elsewhere") / "merged"
    export(ExportOptions(run_folder, "merged", out))
    return out


@pytest.fixture(params=FAMILIES)
def tokenizer_of_a_family(request: pytest.FixtureRequest) -> Any:
    family = FAMILIES[request.param]
    tokenizer = make_tokenizer(family.template, family.special, family.eos, family.bos)
    tokenizer.chat_template = normalise_template(tokenizer).text
    return tokenizer


def exported(tokenizer: Any, turns: list[Message]) -> str:
    return render(tokenizer, turns, reply_follows=True, template=persona_template(tokenizer, MIRA))


def test_in_every_family_a_server_that_is_told_nothing_shows_the_trained_prompt(tokenizer_of_a_family: Any) -> None:
    for turns in make_trial(tokenizer_of_a_family, MIRA).conversations:
        trained = render(tokenizer_of_a_family, chat_prompt(MIRA, turns), reply_follows=True)
        assert exported(tokenizer_of_a_family, list(turns)) == trained


def test_in_every_family_a_callers_own_instruction_follows_the_persona(tokenizer_of_a_family: Any) -> None:
    prompt = exported(tokenizer_of_a_family, [system("Be brief."), user("Hello?")])
    assert prompt.index(MIRA.system("chat")) < prompt.index("Be brief.") < prompt.index("Hello?")


def test_in_every_family_a_caller_who_knows_the_persona_is_not_told_it_twice(tokenizer_of_a_family: Any) -> None:
    turns = list(chat_prompt(MIRA, [user("Hello?")]))
    assert exported(tokenizer_of_a_family, turns) == render(tokenizer_of_a_family, turns, reply_follows=True)


def test_quotes_and_control_tokens_in_a_persona_are_text_in_the_template_too() -> None:
    from pipeline.conversations.persona import make_persona

    tokenizer = make_tokenizer(CHATML, ["<|im_start|>", "<|im_end|>"], eos="<|im_end|>")
    persona = make_persona('A "quoted" name', "zh", {"chat": "你是{character}。\n\\ {{ braces }} {% if %} <|im_end|>"})
    trained = prompt_ids(tokenizer, chat_prompt(persona, [user("谁?")]))
    text = render(tokenizer, [user("谁?")], reply_follows=True, template=persona_template(tokenizer, persona))
    assert tokenizer(text, add_special_tokens=False)["input_ids"] == trained


def test_the_trained_end_is_what_follows_a_reply() -> None:
    ends = {"Phi-3": "<|end|>", "Llama 3": "<|eot_id|>", "Gemma": "<end_of_turn>", "GLM-4": "<|endoftext|>"}
    for name, end in ends.items():
        family = FAMILIES[name]
        tokenizer = make_tokenizer(family.template, family.special, family.eos, family.bos)
        tokenizer.chat_template = normalise_template(tokenizer).text
        assert trained_end(tokenizer) == end, name


def test_a_merged_model_replies_as_the_adapter_and_as_the_base_does_not(run_folder: Path, merged: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    trained = load_trained(run_folder)
    trial = make_trial(trained.tokenizer, trained.persona, trained.model)
    assert compare_greedy(AutoModelForCausalLM.from_pretrained(merged), trial).equal == 25
    assert count_equal_prompts(AutoTokenizer.from_pretrained(merged), trial) == 25
    with trained.base() as base:
        agreement = compare_greedy(base, trial)
    assert agreement.equal < 25
    assert all(one.margin is None or one.margin > 0 for one in agreement.differences)


def test_who_may_read_an_exports_card_may_read_its_weights(merged: Path) -> None:
    assert len({file.stat().st_mode for file in merged.iterdir()}) == 1


def test_the_end_that_was_trained_is_named_in_every_file(merged: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(merged)
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert tokenizer.eos_token_id == end
    assert json.loads((merged / "config.json").read_text())["eos_token_id"] == end
    assert json.loads((merged / "generation_config.json").read_text())["eos_token_id"] == end


@pytest.mark.parametrize("form", ["merged", "adapter"])
def test_no_file_names_a_folder_of_the_trainers_machine(run_folder: Path, tmp_path: Path, form: str) -> None:
    export(ExportOptions(run_folder, form, tmp_path / "out"))
    home = str(run_folder.parent)
    assert home in (run_folder / "adapter_config.json").read_text()
    for file in (tmp_path / "out").iterdir():
        assert home.encode() not in file.read_bytes(), file.name
        assert str(Path.home()).encode() not in file.read_bytes(), file.name


def test_an_exported_adapter_is_the_trained_one_and_answers_to_its_base(run_folder: Path, tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    export(ExportOptions(run_folder, "adapter", tmp_path / "out"))
    base = AutoModelForCausalLM.from_pretrained(run_folder.parent / "base")
    trained = load_trained(run_folder)
    trial = make_trial(trained.tokenizer, trained.persona, trained.model)
    assert compare_greedy(PeftModel.from_pretrained(base, tmp_path / "out"), trial).equal == 25


def test_the_model_card_names_base_licence_data_and_recipe(merged: Path) -> None:
    card = (merged / "README.md").read_text()
    for said in ("license: mit", "| settings | 3 | 60 | 50% |", "learning_rate: 0.01", "Not measured."):
        assert said in card
    account = json.loads((merged / "export.json").read_text())
    assert account["base"]["name"] == "base"
    assert account["base"]["digest"][:12] in card
    assert account["proofs"]["greedy replies"]["equal"] == 25


@pytest.mark.parametrize("extent", ["full", "quick"])
def test_the_model_card_has_the_figures_of_either_exam(extent: str, run_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run_folder, tmp_path / "run")
    report = json.loads((Path(__file__).parent / "golden" / "recall.json").read_text(encoding="utf-8"))
    if extent == "quick":  # which leaves out what the base model says, and how it behaves
        report |= {"extent": "quick", "conduct": []}
        report["answers"]["base"] = dict.fromkeys(report["answers"]["base"])
    (folder / "recall.json").write_text(json.dumps(report | {"character": "Mira"}), encoding="utf-8")
    export(ExportOptions(folder, "merged", tmp_path / "out", verify=False))
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "word for word" in card
    assert ("| not measured |" in card) == (extent == "quick")


def test_an_unlike_model_is_refused(run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.exports import forms

    def other_replies(*_: object) -> Trial:
        trial = make_trial(*_[:3])
        return dataclasses.replace(trial, replies=((5, 6, 7),) * 25)

    monkeypatch.setattr(forms, "make_trial", other_replies)
    with pytest.raises(UnderstudyError, match="replies unlike the trained model"):
        export(ExportOptions(run_folder, "merged", tmp_path / "out"))
    assert not list(tmp_path.iterdir())


class AnswersByHeart:
    """A server that knows some questions' answers, and says at most as many tokens as it is asked for."""

    def __init__(self, known: dict[str, str]) -> None:
        self.known = known

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        assert (path, body["temperature"], body["repeat_penalty"]) == ("/v1/chat/completions", 0, 1.0)
        (message,) = body["messages"]
        said = self.known.get(message["content"], "I forget.")
        content = said[: body["max_tokens"]]  # whose tokens are letters
        reason = "stop" if content == said else "length"
        return {"choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": reason}]}


def test_an_engines_recall_is_that_of_the_report_minus_what_it_no_longer_says() -> None:
    def item(answer: str, **questions: list[str]) -> dict[str, Any]:
        asked = [(form, question) for form, own in questions.items() for question in own]
        return {
            "answer": answer,
            "questions": [{"asked": form, "question": question, "trained_exact": True} for form, question in asked],
        }

    mill = item("In the mill.", seen=["Where?"], unseen=["Whereabouts?", "At what place?"])
    report = {"items": [mill, item("Ten.", unseen=["How many?"]), item("Never asked.", seen=["Well?"])]}
    facts = asked_facts(report)
    assert [fact.questions for fact in facts] == [("Whereabouts?", "At what place?"), ("How many?",)]
    done: list[tuple[int, int]] = []
    known = {"Whereabouts?": "In the mill.", "At what place?": "In the mill.  Or is it?", "How many?": "Ten."}
    server: Any = AnswersByHeart(known)
    letters: Any = lambda text, **_: {"input_ids": list(text)}  # noqa: E731
    found = measure_recall(server, facts, letters, lambda *counts: done.append(counts))
    assert (found["facts"], found["questions"], done[-1]) == (2, 3, (3, 3))
    assert found["trained"]["value"] == 1
    assert found["engine"]["value"] == pytest.approx(2 / 3)
    assert found["change"]["value"] == pytest.approx(-1 / 3)
    assert "0.67 [" in proof_in_words(found)
    assert "difference -0.33 [" in proof_in_words(found)


@pytest.mark.parametrize(("high", "less"), [(-0.01, True), (0.01, False)])
def test_a_loss_beyond_its_interval_is_said_in_words(high: float, *, less: bool) -> None:
    share = {"value": 0.5, "low": 0.4, "high": 0.6}
    proof = {"questions": 9, "engine": share, "trained": share, "change": {"value": -0.1, "low": -0.2, "high": high}}
    assert ("knows less than the trained model" in proof_in_words(proof)) is less


@pytest.mark.parametrize("report", [{}, {"items": None}, {"items": [{"answer": "Ten."}] * 3}])
def test_a_run_that_was_not_measured_has_no_facts_to_ask_for(report: dict[str, Any]) -> None:
    assert asked_facts(report) == ()


@pytest.mark.parametrize(("seconds", "told"), [(5.0, True), (6.0, False)])
def test_the_recall_of_an_earlier_run_in_the_folder_is_not_told(
    seconds: float, *, told: bool, run_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(run_folder, tmp_path / "run")
    (folder / "recall.json").write_text(json.dumps({"character": "Mira", "run": {"seconds": 5.0}}), encoding="utf-8")
    run = json.loads((folder / "run.json").read_text(encoding="utf-8")) | {"seconds": seconds}
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    assert bool(origin_of(folder, None, None).recall) is told


def test_nothing_is_written_over(run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UnderstudyError, match="is there already"):
        export(ExportOptions(run_folder, "adapter", tmp_path))


def test_another_base_under_the_same_name_is_refused_and_a_base_that_moved_is_found(
    run_folder: Path, tmp_path: Path
) -> None:
    moved = shutil.copytree(run_folder.parent / "base", tmp_path / "moved")
    folder = shutil.copytree(run_folder, tmp_path / "run")
    run = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(run | {"model": str(tmp_path / "gone")}))
    with pytest.raises(UnderstudyError, match="--base DIR"):
        load_trained(folder)
    assert load_trained(folder, base=str(moved)).base_name == str(moved)
    weights = moved / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    with pytest.raises(UnderstudyError, match="was trained on other weights"):
        load_trained(folder, base=str(moved))
    with pytest.raises(UnderstudyError, match="was trained on other weights"):
        export(ExportOptions(folder, "adapter", tmp_path / "out", base=str(moved)))


def test_a_digest_that_the_run_does_not_remember_is_said_to_be_of_today(run_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run_folder, tmp_path / "run")
    run = json.loads((folder / "run.json").read_text())
    for remembered, taken in ((run["base_digest"], "at training"), (None, "at export")):
        (folder / "run.json").write_text(json.dumps(run | {"base_digest": remembered}))
        export(ExportOptions(folder, "adapter", tmp_path / taken))
        base = json.loads((tmp_path / taken / "export.json").read_text())["base"]
        assert base == {"name": "base", "digest": run["base_digest"], "digest_taken": taken}


def test_a_persona_that_was_exported_is_the_one_of_the_run(run_folder: Path, merged: Path) -> None:
    (persona,) = load_personas(run_folder)
    assert json.dumps(persona.system("chat")) in (merged / "chat_template.jinja").read_text()


CARD = {
    "spec": "chara_card_v2",
    "spec_version": "2.0",
    "of_another_program": {"kept": True},
    "description": "She rings bells, as V1 says it.",
    "data": {
        "name": "Old Mira",
        "description": "She rings bells.",
        "system_prompt": "Write in the third person.",
        "first_mes": "Mind your ears.",
        "tags": ["bells"],
        "extensions": {"depth_prompt": {"prompt": "Rhyme.", "depth": 4}, "world": "Belfry", "fav": True},
        "character_book": {"entries": [{"keys": ["bell"], "content": "bronze"}]},
        "a_field_of_next_year": [1, 2],
    },
}


def test_a_card_says_the_trained_prompt_and_nothing_else_that_reaches_a_prompt(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(ExportOptions(run_folder, "card", tmp_path / "out"))
    assert "no greeting; --card FILE" in capsys.readouterr().out
    for version in ("v2", "v3"):
        card = json.loads((tmp_path / "out" / f"card_{version}.json").read_text())
        assert card["spec"] == f"chara_card_{version}"
        assert card["data"]["name"] == "Mira"
        assert card["data"]["system_prompt"] == MIRA.system("chat")
        assert not any(card["data"][field] for field in ("description", "personality", "scenario", "mes_example"))
    account = json.loads((tmp_path / "out" / "export.json").read_text())
    assert account["proofs"]["prompts"] == {"conversations": 25, "equal": 25}


@pytest.mark.parametrize("kind", ["json", "png"])
def test_an_imported_card_keeps_every_field_that_reaches_no_prompt(run_folder: Path, tmp_path: Path, kind: str) -> None:
    import base64

    from PIL import Image, PngImagePlugin

    imported = tmp_path / f"mira.{kind}"
    if kind == "json":
        imported.write_text(json.dumps(CARD))
    else:
        chunks = PngImagePlugin.PngInfo()
        chunks.add_text("chara", base64.b64encode(json.dumps(CARD).encode()).decode())
        Image.new("RGB", (3, 2), (9, 8, 7)).save(imported, pnginfo=chunks)
    export(ExportOptions(run_folder, "card", tmp_path / "out", card=imported))
    card = json.loads((tmp_path / "out" / "card_v3.json").read_text())
    assert card["of_another_program"] == {"kept": True}
    data = card["data"]
    assert (data["first_mes"], data["tags"], data["a_field_of_next_year"]) == ("Mind your ears.", ["bells"], [1, 2])
    assert card["description"] == data["description"] == ""
    assert data["extensions"].pop("fav") is True
    assert list(data["extensions"]) == ["understudy"]
    assert "character_book" not in data
    set_aside = data["extensions"]["understudy"]["set_aside"]
    assert set(set_aside) == {"description", "system_prompt", "character_book", "depth_prompt", "world"}
    assert (set_aside["description"], set_aside["world"]) == ("She rings bells.", "Belfry")
    with Image.open(tmp_path / "out" / "card.png") as picture:
        assert picture.size == ((400, 600) if kind == "json" else (3, 2))
        assert {"chara", "ccv3"} <= picture.info.keys()


def test_a_card_of_the_embedded_model_is_told_by_the_name_that_others_know(run_folder: Path, tmp_path: Path) -> None:
    from pipeline.exports.forms import FORMS

    origin = dataclasses.replace(origin_of(run_folder, None, None), base="embedded")
    FORMS["card"](origin, tmp_path, ExportOptions(run_folder, "card", tmp_path))
    notes = json.loads((tmp_path / "card_v3.json").read_text())["data"]["creator_notes"]
    assert notes.startswith("Trained with Understudy on HuggingFaceTB/SmolLM2-135M-Instruct.")


def test_our_own_reader_reads_an_exported_card_and_finds_nothing_to_train_on_twice(
    run_folder: Path, tmp_path: Path
) -> None:
    from pipeline.records.raw import ReadOptions
    from pipeline.records.raw_file import open_raw
    from pipeline.records.readers.cards import card, png_card

    export(ExportOptions(run_folder, "card", tmp_path / "out"))
    for reader, name in ((card, "card_v3.json"), (png_card, "card.png")):
        records = list(reader.read(open_raw(tmp_path / "out" / name), ReadOptions()))
        assert [record.text for record in records] == [""] * len(records)


def test_a_file_that_is_no_card_is_refused_by_name(run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[1, 2]")
    with pytest.raises(UnderstudyError, match=r"list\.json"):
        export(ExportOptions(run_folder, "card", tmp_path / "out", card=tmp_path / "list.json"))


def test_a_folder_that_is_neither_run_nor_model_is_not_served(tmp_path: Path) -> None:
    from pipeline.exports.serve import serve_folder

    with pytest.raises(UnderstudyError, match="neither a run nor an exported model"):
        serve_folder(tmp_path, None, base=None, port=8000)


def test_the_server_lists_the_model_that_it_serves(merged: Path) -> None:
    from huggingface_hub import scan_cache_dir

    from pipeline.exports.serve import environment_of_server

    with environment_of_server(merged) as environment:
        (listed,) = scan_cache_dir(environment["HF_HUB_CACHE"]).repos
        (revision,) = listed.revisions
        assert (listed.repo_id, listed.repo_type, set(listed.refs)) == (merged.name, "model", {"main"})
        assert [file.file_name for file in revision.files] == ["config.json"]


def test_a_gguf_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    from pipeline.exports.serve import serve_gguf

    with pytest.raises(UnderstudyError, match="is not there"):
        serve_gguf(tmp_path / "model.gguf", port=8000, context=512)


def test_sigterm_stops_a_server_in_the_background_where_ctrl_c_is_ignored() -> None:
    from pipeline.exports.serve import _until_stopped

    def wait() -> None:
        signal.raise_signal(signal.SIGTERM)
        pytest.fail("it went on")

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _until_stopped(wait)
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_adapters_gguf_or_template_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    from pipeline.exports.serve import serve_gguf

    base, lora = tmp_path / "base.gguf", tmp_path / "adapter-f16.gguf"
    base.touch()
    for missing in ("adapter-f16.gguf", "chat_template.jinja"):
        with pytest.raises(UnderstudyError, match=rf"{missing}: is not there"):
            serve_gguf(base, port=8000, context=512, lora=lora)
        lora.touch()


@pytest.mark.parametrize(
    ("form", "outtype", "complaint"),
    [
        ("gguf", "q4_k_m", "llama-quantize: is not on the PATH"),
        ("gguf-adapter", "q6_k", "is for complete models"),
        ("ollama", "f16 q8_0", "is for one Modelfile"),
    ],
)
def test_types_that_cannot_be_made_are_refused_before_anything_is_loaded(
    form: str, outtype: str, complaint: str, *, tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.exports import forms

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(forms, "load_trained", lambda *_, **__: pytest.fail("a model is loaded"))
    run = write_trained_folder(tmp_path / "run", tiny_model_folder)
    with pytest.raises(UnderstudyError, match=complaint):
        export(ExportOptions(run, form, tmp_path / "out", outtypes=tuple(outtype.split()), verify=False))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("config", "alpha"), [({}, 32), ({"use_rslora": True}, 64)])
def test_an_adapters_scale_is_stated_as_llama_cpp_reads_it(
    config: dict[str, Any], alpha: float, tmp_path: Path
) -> None:
    from pipeline.exports.adapter import make_plain_lora

    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": 4, "lora_alpha": 32} | config))
    make_plain_lora(tmp_path)
    stated = json.loads((tmp_path / "adapter_config.json").read_text())
    assert (stated["lora_alpha"], bool(stated.get("use_rslora"))) == (alpha, False)
    assert stated["lora_alpha"] / stated["r"] == (32 / 4**0.5 if config else 32 / 4)


@pytest.mark.parametrize("unlike", [{"use_dora": True}, {"modules_to_save": ["lm_head"]}, {"rank_pattern": {"q": 8}}])
def test_an_adapter_that_no_gguf_can_say_is_refused(unlike: dict[str, Any], tmp_path: Path) -> None:
    from pipeline.exports.adapter import make_plain_lora

    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": 4, "lora_alpha": 32} | unlike))
    with pytest.raises(UnderstudyError, match=rf"has {next(iter(unlike))}.*export --to gguf"):
        make_plain_lora(tmp_path)


def test_a_tokenizer_that_the_converter_would_have_to_guess_is_refused_in_words() -> None:
    from pipeline.exports.converter import UNKNOWN_TOKENIZER, _explained

    said = f"Traceback\nNotImplementedError: {UNKNOWN_TOKENIZER} - update get_vocab_base_pre()"
    assert "does not know this model's tokenizer" in str(_explained(said))
    assert "no such tensor" in str(_explained("Traceback\nValueError: no such tensor"))


def test_a_run_of_a_complete_model_is_exported_merged_and_has_no_adapter(
    tiny_model_folder: Path, tmp_path: Path
) -> None:
    from pipeline.conversations.persona import save_personas
    from pipeline.models.load import load_tokenizer
    from pipeline.runs.run_file import write_run
    from tests.exported import ARGUMENTS

    folder = shutil.copytree(tiny_model_folder, tmp_path / "run")
    tokenizer = load_tokenizer(str(folder))
    tokenizer.save_pretrained(folder)
    save_personas([MIRA], folder, template=str(tokenizer.chat_template))
    write_run(folder, {"model": str(tiny_model_folder), "arguments": ARGUMENTS, "versions": {}})
    export(ExportOptions(folder, "merged", tmp_path / "merged"))
    assert json.loads((tmp_path / "merged" / "export.json").read_text())["proofs"]["greedy replies"]["equal"] == 25
    with pytest.raises(UnderstudyError, match="--to merged"):
        export(ExportOptions(folder, "adapter", tmp_path / "adapter"))


def test_one_of_several_characters_is_exported_by_name(run_folder: Path, tmp_path: Path) -> None:
    from pipeline.conversations.persona import make_persona, save_personas

    folder = shutil.copytree(run_folder, tmp_path / "run")
    template = (folder / "chat_template.jinja").read_text()
    save_personas([MIRA, make_persona("阿蘅", "zh", {})], folder, template=template)
    with pytest.raises(UnderstudyError, match="--as NAME"):
        export(ExportOptions(folder, "adapter", tmp_path / "out"))
    export(ExportOptions(folder, "adapter", tmp_path / "out", name="阿蘅"))
    assert "你现在是阿蘅" in (tmp_path / "out" / "chat_template.jinja").read_text()


def test_a_folder_of_this_machine_in_a_template_ends_the_export(run_folder: Path, tmp_path: Path) -> None:
    from pipeline.conversations.persona import make_persona, save_personas

    folder = shutil.copytree(run_folder, tmp_path / "run")
    persona = make_persona("Mira", "en", {"chat": f"You are Mira. See {folder.resolve()}/notes."})
    save_personas([persona], folder, template=(folder / "chat_template.jinja").read_text())
    with pytest.raises(UnderstudyError, match="would name a folder of this machine"):
        export(ExportOptions(folder, "adapter", tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_hub_models_weights_have_the_digest_of_the_same_files_in_a_folder(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.models.digest import base_digest

    repository = tmp_path / "models--somebody--tiny"
    shutil.copytree(tiny_model_folder, repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert base_digest("somebody/tiny") == base_digest(str(tiny_model_folder))
    with pytest.raises(UnderstudyError, match="hub cache"):
        base_digest("somebody/gone")
