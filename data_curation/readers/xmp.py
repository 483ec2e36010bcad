"""What the metadata of a PDF file (XMP, ISO 16684-1) declares of rights and says of the document.

PDFium does not hand these out, so the packets are found in the bytes of the file, as the standard means them to be
(part 3, section 1.1), and in streams that are marked as metadata and packed. Pictures in a file bring packets of their
own: only one that calls itself a PDF document's, or says who made the PDF, speaks for the whole; words of others are
prose, which a person must read.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from licensing.resolvers.values import address, distinct, plain, prose, statement
from licensing.rights import Declared

_PACKETS = ((b"<x:xmpmeta", b"</x:xmpmeta>"), (b"<rdf:RDF", b"</rdf:RDF>"))
_DC = "{http://purl.org/dc/elements/1.1/}"
_RIGHTS = "{http://ns.adobe.com/xap/1.0/rights/}"
_CC = "{http://creativecommons.org/ns#}"
_PDF = "{http://ns.adobe.com/pdf/1.3/}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_MOST_PACKETS = 64
_LARGEST = 1 << 20
_DICTIONARY = 500


@dataclass
class Metadata:
    """What is declared, and title, authors, language and identifier of the document, where it names them."""

    declared: tuple[Declared, ...] = ()
    title: str | None = None
    author: str | None = None
    language: str | None = None
    identifier: str | None = None


def metadata_of(data: bytes, where: str) -> Metadata:
    """Read all packets of a file; ``where`` is its name. A packet that cannot be parsed is prose."""
    found = Metadata()
    declared: list[Declared] = []
    for number, packet in enumerate(_packets(data), start=1):
        place = f"{where} XMP packet {number}"
        root = _parsed(packet)
        if number > _MOST_PACKETS or root is None:
            declared.append(prose("(metadata that cannot be read)", place))
            if number > _MOST_PACKETS:
                break
            continue
        is_whole = _is_of_document(root)
        said = list(_declared(root, place))
        declared += said if is_whole else [prose(f"(perhaps of a part only) {one.text}", one.where) for one in said]
        if is_whole:
            _describe(root, found)
    found.declared = distinct(declared)
    return found


def _packets(data: bytes) -> Iterator[bytes]:
    seen: set[bytes] = set()
    for piece in (data, *_unpacked(data)):
        for packet in _between(piece):
            if packet not in seen:
                seen.add(packet)
                yield packet


def _between(piece: bytes) -> Iterator[bytes]:
    """What stands between the tags of packets: of the outer tags, or where there are none of the inner ones."""
    for opening, closing in _PACKETS:
        starts = list(islice(_places(piece, opening), _MOST_PACKETS + 1))
        for start in starts:
            end = piece.find(closing, start, start + _LARGEST)
            yield piece[start : end + len(closing)] if end >= 0 else piece[start : start + len(opening)]
        if starts:
            return


def _unpacked(data: bytes) -> Iterator[bytes]:
    """Streams of which the dictionary says that they are metadata, packed with deflate."""
    for place in islice(_places(data, b"/Metadata"), _MOST_PACKETS):
        start = data.find(b"stream", place, place + _DICTIONARY)
        if start < 0 or b"/FlateDecode" not in data[max(0, place - _DICTIONARY) : start]:
            continue
        packed = data[start + len(b"stream") : start + _LARGEST].lstrip(b"\r\n")
        try:
            yield zlib.decompressobj().decompress(packed, _LARGEST)
        except zlib.error:
            continue


def _places(data: bytes, wanted: bytes) -> Iterator[int]:
    place = data.find(wanted)
    while place >= 0:
        yield place
        place = data.find(wanted, place + 1)


def _parsed(packet: bytes) -> Any:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(packet, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _is_of_document(root: Any) -> bool:
    kinds = set(_values(root, f"{_DC}format"))
    return "application/pdf" in kinds if kinds else bool(_values(root, f"{_PDF}Producer"))


def _declared(root: Any, place: str) -> Iterator[Declared]:
    for name, label in ((f"{_DC}rights", "dc:rights"), (f"{_RIGHTS}UsageTerms", "xmpRights:UsageTerms")):
        yield from (one for text in _values(root, name) if (one := statement(text, f"{place} {label}")))
    for name, label in ((f"{_RIGHTS}WebStatement", "xmpRights:WebStatement"), (f"{_CC}license", "cc:license")):
        yield from (one for text in _values(root, name) if (one := address(text, f"{place} {label}")))


def _describe(root: Any, found: Metadata) -> None:
    found.title = found.title or next(iter(_values(root, f"{_DC}title")), None)
    found.author = found.author or "; ".join(_values(root, f"{_DC}creator")) or None
    languages = _values(root, f"{_DC}language")
    found.language = found.language or (languages[0] if len(languages) == 1 else None)
    found.identifier = found.identifier or next(iter(_values(root, f"{_DC}identifier")), None)


def _values(root: Any, name: str) -> list[str]:
    """The values of a property, as an attribute, as an element, or in a list of RDF, in their order."""
    found = [one.get(name) for one in root.iter(f"{_RDF}Description") if one.get(name)]
    for element in root.iter(name):
        items = list(element.iter(f"{_RDF}li"))
        found += [element.get(f"{_RDF}resource") or ""] + ["".join(one.itertext()) for one in (items or [element])]
    return [text for text in map(plain, found) if text]
