"""The model card of an export, README.md: what it is, how well it recalls, and what it was made of and with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from pipeline.evaluation.labels import ANSWERS, CONDUCT, DRIFT, RECALL, kind_label
from pipeline.exports.origin import Origin
from pipeline.models.locate import EMBEDDED
from pipeline.models.run_card import TAGS, data_table, licences, recipe_block, versions_line


def model_card(origin: Origin, form: str, usage: str, proofs: Mapping[str, Any]) -> str:
    """The card's text: `usage` says how to run this form, `proofs` what was checked of it."""
    parts = [
        f"---\n{yaml.safe_dump(_header(origin, form), allow_unicode=True, sort_keys=False)}---\n",
        f"# {origin.persona.name}\n",
        f"A character, trained with Understudy {_version(origin)} on {_base(origin)}, exported as `{form}`.\n",
        f"## Use\n\n{usage}\n",
        "## Recall of the settings\n",
        *_recall(origin),
        "## Data\n\nNo text of it stands in this card.\n",
        *data_table(origin.run, kind_label),
        "## Recipe\n",
        *recipe_block(origin.run),
        "## Checked at export\n",
        *(f"- {name}: {proof_in_words(proof)}" for name, proof in proofs.items()),
        "\n`export.json` has the details, and a SHA-256 of each file.\n",
        "## Licences\n",
        *licences(origin.licence),
        "\n## Versions\n",
        versions_line(origin.run),
    ]
    return "\n".join(parts) + "\n"


def _header(origin: Origin, form: str) -> dict[str, Any]:
    """The fields that model hubs read."""
    header: dict[str, Any] = {
        "language": [origin.persona.language],
        "license": origin.licence or "other",
        "pipeline_tag": "text-generation",
        "tags": [*TAGS],
    }
    if "/" in origin.base_title:
        relation = {"adapter": "adapter", "gguf-adapter": "adapter", "gguf": "quantized", "ollama": "quantized"}.get(
            form, "finetune"
        )
        header |= {"base_model": origin.base_title, "base_model_relation": relation}
    if form in ("merged", "adapter"):
        header["library_name"] = "peft" if form == "adapter" else "transformers"
    return header


def _base(origin: Origin) -> str:
    name = f"{origin.base_title}{' (`embedded`: its 4-bit weights, dequantised)' * (origin.base == EMBEDDED)}"
    return f"{name}, whose weights had the digest `{origin.base_digest}` {origin.digest_taken}"


def _version(origin: Origin) -> str:
    return str(origin.run.get("versions", {}).get("understudy", ""))


def _recall(origin: Origin) -> Iterator[str]:
    """A row a figure, before and after training, with its 95% interval."""
    if not origin.recall:
        yield "Not measured.\n"
        return
    yield "Before and after training, with 95% intervals; questions in new words were not trained on.\n"
    yield "| | before | after |\n|---|---|---|"
    before, after = origin.recall["recall"]["base"], origin.recall["recall"]["trained"]
    for key, label in RECALL.items():
        if key.name in after:
            yield _figures(label.title, before[key.name], after[key.name])
    said = {side: origin.recall["answers"][side]["alias_hit"] for side in ("base", "trained")}
    yield _figures(ANSWERS[0][1].title, said["base"], said["trained"])
    for rows, labels in ((origin.recall["conduct"], CONDUCT), (origin.recall["drift"], DRIFT)):
        for row in rows:
            yield _figures(labels[row["name"]].title, row["base"], row["trained"])
    yield ""


def _figures(title: str, *figures: Mapping[str, float] | None) -> str:
    """A row of the table; the quick exam leaves some figures of the base model out."""
    cells = (f"{one['value']:.2f} [{one['low']:.2f}, {one['high']:.2f}]" if one else "not measured" for one in figures)
    return f"| {title} | {' | '.join(cells)} |"


def proof_in_words(proof: Any) -> str:
    """What `export.json` says of a check: how many are as trained, and where the others begin to differ."""
    if isinstance(proof, list):
        return ", ".join(map(str, proof))
    if "change" in proof:
        return _recall_in_words(proof)
    total = proof.get("replies", proof.get("conversations"))
    where = [
        f"conversation {one['conversation']} from token {one['token']}"
        + (f" (logits {one['margin']:.3f} apart)" if one["margin"] is not None else "")
        for one in proof.get("differences", ())
    ]
    others = f"; others: {', '.join(where)}" if where else ""
    return f"{proof['equal']} of {total} as trained, token for token{others}"


def _recall_in_words(proof: Mapping[str, Any]) -> str:
    """How much of the settings the engine recalls, beside the trained model, and whether that is less for certain."""
    engine, change = proof["engine"], proof["change"]
    less = ": it knows less than the trained model" if change["high"] < 0 else ""
    return (
        f"{engine['value']:.2f} [{engine['low']:.2f}, {engine['high']:.2f}] of {proof['questions']} questions in new "
        f"words answered word for word, {proof['trained']['value']:.2f} by the trained model; difference "
        f"{change['value']:+.2f} [{change['low']:+.2f}, {change['high']:+.2f}]{less}"
    )
