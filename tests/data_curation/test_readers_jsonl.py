from __future__ import annotations

import gzip
import hashlib
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from data_curation.readers import Source, SourceError, inputs, read
from data_curation.received import Received, identity

SOURCE: TypeAdapter[Source] = TypeAdapter(Source)
COLUMNS = {
    "id": "nr",
    "text": "body",
    "language": "lang",
    "date": "dag",
    "title": "kop",
    "author": "door",
    "licence": "licentie",
    "withdrawn": "weg",
}
ROW = {"nr": "A-1", "body": "Eerste regel.\r\nTweede.", "lang": "nl-BE", "dag": "2024-02-29T23:30:00+01:00",
       "kop": "Kop", "door": ["Ada", "Bo"], "licentie": "CC-BY-4.0", "weg": False}  # fmt: skip


def run(folder: Path, **keys: Any) -> list[Received]:
    source = SOURCE.validate_python(
        {"name": "krant", "partner": "Krant", "reader": "jsonl", "path": "in.jsonl", "columns": COLUMNS} | keys
    )
    return list(read(source, folder, folder / "cache"))


def write(folder: Path, *lines: bytes | dict[str, Any], name: str = "in.jsonl") -> bytes:
    data = b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in lines)
    (folder / name).write_bytes(data)
    return data


def test_a_line_becomes_a_document_with_all_that_is_mapped(tmp_path: Path) -> None:
    line = write(tmp_path, ROW)[:-1]
    (document,) = run(tmp_path)
    digest = identity("krant", "A-1")
    digest.update(line)
    assert document.id == digest.hexdigest()
    assert document.received_sha256 == hashlib.sha256(line).hexdigest()
    assert document.received_bytes == len(line)
    assert document.text == "Eerste regel.\nTweede."
    assert (document.language, document.published, document.title) == ("nl", "2024-02-29", "Kop")
    assert document.author == "Ada; Bo"
    assert [(d.text, d.form, d.where) for d in document.declared] == [
        ("CC-BY-4.0", "spdx", "column licentie (in.jsonl:1)")
    ]
    assert not document.withdrawn and document.problem is None


def test_what_the_config_says_of_the_source_is_added(tmp_path: Path) -> None:
    write(tmp_path, ROW, ROW | {"nr": "A-2", "lang": None, "licentie": None})
    first, second = run(tmp_path, language="fry", licence="CC0-1.0")
    assert [d.text for d in first.declared] == ["CC0-1.0", "CC-BY-4.0"]
    assert second.declared[0].where == "config: source krant, key licence"
    assert (first.language, second.language) == ("nl", "fy")


@pytest.mark.parametrize(
    ("line", "problem", "native_id"),
    [
        ({k: v for k, v in ROW.items() if k != "nr"}, "no-id", "in.jsonl:1"),
        (ROW | {"nr": None}, "no-id", "in.jsonl:1"),
        (ROW | {"nr": True}, "no-id", "in.jsonl:1"),
        ({k: v for k, v in ROW.items() if k != "body"}, "missing-column", "A-1"),
        ({k: v for k, v in ROW.items() if k != "weg"}, "missing-column", "A-1"),
        (ROW | {"body": 7}, "missing-column", "A-1"),
        (ROW | {"body": " \n"}, "empty", "A-1"),
        (ROW | {"body": "a\0b"}, "control-characters", "A-1"),
        (ROW | {"dag": "29 februari"}, "bad-date", "A-1"),
        (ROW | {"dag": "2023-02-29"}, "bad-date", "A-1"),
        (b'{"nr": "A-1", "body": "\\ud800", "weg": false}', "not-utf-8", "A-1"),
        (b'{"nr": "\\ud800", "body": "x", "weg": false}', "not-utf-8", "in.jsonl:1"),
        (b'{"nr": "A-1", "body": "\xff", "weg": false}', "not-utf-8", "in.jsonl:1"),
        (b'{"nr": "A-1", ', "not-json", "in.jsonl:1"),
        (b"[1]", "not-json", "in.jsonl:1"),
        (b'{"nr": "A-1", "body": "x", "weg": true, "weg": false}', "not-json", "in.jsonl:1"),
        (b"[" * 100_000 + b"]" * 100_000, "not-json", "in.jsonl:1"),
        (b'{"nr": ' + b"9" * 5000 + b', "body": "x"}', "not-json", "in.jsonl:1"),
    ],
)
def test_a_bad_line_is_a_row_and_the_rest_goes_on(
    tmp_path: Path, line: bytes | dict[str, Any], problem: str, native_id: str
) -> None:
    write(tmp_path, line, ROW | {"nr": "A-2"})
    bad, good = run(tmp_path)
    assert (bad.problem, bad.native_id, bad.text) == (problem, native_id, None)
    assert bad.detail is not None and bad.detail.startswith("in.jsonl:1: ") and bad.detail.endswith(".")
    assert good.problem is None


