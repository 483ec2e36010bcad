"""Where documents' tokens lie, for many ledger rows at once: spans in a stream, and the sequences that they touch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from licensing.sorted_ids import packed_column
from pipeline.trace import TraceError, Tracer
from training.goldfish import left_out
from training.pack import PackedStream
from training.plan import GoldfishRule
from training.token_stream import TokenStream

COLUMNS = ("id", "stream", "use")
"""The ledger columns that are needed to find tokens."""

Numbers = NDArray[np.int64]
# Tokens looked at together, so that memory does not grow with a partner's share.
_TOKENS = 1 << 18


@dataclass(frozen=True, slots=True)
class Spans:
    """Documents of one stream, each array of shape [documents].

    ``rows`` are their rows in the batch they came from, ``places`` their places in the stream; their own tokens are
    ``begin`` to ``end - 1``, the end-of-document token left out.
    """

    stream: PackedStream
    tokens: TokenStream
    rows: Numbers
    places: Numbers
    begin: Numbers
    end: Numbers


@dataclass(frozen=True, slots=True)
class Pieces:
    """What documents have in each sequence that they touch, each array of shape [pieces].

    ``document`` counts through the spans, ``tokens`` are the document's own in that sequence, and ``scored`` those of
    them that a model has to predict: the first token of a sequence has nothing before it to be predicted from, and
    ``left_out`` of the others are left out of the loss by a goldfish rule.
    """

    document: Numbers
    sequence: Numbers
    tokens: Numbers
    scored: Numbers
    left_out: Numbers


def spans_of(tracer: Tracer, batch: pa.RecordBatch, use: str | None = None) -> Iterator[Spans]:
    """Find the tokens of the rows of a batch that holds `COLUMNS`, stream by stream; of one use only if given.

    Rows without tokens are left out. Raises TraceError where the streams lack a document that the ledger says is there.
    """
    # A use holds no zero byte, so the last one parts the two names; without a stream there is no name at all.
    named = pc.binary_join_element_wise(batch.column("stream"), batch.column("use"), "\0").dictionary_encode()
    coded = np.asarray(named.indices.fill_null(-1))
    for code, key in enumerate(named.dictionary.to_pylist()):
        name, _, put_to = key.rpartition("\0")
        known = tracer.stream(name, put_to) if use in (None, put_to) else None
        if known is not None:
            yield _spans(tracer, known, batch, np.flatnonzero(coded == code))


def _spans(tracer: Tracer, known: tuple[PackedStream, TokenStream], batch: pa.RecordBatch, rows: Numbers) -> Spans:
    stream, tokens = known
    places = tracer.ids_in(stream, tokens).places_of(packed_column(batch.column("id").take(pa.array(rows))))
    if (places < 0).any():
        lost = batch.column("id")[int(rows[places < 0][0])].as_py()
        raise TraceError(
            f"{tokens.folder}: the ledger puts document {lost} here, but it is not among the tokens; no figure was "
            "given out. Run `herkomst verify`, which names what was changed."
        )
    ends = tokens.ends
    begin = np.where(places > 0, ends[places - 1], 0).astype(np.int64)
    return Spans(stream, tokens, rows, places, begin, ends[places].astype(np.int64) - 1)


def pieces_of(spans: Spans, rule: GoldfishRule | None = None) -> Pieces:
    """Cut documents where sequences end; a document without tokens of its own has no piece.

    ``rule`` says which targets are left out of the loss; finding them takes reading the documents' tokens.
    """
    length = spans.tokens.length
    first = spans.begin // length
    count = np.where(spans.end > spans.begin, -(-spans.end // length) - first, 0)
    document = np.repeat(np.arange(len(count)), count)
    sequence = np.arange(len(document)) - np.repeat(np.cumsum(count) - count - first, count)
    begin, end, edge = spans.begin[document], spans.end[document], sequence * length
    tokens = np.minimum(end, edge + length) - np.maximum(begin, edge)
    left_out = _left_out(spans, document, tokens, rule) if rule else np.zeros_like(tokens)
    return Pieces(document, sequence, tokens, tokens - (edge >= begin) - left_out, left_out)


def _left_out(spans: Spans, document: Numbers, tokens: Numbers, rule: GoldfishRule) -> Numbers:
    """How many targets of every piece are left out of the loss; documents are read some at a time."""
    found = np.zeros_like(tokens)
    part_of = np.cumsum(spans.end - spans.begin) // _TOKENS
    pieces = np.searchsorted(document, np.flatnonzero(np.diff(part_of)) + 1)
    for part in np.split(np.arange(len(document)), pieces):
        begin, end = (edge[np.unique(document[part])] for edge in (spans.begin, spans.end))
        before = np.cumsum(end - begin) - (end - begin)
        offset = np.arange(int((end - begin).sum())) - np.repeat(before, end - begin)
        at = offset + np.repeat(begin, end - begin)
        hit = left_out(spans.tokens.tokens[at], offset, rule) & (at % spans.tokens.length > 0)
        found[part] = np.bincount(np.repeat(np.arange(len(part)), tokens[part])[hit], minlength=len(part))
    return found


def only(batch: pa.RecordBatch, column: str, value: str) -> pa.RecordBatch:
    """The rows of a batch with this value in a column."""
    return batch.filter(pc.equal(batch.column(column), value))
