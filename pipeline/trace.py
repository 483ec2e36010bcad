"""`herkomst trace`: from a document to the steps that read it, and from a step to its documents.

Both directions are formulas over the plan and a binary search in the streams; no log of batches is kept or read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.words import reason
from licensing.errors import HerkomstError
from licensing.ledger import Ledger
from licensing.sorted_ids import SortedIds
from pipeline.run_directory import RunDirectory
from training.checkpoint import TrainerState, finished_checkpoints, read_state
from training.goldfish import left_out
from training.pack import PackedCorpus, PackedStream, read_packed
from training.plan import GoldfishRule, Plan
from training.skipped import with_skipped
from training.token_stream import IDS, TokenStream
from training.vocabulary_sample import SAMPLED_IDS

Numbers = NDArray[np.int64]
_NEVER = np.iinfo(np.int64).max
# Sequences looked up at a time, so that memory does not grow with a stream's length times its epochs.
_SEQUENCES = 1 << 17


class TraceError(HerkomstError):
    """What was asked for is not in this run."""


@dataclass(frozen=True)
class Place:
    """Where a document's tokens lie."""

    stream: PackedStream
    tokens: TokenStream
    document: int


@dataclass(frozen=True, slots=True)
class Reads:
    """How training read the sequences of a stream, each of shape [sequences].

    ``last_step`` is -1, and ``first_step`` beyond every step, where a sequence was not read.
    """

    times: Numbers
    first_step: Numbers
    last_step: Numbers


@dataclass(frozen=True, slots=True)
class Exposure:
    """How training read one document: tokens read and tokens the model had to predict, repeats included; how often its
    most-read part was read; and the first and last step, None where none read it. What a goldfish rule leaves out was
    not to be predicted, and a step whose update was dropped read nothing."""

    tokens_read: int
    tokens_scored: int
    times: int
    first_step: int | None
    last_step: int | None


_UNREAD = Exposure(0, 0, 0, None, None)


