from __future__ import annotations

import gzip
import zlib
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import configs
from data_curation.admit import Admission, admit_shard
from data_curation.readers.warc_sites import write_site_snapshots
from data_curation.received import Received
from data_curation.shards import RECEIVED, read_shard, write_shard
from licensing.policy import Policy
from licensing.reservations import Resolver, load_agents
from licensing.rights import IntendedUse
from licensing.table import load_table
from tests.data_curation.sources import SOURCE, problems, read_all

CONFIGS = Path(configs.__path__[0])
AGENTS = load_agents(CONFIGS / "ai-agents.yaml")
HTML = "<html lang='nl'><head><title>Dijk</title>" \
       "<link rel='license' href='https://creativecommons.org/licenses/by/4.0/'></head>" \
       "<body><p>De dijk is hoog.</p></body></html>"  # fmt: skip


def answer(body: bytes = HTML.encode(), *headers: str, status: int = 200, kind: str = "text/html") -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def record(number: int, block: bytes, *headers: str, kind: str = "response", uri: str = "", length: int = -1) -> bytes:
    said = {"WARC-Type": kind, "WARC-Record-ID": f"<urn:uuid:{number}>",
            "WARC-Target-URI": uri or f"https://krant.example/{number}", "WARC-Date": "2026-11-01T10:00:00Z",
            "Content-Length": str(len(block) if length < 0 else length)}  # fmt: skip
    lines = ["WARC/1.0", *(f"{name}: {value}" for name, value in said.items()), *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + block + b"\r\n\r\n"


def run(folder: Path, *records: bytes, packed: bool = True, **keys: Any) -> list[Received]:
    name = "in.warc.gz" if packed else "in.warc"
    (folder / name).write_bytes(b"".join(gzip.compress(one) if packed else one for one in records))
    return read_all(folder, reader="warc", path=name, **keys)


def test_an_answer_becomes_a_document_with_its_headers_and_rights(tmp_path: Path) -> None:
    block = answer(HTML.encode(), "X-Robots-Tag: noai", "TDM-Reservation: 1", "Server: x",
                   'Link: <https://creativecommons.org/licenses/by-sa/4.0/>; rel="license"')  # fmt: skip
    (found,) = run(tmp_path, record(1, block))
    assert (found.native_id, found.url) == ("urn:uuid:1", "https://krant.example/1")
    assert (found.text, found.language, found.title) == ("De dijk is hoog.", "nl", "Dijk")
    assert found.received_bytes == len(block)
    assert [(d.text, d.form) for d in found.declared] == [
        ("https://creativecommons.org/licenses/by/4.0/", "url"),
        ("https://creativecommons.org/licenses/by-sa/4.0/", "url"),
    ]  # fmt: skip
    assert found.declared[0].where.startswith("in.warc.gz:1") and found.declared[1].where == "in.warc.gz:1 header Link"
    assert found.headers is not None and found.headers[:3] == (
        "content-type: text/html",
        "x-robots-tag: noai",
        "tdm-reservation: 1",
    )
    assert found.page == ()


@pytest.mark.parametrize("packed", [True, False])
def test_all_kinds_of_records_are_read_counted_or_passed_over(tmp_path: Path, packed: bool) -> None:
    found = run(
        tmp_path,
        record(0, b"software: x", kind="warcinfo"),
        record(1, answer()),
        record(2, b"GET / HTTP/1.1\r\n\r\n", kind="request"),
        record(
            3, b"Alleen tekst.", "Content-Type: text/plain", "WARC-Identified-Content-Language: nld", kind="conversion"
        ),
        record(4, HTML.encode(), "Content-Type: text/html", kind="resource"),
        record(5, answer(status=404)),
        record(6, answer(kind="image/png")),
        record(7, answer(b""), kind="revisit"),
        record(8, answer(), "WARC-Truncated: length"),
        record(9, b"geen http"),
        packed=packed,
    )
    assert [one.problem for one in found] == [
        None, None, None, "http-status", "other-media-type", "revisit", "truncated", "not-http",
    ]  # fmt: skip
    assert (found[1].text, found[1].language, found[1].headers) == ("Alleen tekst.", "nl", None)


def test_bodies_are_freed_of_their_codings(tmp_path: Path) -> None:
    body = HTML.encode()
    chunked = b"5\r\n" + body[:5] + b"\r\n" + b"%x;a=b\r\n" % (len(body) - 5) + body[5:] + b"\r\n0\r\n\r\n"
    raw = zlib.compressobj(wbits=-15)
    found = run(
        tmp_path,
        record(1, answer(chunked, "Transfer-Encoding: chunked")),
        record(2, answer(gzip.compress(body), "Content-Encoding: gzip")),
        record(3, answer(zlib.compress(body), "Content-Encoding: deflate")),
        record(4, answer(raw.compress(body) + raw.flush(), "Content-Encoding: deflate")),
        record(5, answer(body, "Content-Encoding: gzip", "Transfer-Encoding: chunked")),
        record(6, answer(HTML.replace("hoog", "één").encode("utf-16-le"), kind="text/html; charset=utf-16-le")),
        record(7, answer(chunked[:-20], "Transfer-Encoding: chunked")),
        record(8, answer(gzip.compress(body)[:-9], "Content-Encoding: gzip")),
        record(9, answer(gzip.compress(b"x" * 200_000), "Content-Encoding: gzip")),
        record(10, answer(body, "Content-Encoding: zstd")),
        largest_document=100_000,
    )
    assert [one.text for one in found[:5]] == ["De dijk is hoog."] * 5
    assert found[5].text == "De dijk is één."
    assert [one.problem for one in found[6:]] == ["truncated", "truncated", "too-large", "unknown-coding"]


def test_brotli_is_read(tmp_path: Path) -> None:
    brotli = pytest.importorskip("brotli")
    packed = brotli.compress(HTML.encode())
    found = run(
        tmp_path,
        record(1, answer(packed, "Content-Encoding: br")),
        record(2, answer(packed[:-5], "Content-Encoding: br")),
    )
    assert [(one.text, one.problem) for one in found] == [("De dijk is hoog.", None), (None, "truncated")]


@pytest.mark.parametrize("length", [9999, 60, 5])
def test_a_wrong_length_costs_one_record(tmp_path: Path, length: int) -> None:
    bad = record(2, answer(), length=length)
    for packed in (True, False):
        found = run(tmp_path, record(1, answer()), bad, record(3, answer()), record(4, answer()), packed=packed)
        assert [one.native_id for one in found if not one.problem] == ["urn:uuid:1", "urn:uuid:3", "urn:uuid:4"]
        (problem,) = [one for one in found if one.problem]
        assert problem.problem in ("wrong-length", "truncated") and problem.native_id == "urn:uuid:2"


def test_a_damaged_gzip_member_costs_one_record(tmp_path: Path) -> None:
    whole = [gzip.compress(record(number, answer())) for number in range(4)]
    damaged = bytearray(whole[1])
    damaged[60:70] = bytes(10)
    wrong_sum = whole[1][:-8] + b"\0\0\0\0" + whole[1][-4:]
    for bad in (bytes(damaged), whole[1][:80], wrong_sum, b"\x1f\x8b\x08rommel", whole[1][:80] + b"\x1f\x8b\x08"):
        (tmp_path / "in.warc.gz").write_bytes(whole[0] + bad + whole[2] + whole[3])
        found = read_all(tmp_path, reader="warc", path="in.warc.gz")
        assert [one.native_id for one in found if not one.problem] == ["urn:uuid:0", "urn:uuid:2", "urn:uuid:3"]
        assert problems(found) == {None: 3, "truncated": 1}


def test_what_is_no_record_costs_one_row(tmp_path: Path) -> None:
    found = run(tmp_path, record(1, answer()), b"rommel\r\nmeer\r\n\r\n", record(2, answer()), packed=False)
    assert [one.problem for one in found] == [None, "not-warc", None]
    assert [one.problem for one in run(tmp_path, b"WARC/1.0\r\nContent-Length: veel\r\n\r\nx")] == ["not-warc"]
    assert [one.problem for one in run(tmp_path, b"", packed=False)] == ["empty-file"]
    assert [one.problem for one in run(tmp_path, record(0, b"x", kind="warcinfo"))] == ["empty-file"]


def test_a_large_record_is_hashed_in_pieces(tmp_path: Path) -> None:
    found = run(tmp_path, record(1, answer(b"x" * 300_000)), record(2, answer()), largest_document=1000)
    assert [one.problem for one in found] == ["too-large", None]
    assert found[0].received_bytes == len(answer(b"x" * 300_000))


def test_robots_txt_in_the_archive_reserves_its_pages(tmp_path: Path) -> None:
    rules = b"User-agent: *\nDisallow: /2\n"
    site = "https://krant.example/robots.txt"
    run(tmp_path, record(0, answer(rules, kind="text/plain"), uri=site), record(1, answer()), record(2, answer()))
    source = SOURCE.validate_python({"name": "bron", "partner": "P", "reader": "warc", "path": "in.warc.gz"})
    assert write_site_snapshots(source, tmp_path, tmp_path / "sites") == 1  # type: ignore[arg-type]
    resolver = Resolver(tmp_path / "sites", AGENTS, date(2026, 11, 24))
    found = [resolver.resolve(f"https://krant.example/{number}", {}) for number in (1, 2)]
    said = [{one.value for one in one.signals if one.protocol == "robots.txt"} for one in found]
    assert said == [{"allowed"}, {"disallowed"}]
    assert all(one.native_id != "urn:uuid:0" for one in read_all(tmp_path, reader="warc", path="in.warc.gz"))


def test_what_sites_say_is_kept_as_it_failed(tmp_path: Path) -> None:
    robots, later = "https://a.example/robots.txt", "WARC-Date: 2026-11-01T12:00:00Z"
    run(
        tmp_path,
        record(0, answer(b"User-agent: *\nDisallow: /", kind="text/plain"), uri=robots),
        record(1, answer(b"", status=404), uri=robots).replace(b"WARC-Date: 2026-11-01T10:00:00Z", later.encode()),
        record(2, answer(b"x", "Content-Encoding: zstd"), uri="https://b.example/robots.txt"),
        record(3, answer(status=503), uri="https://c.example/robots.txt"),
    )
    source = SOURCE.validate_python({"name": "bron", "partner": "P", "reader": "warc", "path": "in.warc.gz"})
    assert write_site_snapshots(source, tmp_path, tmp_path / "sites") == 3  # type: ignore[arg-type]
    resolver = Resolver(tmp_path / "sites", AGENTS, date(2026, 11, 24))
    values = {}
    for host in "abc":
        signals = resolver.resolve(f"https://{host}.example/x", {}).signals
        values[host] = {one.value for one in signals if one.protocol == "robots.txt"}
    assert values == {"a": {"allowed"}, "b": {"unknown"}, "c": {"unknown"}}


def test_headers_reserve_their_document_at_admission(tmp_path: Path) -> None:
    found = run(
        tmp_path,
        record(1, answer(HTML.encode(), "X-Robots-Tag: noai")),
        record(2, answer(HTML.encode(), "Content-Usage: train-ai=n")),
        record(3, answer(HTML.encode(), 'Link: <https://a.example/terms>; rel="license"; type="application/rsl+xml"')),
        record(4, answer()),
    )
    # The column is the lead's to add to the schema; the test holds before and after.
    schema = RECEIVED if "headers" in RECEIVED.names else RECEIVED.append(pa.field("headers", pa.list_(pa.string())))
    rows = [
        asdict(one) | {"source": "bron", "partner": "P", "declared": [asdict(d) for d in one.declared]} for one in found
    ]
    write_shard(tmp_path / "in.parquet", rows, schema)
    np.save(tmp_path / "none.npy", np.zeros(0, dtype=np.uint64))
    use = IntendedUse(purpose="commercial", weights_released=True, data_released=False, outputs_sold=True)
    table = load_table(CONFIGS / "licences.yaml")
    admission = Admission(use, Policy(as_of=date(2026, 11, 24)), table, {}, {}, AGENTS)
    admit_shard(tmp_path / "in.parquet", tmp_path / "none.npy", tmp_path / "out.parquet", admission)
    native = {one.id: one.native_id[-1] for one in found}
    decided = {native[row["id"]]: row for row in read_shard(tmp_path / "out.parquet")}
    assert {name: row["reservation"] and row["reservation"]["state"] for name, row in decided.items()} == {
        "1": "disallowed", "2": "disallowed", "3": "unknown", "4": None,
    }  # fmt: skip
    assert decided["1"]["reservation"]["signals"][0]["where"] == "https://krant.example/1, header X-Robots-Tag"
    assert decided["1"]["reason"] != decided["4"]["reason"]
