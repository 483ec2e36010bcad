"""The model card of a release: Markdown with the hub's metadata block, from the run's records and from nothing else.

It is written for the public: agreements appear as a sum unless the provider chose to name their partners, and the terms
of a contract never do. What nobody measured says so.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from evaluation.lineage import summary_words
from evaluation.page import Numbers
from evaluation.words import DUTIES, LANGUAGES, PROBES, word

_SAY = Numbers("en")
_AGREEMENT = "LicenseRef-"
_AGREED = "Agreements with partners"
# Names of the hub for licences that are SPDX ids in lower case; others are "other" with a name.
_HUB_LICENCES = frozenset(
    (
        "apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0",
        "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0", "eupl-1.1", "eupl-1.2",
        "mpl-2.0", "gpl-2.0", "gpl-3.0", "lgpl-3.0", "agpl-3.0", "isc", "zlib", "unlicense", "odbl",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card says besides the report's values.

    ``licence`` is the provider's choice (SPDX) or None, ``opening`` the token that opens a document, ``vllm`` what
    stands against loading it there, ``agreements`` the ids of agreements, ``name_partners`` whether they may be named.
    """

    licence: str | None
    opening: str
    sequence_length: int
    vllm: Sequence[str]
    agreements: Sequence[str]
    name_partners: bool


def model_card(values: Mapping[str, Any], facts: Facts) -> str:
    """Render the card from `evaluation.report.report_values` and ``facts``."""
    title = values["publisher"].title or values["name"]
    sections = [
        [f"# {md(title)}", "", _lead(values, facts)],
        ["## Intended use", "", *_use(values, facts)],
        ["## Loading", "", *_loading(values, facts)],
        ["## Lineage", "", *_lineage(values)],
        ["## Languages", "", *_languages(values)],
        ["## Licences of the training text", "", *_licences(values, facts)],
        ["## Training", "", *_training(values)],
        ["## Energy", "", *_energy(values)],
        ["## Evaluation", "", *_evaluation(values)],
        ["## Limits", "", *_limits(values)],
        ["## Checking this release", "", *_checking(values)],
    ]
    return _metadata(values, facts) + "\n" + "\n".join("\n".join([*lines, ""]) for lines in sections)


def md(text: object) -> str:
    """Escape text for Markdown: no value can begin markup, a table cell or HTML."""
    plain = html.escape(" ".join(str(text).split()), quote=False)
    return "".join(f"\\{sign}" if sign in "\\`*_[]|#~" else sign for sign in plain)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [" | ".join(heads), " | ".join("---" for _ in heads), *(" | ".join(map(md, row)) for row in rows)]
    return [f"| {line} |" for line in lines] if len(lines) > 2 else ["Not measured."]


def _metadata(values: Mapping[str, Any], facts: Facts) -> str:
    """The block that the hub reads; a licence that the provider did not give is left out and never guessed."""
    block: dict[str, Any] = {"language": [row["code"] for row in _trained(values)]}
    if facts.licence:
        name = facts.licence.lower()
        block |= {"license": name} if name in _HUB_LICENCES else {"license": "other", "license_name": name}
    block |= {"library_name": "transformers", "pipeline_tag": "text-generation", "tags": ["herkomst"]}
    if values["base"] and values["base"]["revision"]:
        block |= {"base_model": values["base"]["name"], "base_model_relation": "finetune"}
    return "---\n" + yaml.safe_dump(block, sort_keys=False, allow_unicode=True) + "---\n"


def _trained(values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in values["languages"] if row["trained"].documents]


def _lead(values: Mapping[str, Any], facts: Facts) -> str:
    train, publisher = values["train"], values["publisher"]
    how = f"continued from {values['base']['name']}" if values["base"] else "trained from random weights"
    made = f", from {values['dates'][0]} to {values['dates'][1]}" if values["dates"] else ""
    licence = md(facts.licence) if facts.licence else "missing, the provider has stated none"
    return (
        f"A language model of {_SAY.whole(train['parameters'])} parameters, {md(how)} by {md(publisher.provider)}"
        f"{made}. Contact: {md(publisher.contact)}. Licence of the weights: {licence}. Written by Herkomst from the "
        "signed records of the run; where a figure is missing, it says so."
    )


def _use(values: Mapping[str, Any], facts: Facts) -> list[str]:
    use = values["use"]
    return [
        f"Rights in the training text were judged as of {values['as_of']} for this use and no other:",
        "",
        f"- purpose: {md(use['purpose'])}",
        f"- weights: {'released' if use['weights_released'] else 'NOT to be released'}",
        f"- training text: {'released' if use['data_released'] else 'not released'}",
        f"- what the model writes: {'may be sold' if use['outputs_sold'] else 'may not be sold'}",
        "",
        "It goes on from text; it was not taught to follow instructions, and nothing keeps it from writing what is "
        "false, harmful or somebody else's.",
    ]