class Tracer:
    """Answers questions about one run; opens its files once."""

    def __init__(self, run: RunDirectory) -> None:
        run.require()
        self._run = run
        self.ledger = Ledger(run.ledger)
        self._known_reads: dict[str, Reads] = {}
        self._known_ids: dict[tuple[str, str], SortedIds] = {}

    @cached_property
    def _packed(self) -> PackedCorpus | None:
        return read_packed(self._run.tokens) if (self._run.tokens / "streams.json").exists() else None

    @cached_property
    def _sampled(self) -> SortedIds | None:
        path = self._run.tokenizer / SAMPLED_IDS
        return SortedIds(path) if path.exists() else None

    def in_vocabulary_sample(self, document_id: str) -> bool | None:
        """Say whether the vocabulary was learnt from a document among others; None where it is not recorded.

        A document that was withdrawn afterwards still was.
        """
        return None if self._sampled is None else self._sampled.place_of(document_id) is not None

    @cached_property
    def plan(self) -> Plan | None:
        """The training order with the steps skipped up to the newest checkpoint, or None before training."""
        path = self._run.training / "plan.json"
        if not path.exists():
            return None
        plan = Plan.from_json(path.read_text(encoding="utf-8"))
        # The file tells of skipped steps only at the end of training; a checkpoint does so before.
        return with_skipped(plan, self._newest.skipped_steps) if self._newest else plan

    @cached_property
    def _length(self) -> int:
        return self.plan.sequence_length if self.plan else 1

    @cached_property
    def _streams(self) -> dict[tuple[str, str], tuple[PackedStream, TokenStream]]:
        packed = self._packed
        if packed is None:
            return {}
        return {(s.name, s.use): (s, packed.open(s, self._length)) for s in packed.streams}

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {ref.name: number for number, ref in enumerate(self.plan.streams)} if self.plan else {}

    @cached_property
    def steps_done(self) -> int:
        """How many steps of the plan the newest whole checkpoint has behind it."""
        return self._newest.step if self._newest else 0

    @cached_property
    def _newest(self) -> TrainerState | None:
        found = finished_checkpoints(self._run.checkpoints)
        return read_state(found[-1]) if found else None

    def goldfish(self, stream: str) -> GoldfishRule | None:
        """The rule that leaves targets of a stream out of the loss, if there is one."""
        return self.plan.goldfish_of(stream) if self.plan else None

    # ---- documents

    def document(self, document_id: str) -> dict[str, Any]:
        """Everything known of one document.

        Raises:
            TraceError: no document of this id was ever received.
        """
        row = self.ledger.find(document_id)
        if row is None:
            raise TraceError(
                f"{self._run.path}: no document with id {document_id} was received in this run, so it was not used. "
                "Give the 64 characters of the id, or the supplier's own id with --partner-id."
            )
        return self.answer(row)

    def by_native_id(self, native_id: str) -> list[dict[str, Any]]:
        """Every document that a supplier delivered under its own id.

        Raises:
            TraceError: there is none.
        """
        found = [self.answer(row) for row in self.ledger.by_native_id(native_id)]
        if not found:
            raise TraceError(f"{self._run.path}: nothing was delivered under the id '{native_id}' in this run.")
        return found

    def answer(self, row: dict[str, Any]) -> dict[str, Any]:
        """Complete a ledger row with its tokens and positions."""
        place = self._place(row)
        return {
            "id": row["id"],
            "partner": row["partner"],
            "native_id": row["native_id"],
            "title": row["title"],
            "licence": row["licence"],
            "branch": row["branch"],
            "decision": row["decision"],
            "decision_reason": row["decision_reason"],
            "reason": row["reason"],
            "explanation": row["decision_explanation"],
            "clause": row["decision_clause"],
            "stages": row["events"],
            "use": row["use"],
            "language": row["language"],
            "survivor": row["survivor"],
            "similarity": row["similarity"],
            "received_sha256": row["received_sha256"],
            "final_sha256": row["final_sha256"],
            "in_vocabulary_sample": self.in_vocabulary_sample(row["id"]),
            "tokens": _span_of(place),
            "positions": self.positions(row, place),
        }

    def positions(self, row: dict[str, Any], place: Place | None = None) -> list[list[int]]:
        """The (step, row) pairs at which the document was read, in order; steps not yet trained are left out."""
        place = place or self._place(row)
        if self.plan is None or place is None or place.stream.use != "train":
            return []
        first, last = place.tokens.sequences_of(place.document)
        found = self.plan.positions(self._indices[place.stream.name], first, last) if last > first else []
        return [[step, at] for _, step, at in found if step < self.steps_done]

    def exposure(self, row: dict[str, Any]) -> Exposure:
        """How a document was read in training; one that lies across two sequences is read in parts."""
        place = self._place(row)
        if self.plan is None or place is None or place.stream.use != "train":
            return _UNREAD
        first, last = place.tokens.sequences_of(place.document)
        reads = self.reads(place.stream.name)
        times, first_step, last_step = (part[first:last] for part in (reads.times, reads.first_step, reads.last_step))
        if not times.any():
            return _UNREAD
        begin, end = place.tokens.span(place.document)
        edges = np.arange(first, last + 1, dtype=np.int64) * place.tokens.length
        inside = np.minimum(end, edges[1:]) - np.maximum(begin, edges[:-1])
        # The first token of a sequence has nothing before it to be predicted from.
        scored = inside - (edges[:-1] >= begin) - self._left_out(place, first, last)
        return Exposure(
            tokens_read=int((times * inside).sum()),
            tokens_scored=int((times * scored).sum()),
            times=int(times.max()),
            first_step=int(first_step.min()),
            last_step=int(last_step.max()),
        )

    def _left_out(self, place: Place, first: int, last: int) -> Numbers:
        """Targets of a document left out of the loss by a goldfish rule, in each sequence from first to last - 1."""
        rule, (begin, end), length = self.goldfish(place.stream.name), place.tokens.span(place.document), self._length
        if rule is None:
            return np.zeros(last - first, dtype=np.int64)
        at = np.arange(begin, end)
        hit = left_out(place.tokens.tokens[begin:end], at - begin, rule) & (at % length > 0)
        return np.bincount(at[hit] // length - first, minlength=last - first)

    def reads(self, stream: str) -> Reads:
        """How every sequence of a stream was read; 24 bytes a sequence, kept.

        Raises:
            TraceError: the plan does not know the stream.
        """
        if stream not in self._known_reads:
            plan, index = self._in_plan(stream)
            size = plan.streams[index].sequences
            found = Reads(np.zeros(size, np.int64), np.full(size, _NEVER), np.full(size, -1))
            for sequence, step in self.steps_of(stream, np.arange(size)):
                np.add.at(found.times, sequence, 1)
                np.minimum.at(found.first_step, sequence, step)
                np.maximum.at(found.last_step, sequence, step)
            self._known_reads[stream] = found
        return self._known_reads[stream]

    def steps_of(self, stream: str, sequences: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
        """Yield (sequence, step) for every time that one of these sequences was read, some sequences at a time.

        Raises:
            TraceError: the plan does not know the stream.
        """
        plan, index = self._in_plan(stream)
        for begin in range(0, len(sequences), _SEQUENCES):
            sequence, step, _ = plan.find(index, sequences[begin : begin + _SEQUENCES].astype(np.uint64))
            done = step < self.steps_done
            yield sequence[done], step[done]

    def _in_plan(self, stream: str) -> tuple[Plan, int]:
        if self.plan is None or stream not in self._indices:
            raise TraceError(f"{self._run.path}: stream {stream} is not in the plan; nothing was looked up.")
        return self.plan, self._indices[stream]

    @cached_property
    def tokens_read(self) -> int:
        """Tokens read over all steps trained, padding left out."""
        return self._newest.tokens_read if self._newest else 0

    def stream(self, name: str, use: str) -> tuple[PackedStream, TokenStream] | None:
        """A packed stream by name and use, or None before packing or where there is no such stream."""
        return self._streams.get((name, use))

    def ids_in(self, stream: PackedStream, tokens: TokenStream) -> SortedIds:
        """The ids of a stream's documents, in order."""
        key = (stream.name, stream.use)
        if key not in self._known_ids:
            self._known_ids[key] = SortedIds(tokens.folder / IDS)
        return self._known_ids[key]

    def _place(self, row: dict[str, Any]) -> Place | None:
        known = self._streams.get((row["stream"], row["use"])) if row["stream"] else None
        if known is None:
            return None
        document = self.ids_in(*known).place_of(row["id"])
        return Place(known[0], known[1], document) if document is not None else None

    # ---- steps

    def step(self, step: int) -> dict[str, Any]:
        """The documents of one step, row by row.

        Raises:
            TraceError: the step was not trained.
        """
        if self.plan is None or not 0 <= step < self.steps_done:
            done = f"steps 0 to {self.steps_done - 1} were" if self.steps_done else "no step was"
            raise TraceError(f"{self._run.path}: step {step} was not trained in this run; {done}.")
        rows = []
        for number, (index, sequence) in enumerate(zip(*(part.tolist() for part in self.plan.at(step)), strict=True)):
            stream, tokens = self._streams[(self.plan.streams[index].name, "train")]
            documents = [self._part(tokens, place, sequence) for place in tokens.documents_in(sequence)]
            rows.append({"row": number, "stream": stream.name, "sequence": sequence, "documents": documents})
        skipped = {"skipped": True} if step in self.plan.segment_of(step).skipped_steps else {}
        return {"step": step, "rows": rows} | skipped

    def _part(self, tokens: TokenStream, place: int, sequence: int) -> dict[str, Any]:
        """One document's own tokens within one sequence, as places in the sequence [first, end)."""
        begin = sequence * tokens.length
        first, end = tokens.span(place)
        inside = [max(0, first - begin), min(tokens.length, end - begin)]
        return {"id": tokens.id_of(place), "tokens": inside}

    # ---- ledger

    def rows(self, partner: str | None = None) -> Iterator[dict[str, Any]]:
        """All ledger rows, partner by partner and in the order of ids within each; or those of one partner."""
        return self.ledger.rows(partner)


def _span_of(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    first, end = place.tokens.span(place.document)
    return {"stream": place.stream.name, "use": place.stream.use, "first": first, "end": end, "count": end - first}


_SAMPLED = {
    True: "yes: in the sample from which the vocabulary was learnt",
    False: "no: not in the sample from which the vocabulary was learnt",
    None: "not recorded",
}
_OUTCOMES = {"train": "in the training text", "held-out": "held out, never trained on", "none": "not used"}


def as_text(answer: dict[str, Any]) -> str:
    """The answer for a person."""
    lines = [
        f"document     {answer['id']}",
        f"supplier     {answer['partner']}, own id {answer['native_id']}",
        f"title        {answer['title'] or '-'}",
        f"licence      {answer['licence']}" + (f", used under {answer['branch']}" if answer["branch"] else ""),
        f"decision     {answer['decision']} ({answer['decision_reason']}): {answer['explanation']}",
        f"clause       {answer['clause'] or '-'}",
        f"outcome      {_OUTCOMES[answer['use']]}: {reason(answer['reason'], 'en')}",
    ]
    for event in answer["stages"]:
        told = " ".join(str(part) for part in (event["outcome"], event["reason"], event["detail"]) if part)
        lines.append(f"  {event['stage']:<11}{told}")
    lines.append(f"vocabulary   {_SAMPLED[answer['in_vocabulary_sample']]}")
    tokens = answer["tokens"]
    if tokens is None:
        lines.append("tokens       none: it is not in the corpus, and the model never read it")
    else:
        span = f"{tokens['first']:,} to {tokens['end']:,} of {tokens['stream']}"
        lines.append(f"tokens       {tokens['count']:,} ({span})")
        places = ", ".join(f"step {step} row {row}" for step, row in answer["positions"][:20])
        more = f" and {len(answer['positions']) - 20} more" if len(answer["positions"]) > 20 else ""
        lines.append(f"read at      {places or 'no step: never trained on'}{more}")
    return "\n".join(lines)


def step_as_text(answer: dict[str, Any]) -> str:
    """A step's documents for a person."""
    lines = [f"step {answer['step']}" + (", whose update was dropped" if answer.get("skipped") else "")]
    for row in answer["rows"]:
        lines.append(f"  row {row['row']:>3}  {row['stream']}, sequence {row['sequence']}")
        parts = [(part["id"], *part["tokens"]) for part in row["documents"]]
        lines += [f"           {document}  tokens {first}-{end}" for document, first, end in parts]
    return "\n".join(lines)


def dump(value: Any) -> str:
    """JSON for a program."""
    return json.dumps(value, ensure_ascii=False, indent=1)
