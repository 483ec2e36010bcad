"""`herkomst verify`: was the vocabulary learnt from the documents that were stated?

The draw is repeated from the ids of the corpus. After a withdrawal the corpus has fewer documents than the vocabulary
was learnt from; then the stated last priority of each language decides, and what is listed beyond the corpus must be
what the ledger calls withdrawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from data_curation.withdrawn import WITHDRAWN
from licensing.ledger import Ledger
from licensing.merkle import leaf_hash, root_of
from licensing.record import Entry, Finding
from licensing.sorted_ids import ID_BYTES, SortedIds, packed, packed_column
from pipeline.run_directory import RunDirectory
from training.vocabulary_sample import SAMPLED_IDS, Draw, Sampler, drawn_ids, training_streams

_NAME = f"tokenizer/{SAMPLED_IDS}"
_NOT_STATED = "who was in the vocabulary's sample does not hold"
# Ids looked up at a time.
_MANY = 1 << 16


def vocabulary_sample(run: RunDirectory, newest: Mapping[str, Entry]) -> Iterator[Finding]:
    """The list of documents gives the signed root, and is what the signed draws take from this corpus."""
    stated = newest["tokenizer"].predicate["figures"] if "tokenizer" in newest else {}
    # Versions that recorded no sample claimed nothing about it.
    if "sample" not in stated:
        return
    listed = SortedIds(run.tokenizer / SAMPLED_IDS)
    root = root_of(_leaves(run)).hex()
    if root != stated["sample"]["root"] or len(listed) != stated["sample"]["documents"]:
        yield Finding(_NAME, "does not give the signed root", _NOT_STATED)
        return
    draws = {name: Draw.of(values) for name, values in stated["sample"]["by_language"].items()}
    seed = int(yaml.safe_load(run.config.read_bytes())["seed"])
    kept = stated.get("kept_after_withdrawal", False)
    if not kept:
        yield from _amounts(run, draws, seed)
    yield from _documents(run, listed, draws, seed, kept)


def _leaves(run: RunDirectory) -> Iterator[bytes]:
    with (run.tokenizer / SAMPLED_IDS).open("rb") as file:
        while one := file.read(ID_BYTES):
            yield leaf_hash(one)


def _amounts(run: RunDirectory, draws: Mapping[str, Draw], seed: int) -> Iterator[Finding]:
    """The bytes wanted of each language resolve to the documents stated."""
    sampler = Sampler(run.corpus, seed, max(draw.bytes for draw in draws.values()))
    again = sampler.draw({name: draw.wanted for name, draw in draws.items() if name in sampler.sizes})
    for name, draw in draws.items():
        if again.get(name) != draw:
            yield Finding(_NAME, f"the draw of language '{name}' gives other documents when repeated", _NOT_STATED)


def _documents(
    run: RunDirectory, listed: SortedIds, draws: Mapping[str, Draw], seed: int, kept: bool
) -> Iterator[Finding]:
    """What is drawn from the corpus is listed; what else is listed was withdrawn since."""
    found = np.zeros(len(listed), dtype=bool)
    for ids in _chunks(drawn_ids(run.corpus, training_streams(run.corpus), draws, seed)):
        places = listed.places_of(packed(ids))
        found[places[places >= 0]] = True
        for name in np.flatnonzero(places < 0)[:1].tolist():
            yield Finding(_NAME, f"lacks document {ids[name]}, which the draw takes", _NOT_STATED)
    if kept:
        _mark_withdrawn(run, listed, found)
    for place in np.flatnonzero(~found)[:1].tolist():
        problem = f"names document {listed.hex(place)}, which the draw does not take" + (
            " and no withdrawal took away" if kept else ""
        )
        yield Finding(_NAME, problem, _NOT_STATED)


def _mark_withdrawn(run: RunDirectory, listed: SortedIds, found: Any) -> None:
    codes = pa.array(WITHDRAWN)
    for batch in Ledger(run.ledger).batches(columns=["id", "reason"]):
        withdrawn = batch["id"].filter(pc.is_in(batch["reason"], value_set=codes))
        places = listed.places_of(packed_column(withdrawn))
        found[places[places >= 0]] = True


def _chunks(ids: Iterator[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    for one in ids:
        chunk.append(one)
        if len(chunk) == _MANY:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