def _loading(values: Mapping[str, Any], facts: Facts) -> list[str]:
    vllm, opening = "; ".join(facts.vllm), facts.opening.replace("`", "")
    stands = f"what stands against loading it there: {md(vllm)}." if vllm else "meets its documented requirements."
    return [
        "```python",
        "from transformers import AutoModelForCausalLM, AutoTokenizer",
        'model = AutoModelForCausalLM.from_pretrained("FOLDER")',
        'tokenizer = AutoTokenizer.from_pretrained("FOLDER")',
        'ids = [tokenizer.eos_token_id] + tokenizer("TEXT", add_special_tokens=False)["input_ids"]',
        "```",
        "",
        f"In training every document came after the token `{opening}`, so a prompt that begins a text begins "
        "with its id, as above. Give `split_special_tokens=True` as well where text comes from others: then no text "
        "can write such a token. "
        f"Sequences were {_SAY.whole(facts.sequence_length)} tokens long. No code besides `transformers` is needed.",
        "",
        f"vLLM: {stands} It was not run.",
    ]


def _lineage(values: Mapping[str, Any]) -> list[str]:
    base = values["base"]
    if not base:
        return ["None: training began from random weights."]
    rows = [
        ("Base model", base["name"]),
        ("Revision", base["revision"] or "none: a local folder"),
        ("Licence", base["licence"]),
        ("Decision for this use", f"{base['decision']}: {base['explanation']}"),
        ("Clause", base["clause"] or "none"),
        ("Summary of its training content", summary_words(base)),
        ("SHA-256 of weights and configuration", base["weights_sha256"]),
        *((f"Duty: {one['kind']}", f"{one['value']} ({one['clause']})") for one in base["duties"]),
    ]
    return [*_table(("What", "Value"), rows), "", md(base["accounted_for"])]


def _languages(values: Mapping[str, Any]) -> list[str]:
    rows = [
        (
            word(LANGUAGES, row["code"]),
            _SAY.whole(row["trained"].documents),
            _SAY.size(row["trained"].text_bytes),
            _SAY.whole(row["tokens"]),
            _SAY.decimal(row["tokens_per_word"]),
        )
        for row in _trained(values)
    ]
    return _table(("Language", "Documents", "Text", "Tokens", "Tokens per word"), rows)


def _licences(values: Mapping[str, Any], facts: Facts) -> list[str]:
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for stream in values["streams"]:
        parts.setdefault(_shown(stream["licence"], facts), []).append(stream)
    rows = [
        (name, *(_SAY.whole(_sum(own, key)) for key in ("documents", "documents_read", "tokens")))
        for name, own in sorted(parts.items())
    ]
    heads = ("Licence", "Documents in the training text", "Of them read", "Tokens")
    return [*_table(heads, rows), "", *_credits(values["credits"], facts)]


def _sum(streams: Sequence[Mapping[str, Any]], key: str) -> int | None:
    """None where one of them has no figure: a part is not the whole."""
    found = [stream.get(key) for stream in streams]
    return None if None in found else sum(int(count) for count in found if count is not None)


def _shown(licence: str, facts: Facts) -> str:
    agreed = licence.removeprefix(_AGREEMENT) in facts.agreements
    return _AGREED if agreed and not facts.name_partners else licence


def _credits(credits: Sequence[Mapping[str, Any]], facts: Facts) -> list[str]:
    """Whom licences oblige to name; the words agreed with a partner are asked for by the partner and stand here too."""
    lines = []
    for one in credits:
        if one["agreement"]:
            lines.append(f"- {md(one['words'])} (in the words agreed)")
            continue
        count, asks = (
            _SAY.documents(one["credit"].documents),
            ", ".join(word(DUTIES, kind) for kind in sorted(one["credit"].duties)),
        )
        licence = f"{one['licence']}, {one['url']}" if one["url"] else one["words"]
        lines.append(f"- {md(one['source'])}: {count} under {md(licence)}, which asks to {md(asks)}")
        names = "; ".join(name for name, _ in one["authors"])
        lines += [f"  - named as authors: {md(names)}"] if names else []
        more = one["credit"].more_authors
        lines += [f"  - and the authors of {_SAY.whole(more)} further documents, named in the ledger"] if more else []
    return (
        ["These terms ask whoever passes the model on to name:", "", *lines]
        if lines
        else ["No term asks to name anybody."]
    )


