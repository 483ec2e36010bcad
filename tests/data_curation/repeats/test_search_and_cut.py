"""Repeats are found wholly, nothing else is cut, the first holder keeps its copy, and tasks do not matter."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pyarrow.parquet as pq
import pytest

from data_curation.repeats import ranges
from data_curation.repeats.cut import COUNTED, CUT, NOTHING_LEFT, Cut, Cutter
from data_curation.repeats.layout import Layout
from data_curation.repeats.search import find_repeats
from data_curation.repeats.settings import ParagraphRepeats, RepeatsSettings, RunRepeats
from data_curation.repeats.store import KINDS, RepeatFolder, RepeatWriter
from data_curation.words import Words
from licensing.errors import HerkomstError
from tests.data_curation.repeats.common import SMALL, both, cut_all, named, searched, written

RUNS = RepeatsSettings(paragraphs=None, runs=SMALL.runs, least_left_words=3)
PARAGRAPHS = RepeatsSettings(paragraphs=ParagraphRepeats(least_words=3), runs=None, least_left_words=3)
NOTICE = "This notice stands below every page of the manual."
RUN = "Alpha bravo charlie delta. Echo foxtrot golfing hotel. India juliet kilos limas."


def first_of(*names: str) -> str:
    return min(names, key=named)


def order(texts: dict[str, str]) -> list[str]:
    return sorted(texts, key=named)


def test_the_first_holder_keeps_a_paragraph_and_the_others_name_it(tmp_path: Path) -> None:
    texts = {name: f"Page {name} has its own words.\n\n{NOTICE}\n\nAn end of {name} follows." for name in "abc"}
    cuts = both(tmp_path, texts)
    first = first_of("a", "b", "c")
    assert cuts[first] == Cut(texts[first], (), 20, 0, None)
    for name in set(texts) - {first}:
        assert cuts[name].text == f"Page {name} has its own words.\n\nAn end of {name} follows."
        assert [(part.kind, part.holder, part.words, part.cut) for part in cuts[name].parts] == [
            ("paragraph", named(first), 9, True)
        ]
        part = cuts[name].parts[0]
        assert texts[name][part.start : part.end] == NOTICE
        assert cuts[name].event() == {
            "stage": "curate",
            "outcome": "changed",
            "reason": CUT,
            "detail": "1 paragraphs and 0 runs, 9 of 20 words (45.0 %), stand in other documents, first in "
            + named(first),
        }


def test_a_smaller_rank_keeps_what_both_hold(tmp_path: Path) -> None:
    texts = {name: f"Words of {name} alone.\n\n{NOTICE}" for name in "ab"}
    last = order(texts)[1]
    cuts = both(tmp_path, texts, ranks={first_of("a", "b"): 5})
    assert cuts[last].reason is None
    assert cuts[first_of("a", "b")].parts[0].holder == named(last)


def test_removed_documents_hold_nothing(tmp_path: Path) -> None:
    texts = {name: f"Words of {name} alone.\n\n{NOTICE}" for name in "abc"}
    first, second, third = order(texts)
    cuts = both(tmp_path, texts, removed=[first, "never seen"])
    assert (cuts[first].reason, cuts[second].reason) == (None, None)
    assert cuts[third].parts[0].holder == named(second)


def test_paragraphs_are_compared_folded_and_short_ones_left(tmp_path: Path) -> None:
    shared = "one two three five"
    texts = {"a": "ONE  two\n\tthree ﬁve\n\nSee also\n\nonly here and so", "b": f"{shared}\n\nSee also\n\nall of mine"}
    cut = both(tmp_path, texts, PARAGRAPHS)[order(texts)[1]]
    assert [part.kind for part in cut.parts] == ["paragraph"]
    assert cut.text.startswith("See also\n\n")


def test_whole_sentences_of_a_run_are_cut_and_halves_stay(tmp_path: Path) -> None:
    texts = {
        "a": f"Before stood othersone. {RUN} After stood othersone here.",
        "b": f"Nothing before likethis. {RUN} After stood somethingelse.\n\nA second paragraph of it.",
    }
    first, last = order(texts)
    cuts = both(tmp_path, texts, RUNS)
    assert cuts[first].reason is None
    assert RUN not in cuts[last].text
    assert cuts[last].text == texts[last].replace(RUN + " ", "")
    assert [(part.kind, part.words) for part in cuts[last].parts] == [("run", 12)]


def test_a_run_shorter_than_its_setting_stays(tmp_path: Path) -> None:
    short = "Alpha bravo charlie delta. Echo foxtrot golfing."
    texts = {"a": f"Some words beforethis. {short} Then others.", "b": f"Not thesame. {short} Else things."}
    assert {cut.reason for cut in both(tmp_path, texts, RUNS).values()} == {None}


def test_a_repeat_within_one_document_is_none_across_documents(tmp_path: Path) -> None:
    texts = {"a": f"{NOTICE}\n\n{NOTICE}\n\n{RUN} {RUN}", "b": "Other words stand in this."}
    assert {cut.reason for cut in both(tmp_path, texts).values()} == {None}


def test_least_documents(tmp_path: Path) -> None:
    texts = {name: f"Words of {name} alone.\n\n{NOTICE}" for name in "abc"} | {"d": f"D alone is.\n\n{RUN}"}
    texts["e"] = f"E alone is.\n\n{RUN}"
    three = SMALL.model_copy(update={"least_documents": 3})
    stats, table = searched(tmp_path, texts, three)
    assert (stats.documents, stats.repeating, stats.paragraphs) == (5, 2, 1)
    assert sum(cut.reason == CUT for cut in cut_all(texts, table, three).values()) == 2


def test_counting_changes_nothing_and_tells_the_same_words(tmp_path: Path) -> None:
    counting = RepeatsSettings(
        paragraphs=ParagraphRepeats(least_words=3, action="count"),
        runs=RunRepeats(least_words=8, window=3, action="count"),
        least_left_words=3,
    )
    texts = {name: f"Page {name} alone.\n\n{NOTICE}\n\n{RUN} Of {name} too." for name in "ab"}
    last = order(texts)[1]
    counted, cut = both(tmp_path, texts, counting)[last], both(tmp_path, texts)[last]
    assert (counted.text, counted.reason) == (texts[last], COUNTED)
    assert counted.event()["outcome"] == "recorded"
    assert counted.repeated == cut.repeated == 21
    assert counted.seen == cut.seen == 22  # "alone" before the notice too
    assert [part.cut for part in counted.parts] == [False] * len(cut.parts)


def test_a_paragraph_that_is_only_counted_hides_no_run_that_is_cut(tmp_path: Path) -> None:
    mixed = SMALL.model_copy(update={"paragraphs": ParagraphRepeats(least_words=3, action="count")})
    texts = {name: f"Page {name} alone.\n\n{RUN}" for name in "ab"}
    cut = both(tmp_path, texts, mixed)[order(texts)[1]]
    assert [(part.kind, part.cut) for part in cut.parts] == [("run", True)]


def test_a_document_of_which_too_little_is_left_is_removed(tmp_path: Path) -> None:
    texts = {"a": f"{NOTICE}\n\n{RUN}", "b": f"{NOTICE}\n\nSee also\n\n{RUN}"}
    cut = both(tmp_path, texts, ranks={"b": 1})["b"]
    assert (cut.text, cut.reason, cut.event()["outcome"]) == ("See also", NOTHING_LEFT, "removed")


@pytest.mark.parametrize(("tasks", "backwards"), [(2, False), (7, True), (1, True)])
def test_any_number_of_tasks_and_order_give_the_same_bytes(tmp_path: Path, tasks: int, backwards: bool) -> None:
    texts = {str(n): f"Page {n} alone.\n\n{NOTICE} Part {n % 3} of it.\n\n{RUN} Of {n % 4} too." for n in range(20)}
    expected = searched(tmp_path, texts)[1].read_bytes()
    assert searched(tmp_path, texts, tasks=tasks, backwards=backwards)[1].read_bytes() == expected


def test_many_ranges_give_the_same_table_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {str(n): f"Page {n} alone.\n\n{NOTICE} Part {n % 3} of it.\n\n{RUN} Of {n % 4} too." for n in range(40)}
    expected = pq.read_table(searched(tmp_path / "one", texts)[1])
    monkeypatch.setattr(ranges, "_OPEN_FILES", 4)
    few = SMALL.model_copy(update={"keys_in_memory": 20})
    assert pq.read_table(searched(tmp_path / "few", texts, few)[1]) == expected
    assert len(expected) == 39


def test_no_documents_at_all(tmp_path: Path) -> None:
    stats, table = searched(tmp_path, {})
    assert (stats.documents, pq.read_table(table).num_rows) == (0, 0)


def test_a_folder_given_twice_or_cut_short_is_an_error(tmp_path: Path) -> None:
    folder = written(tmp_path / "one", {"a": RUN}, SMALL, {})
    with pytest.raises(HerkomstError, match="occurs twice"):
        find_repeats([folder, folder], [], tmp_path / "out", SMALL, tmp_path / "work")
    with pytest.raises(HerkomstError, match="other settings"):
        RepeatFolder.open(folder, RUNS)
    (folder / "runs").write_bytes((folder / "runs").read_bytes()[:-8])
    with pytest.raises(HerkomstError, match="cut short"):
        find_repeats([folder], [], tmp_path / "out", SMALL, tmp_path / "work")
    with pytest.raises(HerkomstError, match="no readable folder"):
        RepeatFolder.open(tmp_path / "none", SMALL)
    assert not (tmp_path / "out").exists()


def test_words_of_another_text_are_refused() -> None:
    row = {"paragraphs": [], "paragraph_holders": [], "runs": [1], "run_holders": [b"x" * 32]}
    with pytest.raises(HerkomstError, match="split the text as it is now"):
        Cutter(SMALL).cut("one two", Words.of("one two three"), row)
    other = " ".join("abcdefghi")
    with pytest.raises(HerkomstError, match="1 repeats are named for this text and 0 are in it"):
        Cutter(SMALL).cut(other, Words.of(other), row)
    row |= {"paragraphs": [5], "paragraph_holders": [b"x" * 32], "runs": []}
    with pytest.raises(HerkomstError, match="1 repeats are named"):
        Cutter(SMALL).cut(other, Words.of(other), row)


def test_words_of_half_sentences_are_seen_but_not_cut(tmp_path: Path) -> None:
    texts = {
        "a": "Alpha bravo charlie delta echoes foxtrot golfing hotel indian one.",
        "b": "Alpha bravo charlie delta echoes foxtrot golfing hotel indian two, and more.",
    }
    cut = both(tmp_path, texts, RUNS)[order(texts)[1]]
    assert (cut.parts, cut.reason, cut.seen) == ((), None, 9)


SENTENCES = [
    "Alpha bravo.", "Bravo alpha bravo charlie.", "Charlie alpha.", "Alpha alpha alpha bravo charlie.",
    "Delta bravo bravo alpha charlie delta.", "Charlie delta!",
]  # fmt: skip


def random_texts(seed: int, count: int = 40) -> dict[str, str]:
    """Texts of a few sentences, so that rows of them repeat by chance, with and without blank lines between."""
    random = Random(seed)
    return {
        str(number): "".join(
            random.choice(SENTENCES) + random.choice([" ", " ", "\n\n"]) for _ in range(random.randint(1, 9))
        )
        for number in range(count)
    }


def units_of(text: str) -> list[list[str]]:
    return [Words.of(text[start:end].lower()).found for start, end in Layout.of(text).units.tolist()]


def grams_of(text: str, size: int) -> set[tuple[str, ...]]:
    words = Words.of(text.lower()).found
    return {tuple(words[at : at + size]) for at in range(len(words) - size + 1)}


def naive_rows(units: list[list[str]], earlier: list[list[list[str]]], least: int) -> set[int]:
    """Units in rows of ``least`` words and more that stand as units in a row in one earlier document."""
    found: set[int] = set()
    for first in range(len(units)):
        for end in range(first + 1, len(units) + 1):
            row = units[first:end]
            if sum(map(len, row)) >= least and any(
                other[at : at + len(row)] == row for other in earlier for at in range(len(other))
            ):
                found.update(range(first, end))
    return found


SEEDS = [1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 40))]


@pytest.mark.parametrize("seed", SEEDS)
def test_all_rows_of_sentences_that_repeat_are_cut_and_nothing_that_does_not(tmp_path: Path, seed: int) -> None:
    texts = random_texts(seed)
    cuts = both(tmp_path, texts, RUNS)
    earlier: list[str] = []
    for name in order(texts):
        text = texts[name]
        spans = Layout.of(text).units.tolist()
        gone = {
            number
            for number, (start, end) in enumerate(spans)
            if any(part.start <= start and end <= part.end for part in cuts[name].parts)
        }
        assert naive_rows(units_of(text), [units_of(other) for other in earlier], 8) <= gone
        known = set().union(*(grams_of(other, 6) for other in earlier)) if earlier else set()
        words = Words.of(text.lower()).found
        seen = {at + n for at in range(len(words)) if tuple(words[at : at + 6]) in known for n in range(6)}
        bounds = Layout.of(text).unit_words().tolist()
        assert all(at in seen for unit in gone for at in range(*bounds[unit]))
        left = [unit for number, unit in enumerate(units_of(text)) if number not in gone]
        assert Words.of(cuts[name].text.lower()).found == [word for unit in left for word in unit]
        earlier.append(text)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_paragraph_vanishes_and_none_of_enough_words_stays_twice(tmp_path: Path, seed: int) -> None:
    texts = random_texts(seed)
    cuts = both(tmp_path, texts, PARAGRAPHS)

    def paragraphs(text: str) -> set[str]:
        return {part for part in text.lower().split("\n\n") if len(part.split()) >= 3}

    after = [paragraphs(cut.text) for cut in cuts.values() if cut.reason != NOTHING_LEFT]
    before = set().union(*({part.strip() for part in paragraphs(text)} for text in texts.values()))
    assert {part.strip() for left in after for part in left} == before
    assert sum(len({part.strip() for part in left}) for left in after) == len(before)


def test_the_keys_of_a_document_do_not_depend_on_its_neighbours(tmp_path: Path) -> None:
    texts = random_texts(7, 12) | {"none": "", "space": " \n", "short": "Alpha bravo charlie delta echoes foxes."}
    with RepeatWriter(tmp_path / "all", SMALL) as writer:
        for name, text in texts.items():
            writer.add(named(name), 0, text, Words.of(text))
    together = RepeatFolder.open(tmp_path / "all", SMALL)
    for kind in KINDS:
        (rows, keys) = next(together.keys(kind))
        bounds = np.append(0, np.cumsum(rows[kind], dtype=np.int64))
        for number, name in enumerate(texts):
            written(tmp_path / "one", {name: texts[name]}, SMALL, {})
            alone = next(RepeatFolder.open(tmp_path / "one", SMALL).keys(kind))[1]
            assert keys[bounds[number] : bounds[number + 1]].tolist() == alone.tolist(), (kind, name)
