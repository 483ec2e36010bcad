import pickle
import re

import pytest

from data_curation.personal import NoKey, PersonalData
from data_curation.personal.pseudonyms import require_same_key
from data_curation.personal_settings import PersonalDataSettings

KEY = "0123456789abcdef"


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "key").write_text(KEY + "\n")
    return PersonalDataSettings(style="pseudonym", key_file=tmp_path / "key")


def test_the_same_value_has_the_same_pseudonym_and_another_another(settings):
    text = "a@b.nl, A@B.nl en c@b.nl; 06-12345678 of 06 1234 5678"
    result = PersonalData(settings).replace(text, "nl").text
    first, second, third, *phones = re.findall(r"\[[A-Z]+-[0-9a-f]{6}\]", result)
    assert first == second != third
    assert phones[0] == phones[1]


def test_pseudonyms_depend_on_the_key_and_not_on_the_process(settings, monkeypatch):
    other = PersonalDataSettings(style="pseudonym", key_env="HERKOMST_TEST_KEY")
    monkeypatch.setenv("HERKOMST_TEST_KEY", KEY[::-1])
    one, two = PersonalData(settings), PersonalData(other)
    assert one.replace("a@b.nl", "nl").text == "[EMAIL-856156]"
    assert two.replace("a@b.nl", "nl").text != one.replace("a@b.nl", "nl").text
    assert pickle.loads(pickle.dumps(one)).replace("a@b.nl", "nl") == one.replace("a@b.nl", "nl")


def test_a_second_call_finds_nothing_in_pseudonyms(settings):
    made = PersonalData(settings.model_copy(update={"pseudonym_digits": 16}))
    text = " ".join(f"BSN tel {number}x@b.nl 06-{number:08}" for number in range(12_345_678, 12_345_978))
    once = made.replace(text, "nl")
    assert len(once.found) > 500
    assert made.replace(once.text, "nl").found == ()


def test_a_missing_or_short_key_stops_everything(tmp_path, monkeypatch):
    monkeypatch.delenv("HERKOMST_TEST_KEY", raising=False)
    with pytest.raises(NoKey, match=r"variable HERKOMST_TEST_KEY: 0 bytes.*style to placeholder"):
        PersonalData(PersonalDataSettings(style="pseudonym", key_env="HERKOMST_TEST_KEY"))
    with pytest.raises(NoKey, match="No such file"):
        PersonalData(PersonalDataSettings(style="pseudonym", key_file=tmp_path / "none"))


def test_pseudonyms_without_a_place_for_the_key_are_refused():
    with pytest.raises(ValueError, match="exactly one of key_file and key_env"):
        PersonalDataSettings(style="pseudonym")


def test_half_done_work_is_not_continued_with_another_key(tmp_path, monkeypatch):
    settings = PersonalDataSettings(style="pseudonym", key_env="KEY_OF_TEST")
    monkeypatch.setenv("KEY_OF_TEST", "k" * 32)
    require_same_key(settings, tmp_path / "mark")
    require_same_key(settings, tmp_path / "mark")
    assert b"kkk" not in (tmp_path / "mark").read_bytes()
    monkeypatch.setenv("KEY_OF_TEST", "l" * 32)
    with pytest.raises(NoKey, match="--force curate"):
        require_same_key(settings, tmp_path / "mark")
