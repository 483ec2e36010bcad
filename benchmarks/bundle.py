"""How long an audit bundle takes to write and to check, and in how much memory, for a partner of any size.

python benchmarks/bundle.py 2000000 [FOLDER]

Rows, list and spans are made up (no text); trees, zip, signature and verifier are the real ones. One document in ten
was received and not used; the partner holds one stream of three in a tree of spans that is half again as large.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measure import REPOSITORY, machine

sys.path.insert(0, str(REPOSITORY))

PARTNER = "Uitgeverij Groot"
COLUMNS = (
    "native_id",
    "id",
    "title",
    "source",
    "licence",
    "branch",
    "decision",
    "reason",
    "use",
    "tokens",
    "text_bytes",
    "received_sha256",
    "final_sha256",
)


def main() -> None:
    """Make a bundle of so many documents, check it, look up a thousand of them, and print what each took."""
    documents = int(sys.argv[1])
    print(machine())
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as name:
        folder = Path(name)
        began = time.monotonic()
        child = os.fork()
        if not child:
            make(documents, folder)
            os._exit(0)
        usage = os.wait4(child, 0)[2]
        told("write", time.monotonic() - began, usage)
        size = (folder / "bundle.zip").stat().st_size
        print(f"{'size':<10}{size / 2**20:8.0f} MiB, {size / documents:.0f} bytes a document")
        check(folder, "check")
        (folder / "mine.jsonl").write_bytes(
            b"".join(b"%d\n" % number for number in range(0, 2 * documents, 2 * documents // 1000))
        )
        check(folder, "look up", "--files", str(folder / "mine.jsonl"))


def check(folder: Path, label: str, *more: str) -> None:
    """Run the verifier alone, as a partner would."""
    program, bundle = REPOSITORY / "licensing" / "verify.py", folder / "bundle.zip"
    command = [sys.executable, "-I", "-S", str(program), str(bundle), *more]
    began = time.monotonic()
    with (folder / "said.txt").open("w+") as said:
        process = subprocess.Popen(command, env={}, stdout=said)
        _, status, usage = os.wait4(process.pid, 0)
        said.seek(0)
        last = said.read().splitlines()[-1]
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {status}")
    told(label, time.monotonic() - began, usage, last)


def told(label: str, seconds: float, usage: Any, said: str = "") -> None:
    """Print one line: wall time, processor time (what a machine that does nothing else would need) and memory."""
    worked = usage.ru_utime + usage.ru_stime
    peak = usage.ru_maxrss / 1024
    print(f"{label:<10}{seconds:8.1f} s, {worked:8.1f} s of work, peak {peak:6.0f} MiB  {said}", flush=True)


def rows(documents: int) -> Iterator[dict[str, Any]]:
    """Rows in the order of their ids."""
    for number in range(documents):
        digest = hashlib.sha256(b"%d" % number).hexdigest()
        used = number % 10 != 3
        yield {
            "id": f"{number:08x}{digest[:56]}", "received_sha256": digest, "final_sha256": digest if used else None,
            "licence": "LicenseRef-groot-2026", "branch": "LicenseRef-groot-2026", "partner": PARTNER,
            "source": "groot", "decision": "admit" if used else "refuse",
            "reason": "agreement-admitted" if used else "agreement-period",
            "use": "train" if used else "none", "stream": "groot~LicenseRef-groot-2026~nl" if used else None,
            "text_bytes": 2000 + number % 3000 if used else 0, "native_id": f"G-{number:08d}",
            "title": f"Artikel {number} over het een en ander", "tokens": 700 if used else None,
        }  # fmt: skip


def make(documents: int, folder: Path) -> None:
    """Write the bundle from made-up rows with the parts that a real one is written with."""
    from licensing.attestation import load_or_create_key
    from licensing.bundle import new_bundle, partner_proof
    from licensing.canonical import canonical
    from licensing.leaf import ledger_leaf, partner_leaf, span_leaf
    from licensing.merkle import TreeBuilder, leaf_hash, open_levels, root_of, write_levels

    used = documents - len(range(3, documents, 10))
    before, after = used // 4, used // 4

    def spans() -> Iterator[bytes]:
        place = 0
        for row in rows(documents):
            if row["use"] == "train":
                yield span_leaf({"id": row["id"], "stream": f"{row['stream']}/train", "first_token": place, "tokens": 700, "tokens_sha256": row["received_sha256"]})  # fmt: skip  # noqa: E501
                place += 701

    def hashes() -> Iterator[bytes]:
        yield from (hashlib.sha256(b"a%d" % n).digest() for n in range(before))
        yield from map(leaf_hash, spans())
        yield from (hashlib.sha256(b"z%d" % n).digest() for n in range(after))

    span_root = write_levels(folder, hashes())
    builder = TreeBuilder()
    with new_bundle(folder / "bundle.zip") as bundle:
        with bundle.open("rows.jsonl") as file:
            for row in rows(documents):
                leaf = ledger_leaf(row)
                builder.add(leaf_hash(leaf))
                file.write(leaf + b"\n")
        own = {"partner": PARTNER, "root": builder.root().hex(), "size": documents}
        partners = [own, {"partner": "Uitgeverij Klein", "root": "1" * 64, "size": 5}]
        with bundle.open("rows.csv") as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
            writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows(documents))
            text.detach()
        with bundle.open("spans/001.txt") as file:
            for place, leaf in enumerate(spans(), before):
                file.write(b"%d\t%s\n" % (place, leaf))
        with bundle.open("proofs/spans.bin") as file:
            file.write(b"".join(open_levels(folder).complement(range(before, before + used))))
        listed = [{"file": "spans/001.txt", "stream": "groot~LicenseRef-groot-2026~nl/train"}]
        bundle.add("proofs/spans.json", canonical({"streams": listed}))
        bundle.add("proofs/partner.json", canonical(partner_proof(partners, PARTNER)))
        bundle.add("reasons.json", canonical({}))
        top = root_of(leaf_hash(partner_leaf(one)) for one in partners)
        corpus = {"root": top.hex(), "partner_root": own["root"], "size": documents}
        ends = {"train": used, "refused": documents - used}
        reasons = [
            {"end": "train", "reason": "agreement-admitted", "documents": used},
            {"end": "refused", "reason": "agreement-period", "documents": documents - used},
        ]
        statement = {"partner": PARTNER, "run": {"name": "groot"}, "received": {"documents": documents}, "ends": ends, "documents": [], "reasons": reasons, "usage": None, "proof": {"root": own["root"], "size": documents, "overall_root": corpus["root"]}}  # fmt: skip  # noqa: E501
        bundle.add("statement.json", canonical(statement))
        figures = {"documents": used, "tokens": 700 * used, "root": span_root.hex(), "size": before + used + after}
        account = {"partner": PARTNER, "run": "groot", "corpus": corpus, "spans": figures, "usage": None}
        account |= {"record_head": "2" * 64, "training": {"plan": "3" * 64, "weights": "4" * 64}}
        bundle.seal(account, load_or_create_key(folder / "key.pem"))


if __name__ == "__main__":
    main()
