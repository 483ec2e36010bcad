"""Copies of withdrawn text are found as by holding every document against every withdrawn one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_curation import withdrawn_copies
from data_curation.minhash import NO_WORDS, estimate
from data_curation.settings import DuplicatesSettings
from data_curation.sieves import Digests
from data_curation.signatures import KEY, write_signatures
from data_curation.withdrawn_copies import Copy, Signatures, copies_of, read_signatures, signatures_of
from licensing.errors import HerkomstError

SETTINGS = DuplicatesSettings(permutations=256, bands=32, least_estimate=0.75)
RANDOM = np.random.default_rng(5)
WORDS = RANDOM.integers(0, 2**32 - 1, SETTINGS.permutations, dtype=np.uint32)
EMPTY = np.full(SETTINGS.permutations, NO_WORDS)
MOST = int(len(WORDS) * (1 - SETTINGS.least_estimate))  # places in which a copy may differ


def digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def changed(values: np.ndarray[Any, Any], places: int, seed: int = 1) -> np.ndarray[Any, Any]:
    """A signature that differs in so many places, at the end first: the first bands stay as they are."""
    new = values.copy()
    new[len(new) - places :] = np.random.default_rng(seed).integers(0, 2**32 - 1, places, dtype=np.uint32)
    return new


def signatures(rows: Sequence[tuple[str, str, str, np.ndarray[Any, Any]]]) -> Signatures:
    """From (name, text, language, values)."""
    keys = np.zeros(len(rows), KEY)
    for place, (name, text, language, _) in enumerate(rows):
        keys["id"][place], keys["text"][place] = (np.frombuffer(digest(one), ">u8") for one in (name, text))
        keys["received"][place] = keys["text"][place]
        keys["language"][place] = language.encode()
    values = np.array([row[3] for row in rows], np.uint32)
    return Signatures(keys, values.reshape(len(rows), values.shape[-1] if rows else SETTINGS.permutations))


def naive(withdrawn: Signatures, corpus: Signatures, settings: DuplicatesSettings) -> dict[str, Copy]:
    """Every document against every withdrawn one."""
    own = {one.tobytes() for one in withdrawn.keys["id"]}
    by_band = (-1, settings.bands, settings.permutations // settings.bands)
    bands = [one.values.reshape(by_band) for one in (withdrawn, corpus)]
    found = {}
    for place, key in enumerate(corpus.keys):
        best: tuple[float, int] | None = None
        for row, other in enumerate(withdrawn.keys):
            alike = float(estimate(corpus.values[place : place + 1], withdrawn.values[row : row + 1])[0])
            words = (corpus.values[place] != NO_WORDS).any()
            met = (bands[0][row] == bands[1][place]).all(axis=1).any()
            near = words and key["language"] == other["language"] and met
            if key["text"].tobytes() == other["text"].tobytes():
                best = max(best or (0.0, 0), (2.0, -row))
            elif near and alike >= settings.least_estimate:
                best = max(best or (0.0, 0), (alike, -row))
        if best and key["id"].tobytes() not in own:
            found[key["id"].tobytes().hex()] = Copy(
                withdrawn.keys["id"][-best[1]].tobytes().hex(), 1.0 if best[0] == 2.0 else best[0]
            )
    return found


def test_a_text_received_again_is_known_whatever_became_of_it() -> None:
    again = signatures([("b", "text after other personal data was replaced", "fr", EMPTY)])
    again.keys["received"] = WITHDRAWN.keys["received"][0]
    assert copies_of(WITHDRAWN, [again], SETTINGS) == {digest("b").hex(): Copy(digest("a").hex(), 1.0)}


WITHDRAWN = signatures([("a", "text a", "nl", WORDS), ("none", "no words", "nl", EMPTY)])


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (("b", "text a", "nl", changed(WORDS, SETTINGS.permutations)), Copy(digest("a").hex(), 1.0)),
        (("b", "text a", "fr", WORDS), Copy(digest("a").hex(), 1.0)),
        (("b", "text b", "nl", WORDS), Copy(digest("a").hex(), 1.0)),
        (("b", "text b", "nl", changed(WORDS, MOST)), Copy(digest("a").hex(), 1 - MOST / len(WORDS))),
        (("b", "text b", "nl", changed(WORDS, MOST + 1)), None),
        (("b", "text b", "fr", WORDS), None),
        (("b", "other words", "nl", EMPTY), None),
        (("b", "no words", "nl", EMPTY), Copy(digest("none").hex(), 1.0)),
        (("a", "text a", "nl", WORDS), None),
    ],
    ids=[
        "same text",
        "same text, other language",
        "same signature",
        "just alike enough",
        "not alike enough",
        "alike in another language",
        "no words at all",
        "the same text without words",
        "itself",
    ],
)
def test_what_counts_as_a_copy(document: tuple[str, str, str, np.ndarray[Any, Any]], expected: Copy | None) -> None:
    found = copies_of(WITHDRAWN, [signatures([]), signatures([document])], SETTINGS)
    assert found == ({digest("b").hex(): expected} if expected else {})


def test_nothing_withdrawn_has_no_copies() -> None:
    assert copies_of(signatures([]), [WITHDRAWN], SETTINGS) == {}


def test_the_most_alike_is_named_and_of_equals_the_first() -> None:
    rows = [("far", "1", "nl", changed(WORDS, 20)), ("near", "2", "nl", WORDS), ("also", "3", "nl", WORDS)]
    found = copies_of(signatures(rows), [signatures([("b", "b", "nl", changed(WORDS, 10, 2))])], SETTINGS)
    assert found == {digest("b").hex(): Copy(digest("near").hex(), 1 - 10 / len(WORDS))}


SMALL = DuplicatesSettings(permutations=12, bands=4, least_estimate=0.5)
ODD = DuplicatesSettings(permutations=16, bands=4, least_estimate=0.5)


@st.composite
def some(draw: st.DrawFn, settings: DuplicatesSettings, names: str) -> Signatures:
    # One draw for all values of a signature: two bits each.
    drawn = st.integers(0, 4**settings.permutations - 1)
    rows = []
    for name in draw(st.lists(st.sampled_from(names), max_size=8, unique=True)):
        bits = draw(drawn)
        values = [(0, 1, 2, 2**32 - 1)[bits >> 2 * place & 3] for place in range(settings.permutations)]
        if draw(st.booleans()):
            values = [0] * 8 + values[8:]
        text, language = draw(st.sampled_from("xyzw")) + draw(st.sampled_from("123456")), draw(st.sampled_from("ab"))
        rows.append((name, text, language, np.array(values, np.uint32)))
    keys = signatures(rows).keys
    return Signatures(keys, np.array([row[3] for row in rows], np.uint32).reshape(len(rows), settings.permutations))


@pytest.mark.parametrize("settings", [SMALL, ODD], ids=["odd bands", "even bands"])
@pytest.mark.parametrize("pairs", [1, 1 << 20], ids=["document by document", "all at once"])
@given(data=st.data())
def test_as_by_holding_each_against_each(settings: DuplicatesSettings, pairs: int, data: st.DataObject) -> None:
    withdrawn = data.draw(some(settings, "abcdefgh"))
    corpus = data.draw(some(settings, "efghijklmnop"))
    cut = data.draw(st.integers(0, len(corpus.keys)))
    pieces = [Signatures(corpus.keys[part], corpus.values[part]) for part in (slice(cut), slice(cut, None))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(withdrawn_copies, "_PAIRS", pairs)
        assert copies_of(withdrawn, pieces, settings) == naive(withdrawn, corpus, settings)


def test_digests_are_found_by_all_their_bytes() -> None:
    known = np.array([digest("a"), digest("b")[:31] + b"\0", digest("a")], "S32")
    digests = Digests(known)
    asked = np.array([digest("b")[:31] + b"\0", digest("b")[:31] + b"\x01", digest("a"), b"\xff" * 32], "S32")
    assert digests.places_of(asked).tolist() == [1, -1, 0, -1]
    assert Digests(known[:0]).places_of(asked).tolist() == [-1] * 4
    assert digests.places_of(asked[:0]).tolist() == []


def test_signatures_are_taken_from_their_folders(tmp_path: Path) -> None:
    every = signatures([(name, name, "nl", changed(WORDS, 9, place)) for place, name in enumerate("abcdef")])
    for number, part in enumerate((slice(0, 4), slice(4, 5), slice(5, 5), slice(5, 6))):
        write_signatures(tmp_path / str(number), every.keys[part], every.values[part], SETTINGS)
    folders = sorted(tmp_path.iterdir())
    wanted = Digests(np.array([digest(name) for name in ("f", "b", "unknown", "d")], "S32"))
    found = signatures_of(wanted, folders, SETTINGS)
    assert found.ids.tolist() == [digest(name) for name in ("b", "d", "f")]
    assert (found.values == every.values[[1, 3, 5]]).all()
    write_signatures(tmp_path / "again", found.keys, found.values, SETTINGS)
    (again,) = read_signatures(tmp_path / "again", SETTINGS)
    assert again.ids.tolist() == found.ids.tolist() and (again.values == found.values).all()
    with pytest.raises(HerkomstError, match="other settings"):
        signatures_of(wanted, folders, SMALL)
