"""Real evaluation sets against real text: every item verbatim is found, and untouched text has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from data_curation.contamination.items import read_items
from data_curation.contamination.match import EvaluationSets
from data_curation.contamination.settings import ContaminationSettings, EvaluationSet
from data_curation.words import Words

ROOT = Path(__file__).parents[3]
DATA = next(
    (place for place in (up / "shared" / "data" for up in ROOT.parents) if (place / "evaluation").is_dir()),
    ROOT.parent / "shared" / "data",
)

pytestmark = pytest.mark.skipif(
    not (DATA / "evaluation").is_dir(), reason="the real evaluation sets of ../shared/data are not here"
)

SETS = (
    EvaluationSet(name="crows", path="crows-pairs/*.csv", fields=("sent_more", "sent_less")),
    EvaluationSet(name="winobias", path="winobias", format="txt", without=r"^\d+ "),
    EvaluationSet(name="mbbq", path="mbbq/Gender_identity_nl.jsonl", fields=("context", "question"), id=None),
    EvaluationSet(name="honest", path="honest/it*.tsv", fields=("template_masked",)),
)
SETTINGS = ContaminationSettings(sets=SETS)


@pytest.mark.slow
def test_every_real_item_is_found_verbatim_and_laws_hold_none() -> None:
    sets = EvaluationSets.load(SETTINGS, DATA / "evaluation")
    laws = [path.read_text() for path in sorted((DATA / "corpora" / "gesetze").rglob("*.md"))[:60]]
    assert not any(sets.hits(Words.of(law)) for law in laws)
    assert sum(map(len, laws)) > 100_000
    law, able = laws[0][:500], 0
    for one in SETS:
        items = list(read_items(one, DATA / "evaluation"))
        assert len(items) == sets.counts[one.name]["items"]
        for item in items[::5]:
            if any(len(Words.of(text)) >= SETTINGS.least_words for text in item.texts):
                able += 1
                hits = sets.hits(Words.of(f"{law} {' '.join(item.texts)} {law}"))
                assert (item.set, item.id) in {(hit.set, hit.item) for hit in hits}, item
    assert able > 600
