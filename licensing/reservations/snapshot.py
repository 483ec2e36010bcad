"""Stored answers of a web host: what a crawler, or a person, asked for on a day and what came back.

A folder a host and day, written by hand or by a crawler::

    snapshots/
      krant.example/                    the host in lower case; a port of its own is HOST+PORT
        2026-11-01/                     the day on which it was asked (ISO 8601)
          meta.json                     what was asked and what came back; required
          robots.txt                    the bytes as they came, under any name that meta.json gives
          tdmrep.json
          pages/                        optional: one file a page, for hosts with many
            SHA256-OF-THE-ADDRESS.json  one entry as in meta.json, address as host and path, without the scheme

``meta.json`` holds ``{"resources": [ENTRY, …]}``, each entry one address::

    {"url": "https://krant.example/robots.txt", "status": 200, "file": "robots.txt",
     "headers": {"content-type": "text/plain"}}
    {"url": "https://krant.example/.well-known/tdmrep.json", "status": 404}
    {"url": "https://krant.example/ai.txt", "status": null, "error": "timeout"}
    {"url": "https://krant.example/artikel/1", "status": 200, "headers": {"tdm-reservation": "1"}, "file": "1.html"}

``status`` is the HTTP status after redirects; ``error`` any word for a failure (``timeout``, ``redirect-loop``, …),
with which the answer counts as not received; ``file`` the body, within the folder; ``headers`` those of the answer,
names in any case, a list where one came more than once; ``fetched`` the day where it differs from the folder's;
``sha256`` that of the body, which is then checked. For a page, ``headers`` show that its headers were looked at, even
where empty. Terms in RSL are stored with the host that names them, whichever host they stand on.

The newest folder up to the day of judgement decides for the host; for a page, the newest that has it. An answer that
failed, is missing, or does not fit what is written of it is unknown, and never silence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from licensing.canonical import canonical
from licensing.reservations.addresses import Address, address
from licensing.reservations.pages import Headers, joined
from licensing.reservations.signal import Evidence, once

Kind = Literal["body", "absent", "failed", "unasked"]

_LARGEST_META = 16 << 20
_LARGEST_BODY = 16 << 20
_GONE = (404, 410)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is stored of one address: the body, that there is none, that it failed, or that nobody asked.

    ``evidence`` is the body itself or else what is recorded of it, ``told`` the reason in words.
    """

    kind: Kind
    evidence: Evidence
    told: str = ""
    headers: Headers | None = None
    record: Evidence | None = None


@dataclass(frozen=True)
class Snapshot:
    """One host on one day; ``fault`` says why it cannot be used, if so."""

    folder: Path
    day: str
    meta: Evidence
    entries: Mapping[str, Any]
    fault: str | None = None

    def answer(self, wanted: Address, as_of: str) -> Answer:
        """What is stored of an address; answers of a day after ``as_of`` do not count."""
        if self.fault:
            return Answer("failed", self.meta, self.fault)
        entry = self.entries.get(wanted.key)
        if entry is None:
            entry = self._page(wanted)
        if entry is None:
            return Answer("unasked", self.meta, f"{wanted.key} was not asked for on {self.day}")
        return self._judged(entry, wanted, as_of)

    def _page(self, wanted: Address) -> Any:
        path = self.folder / "pages" / f"{hashlib.sha256(wanted.key.encode()).hexdigest()}.json"
        try:
            data = _read(path, _LARGEST_META)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as fault:
            return {"error": f"{path.name} cannot be read ({fault})"}
        try:
            return json.loads(data, object_pairs_hook=once)
        except (ValueError, RecursionError):
            return {"error": f"{path.name} is not JSON, or has a key twice"}

    def _judged(self, entry: Any, wanted: Address, as_of: str) -> Answer:
        problem = _problem(entry, self.day, as_of)
        record = _record(wanted, entry, self.day)
        if problem:
            return Answer("failed", record, problem)
        if entry["status"] in _GONE:
            return Answer("absent", record, f"the server answered {entry['status']}")
        headers = entry.get("headers")
        if "file" not in entry:
            return Answer("failed", record, "its body is not stored", headers, record)
        return self._body(entry, record)

    def _body(self, entry: Any, record: Evidence) -> Answer:
        headers = entry.get("headers")
        try:
            path = (self.folder / entry["file"]).resolve()
            if not path.is_relative_to(self.folder.resolve()):
                return Answer("failed", record, f"file '{entry['file']}' lies outside the snapshot", headers, record)
            body = _read(path, _LARGEST_BODY)
        except (OSError, ValueError) as fault:
            return Answer("failed", record, f"file '{entry['file']}' cannot be read ({fault})", headers, record)
        evidence = Evidence(record.where, body, record.fetched)
        if entry.get("sha256", evidence.sha256) != evidence.sha256:
            return Answer("failed", record, f"file '{entry['file']}' is not the one recorded", headers, record)
        if not body and joined(headers or {}).get("content-length") != "0":
            told = "its body is empty, and no header says that it should be"
            return Answer("failed", record, told, headers, record)
        return Answer("body", evidence, "", headers, record)


