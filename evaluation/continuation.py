"""A multiple-choice task made of held-out text: which of four passages goes on from this one?

The context is the beginning of a paragraph, the right choice is how it goes on, the three others go on from passages of
other held-out documents of the same language. Guessing is right one time in four. Questions, order of the choices and
strangers are drawn by digest from seed and document ids. Both files of the task are written in full, so that anyone can
put the same questions to another model with `lm-eval`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation import held_out
from evaluation.inputs import EvaluationError, EvaluationInputs, Progress, SuiteResult, allocate, load_model
from evaluation.statistics import wilson
from licensing.canonical import canonical
from licensing.files import atomic_folder
from training.pack import read_packed
from training.tokenizer import load_fast

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TASK = "herkomst_continuation"
CHANCE = 0.25
_CONTEXT, _CHOICE = 200, 100
_SCALES = (1, 2, 4)
_LEAST = 5
_STRANGERS = 3
_BORDER_WITHIN = 20
_READ_CHARACTERS = 20_000
_PASSAGES_EACH = 8
_INTERVAL = "95 %; Wilson score interval of the share of right answers"


@dataclass(frozen=True, slots=True)
class Passage:
    """A place in a held-out document, cut at spaces: ``choice`` follows on ``context`` and begins with its space."""

    document: str
    paragraph: int
    context: str
    choice: str


def passages(document: str, text: str, scale: int) -> Iterator[Passage]:
    """One passage for each paragraph that is long enough; contexts and choices are shorter by ``scale``."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text)):
        paragraph = paragraph.strip()
        middle = _border(paragraph, _CONTEXT // scale)
        end = _border(paragraph, middle + _CHOICE // scale) if middle else None
        if middle and end:
            yield Passage(document, number, paragraph[:middle], paragraph[middle:end])


def _border(text: str, at: int) -> int | None:
    """The first place from ``at`` on where a single space separates two words, if it is near."""
    found = re.compile(r"(?<=\S) (?=\S)").search(text, at, at + _BORDER_WITHIN)
    return found.start() if found else None


def questions(candidates: list[Passage], wanted: int, seed: int, language: str) -> list[dict[str, Any]]:
    """Make up to ``wanted`` questions; as many documents as there are take part before one takes part twice."""
    ordered = _by_turns(sorted(candidates, key=lambda one: _drawn(seed, one.document, one.paragraph)))
    made: list[dict[str, Any]] = []
    for passage in ordered:
        strangers = _strangers(passage, ordered, seed)
        if len(strangers) == _STRANGERS and len(made) < wanted:
            gold = int(_drawn(seed, "gold", passage.document, passage.paragraph), 16) % (_STRANGERS + 1)
            choices = [*strangers[:gold], passage.choice, *strangers[gold:]]
            place = {"id": passage.document, "paragraph": passage.paragraph, "language": language}
            made.append({**place, "context": passage.context, "choices": choices, "gold": gold})
    return made


def _by_turns(ordered: list[Passage]) -> list[Passage]:
    turns: dict[str, int] = {}
    ranked = []
    for place, passage in enumerate(ordered):
        ranked.append((turns.setdefault(passage.document, 0), place, passage))
        turns[passage.document] += 1
    return [passage for *_, passage in sorted(ranked, key=lambda one: one[:2])]


def _strangers(passage: Passage, pool: list[Passage], seed: int) -> list[str]:
    """Three different continuations, each from another document; none of them is the right one by accident."""
    own = passage.document, passage.paragraph
    ranked = sorted(pool, key=lambda one: _drawn(seed, "stranger", *own, one.document, one.paragraph))
    chosen: dict[str, str] = {}
    for one in ranked:
        known = {passage.choice, *chosen.values()}
        if one.document != passage.document and one.document not in chosen and one.choice not in known:
            chosen[one.document] = one.choice
        if len(chosen) == _STRANGERS:
            break
    return list(chosen.values())


def _drawn(seed: int, *parts: object) -> str:
    return hashlib.sha256("\0".join(["herkomst-continuation-v1", str(seed), *map(str, parts)]).encode()).hexdigest()


def fits(question: dict[str, Any], tokenizer: Tokenizer, length: int) -> bool:
    """Whether every choice fits the window, and no token reaches across the border of context and choice.

    `lm-eval` encodes context and choice together and scores what goes beyond the context's own tokens; that is the
    choice and nothing else only where the border is also one between tokens.
    """
    context = tokenizer.encode(question["context"], add_special_tokens=False).ids
    for choice in question["choices"]:
        whole = tokenizer.encode(question["context"] + choice, add_special_tokens=False).ids
        # The choice is not encoded by itself: some tokenizers treat the beginning of a text in their own way.
        if whole[: len(context)] != context or 1 + len(whole) > length:
            return False
    return True


def make_questions(inputs: EvaluationInputs) -> dict[str, list[dict[str, Any]]]:
    """The questions of every language that has held-out text; an empty list where its text gives none."""
    packed = read_packed(inputs.tokens)
    available = {
        language: sum(stream.documents for stream in streams)
        for language, streams in held_out.by_language(packed.held_out()).items()
    }
    # Few documents may give many questions, so what is there bounds nothing yet.
    ample = {language: max(count, _LEAST) for language, count in available.items() if count}
    tokenizer = load_fast(inputs.tokenizer)
    return {
        language: _of_language(inputs, tokenizer, language, wanted)
        for language, wanted in allocate(inputs.settings.items, ample, _LEAST).items()
    }


def _of_language(inputs: EvaluationInputs, tokenizer: Tokenizer, language: str, wanted: int) -> list[dict[str, Any]]:
    """Full-length questions, or shorter ones where the tokenizer spends so much on a language that they do not fit."""
    read = [
        (name, text[:_READ_CHARACTERS]) for name, text in islice(held_out.texts(inputs.corpus, language), 4 * wanted)
    ]
    best: list[dict[str, Any]] = []
    for scale in _SCALES:
        candidates = [one for name, text in read for one in islice(passages(name, text, scale), _PASSAGES_EACH)]
        made = questions(candidates, 2 * wanted, inputs.seed, language)
        fitting = [one for one in made if fits(one, tokenizer, inputs.sequence_length)][:wanted]
        best = fitting if len(fitting) > len(best) else best
        if len(best) == wanted:
            break
    return best


def write_task(folder: Path, asked: list[dict[str, Any]]) -> str:
    """Write the task's two files, replacing the folder; returns the digest of the questions."""
    lines = b"".join(canonical(one) + b"\n" for one in asked)
    with atomic_folder(folder) as new:
        (new / "continuation.jsonl").write_bytes(lines)
        template = Path(__file__).parent / "tasks" / "continuation.yaml"
        (new / "continuation.yaml").write_bytes(template.read_bytes())
    return hashlib.sha256(lines).hexdigest()


def run(inputs: EvaluationInputs, folder: Path, progress: Progress) -> SuiteResult:
    """Make the task in ``folder/continuation-task`` and put it to the model through `lm-eval`.

    Raises:
        EvaluationError: the held-out text gives no question in any language.
    """
    from evaluation.harness import answer

    by_language = make_questions(inputs)
    asked = [one for questions_ in by_language.values() for one in questions_]
    if not asked:
        raise EvaluationError(
            f"{inputs.corpus}: no question could be made from held-out text; nothing was scored. It takes four "
            f"held-out documents of one language with a paragraph of {_CONTEXT + _CHOICE} characters: raise "
            "corpus.held_out_share, or leave 'continuation' out of evaluation.suites."
        )
    digest = write_task(folder / "continuation-task", asked)
    answers = answer(folder / "continuation-task" / "continuation.yaml", TASK, load_model(inputs), inputs, progress)
    items = [_item(question, scored) for question, scored in zip(asked, answers, strict=True)]
    return SuiteResult(_figures(by_language, items) | {"questions_sha256": digest}, items)


def _item(question: dict[str, Any], scored: dict[str, Any]) -> dict[str, Any]:
    """The score of one question: nats of each choice, the likeliest, and whether it is right."""
    place = {name: question[name] for name in ("id", "paragraph", "language", "gold")}
    nats = [round(-value, 4) for value in scored["log_likelihoods"]]
    return place | {
        "nats": nats,
        "correct": scored["correct"],
        "correct_by_length": scored["correct_by_length"],
    }


def _figures(by_language: dict[str, list[dict[str, Any]]], items: list[dict[str, Any]]) -> dict[str, Any]:
    rows = []
    for language in by_language:
        own = [item for item in items if item["language"] == language]
        if own:
            rows.append({"language": language, **_share(own)})
    return {
        **_share(items),
        "chance": CHANCE,
        "interval": _INTERVAL,
        "languages": rows,
        "languages_without_questions": [name for name, asked in by_language.items() if not asked],
    }


def _share(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Right answers by likelihood; beside it the share by likelihood per character, lm-eval's ``acc_norm``."""
    correct = sum(item["correct"] for item in items)
    share = wilson(correct, len(items))
    return {
        "n": len(items),
        "documents": len({item["id"] for item in items}),
        "correct": correct,
        "accuracy": round(share.value, 6),
        "low": round(share.low or 0.0, 6),
        "high": round(1.0 if share.high is None else share.high, 6),
        "above_chance": (share.low or 0.0) > CHANCE,
        "accuracy_by_length": round(sum(item["correct_by_length"] for item in items) / len(items), 6),
    }
