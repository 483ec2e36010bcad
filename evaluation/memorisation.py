"""What the model gives back word for word: documents it was trained on, against documents held out from it.

A probe shows ``prefix`` tokens of a document and lets the model go on greedily for ``suffix`` tokens. The same is done
with held-out documents, as many of each language: text that nobody memorised is reproduced too, where it is
boilerplate, and only the difference says that training left a trace. Probes start at several offsets, because what a
model can be made to recite depends on where in its window the prefix stands.

The unit is the document: probes of one document are not independent. A document counts as ``exact`` if one of its
probes came back whole. Probes at offset 0 follow on an end-of-document token, others on nothing, as where training cut
a document into sequences.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation import held_out, verbatim
from evaluation.held_out import Document
from evaluation.inputs import EvaluationError, EvaluationInputs, Progress, SuiteResult, allocate, load_model
from evaluation.memorisation_figures import agreement_figures, figures
from training.pack import PackedCorpus, PackedStream, read_packed
from training.plan import Plan
from training.tokenizer import load_fast

Exposure = Callable[[Document], int]


@dataclass(frozen=True)
class Probed:
    """A document to be probed; ``exposures`` is how often each probed token was read at least (0 if held out)."""

    document: Document
    exposures: int
    offsets: tuple[int, ...]


def run(inputs: EvaluationInputs, progress: Progress) -> SuiteResult:
    """Probe trained and held-out documents: of all text, and of each agreement by itself.

    Raises:
        EvaluationError: the settings do not fit the window, or no trained document is long enough.
    """
    _check(inputs)
    packed, plan = read_packed(inputs.tokens), Plan.from_json(inputs.plan.read_text(encoding="utf-8"))
    if (plan.tokens_root, plan.sequence_length) != (packed.root, inputs.sequence_length):
        raise EvaluationError(
            f"{inputs.plan}: the plan is over other tokens, or another sequence length, than {inputs.tokens}; which "
            "documents were read cannot be said and nothing was probed. Run again from the stage 'pack'."
        )
    trained, held = draw(packed, plan, inputs)
    if not trained:
        raise EvaluationError(
            f"{inputs.plan}: no document that was read holds {_span(inputs)} tokens, so there is nothing to probe. "
            "Lower evaluation.prefix and evaluation.suffix, or leave 'memorisation' out of evaluation.suites."
        )
    draws = {"": (trained, held), **draw_agreements(packed, plan, inputs)}
    chosen = [
        (name, use, one)
        for name, groups in draws.items()
        for use, documents in zip(("trained", "held-out"), groups, strict=True)
        for one in documents
    ]
    items = _probe([(use, one) for _, use, one in chosen], packed, inputs, progress)
    for (name, _, _), item in zip(chosen, items, strict=True):
        item["agreement"] = name or None
    found = figures([item for item in items if not item["agreement"]], inputs.settings)
    found["agreements"] = {
        name: agreement_figures([item for item in items if item["agreement"] == name]) for name in draws if name
    }
    return SuiteResult(found, items)


def _span(inputs: EvaluationInputs) -> int:
    return inputs.settings.prefix + inputs.settings.suffix


def _check(inputs: EvaluationInputs) -> None:
    if _span(inputs) + 1 > inputs.sequence_length:
        raise EvaluationError(
            f"evaluation.prefix + evaluation.suffix is {_span(inputs)}, but the model sees {inputs.sequence_length} "
            "tokens, one of them the end-of-document token before the text. Nothing was probed: lower one of them."
        )
    if not inputs.settings.offsets or min(inputs.settings.offsets) < 0:
        raise EvaluationError("evaluation.offsets must name places in a document, from 0 on; nothing was probed.")


# --- which documents ---


def draw(packed: PackedCorpus, plan: Plan, inputs: EvaluationInputs) -> tuple[list[Probed], list[Probed]]:
    """Draw documents by digest, as many held-out ones of each language as trained ones.

    Where nothing is held out that is long enough, trained documents are drawn alone, and there is no comparison.
    """
    numbers = {ref.name: number for number, ref in enumerate(plan.streams)}
    trained = held_out.by_language(stream for stream in packed.trained() if stream.name in numbers)
    held = held_out.by_language(packed.held_out())

    def exposure(document: Document) -> int:
        return exposures(plan, numbers[document.stream.name], document, _offsets(document, inputs), _span(inputs))

    available = {name: _long_enough(packed, streams, inputs) for name, streams in held.items() if name in trained}
    matched = {name: count for name, count in available.items() if count}
    chosen: tuple[list[Probed], list[Probed]] = ([], [])
    wanted = matched or {name: _long_enough(packed, streams, inputs) for name, streams in trained.items()}
    for language, count in allocate(inputs.settings.items, wanted).items():
        read = _drawn(packed, trained[language], inputs, count, exposure)
        other = _drawn(packed, held[language], inputs, len(read), None) if matched else []
        chosen[0].extend(read[: len(other)] if matched else read)
        chosen[1].extend(other)
    return chosen


def draw_agreements(
    packed: PackedCorpus, plan: Plan, inputs: EvaluationInputs
) -> dict[str, tuple[list[Probed], list[Probed]]]:
    """Draw trained and held-out documents of each agreement by digest, at most ``agreement_items`` of each.

    An agreement's hold-out is a random share of its own documents, so that one group can be compared with the other.
    It is often small; all of it is taken up to the bound, and the trained group does not shrink to match. An agreement
    without a trained document that is long enough is left out.
    """
    numbers = {ref.name: number for number, ref in enumerate(plan.streams)}
    most = inputs.settings.agreement_items

    def exposure(document: Document) -> int:
        return exposures(plan, numbers[document.stream.name], document, _offsets(document, inputs), _span(inputs))

    found = {}
    for agreement in sorted(inputs.agreements) if most else ():
        licence = f"LicenseRef-{agreement}"
        read = [one for one in packed.trained() if one.licence == licence and one.name in numbers]
        held = [one for one in packed.held_out() if one.licence == licence]
        trained = _drawn(packed, read, inputs, most, exposure)
        if trained:
            found[agreement] = (trained, _drawn(packed, held, inputs, most, None))
    return found


def exposures(plan: Plan, stream: int, document: Document, offsets: tuple[int, ...], span: int) -> int:
    """How often every probed token of a document was read at least: fewest readings of a sequence that holds one."""
    first, _ = document.tokens.span(document.place)
    length = plan.sequence_length
    low, high = (first + min(offsets)) // length, (first + max(offsets) + span - 1) // length + 1
    times = np.zeros(high - low, dtype=np.int64)
    for sequence, _, _ in plan.positions(stream, low, high):
        times[sequence - low] += 1
    return int(times.min())


def _offsets(document: Document, inputs: EvaluationInputs) -> tuple[int, ...]:
    wanted = sorted(set(inputs.settings.offsets))
    return tuple(offset for offset in wanted if offset + _span(inputs) <= document.length)


def _long_enough(packed: PackedCorpus, streams: list[PackedStream], inputs: EvaluationInputs) -> int:
    """How many documents hold at least the first probe."""
    least = min(inputs.settings.offsets) + _span(inputs)
    count = 0
    for stream in streams:
        count += int((packed.open(stream, inputs.sequence_length).lengths >= least).sum())
    return count


def _drawn(
    packed: PackedCorpus, streams: list[PackedStream], inputs: EvaluationInputs, wanted: int, exposure: Exposure | None
) -> list[Probed]:
    """The ``wanted`` documents with the lowest keyed digests; trained ones only if all that is probed was read."""
    take = 4 * wanted
    while wanted:
        ranked = heapq.nsmallest(take, _ranked(packed, streams, inputs))
        found: list[Probed] = []
        for _, stream, place in ranked:
            document = held_out.document_at(packed, streams[stream], inputs.sequence_length, place)
            times = exposure(document) if exposure else 0
            if times or not exposure:
                found.append(Probed(document, times, _offsets(document, inputs)))
            if len(found) == wanted:
                return found
        if len(ranked) < take:
            return found
        take *= 4
    return []


def _ranked(
    packed: PackedCorpus, streams: list[PackedStream], inputs: EvaluationInputs
) -> Iterator[tuple[bytes, int, int]]:
    """(digest, stream, place) of every document that holds at least the first probe."""
    least = min(inputs.settings.offsets) + _span(inputs)
    key = f"herkomst-memorisation-v1\0{inputs.seed}\0".encode()
    for number, stream in enumerate(streams):
        tokens = packed.open(stream, inputs.sequence_length)
        for place in np.flatnonzero(tokens.lengths >= least).tolist():
            yield hashlib.sha256(key + tokens.id_of(place).encode()).digest(), number, place


# --- asking the model ---


def _probe(
    chosen: list[tuple[str, Probed]], packed: PackedCorpus, inputs: EvaluationInputs, progress: Progress
) -> list[dict[str, Any]]:
    """Put every probe to the model; one item a document, in the order given."""
    settings, decode = inputs.settings, load_fast(inputs.tokenizer).decode
    model = load_model(inputs)
    items = [_item(use, one) for use, one in chosen]
    total, done = sum(len(one.offsets) for _, one in chosen), 0
    for offset in sorted(set(settings.offsets)):
        rows = [(item, one) for item, (_, one) in zip(items, chosen, strict=True) if offset in one.offsets]
        for first in range(0, len(rows), settings.batch):
            part = rows[first : first + settings.batch]
            tokens = [one.document.ids()[offset : offset + _span(inputs)] for _, one in part]
            shown = np.stack([own[: settings.prefix] for own in tokens])
            if offset == 0:
                opening = np.full((len(part), 1), packed.end_of_document, dtype=np.int64)
                shown = np.concatenate([opening, shown], axis=1)
            answers = verbatim.continue_greedily(model, shown, settings.suffix, settings.batch)
            for (item, one), own, answer in zip(part, tokens, answers, strict=True):
                truth = own[settings.prefix :]
                text = decode(verbatim.until(answer, packed.end_of_document), skip_special_tokens=True)
                known = decode([int(token) for token in truth], skip_special_tokens=True)
                leading = verbatim.leading_equal(answer, truth)
                item["probes"].append(
                    {
                        "offset": offset,
                        "exact": leading == settings.suffix,
                        "leading_tokens": leading,
                        "verbatim_characters": verbatim.longest_common(text, known),
                        "characters": len(known),
                        "across_cut": _across_cut(one, offset, inputs),
                    }
                )
            done += len(part)
            progress(done, total)
    return items


def _across_cut(one: Probed, offset: int, inputs: EvaluationInputs) -> bool:
    """Whether a trained probe lies in two sequences, so that training never showed its two ends together."""
    if not one.exposures:
        return False
    first = one.document.tokens.span(one.document.place)[0] + offset
    return first // inputs.sequence_length != (first + _span(inputs) - 1) // inputs.sequence_length


def _item(use: str, one: Probed) -> dict[str, Any]:
    stream = one.document.stream
    place = {"id": one.document.id, "language": stream.language, "group": stream.group, "licence": stream.licence}
    return {**place, "use": use, "exposures": one.exposures, "probes": []}
