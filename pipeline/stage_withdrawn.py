"""What withdrawals mean for the stages ``commit``, ``tokenizer`` and ``pack``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from licensing.canonical import digest_of
from licensing.ledger import Ledger
from licensing.sorted_ids import SortedIds, packed
from pipeline.run_directory import RunDirectory
from pipeline.stage import Context, in_place
from pipeline.stage_inputs import tokenizer_settings

if TYPE_CHECKING:
    from data_curation.withdrawn import Withdrawn
    from training.withdrawn import Gap


def refused_by_withdrawals(context: Context) -> Withdrawn | None:
    """Answers for every document whether a withdrawal refuses it; None where there is no withdrawal."""
    from data_curation.withdrawn import withdrawn_for

    if not context.withdrawals:
        return None
    folders = sorted((context.run.curated / "signatures").iterdir())
    return withdrawn_for(context.withdrawals, folders, context.loaded.config.curation.duplicates)


def gaps_since_pack(context: Context) -> list[Gap] | None:
    """What withdrawals took from the corpus since its tokens were packed; None where anything else changed as well.

    Then tokenizer and positions stay as they are: with another vocabulary or other positions no earlier checkpoint
    could be gone on from.
    """
    from training.pack import read_packed
    from training.withdrawn import gaps

    known, run = context.known, context.run
    if not context.withdrawals or context.forced or not {"tokenizer", "pack"} <= known.keys():
        return None
    tokenizer, pack = known["tokenizer"], known["pack"]
    same_settings = tokenizer.predicate["settings_digest"] == digest_of(tokenizer_settings(context.loaded))
    belong = pack.predicate["needs"]["tokenizer"] == tokenizer.predicate["outputs_digest"]
    if not (same_settings and belong and in_place(tokenizer, run)):
        return None
    try:
        tokens = read_packed(run.tokens)
    except (OSError, ValueError, TypeError):
        return None
    # After a kill between the rename and the statement the tokens are already those without the withdrawn text.
    if pack.predicate["figures"]["root"] not in (tokens.root, *tokens.taken_from):
        return None
    return gaps(tokens, run.corpus, _withdrawn_ids(run))


def figures_of_kept_tokenizer(context: Context) -> dict[str, Any]:
    """What was stated of the tokenizer when it was made, and how many documents of its sample are withdrawn by now.

    They stay in the list of the sample, for the vocabulary was learnt from them.
    """
    from training.vocabulary_sample import SAMPLED_IDS

    figures = dict(context.known["tokenizer"].predicate["figures"])
    if "sample" not in figures:  # a base model's own, which nothing of this corpus is in
        return figures | {"kept_after_withdrawal": True}
    withdrawn = packed(sorted(_withdrawn_ids(context.run)))
    found = SortedIds(context.run.tokenizer / SAMPLED_IDS).places_of(withdrawn)
    return figures | {"kept_after_withdrawal": True, "withdrawn_from_sample": int((found >= 0).sum())}


def _withdrawn_ids(run: RunDirectory) -> set[str]:
    """The documents that the ledger calls withdrawn, copies of such, or made from such."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from data_curation.withdrawn import WITHDRAWN

    codes = pa.array(WITHDRAWN)
    found: set[str] = set()
    for batch in Ledger(run.ledger).batches(columns=["id", "reason"]):
        found.update(batch["id"].filter(pc.is_in(batch["reason"], value_set=codes)).to_pylist())
    return found
