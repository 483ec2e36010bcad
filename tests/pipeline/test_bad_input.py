"""Whatever comes in: a clear error, or a row in the ledger; nothing lost, and no exit code 0 for work not done."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.run_directory import RunDirectory
from pipeline.trace import Tracer
from tests.pipeline.conftest import herkomst, write_config

ARTICLE = (
    "De gemeenteraad heeft dinsdag na een lang debat besloten dat de oude brug over de vaart niet wordt gesloopt maar "
    "hersteld. Volgens de wethouder is dat duurder, maar blijft de binnenstad daardoor bereikbaar voor bewoners en "
    "winkeliers. De werkzaamheden beginnen in het voorjaar en duren ongeveer acht maanden. Nummer {}."
)


def source(name: str, path: Path, **changes: object) -> dict[str, object]:
    return {
        "name": name,
        "partner": "Proef",
        "reader": "jsonl",
        "path": str(path),
        "licence": "CC0-1.0",
        "columns": {"id": "id", "text": "text"},
        "language": "nl",
    } | changes


def line(number: int, **changes: object) -> bytes:
    return json.dumps({"id": f"p{number}", "text": ARTICLE.format(number)} | changes).encode()


def curated(folder: Path, *sources: dict[str, object], expect: int = 0) -> list[dict[str, object]]:
    """Run up to commit; returns the ledger."""
    write_config(folder / "small.yaml", sources=list(sources))
    done = herkomst("run", "small.yaml", "--until", "commit", "--workers", 1, cwd=folder, check=expect == 0)
    assert done.returncode == expect, done.stderr
    return list(Tracer(RunDirectory(folder / "runs" / "small")).rows())


def reasons(rows: list[dict[str, object]]) -> dict[str, int]:
    return dict(Counter(str(row["reason"]) for row in rows))


def test_each_broken_line_is_a_row_and_the_rest_goes_on(tmp_path: Path) -> None:
    lines = [
        line(1),
        b'{"id": "p2", "text": "\xff\xfe"}',
        b"{not json",
        json.dumps({"id": "p4"}).encode(),
        json.dumps({"text": ARTICLE}).encode(),
        line(6, text="   "),
        line(7, text="een\0nul"),
        b'{"id": "p8", "text": "half \\ud83d"}',
        b"[" * 5000,
        line(10),
    ]
    (tmp_path / "broken.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    rows = curated(tmp_path, source("broken", tmp_path / "broken.jsonl"))
    assert len(rows) == len(lines)
    told = reasons(rows)
    assert told.pop("licence-admitted", 0) + told.pop("duplicate-near", 0) == 2
    assert set(told) == {
        "unreadable-not-utf-8",
        "unreadable-not-json",
        "unreadable-missing-column",
        "unreadable-no-id",
        "unreadable-empty",
        "unreadable-control-characters",
    }


def test_an_empty_file_and_a_truncated_archive(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "empty.jsonl").write_bytes(b"")
    whole = gzip.compress(b"\n".join(line(number) for number in range(200)))
    (tmp_path / "in" / "half.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "in" / "good.jsonl").write_bytes(line(900) + b"\n")
    rows = curated(tmp_path, source("in", tmp_path / "in"))
    told = reasons(rows)
    assert told["unreadable-empty-file"] == 1 and told["unreadable-truncated"] == 1
    assert any(row["native_id"] == "p900" and row["decision"] == "admit" for row in rows)
    assert any(row["native_id"] == "p0" and row["decision"] == "admit" for row in rows)


def test_ids_that_stand_for_two_texts_and_documents_that_come_twice(tmp_path: Path) -> None:
    other = (
        "Het waterschap waarschuwt voor hoog water langs de rivier. Bewoners van de uiterwaarden krijgen zandzakken."
    )
    lines = [line(1), line(2), line(2, text=other), line(3, text=other + " Vee moet weg."), line(1)]
    (tmp_path / "twice.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    rows = curated(tmp_path, source("twice", tmp_path / "twice.jsonl"))
    assert len(rows) == 4
    by_id: dict[object, list[dict[str, object]]] = {}
    for row in rows:
        by_id.setdefault(row["native_id"], []).append(row)
    assert by_id["p1"][0]["times_received"] == 2 and by_id["p1"][0]["decision"] == "admit"
    assert [row["reason"] for row in by_id["p2"]] == ["native-id-repeated"] * 2


def test_a_document_that_comes_twice_in_different_shards(tmp_path: Path) -> None:
    other = [line(number, text=f"{ARTICLE} Wijk {number} telt {number * 37} inwoners.") for number in range(10, 70)]
    (tmp_path / "twice.jsonl").write_bytes(b"\n".join([line(1), *other, line(1)]) + b"\n")
    rows = curated(tmp_path, source("twice", tmp_path / "twice.jsonl"))
    assert len(rows) == 61
    assert sum(int(str(row["times_received"])) for row in rows) == 62


@pytest.mark.parametrize(
    ("licence", "decision"), [("No-Such-Licence-1.0", "review"), ("GPL-3.0-or-later", "refuse"), (None, "refuse")]
)
def test_unknown_strong_and_absent_licences_stay_out(tmp_path: Path, licence: str | None, decision: str) -> None:
    (tmp_path / "one.jsonl").write_bytes(line(1) + b"\n")
    rows = curated(tmp_path, source("one", tmp_path / "one.jsonl", licence=licence))
    assert [(row["decision"], row["use"]) for row in rows] == [(decision, "none")]


def test_a_line_too_long_to_hold_is_digested_and_told(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    with path.open("wb") as file:
        file.write(b'{"id": "x", "text": "')
        file.truncate(64 << 20)
        file.seek(0, os.SEEK_END)
        file.write(b'"}\n' + line(2) + b"\n")
    rows = curated(tmp_path, source("long", path, largest_document=1 << 20))
    told = {str(row["native_id"]): row for row in rows}
    assert told.pop("p2")["decision"] == "admit"
    assert [row["reason"] for row in told.values()] == ["unreadable-too-large"]
    assert [int(str(row["received_bytes"])) for row in told.values()] == [(64 << 20) + 2]


def test_a_missing_file_stops_the_run_and_says_so(tmp_path: Path) -> None:
    write_config(tmp_path / "small.yaml", sources=[source("gone", tmp_path / "gone.jsonl")])
    done = herkomst("run", "small.yaml", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "gone" in done.stderr and "Traceback" not in done.stderr


def test_a_misspelt_key_is_named_with_line_and_nearest(tmp_path: Path) -> None:
    path = write_config(tmp_path / "small.yaml")
    path.write_text(path.read_text().replace("vocabulary_size", "vocabulary_sise"), encoding="utf-8")
    number = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "vocabulary_sise" in text)
    done = herkomst("check", "small.yaml", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert f"line {number}" in done.stderr
    assert "tokenizer.vocabulary_sise" in done.stderr and "'vocabulary_size'" in done.stderr


def test_nothing_admitted_is_said_before_a_tokenizer_is_tried(tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_bytes(line(1) + b"\n")
    sources = [source("one", tmp_path / "one.jsonl", licence="GPL-3.0-or-later")]
    write_config(tmp_path / "small.yaml", sources=sources)
    done = herkomst("run", "small.yaml", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "no document" in done.stderr and "ledger" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system can only be mounted by root")
@pytest.mark.parametrize("until", ["ingest", "commit", "train"])
def test_a_full_disk_leaves_no_half_output(tmp_path: Path, until: str) -> None:
    write_config(tmp_path / "small.yaml")
    small = tmp_path / "small-disk"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(small)], check=False).returncode:
        pytest.skip("tmpfs cannot be mounted here")
    try:
        run = small / "run"
        before = {"ingest": None, "commit": "curate", "train": "pack"}[until]
        if before:
            herkomst("run", "small.yaml", "--until", before, "--run-dir", run, "--workers", 1, cwd=tmp_path)
        ballast = small / "ballast"
        fill(ballast)
        done = herkomst(
            "run", "small.yaml", "--until", until, "--run-dir", run, "--workers", 1, cwd=tmp_path, check=False
        )
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr and "space" in done.stderr
        made = {"ingest": ["work/received"], "commit": ["ledger", "corpus"], "train": ["checkpoints/step-*"]}[until]
        assert [path for pattern in made for path in run.glob(pattern)] == []
        assert not list((run / "record").glob(f"*-{until}.json"))
        ballast.unlink()
        herkomst("run", "small.yaml", "--until", until, "--run-dir", run, "--workers", 1, cwd=tmp_path)
        assert herkomst("verify", run, cwd=tmp_path).returncode == 0
    finally:
        subprocess.run(["umount", str(small)], check=True)


def fill(path: Path) -> None:
    """Take what room there is, all but two pages."""
    # Without a buffer: what is left in one is written again at the end, where there is no room either.
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 65536)
    with path.open("r+b") as file:
        file.truncate(max(0, path.stat().st_size - 8192))
