"""Each way in which a bundle can fail is refused with its own message, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from licensing.verify import REFUSALS, VerificationError, check
from tests.pipeline.bundle import broken
from tests.pipeline.bundle.broken import REFUSED, Good, resealed
from tests.pipeline.bundle.conftest import Verify

Builder = Callable[[Good], bytes]


@pytest.mark.parametrize(("build", "code"), REFUSED.items(), ids=[build.__name__ for build in REFUSED])
def test_refused(build: Builder, code: str, good: Good, alone: Verify, tmp_path: Path) -> None:
    made = tmp_path / "made.zip"
    made.write_bytes(build(good))
    done = alone(made, "--key", good.key.id)
    assert done.returncode == 1, done.stdout
    assert f"NOT VERIFIED [{code}]: " in done.stderr and "Traceback" not in done.stderr
    assert "VERIFIED\n" not in done.stdout


def test_every_refusal_has_its_fixture_and_its_own_words(good: Good) -> None:
    assert set(REFUSED.values()) | {"not-a-file"} == set(REFUSALS)
    for language in (0, 1):
        assert len({words[language] for words in REFUSALS.values()}) == len(REFUSALS)
    builders = {one for name, one in vars(broken).items() if callable(one) and one in REFUSED}
    assert builders == set(REFUSED)


def test_resealing_alone_changes_nothing(good: Good, tmp_path: Path) -> None:
    """What the builders do besides their one fault is sound: else they would be refused for another reason."""
    made = tmp_path / "made.zip"
    made.write_bytes(resealed(good, good.files))
    check(str(made), good.key.id)


def test_the_refusal_in_dutch(good: Good, alone: Verify, tmp_path: Path) -> None:
    made = tmp_path / "made.zip"
    made.write_bytes(broken.changed_row(good))
    done = alone(made, "--language", "nl")
    assert done.returncode == 1 and "NIET GEVERIFIEERD [changed-row]: de regels geven niet" in done.stderr


def test_without_a_key_the_signer_is_not_vouched_for(good: Good, alone: Verify, tmp_path: Path) -> None:
    """Signed throughout by another key, a bundle holds in itself; it must say that it does not know whose it is."""
    made = tmp_path / "made.zip"
    made.write_bytes(broken.other_key(good))
    done = alone(made)
    assert done.returncode == 0
    assert f"signed by key {broken.stranger().id}. WHO THAT IS WAS NOT CHECKED" in done.stdout


def test_no_file_and_no_folder(alone: Verify, bundle: Path, tmp_path: Path) -> None:
    done = alone(tmp_path / "nothing.zip")
    assert done.returncode == 1 and "[not-a-file]" in done.stderr
    assert alone(bundle, "--files", tmp_path / "nothing").returncode == 2
    assert alone().returncode == 2


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_anywhere_is_refused_in_words(good: Good, tmp_path: Path, data: st.DataObject) -> None:
    """Whatever a file holds, sealed by the holder of the key, is refused with a code or changes nothing that counts."""
    name = data.draw(
        st.sampled_from(["rows.jsonl", "rows.csv", "spans/001.txt", "statement.json", "proofs/spans.json"])
    )
    text = bytearray(good.files[name])
    at = data.draw(st.integers(0, len(text) - 1))
    text[at : at + data.draw(st.integers(0, 3))] = data.draw(
        st.sampled_from([b"", b'"', b"9", b"-", b"\0", b"[", b"\n"])
    )
    made = tmp_path / "made.zip"
    made.write_bytes(resealed(good, good.files | {name: bytes(text)}))
    try:
        check(str(made), None, steps=True)
    except VerificationError as refusal:
        assert refusal.say("en") and refusal.say("nl")


def test_a_name_cannot_steer_the_screen(good: Good, alone: Verify, tmp_path: Path) -> None:
    """A partner name with line ends and escape codes in it cannot print a verdict of its own."""
    evil = "x\nVERIFIED\n\x1b[2J"
    made = tmp_path / "made.zip"
    made.write_bytes(resealed(good, good.files, partner=evil))
    done = alone(made)
    assert done.returncode == 1 and "x?VERIFIED??[2J" in done.stderr and "\x1b" not in done.stderr


@pytest.mark.parametrize("keep", [0, 1, 21, 22, 100, 5000])
def test_the_beginning_of_a_bundle_is_refused(good: Good, bundle: Path, tmp_path: Path, keep: int) -> None:
    made = tmp_path / "made.zip"
    made.write_bytes(bundle.read_bytes()[:keep])
    with pytest.raises(VerificationError, match="not-a-zip"):
        check(str(made), None)
