#!/usr/bin/env python3
"""Check an audit bundle of Herkomst, with nothing but Python 3.9 or later.

    python3 -I -S verify.py BUNDLE.zip
    python3 -I -S verify.py BUNDLE.zip --files FOLDER      your own files: was each received, and what became of it?
    python3 -I -S verify.py BUNDLE.zip --id YOUR-OWN-ID    the same for one document (or for its 64-character id)
    python3 -I -S verify.py BUNDLE.zip --steps             which training steps read your documents, computed here
    python3 -I -S verify.py BUNDLE.zip --key FINGERPRINT   who signed? give the key you know (fingerprint or PEM file)
    python3 -I -S verify.py BUNDLE.zip --language nl       in het Nederlands

Dear reader,

somebody trained a language model and used documents of yours. This bundle is their account of it. You need not believe
them, nor us: this program reads the bundle on your own machine. It opens no network connection, runs no other program,
writes no file and needs nothing installed. Have somebody you trust read it before you run it; an hour will do, for two
hundred lines of it are only what it says, in two languages.

What it proves.

(1) The bundle is whole: every file is the one in the manifest, and the manifest is the one that was signed.
(2) The rows, one for each document of yours, used or not, give exactly the number (the Merkle root) that the provider
    committed to when the corpus was fixed. Nobody can change, add, hide or move a row without changing that number.
(3) Your root is part of the root of the whole corpus. The proof shows you nothing of other partners.
(4) The number of tokens of each of your documents is committed to in the same way.
(5) The list for people (rows.csv) and the counts and documents in statement.json agree with those rows.
(6) A file of yours is among the documents received, byte for byte, or it is not. All your rows are here and they are
    sorted, so a document that has no row is one that the provider says it never received, and it is bound by that.
(7) With --steps: tokens read, times read and the first and last training step follow from (4) and the training order,
    and so do the tokens that the model had to predict, but for those that a goldfish rule left out (see below).

What it cannot prove.

That the machine did what was committed to: for that, have sampled training steps replayed. That the root was fixed
before the training began: the record of the run shows that, and its newest entry is named here, so that whoever may
read the whole record can tell. That no copy of your text came in through somebody else. That the sentences of the HTML
and PDF pages say what the figures say: read them beside statement.json. That figures which do not follow from your rows
(share of the training, test for repetition) are right: the provider signs for those and is bound by its signature. So
it does where a goldfish rule left one token in so many out of what the model had to predict: which ones follows from
the tokens, and a bundle has none, so their number is stated and only the sum of both is computed here. And without
--key it cannot tell who signed, only that one key signed everything.

How it is done, for those who want to write a second one:

* ``manifest.json`` names every other file with size and SHA-256. ``audit.json`` is a DSSE envelope around an in-toto
  statement, signed with Ed25519 (RFC 8032), whose only subject is the manifest.
* ``rows.jsonl`` holds one row a line in canonical JSON (RFC 8785), sorted by document id. The line is the leaf of a
  Merkle tree as in RFC 9162, section 2.1: SHA-256, byte 0 before a leaf, byte 1 before a node.
* ``proofs/partner.json`` is the audit path from your root to the corpus root (RFC 9162, 2.1.3).
* ``spans/NNN.txt``, one for each stream your documents stand in, holds lines "place TAB leaf" in ascending order of
  place: where in the tree of token spans the leaf stands. ``proofs/spans.json`` lists these files, in order.
* ``order`` in the signed account is the part of the training order that concerns your streams; the formulas are those
  of docs/training-order.md, and whoever may read the whole plan can compare it: its SHA-256 is signed too.
* ``proofs/spans.bin`` holds the hashes of everything between your leaves, 32 bytes each. Walk the tree of all spans
  from left to right: a part without a leaf of yours takes the next hash of this file, a leaf of yours is hashed, and
  any other part is cut at the largest power of two below its size. What comes out is the root. Nothing may be left.

Exit code 0: everything holds. 1: something does not, and the message says what. 2: the command could not be read.
"""

from __future__ import annotations

import argparse
import base64
import csv
import gzip
import hashlib
import io
import json
import struct
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from math import isqrt
from pathlib import Path
from typing import IO, Any

VERSION = 1
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "https://herkomst.eu/attestation/audit/v1"