@pytest.mark.parametrize(
    ("value", "withdrawn"),
    [(False, False), (None, False), ("", False), ("no", False), (0, False), (True, True), ("ja", True), ([], True)],
)
def test_only_a_plain_no_counts_as_not_withdrawn(tmp_path: Path, value: Any, withdrawn: bool) -> None:
    write(tmp_path, ROW | {"weg": value})
    assert run(tmp_path)[0].withdrawn is withdrawn


def test_a_withdrawn_document_that_cannot_be_read_is_still_withdrawn(tmp_path: Path) -> None:
    write(tmp_path, ROW | {"weg": True, "body": ""})
    (document,) = run(tmp_path)
    assert (document.problem, document.withdrawn) == ("empty", True)


def test_a_line_over_the_limit_is_hashed_and_never_held(tmp_path: Path) -> None:
    long = b'{"nr": "A-1", "body": "' + b"x" * 40_000_000 + b'"}'
    write(tmp_path, long, ROW | {"nr": "A-2"})
    tracemalloc.start()
    large, good = run(tmp_path, largest_document=100_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (large.problem, large.received_bytes, large.native_id) == ("too-large", len(long), "in.jsonl:1")
    assert large.received_sha256 == hashlib.sha256(long).hexdigest()
    assert good.native_id == "A-2" and good.problem is None
    assert peak < 4_000_000


def test_the_limit_is_met_exactly(tmp_path: Path) -> None:
    size = len(write(tmp_path, ROW, ROW | {"nr": "A-2"}).split(b"\n")[0])
    assert [d.problem for d in run(tmp_path, largest_document=size)] == [None, None]
    assert [d.problem for d in run(tmp_path, largest_document=size - 1)] == ["too-large", "too-large"]


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_a_cut_file_keeps_what_came_before_and_says_so(tmp_path: Path, ending: str) -> None:
    lines = b"".join(
        json.dumps({"nr": str(n), "body": hashlib.sha512(str(n).encode()).hexdigest(), "weg": 0}).encode() + b"\n"
        for n in range(4000)
    )
    if ending == "gz":
        packed = gzip.compress(lines)
    else:
        # Two frames, as `cat` of two deliveries gives.
        packed = b"".join(zstandard.ZstdCompressor().compress(half) for half in (lines[:99_000], lines[99_000:]))
    path = tmp_path / f"in.jsonl.{ending}"
    path.write_bytes(packed)
    whole = run(tmp_path, path=path.name)
    assert len(whole) == 4000 and all(document.problem is None for document in whole)
    path.write_bytes(packed[: len(packed) * 3 // 4])
    *before, cut = run(tmp_path, path=path.name)
    assert (cut.problem, cut.native_id) == ("truncated", path.name)
    assert 1000 < len(before) < 4000 and before == whole[: len(before)]


@pytest.mark.parametrize("data", [b"", b"\n\n  \n"])
def test_an_empty_file_is_a_row(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "in.jsonl").write_bytes(data)
    (document,) = run(tmp_path)
    assert (document.problem, document.native_id) == ("empty-file", "in.jsonl")


def test_files_come_in_the_order_of_their_names_and_under_names_that_know_no_machine(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl", "sub/c.jsonl"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path / "set", b"{}", name=name)
    (tmp_path / "set" / "readme.txt").write_text("no delivery")
    expected = ["a.jsonl:1", "b.jsonl:1", "sub/c.jsonl:1"]
    for path in ("set", str(tmp_path / "set"), "set/**/*.jsonl", "set/**/{a,b,c}.jsonl"):
        assert [d.native_id for d in run(tmp_path, path=path)] == expected
    assert [d.native_id for d in run(tmp_path, path="set", limit=2)] == expected[:2]
    source = SOURCE.validate_python(
        {"name": "k", "partner": "K", "reader": "jsonl", "path": "set", "columns": {"id": "a", "text": "b"}}
    )
    assert inputs(source, tmp_path) == [tmp_path / "set" / name for name in ("a.jsonl", "b.jsonl", "sub/c.jsonl")]


@pytest.mark.parametrize("path", ["nergens.jsonl", "nergens/*.jsonl", "*.niets"])
def test_a_path_that_names_nothing_stops_the_source(tmp_path: Path, path: str) -> None:
    with pytest.raises(SourceError, match=r"source krant.*Correct"):
        run(tmp_path, path=path)


@pytest.mark.parametrize(
    "keys",
    [
        {"name": "De Krant"},
        {"columns": {"id": "a"}},
        {"columns": {"id": "a", "text": "b", "txet": "c"}},
        {"language": "nederlands"},
        {"limit": 0},
        {"reader": "excel"},
        {"pat": "x"},
    ],
)
def test_wrong_keys_are_refused(tmp_path: Path, keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        run(tmp_path, **keys)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(data=st.lists(st.binary(max_size=60), max_size=8).map(b"\n".join))
def test_no_bytes_make_it_fail_and_nothing_is_dropped(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "in.jsonl").write_bytes(data)
    documents = run(tmp_path)
    assert len(documents) == max(1, sum(1 for line in data.split(b"\n") if line.strip()))
    assert all(document.problem for document in documents)
