import hashlib
import os
import random

import numpy as np
import pyarrow.parquet as pq
import pytest

from data_curation.duplicates import REMOVED, find_duplicates
from data_curation.minhash import signature
from data_curation.settings import DuplicatesSettings
from data_curation.signatures import SignatureWriter
from data_curation.words import RegexWords, word_hashes
from licensing.errors import HerkomstError

SETTINGS = DuplicatesSettings()


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def words_of(seed, count=300):
    return [f"w{number}" for number in random.Random(seed).choices(range(10_000), k=count)]


def page(seed, edits=0, count=300):
    words = words_of(seed, count)
    for at in range(edits):
        words[(at * 37 + 11) % count] = f"edit{seed}x{at}"
    return " ".join(words)


def document(name, text, language="nl", rank=0):
    return sha(name), text, language, rank


def write(folder, documents, settings=SETTINGS):
    with SignatureWriter(folder, settings) as writer:
        for id, text, language, rank in documents:
            hashes = word_hashes(RegexWords().word_tokenize(text))
            writer.add(id, sha(text), language, rank, signature(hashes, settings))
    return folder


def search(tmp_path, documents, tasks=1, settings=SETTINGS):
    folders = [write(tmp_path / f"{tasks}-{task}", documents[task::tasks], settings) for task in range(tasks)]
    out = tmp_path / f"removed-{tasks}.parquet"
    stats = find_duplicates(folders, out, settings, tmp_path / "work")
    assert not (tmp_path / "work" / "duplicates").exists()
    return stats, pq.read_table(out).to_pylist(), out.read_bytes()


def test_the_best_rank_survives_then_the_smaller_id(tmp_path):
    documents = [
        document("late", page(1), rank=5),
        document("best", page(1, edits=2), rank=1),
        document("copy", page(1), rank=5),
        document("one", page(2)),
        document("two", page(2)),
        document("alone", page(3)),
    ]
    stats, rows, _ = search(tmp_path, documents)
    survivors = {row["id"]: (row["survivor"], row["kind"]) for row in rows}
    low, high = sorted([sha("one"), sha("two")])
    assert survivors == {sha("late"): (sha("best"), "near"), sha("copy"): (sha("best"), "near"), high: (low, "exact")}
    assert (stats.documents, stats.exact, stats.near, stats.undecided) == (6, 1, 2, 0)
    assert [row["id"] for row in rows] == sorted(survivors)


def test_similarity_is_measured_against_the_survivor(tmp_path):
    documents = [
        document("a", page(1), rank=0),
        document("b", page(1, edits=3), rank=1),
        document("c", page(1), rank=2),
    ]
    _, rows, _ = search(tmp_path, documents)
    by_id = {row["id"]: row for row in rows}

    def shingles(text):
        words = text.split()
        return {tuple(words[at : at + 5]) for at in range(len(words) - 4)}

    a, b = shingles(documents[0][1]), shingles(documents[1][1])
    assert by_id[sha("b")]["similarity"] == pytest.approx(len(a & b) / len(a | b), abs=0.08)
    assert (by_id[sha("c")]["kind"], by_id[sha("c")]["similarity"]) == ("exact", 1.0)


def test_pages_of_different_languages_never_meet(tmp_path):
    documents = [
        document(f"{kind}{code}", text, code)
        for code in ("nl", "de")
        for kind, text in (("x", page(1)), ("y", page(1, 1)))
    ]
    stats, rows, _ = search(tmp_path, documents)
    language = {id: code for id, _, code, _ in documents}
    assert len(rows) == 2 and stats.near == 2
    assert all(language[row["id"]] == language[row["survivor"]] for row in rows)


def test_a_chain_is_one_component_whose_survivor_is_kept(tmp_path):
    base = words_of(9, 400)
    chain = []
    for step in range(6):
        words = base.copy()
        words[: 25 * step] = [f"new{at}" for at in range(25 * step)]
        chain.append(document(f"step{step}", " ".join(words), rank=step))
    _, rows, _ = search(tmp_path, chain)
    assert {row["survivor"] for row in rows} == {sha("step0")}
    assert {row["id"] for row in rows} == {sha(f"step{step}") for step in range(1, 6)}
    assert min(row["similarity"] for row in rows) < SETTINGS.least_estimate


def corpus():
    documents = [document(f"p{seed}", page(seed), rank=seed % 3) for seed in range(60)]
    documents += [document(f"n{seed}", page(seed, edits=seed % 7), rank=(seed + 1) % 3) for seed in range(40)]
    documents += [document(f"e{seed}", page(seed), rank=2) for seed in range(0, 60, 4)]
    return documents


def test_result_is_the_same_bytes_for_any_number_of_tasks_order_and_bound(tmp_path):
    documents = corpus()
    _, rows, expected = search(tmp_path, documents)
    assert len(rows) > 40
    shuffled = documents.copy()
    random.Random(5).shuffle(shuffled)
    assert search(tmp_path, shuffled, tasks=2)[2] == expected
    assert search(tmp_path, documents, tasks=7, settings=DuplicatesSettings(keys_in_memory=8))[2] == expected


def test_a_survivor_is_never_removed(tmp_path):
    _, rows, _ = search(tmp_path, corpus())
    assert not {row["id"] for row in rows} & {row["survivor"] for row in rows}


def test_documents_without_words_are_no_near_duplicates_of_each_other(tmp_path):
    _, rows, _ = search(tmp_path, [document("a", "!!!"), document("b", "???"), document("c", "!!!")])
    assert [row["kind"] for row in rows] == ["exact"]


def test_an_id_that_occurs_twice_is_refused(tmp_path):
    documents = [document("a", page(1), rank=0), document("b", page(2)), document("a", page(3), rank=1)]
    with pytest.raises(HerkomstError, match=f"document {sha('a')} occurs twice"):
        search(tmp_path, documents, tasks=2)
    assert not (tmp_path / "removed-2.parquet").exists()


@pytest.mark.parametrize("documents", [[], [document("a", page(1))]])
def test_nothing_to_remove_gives_an_empty_table(tmp_path, documents):
    stats, rows, _ = search(tmp_path, documents)
    assert rows == [] and stats.documents == len(documents)
    assert pq.read_schema(tmp_path / "removed-1.parquet").equals(REMOVED)
    assert find_duplicates([], tmp_path / "none.parquet", SETTINGS, tmp_path / "work").documents == 0


def test_an_unwritable_place_leaves_nothing(tmp_path):
    folder = write(tmp_path / "s", [document("a", page(1)), document("b", page(1))])
    (tmp_path / "out.parquet").mkdir()
    with pytest.raises(OSError):
        find_duplicates([folder], tmp_path / "out.parquet", SETTINGS, tmp_path / "work")
    assert sorted(os.listdir(tmp_path)) == ["out.parquet", "s", "work"]


def test_recall_on_edited_copies_above_the_threshold(tmp_path):
    edited = [
        (document(f"o{seed}", page(seed, 0, 600)), document(f"c{seed}", page(seed, 8, 600), rank=1))
        for seed in range(150)
    ]
    stats, rows, _ = search(tmp_path, [each for pair in edited for each in pair])
    pairs = {(sha(f"c{seed}"), sha(f"o{seed}")) for seed in range(150)}
    found = {(row["id"], row["survivor"]) for row in rows}
    assert found <= pairs and len(found) / 150 >= 0.95 and stats.exact == 0
    assert np.median([row["similarity"] for row in rows]) == pytest.approx(0.87, abs=0.03)
