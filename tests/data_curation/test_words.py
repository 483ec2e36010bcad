import pickle
import unicodedata

import numpy as np
import xxhash
from datatrove.data import Document
from datatrove.pipeline.filters import GopherQualityFilter
from hypothesis import given
from hypothesis import strategies as st

from data_curation.vocabulary import FILLER, LETTER, VISIBLE, Vocabulary
from data_curation.words import RegexWords, Words, word_hashes

words = RegexWords()


def test_splits_at_punctuation_hyphens_and_apostrophes():
    assert words.word_tokenize("L'été, il-kelb: 3,5 km… e-mail_adres") == (
        ["L", "été", "il", "kelb", "3", "5", "km", "e", "mail_adres"]
    )


def test_combining_marks_and_soft_hyphens_do_not_cut_a_word():
    decomposed = unicodedata.normalize("NFD", "Ελλάδα žluťoučký")
    assert len(words.word_tokenize(decomposed)) == 2
    assert words.word_tokenize("Donau\u00addampf") == ["Donau\u00addampf"]


def test_sentences_end_at_marks_and_lines():
    text = "Dit is een zin. „Nog een?” Ja!\nKop zonder punt\n\nVersie 1.2 werkt."
    assert words.sent_tokenize(text) == (
        ["Dit is een zin.", "„Nog een?”", "Ja!", "Kop zonder punt", "Versie 1.2 werkt."]
    )


@given(st.text(max_size=300))
def test_sentences_cover_all_that_is_visible(text):
    assert "".join("".join(words.sent_tokenize(text)).split()) == "".join(text.split())


def test_hashes_are_xxh3_of_the_lower_cased_word():
    hashes = word_hashes(["Été", "ÉTÉ", "a"])
    assert hashes.dtype == np.uint64
    assert hashes.tolist() == [xxhash.xxh3_64_intdigest("été".encode())] * 2 + [xxhash.xxh3_64_intdigest(b"a")]
    assert word_hashes([]).shape == (0,)


def test_a_lone_surrogate_is_hashed_and_not_an_error():
    assert len(set(word_hashes(["goed", "\ud800x", "\ud801x"]).tolist())) == 3


def test_goes_through_pickle_into_datatrove():
    copy = pickle.loads(pickle.dumps(words))
    assert copy == words and hash(copy) == hash(words)
    gopher = GopherQualityFilter(min_doc_words=3, stop_words=["de", "het"], min_avg_word_length=2, language=copy)
    assert gopher.filter(Document(text="de kat en het huis", id="1")) is True
    assert gopher.filter(Document(text="de kat", id="2")) == (False, "gopher_short_doc")


def test_words_of_a_text_are_split_once_and_found_again() -> None:
    words = Words.of("Één bank, twee banken: ÉÉN.")
    assert words.found == ["Één", "bank", "twee", "banken", "ÉÉN"]
    assert words.hashes is words.hashes and words.hashes[0] == words.hashes[4] != words.hashes[1]
    assert words.lengths.tolist() == [3, 4, 4, 6, 3]
    assert [words.text[start:end] for start, end in words.spans()] == words.found
    assert Words.of("").spans().shape == (0, 2)


def test_a_full_vocabulary_is_left_and_changes_nothing(monkeypatch) -> None:
    monkeypatch.setattr("data_curation.vocabulary._MOST_WORDS", 3)
    first = Words.of("een twee drie vier vijf ÉÉN")
    assert first.hashes.tolist() == word_hashes(first.found).tolist()
    second = Words.of("zes zeven acht negen tien vier")
    assert second.lengths.tolist() == [3, 5, 4, 5, 4, 4]
    assert first.lengths.tolist() == [3, 4, 4, 4, 4, 3]
    assert second.hashes[5] == first.hashes[3] == xxhash.xxh3_64_intdigest(b"vier")


def test_a_vocabulary_grows_past_its_first_size() -> None:
    known = Vocabulary(2)
    words = [f"w{number}é" * (1 + number % 3) for number in range(50)]
    rows = known.rows(words)
    assert rows.tolist() == list(range(50)) == known.rows(words).tolist()
    assert known.hashes[rows].tolist() == [xxhash.xxh3_64_intdigest(word.encode()) for word in words]
    assert known.lengths[rows].tolist() == list(map(len, words))


def test_the_code_of_joined_words_follows_from_theirs() -> None:
    known = Vocabulary()
    one, two, both = known.rows(["zon", "licht", "zonlicht"])
    with np.errstate(over="ignore"):
        assert known.codes[one] + known.powers[one] * known.codes[two] == known.codes[both]
        assert known.powers[both] * known.inverses[both] == 1


def test_flags_tell_what_a_word_is_made_of() -> None:
    assert Words.of("ab 12 __ xIPSUMx").flags.tolist() == [LETTER | VISIBLE, VISIBLE, 0, LETTER | VISIBLE | FILLER]


def test_words_go_through_pickle() -> None:
    words = pickle.loads(pickle.dumps(Words.of("de kat")))
    assert (words.text, words.found, len(words), words.characters) == ("de kat", ["de", "kat"], 2, 5)
