"""Small valid files of every kind that is read, for `benchmarks/fuzz_readers.py` to spoil."""

from __future__ import annotations

import io
import json
import random
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

COLUMNS = {"id": "id", "text": "text", "licence": "licence", "date": "date", "parents": "parents", "withdrawn": "weg"}
ROW = '{"id": "A-1", "text": "Eén tekst.", "licence": ["MIT"], "date": "2024-01-02", "parents": ["B"], "weg": false}\n'
PAGE = (
    '<html lang="nl"><head><meta charset="utf-8"><meta name="robots" content="noai"><title>T</title>'
    '<link rel="license" href="https://creativecommons.org/licenses/by/4.0/"></head><body><h1>Kop</h1><p>Tekst één.</p>'
    "<ul><li>a</ul></body>"
)
MALLARD = (
    b'<page xmlns="http://projectmallard.org/1.0/"><info><license href="x"/></info><title>T</title><p>E</p></page>'
)
TOKENS = [
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b"\r\n\r\n", b'"', b"<", b">", b"&", b"]]>",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"-1", b"0", b"4294967296", b"99999999999999999999", b"../", b"\\ud800", b"[" * 300, b"{" * 300,
    b"\x1f\x8b\x08", b"PK\x03\x04",
    b"WARC/1.0\r\n", b"\xed\xa0\x80", b"%PDF", b"endobj", b"stream", b"<a>" * 50, b"\x80", b"NaN",
    b"1e999", b"utf-16", b"\x85",
]  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A reader under test: the name and keys of its source, valid contents, and how contents become a file."""

    file: str
    keys: dict[str, Any]
    seeds: tuple[bytes, ...]
    packed: Callable[[bytes, random.Random], bytes] = lambda data, chance: data


def kinds() -> dict[str, Kind]:
    """Every reader that is fuzzed, by name."""
    columns = {"path": "x", "columns": COLUMNS}
    book = tuple(_book().values())
    wiki = (
        '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" xml:lang="nl"><siteinfo>'
        '<base>https://w.example/w/A</base><namespaces><namespace key="6">Bestand</namespace></namespaces></siteinfo>'
        "<page><title>A</title><ns>0</ns>"
        "<id>1</id><revision><id>2</id><timestamp>2024-01-02T00:00:00Z</timestamp><contributor><username>U</username>"
        "</contributor><text>'''A''' [[b|c]] {{d|{{e}}}} &lt;ref&gt;x&lt;/ref&gt; == K ==</text></revision></page>"
        "</mediawiki>"
    )
    table = 'id,text,licence,date,parents,weg\nA,"Eén\n""tekst""",MIT,2024-01-02,,no\nB,Twee,,,,0\n'
    tei = (
        '<TEI xmlns="http://www.tei-c.org/ns/1.0" xml:id="t"><teiHeader><fileDesc>'
        "<titleStmt><title>T</title></titleStmt>"
        '<publicationStmt><availability><licence target="https://creativecommons.org/licenses/by/4.0/"/></availability>'
        '</publicationStmt></fileDesc></teiHeader><text xml:lang="nl"><body><div><p>Een.</p></div></body></text></TEI>'
    )
    return {
        "csv": Kind("x.csv", {"reader": "csv"} | columns, (table.encode(), table.encode("utf-16"))),
        "jsonl": Kind("x.jsonl", {"reader": "jsonl"} | columns, (ROW.encode() * 2,)),
        "packed-jsonl": Kind("x.jsonl.gz", {"reader": "jsonl"} | columns, (_gzip(ROW.encode() * 20),)),
        "zstd-csv": Kind("x.csv.zst", {"reader": "csv"} | columns, (_zstd(table.encode()),)),
        "parquet": Kind("x.parquet", {"reader": "parquet"} | columns, (_parquet(),)),
        "html": Kind("x.html", {"reader": "text", "path": "."}, (PAGE.encode(), PAGE.encode("utf-16"))),
        "plain": Kind("x.md", {"reader": "text", "path": "."}, (b"---\nlicense: MIT\ntitle: T\n---\n# Kop\nTekst.\n",)),
        "asciidoc": Kind("x.adoc", {"reader": "text", "path": "."}, (b"= K\n:license: MIT\n\n*v*.\n|===\n|a\n|===",)),
        "man": Kind("x.1", {"reader": "text", "path": "."}, (b'.TH A 1\n.SH B\na \\- doet \\fBiets\\fP\n.PP\n"x"\n',)),
        "page": Kind("x.page", {"reader": "text", "path": "."}, (MALLARD,)),
        "tei": Kind("x.xml", {"reader": "tei", "path": "."}, (tei.encode(),)),
        "tei-chapters": Kind("x.xml", {"reader": "tei", "path": ".", "split": "div"}, (tei.encode(),)),
        "epub-chapters": Kind("x.epub", {"reader": "epub", "path": ".", "split": "chapter"}, book, _rebuilt),
        "mediawiki": Kind("x.xml", {"reader": "mediawiki", "path": "x"}, (wiki.encode(),)),
        "warc": Kind("x.warc", {"reader": "warc", "path": "x"}, (_warc(),)),
        "packed-warc": Kind("x.warc.gz", {"reader": "warc", "path": "x"}, (b"".join(map(_gzip, _records())),)),
        "zip": Kind("x.zip", {"reader": "archive", "path": "x"}, (_zip(_book()),)),
        "tar": Kind("x.tar", {"reader": "archive", "path": "x"}, (tar_of(_book()),)),
        "packed-tar": Kind("x.tar.gz", {"reader": "archive", "path": "x"}, (_gzip(tar_of(_book())),)),
        "epub": Kind("x.epub", {"reader": "epub", "path": "."}, (_zip(_book()),)),
        "epub-inside": Kind("x.epub", {"reader": "epub", "path": "."}, book, _rebuilt),
        "pdf": Kind("x.pdf", {"reader": "pdf", "path": ".", "seconds": 10}, (_pdf(),)),
        "debian": Kind("x.deb", {"reader": "debian", "packages": ["xy"], "include": ["**"]}, (_deb(),)),
    }  # fmt: skip


