"""What the sites in a web archive say to crawlers, as the snapshots that reservations are judged by.

A crawl holds the robots.txt, tdmrep.json and ai.txt of the hosts that it visited. They are written in the form of
`licensing.reservations.snapshot`, one folder a host and day, so that one resolver judges them and their bytes are kept
as evidence. What failed in the archive is recorded as failed; what is not there was not asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from data_curation.plain_text import Unreadable
from data_curation.readers.folder import files_of
from data_curation.readers.http_answer import answer_of, uncoded
from data_curation.readers.warc import ENDINGS, WarcSource, address_of, is_site_file
from data_curation.readers.warc_records import Record, records
from licensing.canonical import canonical
from licensing.reservations.addresses import address

_LARGEST = 1 << 20
_Key = tuple[str, str]


def write_site_snapshots(source: WarcSource, root: Path, folder: Path) -> int:
    """Write what the archives of a source hold of its sites' own files below ``folder``.

    Of several answers for one address on one day the latest counts. Memory grows with the number of hosts alone.

    Returns:
        How many hosts and days were written.

    Raises:
        SourceError: ``path`` of the source names nothing.
    """
    asked: dict[_Key, dict[str, tuple[str, dict[str, Any]]]] = {}
    for record in _site_records(source, root):
        wanted = address(address_of(record))
        when = record.headers.get("warc-date", "")
        if wanted is None or not _is_day(when[:10]):
            continue
        known = asked.setdefault((wanted.host, when[:10]), {})
        if wanted.key not in known or known[wanted.key][0] <= when:
            known[wanted.key] = (when, _entry(record, folder / wanted.host / when[:10], wanted.url))
    for (host, day), answers in sorted(asked.items()):
        place = folder / host / day
        place.mkdir(parents=True, exist_ok=True)
        (place / "meta.json").write_bytes(canonical({"resources": [answers[key][1] for key in sorted(answers)]}))
    return len(asked)


def _site_records(source: WarcSource, root: Path) -> Iterator[Record]:
    for file in files_of(source, root, source.path, ENDINGS):
        if file.problem:
            continue
        for record in records(file.path, source.largest_document):
            for _ in record.rest or ():
                pass
            if is_site_file(address_of(record)) and record.headers.get("warc-type", "").lower() != "request":
                yield record


def _entry(record: Record, place: Path, url: str) -> dict[str, Any]:
    """One answer as a snapshot records it, its body in a file of its own."""
    try:
        if record.problem or record.headers.get("warc-type", "").lower() != "response":
            raise Unreadable(record.problem or record.headers.get("warc-type", "") or "no type", "not a whole answer")
        answer = answer_of(record.block)
        headers: dict[str, list[str]] = {}
        for name, value in answer.headers:
            headers.setdefault(name, []).append(value)
        entry: dict[str, Any] = {"url": url, "status": answer.status, "headers": headers}
        if not 200 <= answer.status <= 299:
            return entry
        body = uncoded(answer, _LARGEST)
    except Unreadable as fault:
        return {"url": url, "status": None, "error": fault.problem}
    digest = hashlib.sha256(body).hexdigest()
    place.mkdir(parents=True, exist_ok=True)
    (place / digest).write_bytes(body)
    return entry | {"file": digest, "sha256": digest}


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
