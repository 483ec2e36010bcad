"""Planted items are found wherever they stand, edited ones by most of their words, and nothing else is."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from random import Random

import pytest

from data_curation.contamination.match import EvaluationSets, Hit, event
from data_curation.contamination.settings import ContaminationSettings, EvaluationSet
from data_curation.contamination.table import ContaminationWriter, contaminated_items, gather_hits
from data_curation.words import Words
from licensing.errors import HerkomstError

QUESTION = "Which of the seven bridges of the old town was built first and by whom was it paid for?"
TEMPLATE = (
    "When {} met {} at the market on the first day of the year, both of them were asked for the way to the church."
)
SHORT = "The quick miller sold two brown loaves yesterday."  # 8 words
TINY = "Who was it then?"


def written(folder: Path, rows: list[dict[str, object]], name: str = "quiz.jsonl") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def settings_of(**keys: object) -> ContaminationSettings:
    one = EvaluationSet(name="quiz", path="quiz.jsonl", fields=("q",), id="n")
    return ContaminationSettings(sets=(one,), **keys)  # type: ignore[arg-type]


def loaded(tmp: Path, texts: dict[str, object], **keys: object) -> EvaluationSets:
    rows: list[dict[str, object]] = [{"n": name, "q": text} for name, text in texts.items()]
    return EvaluationSets.load(settings_of(**keys), written(tmp, rows))


def noise(words: int, seed: int = 1) -> str:
    return " ".join(f"w{number}" for number in Random(seed).choices(range(500), k=words))


def hits(sets: EvaluationSets, text: str) -> list[tuple[str, str, float]]:
    return [(hit.item.removeprefix("quiz:"), hit.kind, hit.share) for hit in sets.hits(Words.of(text))]


@pytest.mark.parametrize(("before", "after"), [(0, 0), (0, 3), (1, 0), (5000, 5000), (12, 12)])
def test_a_verbatim_item_is_found_wherever_it_stands(tmp_path: Path, before: int, after: int) -> None:
    sets = loaded(tmp_path, {"a": QUESTION, "b": SHORT, "c": TINY})
    text = f"{noise(before)}\n{QUESTION.upper()}\n{noise(after, 2)}"
    assert hits(sets, text) == [("a", "ngram", 1.0)]
    assert hits(sets, text.replace(QUESTION.upper(), SHORT)) == [("b", "ngram", 1.0)]
    assert hits(sets, text.replace(QUESTION.upper(), TINY)) == []


def test_what_is_too_short_is_counted_as_not_testable(tmp_path: Path) -> None:
    assert loaded(tmp_path, {"a": QUESTION, "c": TINY, "d": ""}).counts == {"quiz": {"items": 3, "not_testable": 2}}


def test_a_short_text_counts_only_whole(tmp_path: Path) -> None:
    sets = loaded(tmp_path, {"b": SHORT}, near=1)
    assert hits(sets, f"{noise(9)} {SHORT.removesuffix(' yesterday.')} today. {noise(9)}") == []


def test_an_edited_item_is_near_and_its_share_told(tmp_path: Path) -> None:
    sets = loaded(tmp_path, {"a": QUESTION})
    edited = QUESTION.replace("bridges", "canals").replace("built", "really built")
    assert hits(sets, f"{noise(40)} {edited} {noise(40)}") == [("a", "near", pytest.approx(18 / 19, abs=1e-4))]
    assert hits(loaded(tmp_path, {"a": QUESTION}, near=1), edited) == []
    assert hits(sets, f"{noise(40)} {' '.join(sorted(QUESTION.split()))}") == []


def test_a_phrase_of_a_long_item_is_no_hit(tmp_path: Path) -> None:
    long = f"{noise(60, 3)} {QUESTION}"
    sets = loaded(tmp_path, {"a": long})
    assert hits(sets, f"{noise(30)} {QUESTION} {noise(30)}") == []
    assert hits(loaded(tmp_path, {"a": long}, least_share=0.05), QUESTION) == [
        ("a", "ngram", pytest.approx(7 / 67, abs=1e-4))
    ]


def test_an_item_is_not_taken_for_all_others_of_its_template(tmp_path: Path) -> None:
    names = ["Anna", "Bram", "Carla", "Dirk", "Els", "Freek", "Greta", "Hugo"]
    pairs = [(one, other) for one in names for other in names if one != other]
    sets = loaded(tmp_path, {f"{one}-{other}": TEMPLATE.format(one, other) for one, other in pairs})
    verbatim = f"{noise(20)} {TEMPLATE.format('Carla', 'Hugo')} {noise(20)}"
    assert hits(sets, verbatim)[0][0] == "Carla-Hugo"
    assert len(hits(sets, verbatim)) == 1
    edited = verbatim.replace("market on the first", "square on the last")
    assert [name for name, _, _ in hits(sets, edited)] == ["Carla-Hugo"]


def test_an_item_of_several_texts_is_weighed_by_their_words(tmp_path: Path) -> None:
    sets = loaded(tmp_path, {"a": [QUESTION, SHORT, TINY]})
    assert hits(sets, QUESTION) == [("a", "ngram", pytest.approx(19 / 27, abs=1e-4))]
    assert hits(sets, f"{SHORT} {noise(5)} {QUESTION}") == [("a", "ngram", 1.0)]


def test_items_that_share_a_text_are_all_hit(tmp_path: Path) -> None:
    assert [hit[0] for hit in hits(loaded(tmp_path, {"b": QUESTION, "a": QUESTION}), QUESTION)] == ["a", "b"]


def test_the_index_reads_back_and_travels_to_other_processes(tmp_path: Path) -> None:
    sets = loaded(tmp_path, {"a": QUESTION, "b": SHORT})
    sets.write(tmp_path / "index")
    text = f"{SHORT} {noise(50)} {QUESTION} more"
    expected = sets.hits(Words.of(text))
    assert len(expected) == 2
    assert EvaluationSets.open(tmp_path / "index", settings_of()).hits(Words.of(text)) == expected
    assert pickle.loads(pickle.dumps(sets)).hits(Words.of(text)) == expected
    with pytest.raises(HerkomstError, match="other evaluation sets or settings"):
        EvaluationSets.open(tmp_path / "index", settings_of(ngram=12))
    (tmp_path / "index" / "keys.npy").unlink()
    with pytest.raises(HerkomstError, match="no readable index"):
        EvaluationSets.open(tmp_path / "index", settings_of())


def test_too_many_ngrams_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HerkomstError, match="'quiz' brings the sets to more than 20 n-grams"):
        loaded(tmp_path, {"a": QUESTION, "b": SHORT}, most_ngrams=20)


@pytest.mark.parametrize("text", ["", "one", "one two three four five six seven", "\ud800 " * 30])
def test_no_sets_and_odd_documents(tmp_path: Path, text: str) -> None:
    assert EvaluationSets.load(ContaminationSettings(), tmp_path).hits(Words.of(text)) == []
    assert hits(loaded(tmp_path, {"a": QUESTION}), text) == []


def test_events_name_a_few_and_count_all() -> None:
    found = [Hit("quiz", f"{number:02}", "near", 0.9) for number in range(12)] + [Hit("zoo", "z", "ngram", 1.0)]
    told = event(found, ContaminationSettings(listed=2, action="flag"))
    assert told == {
        "stage": "curate",
        "outcome": "recorded",
        "reason": "contaminated",
        "detail": "evaluation items found: 12 of quiz, 1 of zoo: quiz 00 (near, 0.90); quiz 01 (near, 0.90); "
        "and 11 more",
    }
    assert event(found, ContaminationSettings())["outcome"] == "removed"


def test_the_table_is_the_same_for_any_number_of_tasks(tmp_path: Path) -> None:
    rows = [(f"{n:064x}", [Hit("quiz", str(n % 3), "ngram", 1.0), Hit("zoo", "z", "near", 0.8)]) for n in range(9)]
    for tasks in (1, 4):
        for task in range(tasks):
            with ContaminationWriter(tmp_path / f"{tasks}-{task}.parquet") as writer:
                for document, found in rows[task::tasks]:
                    writer.add(document, found, removed=found[0].item != "1")
    counts = gather_hits([tmp_path / "1-0.parquet"], tmp_path / "one.parquet")
    assert counts == {
        "quiz": {"items": 3, "items_left_in": 1, "documents": 9},
        "zoo": {"items": 1, "items_left_in": 1, "documents": 9},
    }
    assert gather_hits([tmp_path / f"4-{task}.parquet" for task in (3, 1, 0, 2)], tmp_path / "four.parquet") == counts
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "four.parquet").read_bytes()
    assert contaminated_items(tmp_path / "one.parquet") == {"quiz": {"1"}, "zoo": {"z"}}
    assert contaminated_items(tmp_path / "one.parquet", removed_too=True)["quiz"] == {"0", "1", "2"}


def test_a_task_that_dies_leaves_no_table(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), ContaminationWriter(tmp_path / "hits.parquet") as writer:
        writer.add("0" * 64, [Hit("quiz", "a", "ngram", 1.0)], removed=True)
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    assert gather_hits([], tmp_path / "none.parquet") == {}