def _training(values: Mapping[str, Any]) -> list[str]:
    train = values["train"]
    rows = [
        ("Steps", _SAY.whole(train.get("steps"))),
        ("Sequences per step", _SAY.whole(train.get("batch"))),
        ("Tokens read, repeats included", _SAY.whole(train.get("tokens_read"))),
        ("Tokens scored as something to predict", _SAY.whole(train.get("tokens_scored"))),
        ("Documents read", _SAY.whole(train.get("documents_read"))),
        ("Peak learning rate", f"{train['learning_rate']:.3g}" if train.get("learning_rate") else "not measured"),
        ("Time", _SAY.duration(train.get("seconds"))),
    ]
    return _table(("What", "Figure"), rows)


def _energy(values: Mapping[str, Any]) -> list[str]:
    train = values["train"]
    method, detail = (
        train.get("energy_method") or "not recorded",
        train.get("energy_detail") or "by what is not recorded",
    )
    return [
        f"{_SAY.energy(train.get('joules'))}, {md(method)}: {md(detail)}. It covers training alone, not curation, "
        "evaluation, cooling or the making of the machine."
    ]


def _evaluation(values: Mapping[str, Any]) -> list[str]:
    return [
        "On text that was set aside by digest and never trained on. Ranges are 95% intervals.",
        "",
        "### Predicting unseen text (bits per byte, fewer is better)",
        "",
        *_table(("Language", "Model", "Interval", "Token frequencies", "xz", "Documents"), _scores(values)),
        "",
        "### Choosing the right continuation",
        "",
        *_continuation(values["continuation"]),
        "",
        "### Repeating text literally",
        "",
        *_memorisation(values["memorisation"]),
    ]


def _scores(values: Mapping[str, Any]) -> list[tuple[str, ...]]:
    found = []
    for row in values["languages"]:
        one = row["score"]
        if one:
            interval = _SAY.between(one.get("low"), one.get("high"), "decimal", 3)
            figures = (_SAY.decimal(one.get(key), 3) for key in ("unigram", "xz"))
            name = word(LANGUAGES, row["code"])
            found.append(
                (name, _SAY.decimal(one.get("model"), 3), interval, *figures, _SAY.whole(one.get("documents")))
            )
    return found


def _continuation(suite: Mapping[str, Any] | None) -> list[str]:
    if not suite:
        return ["Not measured."]
    rows = [(word(LANGUAGES, one["language"]), *_right(one)) for one in suite.get("languages", ())]
    rows.append(("All", *_right(suite)))
    chance = _SAY.share(suite.get("chance"))
    return [f"By chance {chance} would be right.", "", *_table(("Language", "Questions", "Right", "Interval"), rows)]


def _right(one: Mapping[str, Any]) -> tuple[str, str, str]:
    return _SAY.whole(one.get("n")), _SAY.share(one.get("accuracy")), _SAY.between(one.get("low"), one.get("high"))


def _memorisation(suite: Mapping[str, Any] | None) -> list[str]:
    if not suite:
        return ["Not measured."]
    rows = [
        (
            word(PROBES, one["group"]),
            _SAY.whole(one.get("documents")),
            _SAY.whole(one.get("exact")),
            _SAY.share(one.get("share"), 2),
            _SAY.between(one.get("low"), one.get("high"), "share", 2),
            _SAY.whole(one.get("longest_characters")),
        )
        for one in suite.get("groups", ())
    ]
    heads = ("Documents", "Sample", "Exact", "Share", "Interval", "Longest literal passage, characters")
    return [*_table(heads, rows), "", "Drawn from a sample: no hit is not proof that none is possible."]


def _limits(values: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for kind, sentences in values["gaps"]:
        lines += [f"**{md(kind)}**", "", *(f"- {md(sentence)}" for sentence in sentences), ""]
    return lines or ["None recorded."]


def _checking(values: Mapping[str, Any]) -> list[str]:
    rows = [
        ("Root over all documents received", values["commit"].get("root") or "not committed"),
        ("Training order", values["train"].get("plan_digest") or "not recorded"),
        ("Weights", values["train"].get("weights_sha256") or "not recorded"),
        ("Signing key", values["key_id"] or "not recorded"),
    ]
    return [
        "`sha256sum -c SHA256SUMS` checks every file. `herkomst-record/release.json` is a DSSE envelope with an "
        "in-toto statement over all of them, signed with the key below; compare its fingerprint by another way than "
        "this folder.",
        "",
        *_table(("Digest (SHA-256)", "Value"), rows),
        "",
        f"Withdrawals asked for and carried out: {_SAY.whole(len(values['withdrawals']))}. A data partner can ask "
        "the provider for its audit bundle, which proves against this root what became of each of its documents.",
    ]
