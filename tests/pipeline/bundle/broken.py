"""One builder for every way in which a bundle can fail: each takes a good one and returns the zip that must be refused.

Those that end with `resealed` are the work of a provider that cheats: it holds the key, so manifest and signature are
right and only the proofs can tell. The others are the work of anybody who holds the file.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from licensing.attestation import SigningKey, public_key_pem, sign, statement
from licensing.canonical import canonical

Files = dict[str, bytes]


@dataclass(frozen=True)
class Good:
    """A good bundle: its files in order, and the key that signed it."""

    files: Files
    key: SigningKey

    def account(self) -> dict[str, Any]:
        """What was signed."""
        payload = base64.b64decode(json.loads(self.files["audit.json"])["payload"])
        return dict(json.loads(payload)["predicate"])


def zipped(files: Files) -> bytes:
    """Put files into a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return out.getvalue()


def opened(data: bytes) -> Files:
    """Take the files out of a zip."""
    with zipfile.ZipFile(io.BytesIO(data)) as made:
        return {name: made.read(name) for name in made.namelist()}


def with_manifest(files: Files, version: int = 1) -> Files:
    """Make the manifest anew, as anybody can."""
    listed = {
        name: [hashlib.sha256(data).hexdigest(), len(data)]
        for name, data in files.items()
        if name not in ("manifest.json", "audit.json")
    }
    return files | {"manifest.json": canonical({"files": listed, "version": version})}


def resealed(good: Good, files: Files, key: SigningKey | None = None, **account: Any) -> bytes:
    """Make manifest and signature anew, as only the holder of a key can; ``account`` replaces what is signed."""
    files = with_manifest(files)
    subject = {"manifest.json": hashlib.sha256(files["manifest.json"]).hexdigest()}
    signed = sign(statement("audit", subject, good.account() | account), key or good.key)
    return zipped(files | {"audit.json": signed})


def lines(files: Files, name: str) -> list[bytes]:
    """The lines of a file."""
    return files[name].splitlines()


def joined(all_lines: list[bytes]) -> bytes:
    """A file of lines."""
    return b"".join(line + b"\n" for line in all_lines)


def listed(files: Files) -> list[dict[str, str]]:
    """The list for people."""
    return list(csv.DictReader(io.StringIO(files["rows.csv"].decode())))


def as_list(rows: list[dict[str, str]]) -> bytes:
    """Write the list for people."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def changed(files: Files, name: str, change: Callable[[Any], None]) -> Files:
    """Change a file of JSON."""
    value = json.loads(files[name])
    change(value)
    return files | {name: canonical(value)}


def unused(files: Files) -> list[int]:
    """The numbers of rows whose document was not used: they have no span."""
    return [number for number, line in enumerate(lines(files, "rows.jsonl")) if b'"use":"none"' in line]


# ---- what is not a bundle


def not_a_zip(good: Good) -> bytes:
    return b"Dear partner, all is well."


def cut_off(good: Good) -> bytes:
    data = zipped(good.files)
    return data[: len(data) // 2]


def damaged(good: Good) -> bytes:
    data = bytearray(zipped(good.files))
    at = data.index(b"rows.csv") + 2000
    data[at] ^= 1
    return bytes(data)


def traversal(good: Good) -> bytes:
    return zipped(good.files | {"../../.profile": b"evil"})


def absolute_name(good: Good) -> bytes:
    return zipped(good.files | {"/etc/profile": b"evil"})


def backslash_name(good: Good) -> bytes:
    return zipped(good.files | {"..\\profile": b"evil"})


def name_twice(good: Good) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in [*good.files.items(), ("rows.csv", b"id\n")]:
            made.writestr(name, data)
    return out.getvalue()


def zip_bomb(good: Good) -> bytes:
    return zipped(good.files | {"statement.nl.pdf": bytes(8 << 20)})


# ---- what anybody can do


def missing_file(good: Good) -> bytes:
    return zipped({name: data for name, data in good.files.items() if name != "statement.nl.html"})


def missing_signature(good: Good) -> bytes:
    return zipped({name: data for name, data in good.files.items() if name != "audit.json"})


def extra_file(good: Good) -> bytes:
    return zipped(good.files | {"agreements/better.yaml": b"remuneration: none\n"})


def swapped_file(good: Good) -> bytes:
    return zipped(good.files | {"statement.nl.pdf": good.files["statement.en.pdf"]})


def tampered_manifest(good: Good) -> bytes:
    return zipped(with_manifest(good.files | {"statement.nl.pdf": good.files["statement.en.pdf"]}))


def newer_version(good: Good) -> bytes:
    return zipped(with_manifest(good.files, version=2))


def bad_signature(good: Good) -> bytes:
    def flip(envelope: Any) -> None:
        signature = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
        signature[7] ^= 1
        envelope["signatures"][0]["sig"] = base64.b64encode(bytes(signature)).decode()

    return zipped(changed(good.files, "audit.json", flip))


def changed_payload(good: Good) -> bytes:
    def rename(envelope: Any) -> None:
        payload = base64.b64decode(envelope["payload"]).replace(b'"steps":12', b'"steps":11')
        envelope["payload"] = base64.b64encode(payload).decode()

    return zipped(changed(good.files, "audit.json", rename))


def signed_by_a_stranger(good: Good) -> bytes:
    """Signed with another key, while the public key in the bundle is still the run's."""
    return resealed(good, good.files, stranger())