def snapshot_days(folder: Path, host: str, as_of: str) -> list[str]:
    """The days on which a host was asked, newest first, up to and including ``as_of``."""
    try:
        names = [path.name for path in (folder / host).iterdir() if path.is_dir()]
    except OSError:
        return []
    return sorted((name for name in names if _is_day(name) and name <= as_of), reverse=True)


def load_snapshot(folder: Path, host: str, day: str) -> Snapshot:
    """Read the ``meta.json`` of one host and day; nothing is raised, a fault is kept."""
    place = folder / host / day
    where = f"{host}/{day}/meta.json"
    try:
        data = _read(place / "meta.json", _LARGEST_META)
    except (OSError, ValueError) as fault:
        return Snapshot(place, day, Evidence(where, b"", day), {}, f"meta.json cannot be read ({fault})")
    meta = Evidence(where, data, day)
    try:
        entries = json.loads(data, object_pairs_hook=once)["resources"]
        known = {_key(entry["url"]): entry for entry in entries}
    except (ValueError, TypeError, KeyError, RecursionError) as fault:
        return Snapshot(place, day, meta, {}, f"meta.json is not of the form that is asked for ({fault!r})")
    if len(known) < len(entries):
        return Snapshot(place, day, meta, {}, "meta.json has two answers for one address")
    return Snapshot(place, day, meta, known)


def _key(url: Any) -> str:
    found = address(url) if isinstance(url, str) else None
    if found is None:
        raise ValueError(f"{url!r} is no address")
    return found.key


def _problem(entry: Any, day: str, as_of: str) -> str | None:
    """Why an entry cannot count, if so."""
    if not isinstance(entry, dict):
        return "its entry is no object"
    if entry.get("error"):
        return f"not received: {entry['error']}"
    status, fetched = entry.get("status"), entry.get("fetched", day)
    if type(status) is not int:
        return "no status is recorded"
    if status not in _GONE and not 200 <= status <= 299:
        return f"the server answered {status}"
    if not (isinstance(fetched, str) and _is_day(fetched)) or fetched > as_of:
        return f"its day, {fetched}, cannot be read or lies after {as_of}"
    if not isinstance(entry.get("file", ""), str) or not _are_headers(entry.get("headers", {})):
        return "its file or headers are not of the form that is asked for"
    return None


def _are_headers(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(said, str) or (isinstance(said, list) and all(isinstance(one, str) for one in said))
        for said in value.values()
    )


def _record(wanted: Address, entry: Any, day: str) -> Evidence:
    """What is recorded of an answer, as evidence where there is no body, or for its headers."""
    fetched = entry.get("fetched") if isinstance(entry, dict) else None
    usable = isinstance(fetched, str) and _is_day(fetched)
    try:
        data = canonical(entry)
    except ValueError:
        data = repr(entry).encode("utf-8", "backslashreplace")
    return Evidence(wanted.url, data, str(fetched) if usable else day)


def _is_day(name: str) -> bool:
    try:
        return date.fromisoformat(name).isoformat() == name
    except ValueError:
        return False


def _read(path: Path, largest: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise ValueError(f"larger than {largest} bytes")
    return data
