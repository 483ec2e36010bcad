from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licensing.merkle import leaf_hash, root_of
from licensing.sorted_ids import SortedIds
from tests.training.made_corpus import identity, texts, write_corpus
from training.vocabulary_sample import Draw, Sampler, priority, wanted_bytes, write_ids

MADE = {"en": texts("en", 90), "nl": texts("nl", 30), "el": texts("el", 10)}
HELD_OUT = {"nl": texts("nl", 5, first=9000)}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("made") / "corpus", MADE, HELD_OUT)


def size(language: str) -> int:
    return sum(len(text.encode()) for text in MADE[language])


def test_the_priority_is_what_the_specification_says() -> None:
    import hashlib

    expected = hashlib.sha256(b"herkomst-vocabulary-v1\x007\x00" + b"ab" * 32).digest()[:8]
    assert priority("ab" * 32, 7) == int.from_bytes(expected, "big") != priority("ab" * 32, 8)


def test_bytes_are_shared_out_exactly_and_what_is_lacking_goes_to_the_others() -> None:
    assert wanted_bytes({"a": 10**9, "b": 10**6, "c": 0}, 3_000_000, 0.0) == {"a": 2_000_000, "b": 1_000_000}
    assert wanted_bytes({"a": 900, "b": 100}, 500, 1.0) == {"a": 450, "b": 50}
    # The square root of 10**6 to 10**2 is 10 to 1.
    assert wanted_bytes({"a": 10**6, "b": 10**4}, 1100, 0.5) == {"a": 1000, "b": 100}
    assert wanted_bytes({"a": 100, "b": 100}, 300, 1.0, {"b": Decimal(2)}, 2) == {"a": 100, "b": 200}


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 10**7), min_size=1),
    st.integers(1, 10**7),
    st.sampled_from([0.0, 0.3, 0.7, 1.0]),
    st.integers(1, 4),
)
def test_no_language_gets_more_than_it_has_and_little_is_left_over(
    sizes: dict[str, int], total: int, temperature: float, repeats: int
) -> None:
    wanted = wanted_bytes(sizes, total, temperature, None, repeats)
    room = repeats * sum(sizes.values())
    assert all(count <= repeats * sizes[name] for name, count in wanted.items())
    assert min(total, room) - len(sizes) <= sum(wanted.values()) <= min(total, room)


def test_documents_of_lowest_priority_are_drawn_until_the_count_is_reached(corpus: Path) -> None:
    sampler = Sampler(corpus, 3, 10**6)
    draw = sampler.draw({"en": 1000})["en"]
    order = sorted(MADE["en"], key=lambda text: priority(identity(text), 3))
    lengths = [len(text.encode()) for text in order]
    expected = next(n for n in range(len(order)) if sum(lengths[:n]) >= 1000)
    assert (draw.documents, draw.bytes) == (expected, sum(lengths[:expected]))
    assert list(sampler.ids({"en": draw})) == sorted(identity(text) for text in order[:expected])
    assert sorted(sampler.texts({"en": draw})) == sorted(order[:expected])
    assert f"{draw.last:016x}" == f"{priority(identity(order[expected - 1]), 3):016x}"


def test_little_memory_gives_the_same_draw(corpus: Path) -> None:
    wanted = {"en": 900, "nl": 500, "el": 10}
    assert Sampler(corpus, 3, 900).draw(wanted) == Sampler(corpus, 3, 10**9).draw(wanted)


def test_a_larger_draw_holds_the_smaller(corpus: Path) -> None:
    sampler = Sampler(corpus, 3, 10**6)
    small, large = (set(sampler.ids(sampler.draw({"en": count}))) for count in (500, 2000))
    assert small < large


def test_another_seed_draws_others_and_held_out_text_is_never_drawn(corpus: Path) -> None:
    one, two = (Sampler(corpus, seed, 10**6) for seed in (1, 2))
    assert set(one.ids(one.draw({"en": 1000}))) != set(two.ids(two.draw({"en": 1000})))
    everything = one.draw(dict(one.sizes))
    drawn = set(one.ids(everything))
    assert drawn == {identity(text) for made in MADE.values() for text in made}
    assert not drawn & {identity(text) for text in HELD_OUT["nl"]}


def test_more_than_there_is_is_read_again(corpus: Path) -> None:
    sampler = Sampler(corpus, 3, 10**6)
    draw = sampler.draw({"el": 2 * size("el") + 1})["el"]
    read = list(sampler.texts({"el": draw}))
    assert (draw.whole, draw.documents) == (2, 10)
    assert len(read) == 21 and len(set(read)) == 10
    assert draw.bytes == sum(len(text.encode()) for text in read)


def test_a_draw_says_itself_in_plain_values() -> None:
    for last in (-1, 0, 2**64 - 1):
        draw = Draw(10, 5, 0, last, 2, 6)
        assert Draw.of(draw.values()) == draw
        assert draw.times(0) == (last >= 0)


def test_the_list_of_documents_has_the_root_of_its_ids(tmp_path: Path) -> None:
    ids = sorted(identity(text) for text in MADE["en"])
    root, count = write_ids(tmp_path / "ids.bin", iter(ids))
    listed = SortedIds(tmp_path / "ids.bin")
    assert count == len(listed) == 90
    assert root == root_of(leaf_hash(bytes.fromhex(one)) for one in ids).hex()
    assert listed.place_of(ids[17]) == 17 and listed.place_of("0" * 64) is None


def test_temperature_needs_no_float() -> None:
    """The same power in fractions of an exact root."""
    wanted = wanted_bytes({"a": 3**10, "b": 2**10}, 5000, 0.5)
    assert wanted["a"] == int(Fraction(5000 * 243, 243 + 32))
