import hashlib
import json

import numpy as np
import pytest

from data_curation.settings import DuplicatesSettings
from data_curation.signatures import SignatureFolder, SignatureWriter
from licensing.errors import HerkomstError

SETTINGS = DuplicatesSettings(permutations=16, bands=4)
ROW = np.arange(16, dtype=np.uint32)


def digest(name):
    return hashlib.sha256(name.encode()).hexdigest()


def write(folder, count=3):
    with SignatureWriter(folder, SETTINGS) as writer:
        for at in range(count):
            writer.add(digest(f"id{at}"), digest("text"), "nl", at - 1, ROW)


def test_what_is_written_is_read_back(tmp_path):
    write(tmp_path / "a")
    folder = SignatureFolder.open(tmp_path / "a", SETTINGS)
    keys = folder.keys()
    assert folder.documents == len(keys) == 3
    assert keys[1]["id"].tobytes().hex() == digest("id1")
    assert (keys[2]["language"], keys[0]["rank"], keys[2]["rank"], keys[0]["barred"]) == (b"nl", -1, 1, b"")
    assert keys[0]["text"].tobytes().hex() == keys[0]["received"].tobytes().hex() == digest("text")


def test_a_barred_document_has_its_reason_and_the_rank_before_all(tmp_path):
    with SignatureWriter(tmp_path / "a", SETTINGS) as writer:
        writer.add(digest("id"), digest("t"), "nl", 10**7, ROW, received=digest("r"), barred="reserved")
        writer.add(digest("id2"), digest("t"), "nl", 10**7, ROW)
    keys = SignatureFolder.open(tmp_path / "a", SETTINGS).keys()
    assert keys["rank"].tolist() == [-1, 10**7]
    assert (keys[0]["barred"], keys[0]["received"].tobytes().hex()) == (b"reserved", digest("r"))


def test_a_task_that_dies_leaves_nothing_and_a_repeat_replaces(tmp_path):
    with pytest.raises(RuntimeError), SignatureWriter(tmp_path / "a", SETTINGS) as writer:
        writer.add(digest("x"), digest("t"), "nl", 0, ROW)
        raise RuntimeError
    assert not (tmp_path / "a").exists()
    write(tmp_path / "a", 3)
    write(tmp_path / "a", 2)
    assert SignatureFolder.open(tmp_path / "a", SETTINGS).documents == 2


@pytest.mark.parametrize("name", ["keys", "signatures"])
def test_a_cut_file_is_refused(tmp_path, name):
    write(tmp_path / "a")
    path = tmp_path / "a" / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(HerkomstError, match="cut short or made with other settings"):
        SignatureFolder.open(tmp_path / "a", SETTINGS)


def test_signatures_of_another_version_are_not_taken_for_other_settings(tmp_path):
    write(tmp_path / "a")
    form = json.loads((tmp_path / "a" / "form.json").read_text())
    (tmp_path / "a" / "form.json").write_text(json.dumps(form | {"version": 2}))
    with pytest.raises(HerkomstError, match="form 2, made by another version of Herkomst"):
        SignatureFolder.open(tmp_path / "a", SETTINGS)


def test_other_settings_and_missing_folders_are_refused(tmp_path):
    write(tmp_path / "a")
    with pytest.raises(HerkomstError, match="made with other settings"):
        SignatureFolder.open(tmp_path / "a", DuplicatesSettings(permutations=16, bands=4, shingle_words=3))
    with pytest.raises(HerkomstError, match="no readable folder of signatures"):
        SignatureFolder.open(tmp_path / "b", SETTINGS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "abc"}, "id 'abc' is no SHA-256"),
        ({"text_sha256": "00"}, "text_sha256 '00' is no SHA-256"),
        ({"language": ""}, "does not fit 8 bytes"),
        ({"language": "nl-verylong"}, "does not fit 8 bytes"),
        ({"signature": ROW[:8]}, "not uint32 of 16"),
        ({"signature": ROW.astype(np.uint64)}, "uint64"),
    ],
)
def test_a_wrong_value_is_refused(tmp_path, change, message):
    good = {"id": digest("x"), "text_sha256": digest("t"), "language": "nl", "rank": 0, "signature": ROW}
    with pytest.raises(HerkomstError, match=message), SignatureWriter(tmp_path / "a", SETTINGS) as writer:
        writer.add(**{**good, **change})
    assert not (tmp_path / "a").exists()
