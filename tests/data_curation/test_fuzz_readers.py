"""Readers against mutated files: nothing but a whole source's error comes through, and every file leaves a row.

`benchmarks/fuzz_readers.py` does the same for minutes or hours; what it found stands here by name.
"""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz_readers import executed, mutated
from benchmarks.fuzz_seeds import Kind, kinds
from tests.data_curation.sources import read_all

KINDS = kinds()
IN_EVERYDAY_TESTS = [name for name in KINDS if name not in ("debian", "pdf")]
"""The two that start a process for a file are too slow here; their own tests hold broken files."""


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(IN_EVERYDAY_TESTS), seed=st.integers(0, 2**64))
def test_no_mutated_file_breaks_a_reader(tmp_path: Path, name: str, seed: int) -> None:
    chance, kind = random.Random(seed), KINDS[name]
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    executed(name, kind, kind.packed(mutated(chance.choice(kind.seeds), chance), chance), folder)


# A source of packages asks apt for them; test_readers_debian.py reads good ones.
@pytest.mark.parametrize("name", sorted(KINDS.keys() - {"debian"}))
def test_the_files_that_are_mutated_are_good(tmp_path: Path, name: str) -> None:
    from data_curation.readers import read
    from tests.data_curation.sources import SOURCE

    kind = KINDS[name]
    if name == "pdf":
        pytest.importorskip("pypdfium2")
    if name.endswith(("-inside", "-chapters")):
        kind = KINDS[name.partition("-")[0]]
    for seed in kind.seeds:
        (tmp_path / kind.file).write_bytes(seed)
        keys = kind.keys | ({"path": kind.file} if kind.keys["path"] == "x" else {})
        found = list(read(SOURCE.validate_python({"name": "x", "partner": "P"} | keys), tmp_path, tmp_path / "cache"))
        assert any(one.text for one in found), [one.detail for one in found]


FOUND: dict[str, tuple[str, bytes]] = {
    "half a surrogate pair in a date": (
        "jsonl", b'{"id": "A", "text": "t", "date": "2\\ud8002", "parents": null, "weg": 0}',
    ),
    "half a surrogate pair in a key that stands twice": ("jsonl", b'{"\\ud800": 1, "\\ud800": 2}'),
    "a namespace that is a relative address": (
        "mediawiki",
        b'<mediawiki xmlns="x"><page><title>A</title><ns>0</ns><id>1</id><revision><id>2</id><text>t</text></revision>'
        b"</page></mediawiki>",
    ),
    "a relative namespace in a chapter": (
        "tei-chapters",
        b'<TEI xmlns="http://www.tei-c.org/ns/1.0"><text><body><div><p xmlns:a="b">t</p></div></body></text></TEI>',
    ),
}  # fmt: skip


def test_an_entry_without_a_name_is_a_row(tmp_path: Path) -> None:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(zipfile.ZipInfo(""), b"x")
        archive.writestr("a.txt", b"Goed.")
    (tmp_path / "x.zip").write_bytes(sink.getvalue())
    found = read_all(tmp_path, reader="archive", path="x.zip")
    assert [one.problem for one in found] == ["unsafe-name", None]


@pytest.mark.parametrize("case", sorted(FOUND))
def test_what_once_broke_a_reader_does_so_no_more(tmp_path: Path, case: str) -> None:
    name, data = FOUND[case]
    executed(name, KINDS[name], data, tmp_path)


def test_a_failure_would_be_seen(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="missing"):
        executed("text", Kind("x.txt", {"reader": "text", "path": ".", "missing": 1}, ()), b"x", tmp_path)
