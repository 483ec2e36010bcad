import pytest

from data_curation.languages.function_words import read_function_words
from data_curation.languages.judge import Languages
from data_curation.quality import read_quality
from data_curation.settings import OFFICIAL_LANGUAGES, LanguageSettings


@pytest.fixture(scope="session")
def lists():
    return read_function_words(read_quality())


@pytest.fixture(scope="session")
def languages(lists):
    return Languages(LanguageSettings(), OFFICIAL_LANGUAGES, lists)
