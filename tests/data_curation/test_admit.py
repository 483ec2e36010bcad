"""Three documents under art. 4, through ingest, admit and commit, with the stored answers of their sites."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_curation.admit import Admission, Ground, admit_shard
from data_curation.commit import CommitInputs, commit
from data_curation.duplicates import REMOVED
from data_curation.ingest import ingest_source
from data_curation.page_elements import page_elements
from data_curation.readers import SourceError, snapshot_files
from data_curation.readers.jsonl import JsonlSource
from data_curation.readers.text import TextSource
from data_curation.shards import CURATED, read_shard, write_shard
from licensing.agreement import load_agreement
from licensing.ledger import Ledger
from licensing.policy import Policy
from licensing.reservations import Resolver, load_agents
from licensing.rights import IntendedUse
from licensing.table import load_table

CONFIGS = Path(__file__).parents[2] / "configs"
USE = IntendedUse(purpose="commercial", weights_released=True, data_released=False, outputs_sold=True)
URLS = {"a": "https://open.example/1", "b": "https://dicht.example/1", "c": "https://onbekend.example/1"}


def site(folder: Path, host: str, robots: bytes, day: str = "2026-11-01") -> None:
    place = folder / host / day
    place.mkdir(parents=True)
    (place / "robots.txt").write_bytes(robots)
    (place / "1.html").write_bytes(b"<html><head><title>t</title></head><body>tekst</body></html>")
    entries = [
        {"url": f"https://{host}/robots.txt", "status": 200, "file": "robots.txt"},
        {"url": f"https://{host}/.well-known/tdmrep.json", "status": 404},
        {"url": f"https://{host}/ai.txt", "status": 404},
        {"url": f"https://{host}/1", "status": 200, "headers": {"content-type": "text/html"}, "file": "1.html"},
    ]
    (place / "meta.json").write_text(json.dumps({"resources": entries}))


def source(**keys: Any) -> JsonlSource:
    values = {"name": "web", "partner": "Web", "reader": "jsonl", "path": "in.jsonl", "basis": "dsm-art-4"}
    columns = {"id": "id", "text": "text", "url": "url"}
    return JsonlSource.model_validate(values | {"columns": columns} | keys)


def ingested(folder: Path, **keys: Any) -> JsonlSource:
    rows = [{"id": name, "text": f"Tekst {name}.", "url": url} for name, url in URLS.items()]
    (folder / "in.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    one = source(**keys)
    ingest_source(one, folder, folder / "cache", folder / "received" / "web", 100)
    return one


def admitted(folder: Path, as_of: str, ground: Ground) -> dict[str, Any]:
    admission = Admission(
        use=USE,
        policy=Policy(as_of=date.fromisoformat(as_of)),
        table=load_table(CONFIGS / "licences.yaml"),
        agreements={},
        grounds={"web": ground},
        agents=load_agents(CONFIGS / "ai-agents.yaml"),
    )
    received = folder / "received" / "web"
    (folder / "decisions" / "web").mkdir(parents=True, exist_ok=True)
    out = folder / "decisions" / "web" / "00000-00000.parquet"
    admit_shard(received / "00000-00000.parquet", received / "clashing-native-ids.npy", out, admission)
    names = {row["id"]: row["native_id"] for row in read_shard(received / "00000-00000.parquet", ["id", "native_id"])}
    return {names[row["id"]]: row for row in read_shard(out)}


def ground(folder: Path, as_of: str) -> Ground:
    agents = load_agents(CONFIGS / "ai-agents.yaml")
    return Ground("dsm-art-4", None, Resolver(folder / "sites", agents, date.fromisoformat(as_of), folder / "evidence"))


def test_allowed_disallowed_and_unknown_through_the_ledger(tmp_path: Path) -> None:
    site(tmp_path / "sites", "open.example", b"User-agent: *\nDisallow: /zoeken\n")
    site(tmp_path / "sites", "dicht.example", b"User-agent: GPTBot\nDisallow: /\n")
    ingested(tmp_path, reservations="sites")
    rows = admitted(tmp_path, "2026-11-15", ground(tmp_path, "2026-11-15"))
    assert {name: (row["outcome"], row["reason"]) for name, row in rows.items()} == {
        "a": ("admit", "art-4-admitted"),
        "b": ("refuse", "reserved"),
        "c": ("review", "reservation-unknown"),
    }
    reserved = rows["b"]["reservation"]
    assert (reserved["state"], reserved["as_of"]) == ("disallowed", "2026-11-15")
    decisive = reserved["signals"][0]
    assert (decisive["protocol"], decisive["value"], decisive["text"]) == ("robots.txt", "disallowed", "Disallow: /")
    evidence = tmp_path / "evidence" / decisive["sha256"][:2] / decisive["sha256"]
    assert evidence.read_bytes() == b"User-agent: GPTBot\nDisallow: /\n"
    assert [duty["kind"] for duty in rows["a"]["duties"]] == ["deletion"]
    assert ledger(tmp_path, rows["a"]["id"])["b"]["reservation"] == reserved


def ledger(folder: Path, too_short: str) -> dict[str, Any]:
    write_shard(folder / "duplicates.parquet", [], REMOVED)
    (folder / "curated").mkdir()
    curated = {"id": too_short, "kept": False, "reason": "quality-too-short", "events": [], "personal_data": []}
    write_shard(folder / "curated" / "00000.parquet", [curated], CURATED)
    inputs = CommitInputs(
        folder / "received", folder / "decisions", folder / "curated", folder / "duplicates.parquet", 1, 0.0
    )
    list(commit(inputs, folder / "ledger", folder / "corpus"))
    return {row["native_id"]: row for row in Ledger(folder / "ledger").rows()}


def test_a_newer_answer_decides_anew_on_an_older_document(tmp_path: Path) -> None:
    site(tmp_path / "sites", "open.example", b"User-agent: *\nAllow: /\n", "2026-10-01")
    site(tmp_path / "sites", "open.example", b"User-agent: CCBot\nDisallow: /\n", "2026-11-10")
    ingested(tmp_path, reservations="sites")
    by_day = {
        day: admitted(tmp_path, day, ground(tmp_path, day))["a"]["outcome"] for day in ("2026-11-09", "2026-11-10")
    }
    assert by_day == {"2026-11-09": "admit", "2026-11-10": "refuse"}


def test_without_stored_answers_nothing_is_admitted(tmp_path: Path) -> None:
    ingested(tmp_path)
    rows = admitted(tmp_path, "2026-11-15", Ground("dsm-art-4", None, None))
    assert {row["reason"] for row in rows.values()} == {"reservation-unknown"}
    rows = admitted(tmp_path, "2026-11-15", ground(tmp_path, "2026-11-15"))
    assert {row["reason"] for row in rows.values()} == {"reservation-unknown"}


def test_sources_without_a_basis_are_as_before(tmp_path: Path) -> None:
    ingested(tmp_path)
    rows = admitted(tmp_path, "2026-11-15", Ground())
    assert {row["reason"] for row in rows.values()} == {"licence-absent"}
    assert all(row["reservation"] is None and row["basis_evidence"] is None for row in rows.values())


def test_an_unreadable_document_has_no_reservation(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": "a", "text": ""}\n', encoding="utf-8")
    ingest_source(source(), tmp_path, tmp_path / "cache", tmp_path / "received" / "web", 100)
    (row,) = admitted(tmp_path, "2026-11-15", ground(tmp_path, "2026-11-15")).values()
    assert row["reason"] == "unreadable-empty" and row["reservation"] is None


@pytest.mark.parametrize(
    ("keys", "part"),
    [
        ({"basis": "own", "agreement": "x"}, "rests on one of them"),
        ({"basis": "agreement"}, "no agreement is named"),
        ({"basis": "fair-use"}, "dsm-art-4"),
        ({"basis_evidence": " "}, "at least 1 character"),
    ],
)
def test_a_source_has_one_basis(keys: dict[str, Any], part: str) -> None:
    with pytest.raises(ValueError, match=part):
        source(**keys)


def test_the_folder_of_answers_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="'weg' is not there"):
        snapshot_files(source(reservations="weg"), tmp_path)
    assert snapshot_files(source(), tmp_path) == []


def test_clashing_ids_still_go_first(tmp_path: Path) -> None:
    ingested(tmp_path)
    received = tmp_path / "received" / "web"
    from data_curation.ingest import native_key

    np.save(received / "clashing-native-ids.npy", np.array([native_key("a")], dtype=np.uint64))
    assert admitted(tmp_path, "2026-11-15", Ground())["a"]["reason"] == "native-id-repeated"


def pages(folder: Path, **texts: str) -> TextSource:
    (folder / "pages").mkdir()
    for name, head in texts.items():
        page = f"<html>\n<head>{head}</head><body><p>Een bladzijde over de dijk.</p></body></html>"
        (folder / "pages" / f"{name}.html").write_text(page, encoding="utf-8")
    return TextSource.model_validate(
        {"name": "web", "partner": "Web", "reader": "text", "path": "pages", "licence": "CC-BY-4.0"}
    )


def test_a_reservation_in_the_page_itself_meets_its_licence(tmp_path: Path) -> None:
    one = pages(tmp_path, a="", b='<meta name="robots" content="noai">', c='<meta name="tdm-reservation" content="0">')
    ingest_source(one, tmp_path, tmp_path / "cache", tmp_path / "received" / "web", 100)
    rows = admitted(tmp_path, "2026-11-15", Ground())
    assert {name: row["reason"] for name, row in rows.items()} == {
        "a.html": "licence-admitted",
        "b.html": "licence-reserved",
        "c.html": "licence-admitted",
    }
    (signal,) = rows["b.html"]["reservation"]["signals"]
    received = (tmp_path / "pages" / "b.html").read_bytes()
    assert signal["where"] == "web/b.html, line 2 <meta robots>"
    assert signal["sha256"] == hashlib.sha256(received).hexdigest()
    assert rows["a.html"]["reservation"] is None and rows["c.html"]["reservation"]["state"] == "allowed"


def test_only_html_has_elements() -> None:
    page = b'<meta name="robots" content="noai">'
    assert page_elements("a.html", page, 1000) == ('1 <meta name="robots" content="noai">',)
    assert page_elements("a.html.gz", gzip.compress(page), 1000) == page_elements("a.HTM", page, 1000)
    assert page_elements("a.txt", page, 1000) is None
    assert page_elements("a.html.gz", gzip.compress(page), 10) is None


def test_an_agreement_serves_its_own_partner_alone(tmp_path: Path) -> None:
    """A source of somebody else that goes by a name which the contract covers is not admitted under it."""
    kade = load_agreement(CONFIGS / "agreements/de-kade.yaml")
    policy, table = Policy(as_of=date(2026, 7, 1)), load_table(CONFIGS / "licences.yaml")
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": "a", "text": "Tekst.", "date": "2024-05-01"}) + "\n")
    found = []
    for number, partner in enumerate((kade.partner, "Somebody else")):
        columns = {"id": "id", "text": "text", "date": "date"}
        one = source(name="de-kade", partner=partner, basis=None, agreement=kade.id, columns=columns)
        received, out = tmp_path / str(number), tmp_path / f"{number}.parquet"
        ingest_source(one, tmp_path, tmp_path / "cache", received, 100)
        repeated = received / "clashing-native-ids.npy"
        admit_shard(received / "00000-00000.parquet", repeated, out, Admission(USE, policy, table, {kade.id: kade}))
        found += read_shard(out)
    assert [row["reason"] for row in found] == ["agreement-admitted", "agreement-partner"]
    assert found[1]["outcome"] == "refuse" and "Kade" not in found[1]["explanation"]
