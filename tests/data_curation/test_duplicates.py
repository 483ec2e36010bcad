import hashlib
import os
import random
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from data_curation.duplicates import REMOVED, find_duplicates
from data_curation.minhash import NO_WORDS, signature
from data_curation.settings import DuplicatesSettings
from data_curation.signatures import KEY, SignatureWriter, write_signatures
from data_curation.survivor import rank
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
    assert (by_id[sha("c")]["measure"], by_id[sha("c")]["standard_error"]) == ("same-text", 0)
    assert by_id[sha("b")]["measure"] == "minhash-estimate"
    estimated = by_id[sha("b")]["similarity"]
    assert by_id[sha("b")]["standard_error"] == pytest.approx((estimated * (1 - estimated) / 140) ** 0.5)


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


SMALL = DuplicatesSettings(permutations=12, bands=4, least_estimate=0.5)


@st.composite
def made(draw):
    """Keys and signatures of few values, so that documents meet in many ways, some of them barred."""
    count = draw(st.integers(1, 24))
    seed = np.random.default_rng(draw(st.integers(0, 2**32)))
    keys = np.zeros(count, KEY)
    keys["id"] = seed.integers(0, 2**64, (count, 4), np.uint64)
    keys["text"] = seed.integers(0, count, (count, 1))
    keys["received"] = keys["text"]
    keys["language"] = seed.choice(np.array([b"nl", b"fr"]), count)
    keys["barred"] = seed.choice(np.array([b"", b"", b"", b"reserved"]), count)
    keys["rank"] = np.where(keys["barred"] != b"", -1, seed.integers(0, 3, count))
    return keys, seed.choice(np.array([0, 1, 2, NO_WORDS], np.uint32), (count, 12), p=[0.6, 0.2, 0.1, 0.1])


def the_same_bytes(documents, tasks, in_memory, shuffle):
    keys, values = documents
    parts = [[] for _ in range(tasks)]
    for place in shuffle.sample(range(len(keys)), len(keys)):
        shuffle.choice(parts).append(place)
    other = SMALL.model_copy(update={"keys_in_memory": in_memory})
    assert found_in([range(len(keys))], keys, values, SMALL) == found_in(parts, keys, values, other)


ways = st.integers(1, 5), st.integers(1, 40), st.randoms(use_true_random=False)


@given(made(), *ways)
@hypothesis_settings(max_examples=10, deadline=None)
def test_any_tasks_any_order_and_any_memory_give_the_same_bytes(documents, tasks, in_memory, shuffle):
    the_same_bytes(documents, tasks, in_memory, shuffle)


@pytest.mark.slow
@given(made(), *ways)
@hypothesis_settings(max_examples=400, deadline=None)
def test_any_tasks_any_order_and_any_memory_give_the_same_bytes_often(documents, tasks, in_memory, shuffle):
    the_same_bytes(documents, tasks, in_memory, shuffle)


def found_in(parts, keys, values, settings):
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / f"task-{number}" for number in range(len(parts))]
        for folder, part in zip(folders, parts, strict=True):
            write_signatures(folder, keys[list(part)], values[list(part)], settings)
        out, copies = Path(name) / "removed.parquet", Path(name) / "copies.parquet"
        find_duplicates(folders, out, settings, Path(name), copies)
        return out.read_bytes(), copies.read_bytes()


PARALLEL = {
    "en": "The library in Delft opens at 9.30 on weekdays. Bring your card, number 4711, and a proof of address. "
    "Books can be kept for 21 days; films for 7. Renew at https://example.org/renew or call the desk before noon.",
    "nl": "De bibliotheek in Delft gaat op werkdagen om 9.30 open. Neem uw pas, nummer 4711, en een bewijs van adres "
    "mee. Boeken mag u 21 dagen houden; films 7. Verleng op https://example.org/renew of bel de balie voor de middag.",
    "de": "Die Bibliothek in Delft öffnet werktags um 9.30. Bringen Sie Ihre Karte, Nummer 4711, und einen Nachweis "
    "der Adresse mit. Bücher dürfen Sie 21 Tage behalten; Filme 7. Verlängern: https://example.org/renew oder rufen.",
    "fr": "La bibliothèque de Delft ouvre à 9.30 en semaine. Apportez votre carte, numéro 4711, et un justificatif "
    "de domicile. Les livres se gardent 21 jours; les films 7. Prolongez sur https://example.org/renew ou appelez.",
}


@pytest.mark.parametrize("labelled", [True, False], ids=["known languages", "all taken for one language"])
def test_translations_are_not_merged_but_a_near_copy_in_each_language_is(tmp_path, labelled):
    documents = []
    for code, text in PARALLEL.items():
        language = code if labelled else "nl"
        documents += [document(code, text, language), document(f"{code}2", text + " Delft", language, 1)]
    _, rows, _ = search(tmp_path, documents)
    assert {row["id"]: row["survivor"] for row in rows} == {sha(f"{code}2"): sha(code) for code in PARALLEL}


def test_copies_of_several_sources_are_merged_on_the_surest_ground(tmp_path):
    web = rank("licence", 1, 1000, SETTINGS)
    partner = rank("agreement", 0, 10, SETTINGS)
    documents = [document("web", page(1), rank=web), document("partner", page(1, 2), rank=partner)]
    _, rows, _ = search(tmp_path, documents, tasks=2)
    assert [(row["id"], row["survivor"]) for row in rows] == [(sha("web"), sha("partner"))]
    other = DuplicatesSettings(survivor=("quality", "rights", "digest"))
    assert rank("licence", 1, 1000, other) < rank("agreement", 0, 10, other)


def test_short_documents_are_near_duplicates_only_if_all_their_words_agree(tmp_path):
    texts = ["Menu", "Menu!", "menu", "Open file", "Open the file", "File open", "Save it as file", "", "..."]
    _, rows, _ = search(tmp_path, [document(text or "empty", text) for text in texts])
    groups = {row["id"] for row in rows} | {row["survivor"] for row in rows}
    assert groups == {sha("Menu"), sha("Menu!"), sha("menu")}


def crowd(folder, count, spread):
    """Signatures that agree in the first band; in the other places all of them (``spread`` 1) or none."""
    seed = np.random.default_rng(3)
    keys = np.zeros(count, KEY)
    keys["id"], keys["text"] = seed.integers(0, 2**64, (2, count, 4), np.uint64)
    keys["received"], keys["language"] = keys["text"], b"nl"
    values = seed.integers(0, spread, (count, 12), np.uint32)
    values[:, :3] = 5
    write_signatures(folder, keys, values, SMALL)
    return folder


def test_a_hundred_thousand_boilerplate_pages_cost_one_comparison_each(tmp_path):
    stats = find_duplicates([crowd(tmp_path / "s", 100_000, 1)], tmp_path / "out", SMALL, tmp_path)
    assert (stats.near, stats.compared, stats.undecided) == (99_999, 99_999, 0)


def test_pages_that_share_a_band_and_nothing_else_cost_so_many_comparisons_each_and_are_told(tmp_path):
    few = SMALL.model_copy(update={"leaders_per_bucket": 4})
    stats = find_duplicates([crowd(tmp_path / "s", 20_000, 2**32)], tmp_path / "out", few, tmp_path)
    assert (stats.near, stats.compared) == (0, 4 * 20_000 - (1 + 2 + 3 + 4))
    assert stats.undecided == 20_000 - 5