def _gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()


def _zstd(data: bytes) -> bytes:
    import zstandard

    packed: bytes = zstandard.compress(data)
    return packed


def _parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([json.loads(ROW)] * 3), sink)
    return sink.getvalue()


def _records() -> Iterator[bytes]:
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nX-Robots-Tag: noai\r\nLink: <a>; rel=license\r\n"
    )
    body = PAGE.encode()
    bodies = (
        head.encode() + b"\r\n" + body,
        head.encode() + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n",
        head.encode() + b"Content-Encoding: gzip\r\n\r\n" + _gzip(body),
    )
    for number, block in enumerate(bodies):
        said = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{number}>\r\nWARC-Target-URI: https://a.io/\r\n"
        yield (
            f"{said}WARC-Date: 2026-01-01T00:00:00Z\r\nContent-Length: {len(block)}\r\n\r\n".encode()
            + block
            + b"\r\n\r\n"
        )


def _warc() -> bytes:
    return b"".join(_records())


def _book() -> dict[str, bytes]:
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="b.opf"/>'
        "</rootfiles></container>"
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" unique-identifier="u">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        '<dc:identifier id="u">isbn</dc:identifier><dc:title>T</dc:title><dc:language>nl</dc:language>'
        "<dc:rights>CC0-1.0</dc:rights>"
        "<dc:date>2020-01-02</dc:date></metadata><manifest>"
        '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>'
    )
    return {
        "META-INF/container.xml": container.encode(),
        "b.opf": package.encode(),
        "a.xhtml": PAGE.encode(),
        "LICENSE": b"MIT",
    }


def _zip(files: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return sink.getvalue()


def _rebuilt(data: bytes, chance: random.Random) -> bytes:
    """A book in which one file is what came out of a mutation."""
    files = _book()
    files[chance.choice(sorted(files))] = data
    return _zip(files)


def tar_of(files: dict[str, bytes]) -> bytes:
    """A tar archive with the extended headers of POSIX."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name if name != "LICENSE" else "é" * 60 + "/LICENSE")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return sink.getvalue()


def _deb() -> bytes:
    form = b"https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
    rights = b"Format: " + form + b"\n\nFiles: *\nCopyright: A\nLicense: MIT\n"
    return deb_of(tar_of({"./usr/share/doc/xy/copyright": rights, "./usr/share/doc/xy/a.html": PAGE.encode()}))


def deb_of(tar: bytes) -> bytes:
    """A Debian package by hand: an ar archive of two tar archives, of which ``tar`` holds the files."""
    control = tar_of({"control": b"Package: xy\nVersion: 1\nArchitecture: all\nMaintainer: a\nDescription: b\n"})
    parts = {"debian-binary": b"2.0\n", "control.tar.gz": _gzip(control), "data.tar.gz": _gzip(tar)}
    out = b"!<arch>\n"
    for name, body in parts.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(body):<10}`\n".encode() + body + b"\n" * (len(body) % 2)
    return out


def _pdf() -> bytes:
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:format>application/pdf</dc:format>'
        b"<dc:rights>CC0-1.0</dc:rights></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    shown = zlib.compress(b"BT /F 12 Tf 14 TL 50 700 Td (Een wa-) Tj T* (ter) Tj ET")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/Lang(nl)/Metadata 6 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F 4 0 R>>>>/Contents 5 0 R>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Filter/FlateDecode/Length %d>>stream\n" % len(shown) + shown + b"\nendstream",
        b"<</Type/Metadata/Subtype/XML/Length %d>>stream\n" % len(xmp) + xmp + b"\nendstream",
        b"<</Title(T)/Author(A)>>",
    ]
    out = b"%PDF-1.7\n" + b"".join(b"%d 0 obj" % n + body + b"\nendobj\n" for n, body in enumerate(objects, start=1))
    return out + b"trailer<</Size 8/Root 1 0 R/Info 7 0 R>>\n%%EOF"
