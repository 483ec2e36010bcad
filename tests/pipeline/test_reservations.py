"""Stored answers in a run: what makes which stage stale, what is kept, and what `check` says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.check import explain
from pipeline.config import load_config
from pipeline.run_directory import RunDirectory
from pipeline.runner import run
from tests.pipeline.conftest import write_config

HOST = "krant.example"


def store(folder: Path, day: str, robots: bytes) -> Path:
    place = folder / "sites" / HOST / day
    place.mkdir(parents=True)
    (place / "robots.txt").write_bytes(robots)
    entries = [
        {"url": f"https://{HOST}/robots.txt", "status": 200, "file": "robots.txt"},
        {"url": f"https://{HOST}/.well-known/tdmrep.json", "status": 404},
        {"url": f"https://{HOST}/ai.txt", "status": 404},
        {"url": f"https://{HOST}/1", "status": 200, "headers": {"content-type": "text/plain"}},
    ]
    (place / "meta.json").write_text(json.dumps({"resources": entries}))
    return place


def configured(folder: Path, **keys: Any) -> Path:
    row = {"id": "1", "text": "De dijk hield, en het water zakte.", "url": f"https://{HOST}/1"}
    (folder / "in.jsonl").write_text(json.dumps(row), encoding="utf-8")
    columns = {"id": "id", "text": "text", "url": "url"}
    web = {"name": "web", "partner": "De Krant", "reader": "jsonl", "path": "in.jsonl", "columns": columns}
    grounds = {"basis": "dsm-art-4", "reservations": "sites"}
    return write_config(folder / "run.yaml", sources=[web | grounds | keys])


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERKOMST_KEY", str(tmp_path / "key.pem"))


def until_admit(folder: Path) -> list[str]:
    return run(load_config(folder / "run.yaml"), RunDirectory(folder / "runs" / "r"), until="admit", workers=1)


def outcomes(folder: Path) -> dict[str, int]:
    from pipeline.runner import newest_entries

    entries = newest_entries(RunDirectory(folder / "runs" / "r"))
    return dict(entries["admit"].predicate["figures"]["counts"])


def test_answers_make_admit_stale_and_never_ingest(tmp_path: Path) -> None:
    place = store(tmp_path, "2026-10-01", b"User-agent: *\nAllow: /\n")
    configured(tmp_path)
    assert until_admit(tmp_path) == ["ingest", "admit"]
    assert outcomes(tmp_path) == {"admit:art-4-admitted": 1}
    assert until_admit(tmp_path) == []
    (place / "robots.txt").write_bytes(b"User-agent: GPTBot\nDisallow: /\n")
    assert until_admit(tmp_path) == ["admit"] and outcomes(tmp_path) == {"refuse:reserved": 1}
    # The same bytes on another day, here one that lies after the day of judgement.
    place.rename(place.with_name("2026-12-01"))
    assert until_admit(tmp_path) == ["admit"] and outcomes(tmp_path) == {"review:reservation-unknown": 1}
    configured(tmp_path, basis="own", basis_evidence="letter 7")
    assert until_admit(tmp_path) == ["admit"] and outcomes(tmp_path) == {"admit:own-admitted": 1}


def test_the_evidence_lies_with_the_rights_of_the_run(tmp_path: Path) -> None:
    robots = b"User-agent: GPTBot\nDisallow: /\n"
    store(tmp_path, "2026-10-01", robots)
    configured(tmp_path)
    until_admit(tmp_path)
    rights = tmp_path / "runs" / "r" / "rights"
    kept = [path.read_bytes() for path in (rights / "evidence").rglob("*") if path.is_file()]
    assert robots in kept and (rights / "ai-agents.yaml").exists() and (rights / "licences.yaml").exists()


@pytest.mark.parametrize(
    ("keys", "parts"),
    [
        ({}, ["admit where no reservation was found", "stored answers of 1 host(s)", "1 later one(s) are left out"]),
        ({"reservations": None}, ["every document goes to review"]),
        ({"basis": "dsm-art-3"}, ["basis dsm-art-3: refuse", "does not limit art. 3"]),
        ({"basis": "own", "basis_evidence": "letter 7"}, ["basis own: admit. Own work: letter 7"]),
        ({"basis": "consent"}, ["basis consent: review"]),
        ({"basis": None, "licence": "CC-BY-4.0"}, ["CC-BY-4.0: admit", "whose publisher reserves mining: review"]),
    ],
)
def test_check_says_what_basis_and_reservations_mean(tmp_path: Path, keys: dict[str, Any], parts: list[str]) -> None:
    store(tmp_path, "2026-10-01", b"")
    store(tmp_path, "2026-12-01", b"")
    told = explain(load_config(configured(tmp_path, **keys)))
    for part in parts:
        assert part in told