def other_key(good: Good) -> bytes:
    """Whole in itself, but all of it signed with another key; only ``--key`` can tell."""
    key = stranger()
    return resealed(good, good.files | {"public-key.pem": public_key_pem(key.public)}, key)


def stranger() -> SigningKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def bad_key(good: Good) -> bytes:
    return zipped(
        with_manifest(good.files | {"public-key.pem": good.files["public-key.pem"].replace(b"MCow", b"MCox")})
    )


# ---- what a provider that cheats can do


def changed_row(good: Good) -> bytes:
    """A better licence than was decided on, in row, list and statement alike."""
    rows, people = lines(good.files, "rows.jsonl"), listed(good.files)
    for number, line in enumerate(rows):
        rows[number] = canonical(json.loads(line) | {"licence": "CC0-1.0"})
        people[number]["licence"] = "CC0-1.0"

    def relicense(value: Any) -> None:
        for one in value["documents"]:
            one["licence"] = "CC0-1.0"

    files = changed(good.files, "statement.json", relicense)
    return resealed(good, files | {"rows.jsonl": joined(rows), "rows.csv": as_list(people)})


def row_not_canonical(good: Good) -> bytes:
    rows = lines(good.files, "rows.jsonl")
    rows[0] = rows[0].replace(b'","', b'", "', 1)
    return resealed(good, good.files | {"rows.jsonl": joined(rows)})


def wrong_size(good: Good) -> bytes:
    """A document that was received and not used is kept quiet about."""
    rows, people = lines(good.files, "rows.jsonl"), listed(good.files)
    gone = unused(good.files)[0]
    del rows[gone], people[gone]
    return resealed(good, good.files | {"rows.jsonl": joined(rows), "rows.csv": as_list(people)})


def row_left_out(good: Good) -> bytes:
    """The same, with the size that is signed lowered too."""
    rows, people = lines(good.files, "rows.jsonl"), listed(good.files)
    gone = unused(good.files)[0]
    del rows[gone], people[gone]
    corpus = good.account()["corpus"]
    files = good.files | {"rows.jsonl": joined(rows), "rows.csv": as_list(people)}
    return resealed(good, files, corpus=corpus | {"size": corpus["size"] - 1})


def duplicate_row(good: Good) -> bytes:
    rows, people = lines(good.files, "rows.jsonl"), listed(good.files)
    again = unused(good.files)[0]
    rows.insert(again, rows[again])
    people.insert(again, people[again])
    return resealed(good, good.files | {"rows.jsonl": joined(rows), "rows.csv": as_list(people)})


def unsorted_rows(good: Good) -> bytes:
    """The last row that has no span stands first."""
    rows, people = lines(good.files, "rows.jsonl"), listed(good.files)
    last = unused(good.files)[-1]
    rows.insert(0, rows.pop(last))
    people.insert(0, people.pop(last))
    return resealed(good, good.files | {"rows.jsonl": joined(rows), "rows.csv": as_list(people)})


def row_of_another(good: Good) -> bytes:
    return resealed(good, good.files, partner="De Kaap")


def forged_root(good: Good) -> bytes:
    """Rows that were never part of the corpus that the model was trained on."""
    root = hashlib.sha256(b"forged").hexdigest()
    files = changed(good.files, "statement.json", lambda value: value["proof"].update(overall_root=root))
    return resealed(good, files, corpus=good.account()["corpus"] | {"root": root})


def truncated_proof(good: Good) -> bytes:
    return resealed(good, changed(good.files, "proofs/partner.json", lambda proof: proof["path"].pop()))


def lengthened_proof(good: Good) -> bytes:
    return resealed(good, changed(good.files, "proofs/partner.json", lambda proof: proof["path"].append("0" * 64)))


def truncated_span_proof(good: Good) -> bytes:
    return resealed(good, good.files | {"proofs/spans.bin": good.files["proofs/spans.bin"][:-32]})


def lengthened_span_proof(good: Good) -> bytes:
    return resealed(good, good.files | {"proofs/spans.bin": good.files["proofs/spans.bin"] + bytes(32)})


def changed_tokens(good: Good) -> bytes:
    """Fewer tokens than were packed, in span and statement alike."""
    name = "spans/001.txt"
    spans = lines(good.files, name)
    place, _, leaf = spans[0].partition(b"\t")
    span = json.loads(leaf)
    spans[0] = place + b"\t" + canonical(span | {"tokens": span["tokens"] - 5})
    stated = good.account()["spans"]
    return resealed(good, good.files | {name: joined(spans)}, spans=stated | {"tokens": stated["tokens"] - 5})


