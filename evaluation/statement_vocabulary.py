"""How many of a partner's documents the vocabulary was learnt from: a vocabulary too is made from licensed content."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_curation.withdrawn import WITHDRAWN
from evaluation.run_files import RunFiles
from licensing.ledger import Ledger
from licensing.sorted_ids import SortedIds, packed_column
from training.tokenizer import SPECIAL_TOKENS
from training.vocabulary_sample import SAMPLED_IDS


def vocabulary_values(run: RunFiles, partner: str) -> dict[str, int] | None:
    """Count a partner's documents in the sample and those withdrawn since; None where it is not recorded.

    The list of the sample is kept as it was when the vocabulary was made, so a withdrawn document still counts.
    """
    path = run.root / "tokenizer" / SAMPLED_IDS
    if path.with_name(SPECIAL_TOKENS).exists():
        # A base model's own vocabulary: nothing of this run was in it.
        return {"documents": 0, "withdrawn": 0}
    if not path.exists():
        return None
    sampled, codes = SortedIds(path), pa.array(WITHDRAWN)
    documents = withdrawn = 0
    for batch in Ledger(run.ledger).batches(partner, ["id", "reason"]):
        inside = sampled.places_of(packed_column(batch.column("id"))) >= 0
        gone = np.asarray(pc.is_in(batch.column("reason"), value_set=codes))
        documents += int(inside.sum())
        withdrawn += int((inside & gone).sum())
    return {"documents": documents, "withdrawn": withdrawn}
