"""The detector, the table of function words, the blocks and the tags, each by itself."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_curation.languages.blocks import Blocks
from data_curation.languages.detector import Detector, _model, sample
from data_curation.languages.function_words import FunctionWords, read_function_words
from data_curation.languages.tags import primary
from data_curation.quality import read_quality
from data_curation.words import Words
from licensing.errors import HerkomstError
from licensing.reading import UnreadableFile

PIECES = st.sampled_from(
    ["een", "naïve", "l'eau", "a\u0301b", "日本", "привет", "\ud800", "12", "—", "\u00ad", "\n\n", "\n \n", " "]
)


@given(st.lists(PIECES, min_size=1).map("".join))
def test_blocks_know_their_words_letters_and_symbols(text):
    words, blocks = Words.of(text), Blocks.of(text)
    assert blocks.words[0] == 0 and blocks.words[-1] == len(words)
    for place, (start, end) in enumerate(zip(blocks.starts, blocks.ends, strict=True)):
        own = text[start:end]
        assert words.found[blocks.words[place] : blocks.words[place + 1]] == Words.of(own).found
        assert blocks.letters[place] == sum(map(str.isalpha, own))
        assert blocks.elsewhere[place] == own.count("日") + own.count("本")
        assert blocks.symbols[place] == own.count("'") + own.count("—") + own.count("\ud800")


def test_function_words_are_counted_by_part_and_language():
    table = FunctionWords({"nl": ["de", "het", "in"], "en": ["the", "in"]})
    words = Words.of("De kat in het huis. The cat. Niets in")
    counts = table.count(words.hashes, np.array([0, 5, 7, 9]))
    assert table.languages == ["en", "nl"]
    assert counts.tolist() == [[1, 3], [1, 0], [1, 1]]
    assert table.count(words.hashes[:0], np.array([0, 0])).tolist() == [[0, 0]]


def test_own_lists_join_the_stop_words_and_errors_name_the_file(tmp_path):
    own = tmp_path / "words.yaml"
    own.write_text('languages:\n  nl: "zulks de"\n  no: "og ikke"\n')
    lists = read_function_words(read_quality(), own)
    assert lists["no"] == ("og", "ikke")
    assert lists["nl"][0] == "de" and lists["nl"][-1] == "zulks" and lists["nl"].count("de") == 1
    own.write_text('languagez:\n  nl: "zulks"\n')
    with pytest.raises(UnreadableFile, match=r"words\.yaml"):
        read_function_words(read_quality(), own)


def test_probabilities_add_up_and_the_table_in_single_floats_says_the_same():
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    ours = Detector(["nl", "de", "en"]).ranked("een kort stukje", 600)
    stock = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    stock.set_languages(["nl", "de", "en"])
    assert sum(share for _, share in ours) == pytest.approx(1, abs=1e-3)
    assert dict(ours) == pytest.approx(dict(stock.rank("een kort stukje")), abs=1e-3)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@example("Zo'n één tekst, ein Stück, кириллица, ελληνικά".encode() * 20)
def test_all_bytes_at_once_visit_the_features_that_one_after_another_do(text):
    from py3langid.langid import visit_counts

    model = _model()
    features, counts = model.visits(text)
    stock = visit_counts(model.tk_nextmove, model._rowbase, model.tk_output, text) or {}
    assert list(zip(features.tolist(), counts.tolist(), strict=True)) == list(stock.items())


def test_reads_start_middle_and_end_only():
    text = "a" * 50_000 + "m" * 2_000 + "z" * 50_000
    read = sample(text, 4_000)
    assert len(read) <= 4_000 and set(read) == {"a", "m", "z", " "}
    assert sample("kort", 4_000) == "kort"


def test_an_unknown_candidate_names_itself():
    with pytest.raises(HerkomstError, match="candidates xq are not known to py3langid"):
        Detector(["nl", "xq"])


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("nl", "nl"), ("pt_BR", "pt"), ("zh-Hant", "zh"), ("de.UTF-8", "de"), (" EN ", "en"), ("nb", "no"),
        ("slv", "sl"), ("dut", "nl"), ("und", None), ("mul", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_first_part_of_a_tag(tag, code):
    assert primary(tag) == code