def moved_span(good: Good) -> bytes:
    name = "spans/001.txt"
    spans = lines(good.files, name)
    place, _, leaf = spans[-1].partition(b"\t")
    spans[-1] = b"%d\t%s" % (int(place) + 1, leaf)
    return resealed(good, good.files | {name: joined(spans)})


def span_of_another_document(good: Good) -> bytes:
    name = "spans/001.txt"
    spans = lines(good.files, name)
    spans[0], spans[1] = spans[1], spans[0]
    return resealed(good, good.files | {name: joined(spans)})


def span_left_out(good: Good) -> bytes:
    name = "spans/001.txt"
    return resealed(good, good.files | {name: joined(lines(good.files, name)[:-1])})


def span_too_many(good: Good) -> bytes:
    name = "spans/001.txt"
    spans = lines(good.files, name)
    return resealed(good, good.files | {name: joined([*spans, spans[-1]])})


def list_differs(good: Good) -> bytes:
    """The lawyer reads something else than was committed to."""
    people = listed(good.files)
    people[unused(good.files)[0]]["decision"] = "admit-later"
    return resealed(good, good.files | {"rows.csv": as_list(people)})


def list_too_short(good: Good) -> bytes:
    return resealed(good, good.files | {"rows.csv": as_list(listed(good.files)[:-1])})


def list_too_long(good: Good) -> bytes:
    people = listed(good.files)
    return resealed(good, good.files | {"rows.csv": as_list([*people, people[-1]])})


def figures_differ(good: Good) -> bytes:
    return resealed(good, changed(good.files, "statement.json", lambda value: value["received"].update(documents=76)))


def reasons_differ(good: Good) -> bytes:
    return resealed(good, changed(good.files, "statement.json", lambda value: value["reasons"].pop()))


def document_differs(good: Good) -> bytes:
    """One document of the statement's own list was refused, and the page is to say that it was admitted."""
    refused = next(one["id"] for one in listed(good.files) if one["decision"] == "refuse")

    def admit(value: Any) -> None:
        next(one for one in value["documents"] if one["id"] == refused)["decision"] = "admit"

    return resealed(good, changed(good.files, "statement.json", admit))


def document_made_up(good: Good) -> bytes:
    made_up = {"id": "0" * 64, "decision": "admit"}
    return resealed(good, changed(good.files, "statement.json", lambda value: value["documents"].append(made_up)))


def usage_differs(good: Good) -> bytes:
    return resealed(good, changed(good.files, "statement.json", lambda value: value["usage"].update(tokens_read=1)))


def usage_overstated(good: Good) -> bytes:
    """One more token than the order gives, in all that is signed."""
    usage = good.account()["usage"] | {"tokens_read": good.account()["usage"]["tokens_read"] + 1}
    files = changed(good.files, "statement.json", lambda value: value.update(usage=usage))
    return resealed(good, files, usage=usage)


def times_read_understated(good: Good) -> bytes:
    """In the list, which is committed to in part only."""
    people = listed(good.files)
    read = next(one for one in people if one["times_read"] not in ("", "0"))
    read["times_read"] = "0"
    return resealed(good, good.files | {"rows.csv": as_list(people)})


def not_json(good: Good) -> bytes:
    return resealed(good, good.files | {"proofs/spans.json": b"{"})


def fields_missing(good: Good) -> bytes:
    return resealed(good, good.files, corpus={})


REFUSED: dict[Callable[[Good], bytes], str] = {
    not_a_zip: "not-a-zip",
    cut_off: "not-a-zip",
    damaged: "not-a-zip",
    traversal: "unsafe-name",
    absolute_name: "unsafe-name",
    backslash_name: "unsafe-name",
    name_twice: "unsafe-name",
    zip_bomb: "zip-bomb",
    missing_file: "missing-file",
    missing_signature: "missing-file",
    extra_file: "extra-file",
    swapped_file: "swapped-file",
    tampered_manifest: "tampered-manifest",
    newer_version: "newer-version",
    bad_signature: "bad-signature",
    changed_payload: "bad-signature",
    signed_by_a_stranger: "bad-signature",
    other_key: "other-key",
    bad_key: "bad-key",
    changed_row: "changed-row",
    row_not_canonical: "malformed",
    wrong_size: "wrong-size",
    row_left_out: "changed-row",
    duplicate_row: "duplicate-row",
    unsorted_rows: "unsorted-rows",
    row_of_another: "other-partner",
    forged_root: "forged-root",
    truncated_proof: "truncated-proof",
    lengthened_proof: "truncated-proof",
    truncated_span_proof: "truncated-proof",
    lengthened_span_proof: "truncated-proof",
    changed_tokens: "changed-span",
    moved_span: "changed-span",
    span_of_another_document: "spans-differ",
    span_left_out: "spans-differ",
    span_too_many: "spans-differ",
    list_differs: "list-differs",
    list_too_short: "list-differs",
    list_too_long: "list-differs",
    figures_differ: "figures-differ",
    reasons_differ: "figures-differ",
    document_differs: "figures-differ",
    document_made_up: "figures-differ",
    usage_differs: "figures-differ",
    not_json: "malformed",
    fields_missing: "malformed",
}
"""Every failure with the code of its refusal."""
