from __future__ import annotations

import bz2
import gzip
import lzma
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import zstandard
from pydantic import ValidationError

from data_curation.readers import SourceError
from data_curation.received import Received
from tests.data_curation.sources import problems, read_all

COLUMNS = {"id": "nr", "text": "body", "language": "taal", "licence": "recht", "withdrawn": "weg", "date": "dag"}
HEADER = b"nr,body,taal,recht,weg,dag\n"


def run(folder: Path, data: bytes, name: str = "in.csv", **keys: Any) -> list[Received]:
    (folder / name).write_bytes(data)
    return read_all(folder, **{"reader": "csv", "path": name, "columns": COLUMNS} | keys)


def test_a_row_becomes_a_document_with_quoted_line_ends_and_its_bytes(tmp_path: Path) -> None:
    row = b'A-1,"Eerste ""regel"",\r\ntweede.",nl-BE,CC-BY-4.0,no,2024-02-29'
    (first, second) = run(tmp_path, HEADER + row + b"\r\nA-2,Meer.,fry,,yes,\n")
    assert first.text == 'Eerste "regel",\ntweede.' and first.received_bytes == len(row) + 1
    assert (first.native_id, first.language, first.published, first.withdrawn) == ("A-1", "nl", "2024-02-29", False)
    assert [(d.text, d.form, d.where) for d in first.declared] == [("CC-BY-4.0", "spdx", "column recht (in.csv:2)")]
    assert second.withdrawn and second.published is None and second.language == "fy"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress, bytes])
def test_packed_tables_give_the_same_documents(tmp_path: Path, pack: Any) -> None:
    ending = {gzip.compress: ".gz", bz2.compress: ".bz2", lzma.compress: ".xz", zstandard.compress: ".zst"}.get(
        pack, ""
    )
    (found,) = run(tmp_path, pack(b"nr\tbody\nA\tTekst, ja.\n"), f"x.tsv{ending}", columns={"id": "nr", "text": "body"})
    assert (found.native_id, found.text) == ("A", "Tekst, ja.")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (b"A-1,kort", "wrong-field-count"),
        (b"A-1,a,b,c,d,e,f", "wrong-field-count"),
        (b'A-1,"a"b,nl,,,', "bad-quotes"),
        (b"A-1,caf\xe9,nl,,,", "not-utf-8"),
        (b"A-1,a\0b,nl,,,", "control-characters"),
        (b",tekst,nl,,,", "no-id"),
        (b"A-1,,nl,,,", "empty"),
        (b"A-1,tekst,nl,,,gisteren", "bad-date"),
        (b"\xff\xfeA,tekst,nl,,,", "not-utf-8"),
    ],
)
def test_a_bad_row_is_a_row_and_the_rest_goes_on(tmp_path: Path, row: bytes, problem: str) -> None:
    first, second = run(tmp_path, HEADER + row + b"\nA-2,Meer.,nl,,,\n")
    assert first.problem == problem and first.text is None and "in.csv:2" in (first.detail or "")
    assert second.native_id == "A-2" and second.problem is None


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path: Path) -> None:
    rows = b'A-1,"open,nl,,,\n' + b"".join(b"B-%d,tekst,nl,,,\n" % n for n in range(2000))
    found = run(tmp_path, HEADER + rows, largest_document=10_000)
    assert problems(found) == {"bad-quotes": 1, None: 2000}
    assert problems(run(tmp_path, HEADER + rows)) == {"bad-quotes": 1, None: 2000}


def test_a_line_without_end_is_hashed_in_pieces(tmp_path: Path) -> None:
    line = b"A-1," + b"x" * 300_000
    found = run(tmp_path, HEADER + line + b"\nA-2,Meer.,nl,,,\n", largest_document=1000)
    assert problems(found) == {"too-large": 1, None: 1} and found[0].received_bytes == len(line)


@pytest.mark.slow
def test_half_a_gigabyte_in_one_line_takes_no_memory(tmp_path: Path) -> None:
    with (tmp_path / "in.csv").open("wb") as file:
        file.write(HEADER + b'A-1,"')
        for _ in range(500):
            file.write(b"x" * (1 << 20))
        file.write(b"\nA-2,Meer.,nl,,,\n")
    tracemalloc.start()
    found = read_all(tmp_path, reader="csv", path="in.csv", columns=COLUMNS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert problems(found) == {"too-large": 1, None: 1}
    assert peak < 120 << 20


@pytest.mark.parametrize(
    ("data", "name", "problem"),
    [
        (b"", "in.csv", "empty-file"),
        (HEADER, "in.csv", "empty-file"),
        (b'"nr,body\n', "in.csv", "bad-header"),
        (b"nr,body,nr,taal,recht,weg,dag\nA,b,c,,,,\n", "in.csv", "bad-header"),
        (gzip.compress(HEADER + b"A,b,,,,\n" * 9, mtime=0)[:-9], "in.csv.gz", "truncated"),
        (b"\x1f\x8b rommel", "in.csv.gz", "truncated"),
        (b"", "in.csv.xz", "truncated"),
        (b"rommel", "in.csv.bz2", "truncated"),
        (b"\xff\xfe\0\0n\0\0\0", "in.csv", "not-utf-8"),
        (HEADER.decode().encode("utf-16")[:-1], "in.csv", "truncated"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_row(tmp_path: Path, data: bytes, name: str, problem: str) -> None:
    assert run(tmp_path, data, name)[-1].problem == problem


def test_encodings_are_named_or_marked_and_never_guessed(tmp_path: Path) -> None:
    text = HEADER.decode() + "A-1,Café — ë,nl,,,\n"
    assert run(tmp_path, text.encode("utf-16"))[0].text == "Café — ë"
    assert run(tmp_path, text.encode("mac-roman"), encoding="macintosh")[0].text == "Café — ë"
    assert run(tmp_path, text.encode("windows-1252"), encoding="windows-1252")[0].text == "Café — ë"
    assert run(tmp_path, text.encode("mac-roman"))[0].problem == "not-utf-8"
    assert run(tmp_path, text.encode("utf-8-sig"))[0].text == "Café — ë"


def test_the_dialect_is_the_configurations(tmp_path: Path) -> None:
    data = b"nr;body\n1;'a;b'\n"
    two = {"id": "nr", "text": "body"}
    assert run(tmp_path, data, delimiter=";", quote="'", columns=two)[0].text == "a;b"
    assert run(tmp_path, data, delimiter=";", columns=two)[0].problem == "wrong-field-count"
    assert run(tmp_path, b'nr;body\n1;"a\n', delimiter=";", quote="", columns=two)[0].text == '"a'


def test_a_missing_column_stops_the_source(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no column weg"):
        run(tmp_path, b"nr,body,taal,recht,dag\nA,b,c,,\n")


@pytest.mark.parametrize("keys", [{"delimiter": "\n"}, {"delimiter": ";;"}, {"quote": "é"}, {"encoding": "utf-16-le"},
                                  {"encoding": "rot13"}, {"encoding": "iso-8859-12"}])  # fmt: skip
def test_wrong_keys_are_refused(tmp_path: Path, keys: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        run(tmp_path, HEADER, **keys)