class VerificationError(Exception):
    """The bundle does not hold: a code from the table above and what to fill in."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values

    def say(self, language: str) -> str:
        """Put it in words."""
        return REFUSALS[self.code][language == "nl"].format(**{name: plain(one) for name, one in self.values.items()})


def saying(key: str, language: str, /, **values: object) -> str:
    """Put one finding in words."""
    return SAYINGS[key][language == "nl"].format(**{name: plain(one) for name, one in values.items()})


def plain(value: object) -> str:
    """Show a value from the bundle without what could steer a screen: a name must not be able to print "VERIFIED"."""
    return "".join(one if one.isprintable() else "?" for one in str(value))


# ---------------------------------------------------------------------------------------------------------------------
# Ed25519, RFC 8032: only the checking of a signature. Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
# ---------------------------------------------------------------------------------------------------------------------

FIELD = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
CURVE_D = -121665 * pow(121666, FIELD - 2, FIELD) % FIELD
Point = tuple[int, int, int, int]
IDENTITY: Point = (0, 1, 1, 0)


def point_add(p: Point, q: Point) -> Point:
    """Add two points (RFC 8032, 5.1.4)."""
    a = (p[1] - p[0]) * (q[1] - q[0]) % FIELD
    b = (p[1] + p[0]) * (q[1] + q[0]) % FIELD
    c = 2 * p[3] * q[3] * CURVE_D % FIELD
    d = 2 * p[2] * q[2] % FIELD
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % FIELD, g * h % FIELD, f * g % FIELD, e * h % FIELD


def point_multiply(scalar: int, p: Point) -> Point:
    """Add a point to itself ``scalar`` times, by doubling."""
    result = IDENTITY
    while scalar:
        if scalar & 1:
            result = point_add(result, p)
        p = point_add(p, p)
        scalar >>= 1
    return result


def point_encode(p: Point) -> bytes:
    """Write a point as 32 bytes (5.1.2)."""
    inverse = pow(p[2], FIELD - 2, FIELD)
    x, y = p[0] * inverse % FIELD, p[1] * inverse % FIELD
    return (y | (x & 1) << 255).to_bytes(32, "little")


def point_decode(data: bytes) -> Point | None:
    """Read a point (5.1.3); None unless the bytes are the one right spelling of a point on the curve."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if len(data) != 32 or y >= FIELD:
        return None
    square = (y * y - 1) * pow(CURVE_D * y * y + 1, FIELD - 2, FIELD) % FIELD
    x = pow(square, (FIELD + 3) // 8, FIELD)
    if (x * x - square) % FIELD:
        x = x * pow(2, (FIELD - 1) // 4, FIELD) % FIELD
    if (x * x - square) % FIELD or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = FIELD - x
    return x, y, 1, x * y % FIELD


BASE = point_decode((4 * pow(5, FIELD - 2, FIELD) % FIELD).to_bytes(32, "little")) or IDENTITY


def signature_holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Check a signature (5.1.7), strictly: S below the order, one spelling of each point, no key of small order."""
    key = point_decode(public_key)
    if key is None or len(signature) != 64 or point_encode(point_multiply(8, key)) == point_encode(IDENTITY):
        return False
    commitment, scalar = signature[:32], int.from_bytes(signature[32:], "little")
    if scalar >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(commitment + public_key + message).digest(), "little") % ORDER
    negative = (FIELD - key[0], key[1], key[2], FIELD - key[3])
    # S·B = R + k·A, checked as R = S·B - k·A, so that R too has one spelling only.
    return point_encode(point_add(point_multiply(scalar, BASE), point_multiply(challenge, negative))) == commitment


# ---------------------------------------------------------------------------------------------------------------------
# Merkle trees, RFC 9162, section 2.1
# ---------------------------------------------------------------------------------------------------------------------


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node from those of its children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """Computes the root over leaves that come one at a time; holds one hash a level."""

    def __init__(self) -> None:
        self.size = 0
        self.full: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Add the bytes of the next leaf."""
        carried, count = leaf_hash(leaf), self.size
        while count & 1:
            carried = node_hash(self.full.pop(), carried)
            count >>= 1
        self.full.append(carried)
        self.size += 1

    def root(self) -> bytes:
        """Return the root over the leaves so far."""
        if not self.full:
            return hashlib.sha256().digest()
        root = self.full[-1]
        for left in reversed(self.full[:-1]):
            root = node_hash(left, root)
        return root


def split(size: int) -> int:
    """Return the largest power of two below ``size``: where a tree of that many leaves is cut."""
    return 1 << (size - 1).bit_length() - 1


def root_by_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that an audit path leads to, from the hash of the leaf at ``index``."""
    if size <= 1:
        if path:
            raise VerificationError("truncated-proof", name="proofs/partner.json")
        return leaf
    if not path:
        raise VerificationError("truncated-proof", name="proofs/partner.json")
    middle, sibling = split(size), path[-1]
    if index < middle:
        return node_hash(root_by_path(leaf, index, middle, path[:-1]), sibling)
    return node_hash(sibling, root_by_path(leaf, index - middle, size - middle, path[:-1]))


class SpanTree:
    """Computes the root of all spans from some of them: ``places`` and leaves ascend, the rest are given as hashes."""

    def __init__(self, leaves: Iterator[tuple[int, bytes]], hashes: IO[bytes]) -> None:
        self.leaves, self.hashes = leaves, hashes
        self.place, self.leaf = next(leaves, (-1, b""))

    def root(self, size: int) -> bytes:
        """Return the root of the tree of ``size`` leaves; refuse unless all that was given was used."""
        root = self.part(0, size) if size else hashlib.sha256().digest()
        if self.place >= 0:
            raise VerificationError("changed-span")
        if self.hashes.read(1):
            raise VerificationError("truncated-proof", name="proofs/spans.bin")
        return root

    def part(self, start: int, end: int) -> bytes:
        """Return the hash over leaves ``start`` to ``end``."""
        if not start <= self.place < end:
            hashed = self.hashes.read(32)
            if len(hashed) != 32:
                raise VerificationError("truncated-proof", name="proofs/spans.bin")
            return hashed
        if end - start == 1:
            hashed, last = leaf_hash(self.leaf), self.place
            self.place, self.leaf = next(self.leaves, (-1, b""))
            if 0 <= self.place <= last:
                raise VerificationError("changed-span")
            return hashed
        middle = start + split(end - start)
        return node_hash(self.part(start, middle), self.part(middle, end))


# ---------------------------------------------------------------------------------------------------------------------
# The bundle as a zip file: opened without trust
# ---------------------------------------------------------------------------------------------------------------------

SEALS = ("manifest.json", "audit.json")
NEEDED = (
    "public-key.pem", "statement.json", "reasons.json", "rows.csv", "rows.jsonl",
    "proofs/partner.json", "proofs/spans.json", "proofs/spans.bin",
)  # fmt: skip
MOST_FILES = 10_000
MOST_RATIO = 200
SMALL = 64 << 20  # what is read as a whole may have this many bytes
LINE = 1 << 20


class Bundle:
    """The files of a bundle, read as streams; nothing is unpacked to the disk."""

    def __init__(self, path: str) -> None:
        try:
            self.size = Path(path).stat().st_size
            self.zip = zipfile.ZipFile(path)
        except OSError as error:
            raise VerificationError("not-a-file", path=path) from error
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise VerificationError("not-a-zip", why=error) from error
        self.names = self.checked_names()

    def checked_names(self) -> list[str]:
        """Refuse names that lead out of a folder, names given twice, and files that unpack to far too much."""
        names, room = set(), self.size * MOST_RATIO + SMALL
        for info in self.zip.infolist():
            name = info.filename
            parts = name.split("/")
            if name in names or "\\" in name or ":" in name or not name.isprintable() or {"", ".", ".."} & set(parts):
                raise VerificationError("unsafe-name", name=ascii(name))
            names.add(name)
            room -= info.file_size
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
                raise VerificationError("not-a-zip", why="packed in a way that no bundle is")
            ratio_ok = info.file_size <= info.compress_size * MOST_RATIO + LINE
            if room < 0 or not ratio_ok or len(names) > MOST_FILES:
                raise VerificationError("zip-bomb", name=name)
        return sorted(names)

    def open(self, name: str) -> IO[bytes]:
        """Open one file as a stream."""
        if name not in self.names:
            raise VerificationError("missing-file", name=name)
        try:
            return self.zip.open(name)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise VerificationError("not-a-zip", why=error) from error

    def read(self, name: str) -> bytes:
        """Read a small file."""
        with self.open(name) as file:
            data = file.read(SMALL + 1)
        if len(data) > SMALL:
            raise VerificationError("malformed", name=name, why="too large")
        return data

    def json(self, name: str) -> Any:
        """Read a small file of JSON that must be an object."""
        return parsed(self.read(name), name)

    def digest(self, name: str) -> tuple[str, int]:
        """Return SHA-256 and size of a file, read in pieces."""
        found, size = hashlib.sha256(), 0
        with self.open(name) as file:
            for piece in iter(lambda: file.read(LINE), b""):
                found.update(piece)
                size += len(piece)
        return found.hexdigest(), size

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a file, each of which must end."""
        with self.open(name) as file:
            for line in iter(lambda: file.readline(LINE), b""):
                if not line.endswith(b"\n"):
                    raise VerificationError("malformed", name=name, why="a line does not end")
                yield line[:-1]


def parsed(data: bytes, name: str) -> dict[str, Any]:
    """Read a JSON object."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise VerificationError("malformed", name=name, why=error) from error
    if not isinstance(value, dict):
        raise VerificationError("malformed", name=name, why="no JSON object")
    return value


ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(value: object) -> bytes:
    """Write JSON in its one spelling (RFC 8785)."""
    return ENCODER.encode(value).encode("utf-8", "surrogatepass")


# ---------------------------------------------------------------------------------------------------------------------
# First: is the bundle whole, and who signed it?
# ---------------------------------------------------------------------------------------------------------------------


def read_pem(data: bytes) -> bytes:
    """Return the 32 bytes of an Ed25519 public key in PEM (RFC 8410)."""
    try:
        text = data.decode("ascii").replace("-----BEGIN PUBLIC KEY-----", "").replace("-----END PUBLIC KEY-----", "")
        raw = base64.b64decode("".join(text.split()), validate=True)
    except ValueError as error:
        raise VerificationError("bad-key", why=error) from error
    prefix = bytes.fromhex("302a300506032b6570032100")
    if len(raw) != len(prefix) + 32 or not raw.startswith(prefix):
        raise VerificationError("bad-key", why="no Ed25519 key")
    return raw[len(prefix) :]


def fingerprint(key: bytes) -> str:
    """Return the SHA-256 of a public key: its name."""
    return hashlib.sha256(key).hexdigest()


def is_digest(text: str) -> bool:
    """Say whether this is a SHA-256 in hexadecimal."""
    return len(text) == 64 and not set(text) - set("0123456789abcdef")


def given_fingerprint(given: str) -> str:
    """Return the fingerprint that --key means: itself, or that of the PEM file it names."""
    if is_digest(given.lower()):
        return given.lower()
    try:
        return fingerprint(read_pem(Path(given).read_bytes()))
    except OSError as error:
        raise VerificationError("not-a-file", path=given) from error


def check_manifest(bundle: Bundle) -> int:
    """Every file is there, unchanged, and no other; returns how many."""
    manifest = bundle.json("manifest.json")
    version, files = manifest.get("version"), manifest.get("files")
    if isinstance(version, int) and version > VERSION:
        raise VerificationError("newer-version", version=version, known=VERSION)
    if version != VERSION or not isinstance(files, dict):
        raise VerificationError("malformed", name="manifest.json", why="no files")
    for name in [*SEALS, *NEEDED, *sorted(files)]:
        if name not in bundle.names:
            raise VerificationError("missing-file", name=name)
    for name in bundle.names:
        if name not in files and name not in SEALS:
            raise VerificationError("extra-file", name=name)
    for name in sorted(files):
        if list(bundle.digest(name)) != files[name]:
            raise VerificationError("swapped-file", name=name)
    return len(files)


def signed_account(bundle: Bundle, key: bytes) -> dict[str, Any]:
    """Return what the provider signed, after checking the signature (DSSE) and that it speaks of this manifest."""
    envelope = bundle.json("audit.json")
    try:
        payload = base64.b64decode(envelope["payload"], validate=True)
        kind = str(envelope["payloadType"])
        signatures = [base64.b64decode(one["sig"], validate=True) for one in envelope["signatures"]]
    except (KeyError, TypeError, ValueError) as error:
        raise VerificationError("malformed", name="audit.json", why=repr(error)) from error
    # DSSE signs the type with the text, each after its length, so that neither can be taken for the other.
    message = b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)
    if len(signatures) != 1 or not signature_holds(key, message, signatures[0]):
        raise VerificationError("bad-signature")
    statement = parsed(payload, "audit.json")
    kinds = (kind, statement.get("_type"), statement.get("predicateType"))
    if kinds != (PAYLOAD_TYPE, STATEMENT_TYPE, PREDICATE_TYPE) or not isinstance(statement.get("predicate"), dict):
        raise VerificationError("malformed", name="audit.json", why=kinds)
    subject = [{"digest": {"sha256": bundle.digest("manifest.json")[0]}, "name": "manifest.json"}]
    if statement.get("subject") != subject:
        raise VerificationError("tampered-manifest")
    account: dict[str, Any] = statement["predicate"]
    return account


# ---------------------------------------------------------------------------------------------------------------------
# Second: do rows, spans, list and figures agree with what was committed to?
# ---------------------------------------------------------------------------------------------------------------------

ROW_FIELDS = {
    "version", "id", "received_sha256", "final_sha256", "licence", "branch", "decision", "reason", "partner", "source",
    "use", "stream", "text_bytes",
}  # fmt: skip
SPAN_FIELDS = {"version", "id", "stream", "first_token", "tokens", "tokens_sha256"}


class Document:
    """One document of yours: its committed row, its committed span if it has one, and its line in the list."""

    def __init__(self, number: int, leaf: bytes, row: dict[str, Any], listed: dict[str, str]) -> None:
        self.number, self.leaf, self.row, self.listed = number, leaf, row, listed
        self.span: dict[str, Any] = {}


def leaf_of(line: bytes, version: str, fields: set[str], name: str) -> dict[str, Any]:
    """Read a leaf, which must have these fields and be in its one spelling."""
    leaf = parsed(line, name)
    if leaf.get("version") != version or set(leaf) != fields or canonical(leaf) != line:
        raise VerificationError("malformed", name=name, why=line[:80])
    return leaf


class Spans:
    """The spans of your documents, one file for each stream; in a file, documents ascend by id."""

    def __init__(self, bundle: Bundle) -> None:
        index = bundle.json("proofs/spans.json")
        try:
            self.files = {str(one["stream"]): str(one["file"]) for one in index["streams"]}
        except (KeyError, TypeError) as error:
            raise VerificationError("malformed", name="proofs/spans.json", why=repr(error)) from error
        self.bundle = bundle
        self.readers = {stream: self.read(stream) for stream in self.files}

    def read(self, stream: str) -> Iterator[tuple[int, bytes]]:
        """Yield place and leaf of every span of a stream."""
        name = self.files[stream]
        for line in self.bundle.lines(name):
            place, _, leaf = line.partition(b"\t")
            if not place.isdigit() or b"%d" % int(place) != place:
                raise VerificationError("malformed", name=name, why=line[:80])
            yield int(place), leaf

    def in_order(self) -> Iterator[tuple[int, bytes]]:
        """Yield the spans of all streams, by their place in the tree."""
        for stream in self.files:
            yield from self.read(stream)

    def next_of(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the span of a document that was kept; the next one in its stream must be its own."""
        stream = f"{row['stream']}/{row['use']}"
        _, leaf = next(self.readers.get(stream, iter(())), (0, b""))
        if not leaf:
            raise VerificationError("spans-differ", place=row["id"])
        span = leaf_of(leaf, "herkomst-span-v1", SPAN_FIELDS, self.files[stream])
        if (span["id"], span["stream"]) != (row["id"], stream):
            raise VerificationError("spans-differ", place=row["id"])
        return span

    def require_end(self) -> None:
        """Refuse spans of documents that no row names."""
        for reader in self.readers.values():
            _, leaf = next(reader, (0, b""))
            if leaf:
                raise VerificationError("spans-differ", place=leaf[:120])


def documents(bundle: Bundle) -> Iterator[Document]:
    """Walk rows, list and spans side by side; every document of yours comes once, in the order of ids."""
    spans = Spans(bundle)
    listed = csv.DictReader(line.decode("utf-8") + "\n" for line in bundle.lines("rows.csv"))
    last = ""
    for number, line in enumerate(bundle.lines("rows.jsonl"), 1):
        row = leaf_of(line, "herkomst-leaf-v1", ROW_FIELDS, "rows.jsonl")
        if row["id"] <= last:
            raise VerificationError("duplicate-row" if row["id"] == last else "unsorted-rows", place=row["id"])
        last = row["id"]
        document = Document(number, line, row, next(listed, {}))
        if row["use"] != "none":
            document.span = spans.next_of(row)
        yield document
    extra = next(listed, None)
    if extra:
        raise VerificationError("list-differs", line=listed.line_num, column="id", found=extra.get("id"), committed="")
    spans.require_end()


def in_list(value: object) -> str:
    """Write a committed value as the list does: a text that a spreadsheet would run gets an apostrophe."""
    text = "" if value is None else str(value)
    return "'" + text if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def check_listed(document: Document) -> None:
    """The line for people says what the committed row says, in every column that is committed."""
    row = document.row
    for column in ["id", *(name for name in document.listed if name in ROW_FIELDS)]:
        found = document.listed.get(column)
        if found != in_list(row[column]):
            values = {
                "line": document.number + 1,
                "column": column,
                "found": repr(found),
                "committed": repr(row[column]),
            }
            raise VerificationError("list-differs", **values)


def check_shown(document: Document, shown: dict[str, Any]) -> None:
    """What the statement says of a document is what the committed row says, in every column that is committed."""
    for column in shown:
        if column in ROW_FIELDS and shown[column] != document.row[column]:
            values = {"found": repr(shown[column]), "computed": repr(document.row[column])}
            raise VerificationError("figures-differ", name=f"documents.{column}", **values)


def way_ended(row: dict[str, Any]) -> str:
    """Say where a document's way ended, as the statement counts it."""
    decision, reason = row["decision"], row["reason"]
    if row["use"] != "none":
        return str(row["use"])
    if decision == "review":
        return "review"
    if decision == "refuse":
        return "unreadable" if reason.startswith("unreadable-") else "refused"
    if reason.endswith("-admitted"):
        return "unexplained"
    if reason.startswith("duplicate-") or reason == "repeats-nothing-left":
        return "duplicates"
    if reason.startswith("language-"):
        return "language"
    return "quality" if reason.startswith("quality-") else "other"


class Figures:
    """What follows from the rows: counts by end and reason, and tokens."""

    def __init__(self) -> None:
        self.tree = Tree()
        self.ends: Counter[str] = Counter()
        self.reasons: Counter[tuple[str, str]] = Counter()
        self.files = self.spans = self.tokens = 0
        self.columns: list[str] = []
        self.steps: dict[str, Any] = {}

    def add(self, document: Document) -> None:
        """Count one document."""
        self.tree.add(document.leaf)
        end = way_ended(document.row)
        self.ends[end] += 1
        self.reasons[end, document.row["reason"]] += 1
        self.columns = self.columns or list(document.listed)
        if document.span:
            self.spans += 1
            self.tokens += document.span["tokens"]


def check_rows(bundle: Bundle, account: dict[str, Any]) -> Figures:
    """The rows are yours, say what the list says, and give the root and the size that were committed to."""
    figures = Figures()
    shown = {one["id"]: one for one in bundle.json("statement.json")["documents"]}
    for document in documents(bundle):
        row = document.row
        if row["partner"] != account["partner"]:
            raise VerificationError("other-partner", place=row["id"], found=row["partner"], partner=account["partner"])
        check_listed(document)
        check_shown(document, shown.pop(row["id"], {}))
        figures.add(document)
    if figures.tree.size != account["corpus"]["size"]:
        raise VerificationError("wrong-size", found=figures.tree.size, signed=account["corpus"]["size"])
    if figures.tree.root().hex() != account["corpus"]["partner_root"]:
        raise VerificationError("changed-row")
    if shown:
        raise VerificationError("figures-differ", name="documents", found=sorted(shown)[0], computed="-")
    return figures


def check_corpus(bundle: Bundle, account: dict[str, Any]) -> None:
    """Your root is a leaf of the tree over the roots of all partners."""
    corpus = account["corpus"]
    leaf = {
        "version": "herkomst-partner-v1",
        "partner": account["partner"],
        "root": corpus["partner_root"],
        "size": corpus["size"],
    }
    proof = bundle.json("proofs/partner.json")
    try:
        path = [bytes.fromhex(one) for one in proof["path"]]
        index, partners = int(proof["index"]), int(proof["partners"])
    except (KeyError, TypeError, ValueError) as error:
        raise VerificationError("malformed", name="proofs/partner.json", why=repr(error)) from error
    if not 0 <= index < partners or any(len(one) != 32 for one in path):
        raise VerificationError("truncated-proof", name="proofs/partner.json")
    if root_by_path(leaf_hash(canonical(leaf)), index, partners, path).hex() != corpus["root"]:
        raise VerificationError("forged-root")


def check_spans(bundle: Bundle, account: dict[str, Any]) -> None:
    """The spans of your documents are leaves of the tree of all spans."""
    with bundle.open("proofs/spans.bin") as hashes:
        root = SpanTree(Spans(bundle).in_order(), hashes).root(account["spans"]["size"])
    if root.hex() != account["spans"]["root"]:
        raise VerificationError("changed-span")


def check_statement(bundle: Bundle, account: dict[str, Any], figures: Figures) -> None:
    """What the statement says of documents and proofs is what was committed to."""
    statement = bundle.json("statement.json")
    corpus, spans = account["corpus"], account["spans"]
    counted = {"documents": figures.spans, "tokens": figures.tokens}
    reasons: Counter[tuple[str, str]] = Counter()
    try:
        for one in statement["reasons"]:
            reasons[one["end"], one["reason"]] += one["documents"]
        pairs = [
            ("partner", statement["partner"], account["partner"]),
            ("run", statement["run"]["name"], account["run"]),
            ("received.documents", statement["received"]["documents"], figures.tree.size),
            ("ends", statement["ends"], dict(figures.ends)),
            ("reasons", dict(reasons), dict(figures.reasons)),
            ("proof.root", statement["proof"]["root"], corpus["partner_root"]),
            ("proof.size", statement["proof"]["size"], corpus["size"]),
            ("proof.overall_root", statement["proof"]["overall_root"], corpus["root"]),
            ("usage", statement["usage"], account["usage"]),
            ("spans", {name: spans[name] for name in counted}, counted),
        ]
    except (KeyError, TypeError) as error:
        raise VerificationError("malformed", name="statement.json", why=repr(error)) from error
    for name, found, computed in pairs:
        if found != computed:
            raise VerificationError("figures-differ", name=name, found=found, computed=computed)


# ---------------------------------------------------------------------------------------------------------------------
# Third: which training steps read your documents? (docs/training-order.md says the same at length)
# ---------------------------------------------------------------------------------------------------------------------

WORD = 2**64 - 1
ROUNDS = 6


@lru_cache(maxsize=1 << 16)
def round_keys(domain: bytes, seed: int, name: str, number: int) -> tuple[int, ...]:
    """Derive the keys of one shuffle from what it is for."""
    named = len(name.encode()).to_bytes(8, "big") + name.encode()
    key = hashlib.sha256(domain + seed.to_bytes(8, "big") + named + number.to_bytes(8, "big")).digest()
    digests = (hashlib.sha256(b"herkomst-permutation-v1\0" + key + bytes([turn])).digest() for turn in range(ROUNDS))
    return tuple(int.from_bytes(digest[:8], "big") for digest in digests)


def draw(value: int, key: int, below: int) -> int:
    """Hash a number to one below a limit."""
    mixed = value ^ key
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & WORD
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & WORD
    return ((mixed ^ mixed >> 31) >> 32) * below >> 32


def unshuffled(place: int, size: int, keys: tuple[int, ...]) -> int:
    """Return the number that the shuffle of ``size`` numbers put at ``place``."""
    width = isqrt(size - 1) + 1
    height = -(-size // width)
    while True:
        left, right = place % width, place // width
        for turn in range(ROUNDS - 2, -1, -2):
            right = (right - draw(left, keys[turn + 1], height)) % height
            left = (left - draw(right, keys[turn], width)) % width
        place = left + width * right
        if place < size:
            return place


class Order:
    """The training order of your streams: from a sequence to the steps and rows that read it."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.length, self.seed, self.done = order["sequence_length"], order["seed"], order["steps_done"]
        self.streams: dict[str, dict[str, Any]] = order["streams"]
        self.last: dict[str, tuple[int, list[tuple[int, int]]]] = {}

    def of_sequence(self, stream: str, sequence: int) -> list[tuple[int, int]]:
        """Return (step, row) for every time that a sequence was trained on."""
        known = self.last.get(stream)
        if known is None or known[0] != sequence:  # neighbours share a sequence
            known = self.last[stream] = (sequence, sorted(self.found(stream, sequence)))
        return known[1]

    def found(self, stream: str, sequence: int) -> Iterator[tuple[int, int]]:
        """Yield (step, row) for every epoch in which a sequence was drawn."""
        size, segments = self.streams[stream]["sequences"], self.streams[stream]["segments"]
        for epoch in range(-(-segments[-1]["end"] // size)):
            keys = round_keys(b"herkomst-order-stream-v1\0", self.seed, stream, epoch)
            number = epoch * size + unshuffled(sequence, size, keys)
            for segment in segments:
                if segment["start"] <= number < segment["end"]:
                    yield from self.drawn(segment, number - segment["start"])

    def drawn(self, segment: dict[str, Any], number: int) -> Iterator[tuple[int, int]]:
        """Yield the step and row of a segment's n-th draw from the stream, unless that slot is cut off or skipped."""
        block, offset = divmod(number, segment["count"])
        keys = round_keys(b"herkomst-order-block-v1\0", segment["seed"], segment["name"], block)
        slot = block * segment["block"] + unshuffled(segment["before"] + offset, segment["block"], keys)
        step, row = segment["first_step"] + slot // segment["batch"], slot % segment["batch"]
        if step < min(segment["last_step_exclusive"], self.done) and step not in segment["skipped_steps"]:
            yield step, row

    def of_document(self, span: dict[str, Any]) -> list[tuple[int, int, list[tuple[int, int]]]]:
        """Return (tokens, tokens scored, steps and rows) for each sequence that the document lies in."""
        stream, _, use = span.get("stream", "").rpartition("/")
        if use != "train" or stream not in self.streams or not span["tokens"]:
            return []
        first, end = span["first_token"], span["first_token"] + span["tokens"]
        parts = []
        for sequence in range(first // self.length, -(-end // self.length)):
            begin = sequence * self.length
            inside = min(end, begin + self.length) - max(first, begin)
            # The first token of a sequence has nothing before it to be predicted from.
            parts.append((inside, inside - (begin >= first), self.of_sequence(stream, sequence)))
        return parts


def check_steps(bundle: Bundle, account: dict[str, Any]) -> dict[str, Any]:
    """Recompute what training read of your documents and compare it with the statement; returns the figures."""
    order, read, steps = Order(account["order"]), 0, (sys.maxsize, -1)
    times: Counter[int] = Counter()
    targets: Counter[str] = Counter()
    for document in documents(bundle):
        parts = order.of_document(document.span)
        mine = sum(tokens * len(places) for tokens, _, places in parts)
        most = max((len(places) for _, _, places in parts), default=0)
        if document.row["use"] == "train":
            check_recount(document, mine, most)
            times[most] += 1
        read += mine
        targets[document.row["stream"]] += sum(tokens * len(places) for _, tokens, places in parts)
        for step, _ in (place for _, _, places in parts for place in places):
            steps = min(steps[0], step), max(steps[1], step)
    count = sum(n for most, n in times.items() if most)
    epochs = sum(most * n for most, n in times.items()) / count if count else 0.0
    figures: dict[str, Any] = {
        "documents": count,
        "tokens_read": read,
        "tokens_scored": sum(targets.values()) - left_out(order, targets),
        "epochs": epochs,
        "most_read": max(times, default=None),
    }
    figures.update(first_step=steps[0] if count else None, last_step=steps[1] if count else None)
    for name, computed in figures.items():
        if account["usage"][name] != computed:
            raise VerificationError(
                "figures-differ", name=f"usage.{name}", found=account["usage"][name], computed=computed
            )
    every = sorted({one["goldfish"]["every"] for one in order.streams.values() if "goldfish" in one})
    return figures | {"left_out": left_out(order, targets), "every": ", ".join(map(str, every))}


def left_out(order: Order, targets: Counter[str]) -> int:
    """Return how many tokens goldfish rules left out of what the model had to predict: stated, for each stream."""
    total = 0
    for name, stream in order.streams.items():
        stated = stream.get("goldfish", {"left_out": 0})["left_out"]
        if not 0 <= stated <= targets[name]:
            values = {"found": stated, "computed": f"0 - {targets[name]}"}
            raise VerificationError("figures-differ", name=f"order.streams.{name}.goldfish.left_out", **values)
        total += stated
    return total


def check_recount(document: Document, tokens: int, times: int) -> None:
    """The list says of a document of the training text what the order says."""
    for column, computed in (("tokens", tokens), ("times_read", times)):
        found = document.listed.get(column, str(computed))
        if found != str(computed):
            values = {"line": document.number + 1, "column": column, "found": found, "committed": computed}
            raise VerificationError("list-differs", **values)


# ---------------------------------------------------------------------------------------------------------------------
# Fourth: what became of your own files?
# ---------------------------------------------------------------------------------------------------------------------

BATCH = 50_000  # of your documents are looked up in one walk over the rows, so that memory stays small


class Asked:
    """One document of yours to be looked up: its name, its digest, and where its bytes stand (no length: in a .gz)."""

    def __init__(self, label: str, digest: str, path: Path, offset: int = 0, length: int | None = None) -> None:
        self.label, self.digest, self.path, self.offset, self.length = label, digest, path, offset, length
        self.unopened = ""  # why its absence says little, if it does

    def confirms(self, document: Answer) -> bool:
        """Say whether the document's id is the digest of its source, your own id and these very bytes."""
        if self.length is None:  # in a .gz: not read again
            return False
        digest, left = hashlib.sha256(b"herkomst-document-v1\0"), self.length
        for part in (document.source.encode(), document.native.encode("utf-8", "surrogatepass")):
            digest.update(len(part).to_bytes(8, "big") + part)
        with self.path.open("rb") as file:
            file.seek(self.offset)
            while left > 0:
                piece = file.read(min(left, LINE)) or b"\0"
                digest.update(piece)
                left -= len(piece)
        return bool(digest.hexdigest() == document.id)


class Answer:
    """What is to be said of one document that was received."""

    def __init__(self, document: Document, reasons: dict[str, Any], language: str) -> None:
        row = document.row
        self.id, self.source, self.native = row["id"], row["source"], from_list(document.listed.get("native_id", ""))
        self.kind = {"train": "included", "held-out": "held-out"}.get(row["use"], "unused")
        known = {name: row[name] or "-" for name in ("id", "licence", "branch", "decision")}
        if self.kind == "unused":
            words = reasons.get(row["reason"], {}).get(language) or saying("no-words", language, code=row["reason"])
            self.text = saying("unused-details", language, reason=words, **known)
        else:
            self.text = saying("details", language, tokens=document.span["tokens"], **known)


def from_list(text: str) -> str:
    """Take off the apostrophe that keeps a text from being a formula."""
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@", "\t", "\r") else text


def delivered(path: Path, label: str) -> Iterator[Asked]:
    """Digest a file as a document, or, if its name ends in .jsonl or .jsonl.gz, every line of it as a document.

    The bytes of a line are those without the newline that ends it; blank lines are no documents.
    """
    zipped, by_line = path.suffix == ".gz", label.endswith((".jsonl", ".jsonl.gz"))
    digest, start, here, number, blank = hashlib.sha256(), 0, 0, 1, True
    with gzip.open(path, "rb") if zipped and by_line else path.open("rb") as file:
        for piece in iter(lambda: file.readline(LINE), b""):
            ends = by_line and piece.endswith(b"\n")
            digest.update(piece[:-1] if ends else piece)
            here, blank = here + len(piece), blank and not piece.strip()
            if ends:
                if not blank:
                    yield Asked(
                        f"{label}:{number}", digest.hexdigest(), path, start, None if zipped else here - 1 - start
                    )
                digest, start, number, blank = hashlib.sha256(), here, number + 1, True
    if not by_line:
        yield Asked(label, digest.hexdigest(), path, 0, here)
    elif not blank:
        yield Asked(f"{label}:{number}", digest.hexdigest(), path, start, None if zipped else here - start)


def files_of(folder: Path) -> list[tuple[Path, str]]:
    """Return your files with their names in the folder."""
    if folder.is_file():
        return [(folder, folder.name)]
    return [(path, path.relative_to(folder).as_posix()) for path in sorted(folder.rglob("*")) if path.is_file()]


class Reply:
    """Answers questions about single documents, in one language, and counts the answers."""

    def __init__(self, bundle: Bundle, language: str, order: Order | None) -> None:
        self.bundle, self.language, self.order = bundle, language, order
        self.reasons = bundle.json("reasons.json")
        self.counts: Counter[str] = Counter()

    def say(self, kind: str, label: str, text: str) -> None:
        """Print one answer."""
        self.counts[kind] += 1
        print(f"{saying(kind, self.language)}  {plain(label)}\n    {text}")

    def files(self, folder: Path) -> None:
        """Say of every file below a folder what became of it."""
        waiting: list[Asked] = []
        for path, label in files_of(folder):
            try:
                for asked in delivered(path, label):
                    asked.unopened = self.unopened(asked)
                    waiting.append(asked)
                    if len(waiting) >= BATCH:
                        self.look_up(waiting)
                        waiting = []
            except (OSError, EOFError, zlib.error) as error:
                self.not_checked(label, f"{saying('damaged', self.language)} ({error})")
        self.look_up(waiting)
        names = ("included", "held-out", "unused", "absent", "unopened")
        print(saying("sum", self.language, **{name.replace("-", "_"): self.counts[name] for name in names}))

    def unopened(self, asked: Asked) -> str:
        """Say why a file that was not found may still hold documents that were received."""
        if asked.label.endswith(".parquet"):
            return saying("parquet", self.language)
        holds_others = asked.label.endswith((".zst", ".zip", ".tar", ".xz", ".bz2", ".gz"))
        return saying("compressed", self.language) if holds_others else ""

    def steps(self, document: Document) -> None:
        """Name the steps and rows that read a document, where that was asked."""
        if self.order is not None:
            parts = self.order.of_document(document.span)
            places = sorted({place for _, _, found in parts for place in found})
            told = ", ".join(f"({step}, {row})" for step, row in places)
            print("    " + (saying("read-at", self.language, places=told) if told else saying("unread", self.language)))

    def not_checked(self, label: str, why: str) -> None:
        """Say that a file could not be compared, or not document by document."""
        self.counts["unopened"] += 1
        print(f"{saying('unopened', self.language)}  {plain(label)}\n    {plain(why)}")

    def look_up(self, waiting: list[Asked]) -> None:
        """Walk over all rows once and answer for these documents, in their order."""
        wanted = {asked.digest for asked in waiting}
        found: dict[str, list[Answer]] = {}
        for document in documents(self.bundle) if wanted else ():
            digest = document.row["received_sha256"]
            if digest in wanted:
                found.setdefault(digest, []).append(Answer(document, self.reasons, self.language))
        for asked in waiting:
            for answer in found.get(asked.digest, ()):
                key = "own-id" if asked.confirms(answer) else "own-id-stated"
                self.say(answer.kind, asked.label, f"{answer.text}; {saying(key, self.language, native=answer.native)}")
            if asked.digest not in found and asked.unopened:
                self.not_checked(asked.label, asked.unopened)
            elif asked.digest not in found:
                self.say("absent", asked.label, saying("absent-file", self.language, digest=asked.digest))

    def one(self, name: str) -> None:
        """Say what became of the document with this id, ours or your own."""
        before, rows, known = saying("beginning", self.language), 0, False
        after = saying("end", self.language)
        for document in documents(self.bundle):
            if name in (document.row["id"], from_list(document.listed.get("native_id", ""))):
                known, answer = True, Answer(document, self.reasons, self.language)
                stated = saying("own-id-stated", self.language, native=answer.native)
                self.say(answer.kind, name, f"{answer.text}; {stated}")
                self.steps(document)
            if document.row["id"] < name:
                before, rows = document.row["id"], document.number
            elif after == saying("end", self.language):
                after = document.row["id"]
        if not known and is_digest(name):
            values = {"before": before, "after": after, "left": rows, "right": rows + 1}
            self.say("absent", name, saying("absent-id", self.language, **values))
        elif not known:
            self.say("absent", name, saying("absent-own-id", self.language))


# ---------------------------------------------------------------------------------------------------------------------
# What it says, in English and Dutch
# ---------------------------------------------------------------------------------------------------------------------

REFUSALS = {
    "not-a-file": ("{path} is not a file that can be read", "{path} is geen leesbaar bestand"),
    "not-a-zip": (
        "the bundle is no zip file, or is cut off ({why})",
        "de bundel is geen zip-bestand, of is afgebroken ({why})",
    ),
    "unsafe-name": (
        "the bundle holds a name that leads elsewhere or stands twice: {name}",
        "de bundel bevat een naam die elders heen leidt of dubbel voorkomt: {name}",
    ),
    "zip-bomb": (
        "{name} would unpack to more than it can honestly hold; nothing was unpacked",
        "{name} zou uitpakken tot meer dan het eerlijk kan bevatten; er is niets uitgepakt",
    ),
    "missing-file": ("the bundle lacks {name}", "in de bundel ontbreekt {name}"),
    "extra-file": (
        "nobody answers for {name}: it is not in the manifest",
        "niemand staat in voor {name}: het staat niet in het manifest",
    ),
    "newer-version": (
        "the bundle has version {version} and this program reads version {known}; use the verify.py that came with it",
        "de bundel heeft versie {version} en dit programma leest versie {known}; gebruik de verify.py die erbij hoort",
    ),
    "malformed": (
        "{name} cannot be read as what it should be ({why})",
        "{name} is niet te lezen als wat het hoort te zijn ({why})",
    ),
    "swapped-file": (
        "{name} is not the file in the manifest: it was changed or swapped",
        "{name} is niet het bestand uit het manifest: het is gewijzigd of verwisseld",
    ),
    "tampered-manifest": (
        "the manifest is not the one that was signed: it was changed afterwards",
        "het manifest is niet het ondertekende: het is achteraf gewijzigd",
    ),
    "bad-signature": (
        "the signature does not fit what is signed: audit.json was changed, or the key did not sign it",
        "de handtekening past niet bij wat is ondertekend: audit.json is gewijzigd, of met een andere sleutel "
        "ondertekend",
    ),
    "bad-key": ("the public key is not usable ({why})", "de openbare sleutel is niet bruikbaar ({why})"),
    "other-key": (
        "signed by key {found}, not by the key you gave, {given}: this is somebody else's account",
        "ondertekend met sleutel {found} en niet met de sleutel die u gaf, {given}: dit is de verklaring van een ander",
    ),
    "other-partner": (
        "row {place} belongs to {found} and not to {partner}",
        "regel {place} hoort bij {found} en niet bij {partner}",
    ),
    "unsorted-rows": (
        "row {place} comes after a row with a larger id; rows that are not sorted cannot show what is absent",
        "regel {place} staat na een regel met een groter kenmerk; ongesorteerde regels kunnen niet tonen wat ontbreekt",
    ),
    "duplicate-row": ("row {place} stands twice", "regel {place} komt dubbel voor"),
    "wrong-size": (
        "there are {found} rows and the provider committed to {signed}",
        "er zijn {found} regels en de aanbieder heeft er {signed} vastgelegd",
    ),
    "changed-row": (
        "the rows do not give the root that was committed to: a row was changed, added, left out or moved",
        "de regels geven niet de vastgelegde wortelhash: een regel is gewijzigd, toegevoegd, weggelaten of verplaatst",
    ),
    "truncated-proof": (
        "the proof in {name} is not whole: hashes are missing, or too many",
        "het bewijs in {name} is niet volledig: er ontbreken hashwaarden, of er zijn er te veel",
    ),
    "forged-root": (
        "your rows are not part of the corpus that was committed to: the proof leads to another root",
        "uw regels maken geen deel uit van het vastgelegde corpus: het bewijs leidt naar een andere wortelhash",
    ),
    "changed-span": (
        "the token counts do not give the root that was committed to: a line of spans/ was changed, added or left out",
        "de aantallen tokens geven niet de vastgelegde wortelhash: een regel van spans/ is gewijzigd, toegevoegd of "
        "weggelaten",
    ),
    "spans-differ": (
        "document {place}: the row and the token spans do not speak of the same document",
        "document {place}: de regel en de vastgelegde tokens gaan niet over hetzelfde document",
    ),
    "list-differs": (
        "rows.csv, line {line}, column {column}: {found} where {committed} was committed to",
        "rows.csv, regel {line}, kolom {column}: {found} terwijl {committed} is vastgelegd",
    ),
    "figures-differ": (
        "statement.json says {found} for {name}, and what was committed to gives {computed}",
        "statement.json noemt {found} voor {name}, en uit wat is vastgelegd volgt {computed}",
    ),
}

SAYINGS = {
    "refused": ("NOT VERIFIED", "NIET GEVERIFIEERD"),
    "consequence": (
        "Do not rely on this bundle. Ask the provider for another, and keep this one.",
        "Vertrouw niet op deze bundel. Vraag de aanbieder om een nieuwe en bewaar deze.",
    ),
    "for": ("Bundle for {partner}, run {run}", "Bundel voor {partner}, run {run}"),
    "files": (
        "{files} files are the ones in the signed manifest",
        "{files} bestanden zijn die uit het ondertekende manifest",
    ),
    "key-checked": ("signed by the key you gave, {key}", "ondertekend met de sleutel die u gaf, {key}"),
    "key-unchecked": (
        "signed by key {key}. WHO THAT IS WAS NOT CHECKED: compare it with the fingerprint that the provider gave you "
        "by another way, or give it with --key",
        "ondertekend met sleutel {key}. WIE DAT IS, IS NIET GECONTROLEERD: vergelijk dit met de vingerafdruk die "
        "de aanbieder u langs andere weg gaf, of geef die op met --key",
    ),
    "rows": (
        "{rows} rows, sorted and without doubles, give your root {root}",
        "{rows} regels, gesorteerd en zonder doublures, geven uw wortelhash {root}",
    ),
    "corpus": (
        "your root is part of the corpus root {root}",
        "uw wortelhash maakt deel uit van de wortelhash van het corpus {root}",
    ),
    "spans": (
        "{documents} documents with {tokens} tokens are part of the root of all token spans {root}",
        "{documents} documenten met {tokens} tokens maken deel uit van de wortelhash van alle tokens {root}",
    ),
    "list": (
        "rows.csv agrees with the committed rows in: {columns}",
        "rows.csv klopt met de vastgelegde regels in: {columns}",
    ),
    "uncommitted": (
        "stated by the provider, not committed: {columns}",
        "door de aanbieder opgegeven, niet vastgelegd: {columns}",
    ),
    "figures": (
        "statement.json: documents received, kept, held out and refused, by reason, follow from the rows",
        "statement.json: de aantallen ontvangen, gebruikte, apart gehouden en geweigerde documenten, naar reden, "
        "volgen uit de regels",
    ),
    "steps": (
        "recomputed from the order: {documents} documents were read, {tokens_read} tokens in all, "
        "{tokens_scored} of them scored, from step {first_step} to step {last_step}; the statement says the same",
        "herberekend uit de volgorde: {documents} documenten zijn gelezen, samen {tokens_read} tokens, "
        "waarvan {tokens_scored} om te voorspellen, "
        "van stap {first_step} tot en met stap {last_step}; de verklaring zegt hetzelfde",
    ),
    "left-out": (
        "the provider signs for: {left_out} more were read and left out of what the model had to predict, by a "
        "goldfish rule (one in {every}); that both together are what the order gives was recomputed",
        "de aanbieder tekent voor: nog {left_out} zijn gelezen en door een goldfish-regel (een op de {every}) "
        "weggelaten uit wat het model moest voorspellen; dat beide samen uit de volgorde volgen, is herberekend",
    ),
    "no-steps": (
        "recomputed from the order: no step read a document of yours; the statement says the same",
        "herberekend uit de volgorde: bij geen stap is een document van u gelezen; de verklaring zegt hetzelfde",
    ),
    "read-at": (
        "read at (step, row): {places}",
        "gelezen bij (stap, rij): {places}",
    ),
    "unread": ("read at no step", "bij geen stap gelezen"),
    "model": (
        "the provider signs for: training order {plan}, weights {weights}, newest entry of its record {record}",
        "de aanbieder tekent voor: trainingsvolgorde {plan}, gewichten {weights}, jongste stuk van zijn verslag "
        "{record}",
    ),
    "done": ("VERIFIED", "GEVERIFIEERD"),
    "included": ("INCLUDED", "OPGENOMEN"),
    "held-out": ("HELD OUT, never trained on", "APART GEHOUDEN, nooit in training"),
    "unused": ("RECEIVED, NOT USED", "ONTVANGEN, NIET GEBRUIKT"),
    "absent": ("ABSENT", "NIET AANWEZIG"),
    "details": (
        "licence {licence}, used under {branch}; decision {decision}; {tokens} tokens; document {id}",
        "licentie {licence}, gebruikt onder {branch}; beslissing {decision}; {tokens} tokens; document {id}",
    ),
    "unused-details": (
        "{reason} Licence {licence}; decision {decision}; document {id}",
        "{reason} Licentie {licence}; beslissing {decision}; document {id}",
    ),
    "own-id": (
        "your own id {native}, which the document's id confirms",
        "uw eigen kenmerk {native}, door het kenmerk van het document bevestigd",
    ),
    "own-id-stated": (
        "your own id {native}, as the provider states it",
        "uw eigen kenmerk {native}, zoals de aanbieder het opgeeft",
    ),
    "absent-file": (
        "no row of yours has these bytes (SHA-256 {digest}), and the rows above are all there are",
        "geen regel van u heeft deze bytes (SHA-256 {digest}), en meer regels dan de bovenstaande zijn er niet",
    ),
    "absent-id": (
        "no row has this id; it would stand between {before} and {after}, which are neighbours (rows {left} and "
        "{right})",
        "geen regel heeft dit kenmerk; het zou staan tussen {before} en {after}, die buren zijn (regels {left} en "
        "{right})",
    ),
    "absent-own-id": (
        "no row states this id. Own ids are stated, not committed: to be certain, give the file itself with --files",
        "geen regel noemt dit kenmerk. Eigen kenmerken zijn opgegeven en niet vastgelegd: geef voor zekerheid het "
        "bestand zelf op met --files",
    ),
    "beginning": ("the beginning", "het begin"),
    "end": ("the end", "het eind"),
    "unopened": ("NOT CHECKED", "NIET GECONTROLEERD"),
    "compressed": (
        "as a whole it was not received; unpack it to compare the documents in it",
        "als geheel is het niet ontvangen; pak het uit om de documenten erin te vergelijken",
    ),
    "parquet": (
        "rows of a parquet file have no bytes of their own; ask by --id",
        "regels van een parquet-bestand hebben geen eigen bytes; vraag met --id",
    ),
    "damaged": ("it breaks off or is damaged", "het breekt af of is beschadigd"),
    "sum": (
        "Your files: {included} included, {held_out} held out, {unused} received and not used, {absent} absent, "
        "{unopened} not checked",
        "Uw bestanden: {included} opgenomen, {held_out} apart gehouden, {unused} ontvangen en niet gebruikt, {absent} "
        "niet aanwezig, {unopened} niet gecontroleerd",
    ),
    "no-files": ("{path} is not a folder or file", "{path} is geen map of bestand"),
    "no-words": ("Reason: {code}.", "Reden: {code}."),
}


# ---------------------------------------------------------------------------------------------------------------------
# The command
# ---------------------------------------------------------------------------------------------------------------------

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, OSError)
NOT_AS_AGREED = (KeyError, TypeError, ValueError, AttributeError, RecursionError, csv.Error)


def check(path: str, given_key: str | None, steps: bool = False) -> tuple[Bundle, dict[str, Any], Figures, str]:
    """Check everything that the bundle says of itself; returns the bundle, what was signed, the counts and the key.

    Raises VerificationError at the first thing that does not hold.
    """
    csv.field_size_limit(LINE)
    try:
        bundle = Bundle(path)
        files = check_manifest(bundle)
        key = read_pem(bundle.read("public-key.pem"))
        given = given_fingerprint(given_key) if given_key else None
        if given not in (None, fingerprint(key)):
            raise VerificationError("other-key", found=fingerprint(key), given=given)
        account = signed_account(bundle, key)
        figures = check_rows(bundle, account)
        figures.files = files
        check_corpus(bundle, account)
        check_spans(bundle, account)
        check_statement(bundle, account, figures)
        figures.steps = check_steps(bundle, account) if steps else {}
    except DAMAGED as error:
        raise VerificationError("not-a-zip", why=error) from error
    except NOT_AS_AGREED as error:
        raise VerificationError("malformed", name=path, why=repr(error)) from error
    return bundle, account, figures, fingerprint(key)


def report(account: dict[str, Any], figures: Figures, key: str, given: bool, language: str) -> None:
    """Say what holds."""
    committed = [name for name in figures.columns if name in ROW_FIELDS]
    stated = [name for name in figures.columns if name not in ROW_FIELDS]
    corpus, spans, training = account["corpus"], account["spans"], account["training"]
    said: list[tuple[str, dict[str, object]]] = [
        ("files", {"files": figures.files}),
        ("key-checked" if given else "key-unchecked", {"key": key}),
        ("rows", {"rows": figures.tree.size, "root": corpus["partner_root"]}),
        ("corpus", {"root": corpus["root"]}),
        ("spans", {"documents": figures.spans, "tokens": figures.tokens, "root": spans["root"]}),
        ("list", {"columns": ", ".join(committed)}),
        ("figures", {}),
        ("uncommitted", {"columns": ", ".join(stated) or "-"}),
        ("model", {"plan": training["plan"], "weights": training["weights"], "record": account["record_head"]}),
    ]
    if figures.steps:
        said.insert(7, ("steps" if figures.steps["documents"] else "no-steps", figures.steps))
        if figures.steps["left_out"]:
            said.insert(8, ("left-out", figures.steps))
    print(saying("for", language, partner=account["partner"], run=account["run"]))
    for key_of_saying, values in said:
        print("  - " + saying(key_of_saying, language, **values))
    print(saying("done", language))


def main() -> int:
    """Read the command, check the bundle, answer what was asked; returns the exit code."""
    summary = "Check an audit bundle of Herkomst. Reads no network and writes nothing. Exit code 0: everything holds."
    parser = argparse.ArgumentParser(prog="verify.py", description=summary)
    parser.add_argument("bundle", help="the bundle, a zip file")
    parser.add_argument("--files", help="a folder (or one file) with your own documents as you delivered them")
    parser.add_argument("--id", help="one document: your own id for it, or its 64-character id")
    parser.add_argument("--steps", action="store_true", help="recompute which training steps read your documents")
    parser.add_argument("--key", help="the signer's key as you know it: 64-character fingerprint, or a PEM file")
    parser.add_argument("--language", choices=("en", "nl"), default="en")
    asked = parser.parse_args()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a screen that lacks a letter shows its number
            stream.reconfigure(errors="backslashreplace")
    if asked.files and not Path(asked.files).exists():
        parser.error(saying("no-files", asked.language, path=asked.files))
    try:
        bundle, account, figures, key = check(asked.bundle, asked.key, asked.steps)
    except VerificationError as error:
        print(f"{saying('refused', asked.language)} [{error.code}]: {error.say(asked.language)}.", file=sys.stderr)
        print(saying("consequence", asked.language), file=sys.stderr)
        return 1
    report(account, figures, key, bool(asked.key), asked.language)
    reply = Reply(bundle, asked.language, Order(account["order"]) if asked.steps else None)
    if asked.files:
        reply.files(Path(asked.files))
    if asked.id:
        reply.one(asked.id)
    return 0


if __name__ == "__main__":
    sys.exit(main())
