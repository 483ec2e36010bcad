"""XML documents that carry their licence in themselves.

TEI ``<availability>``, Mallard ``<license>``, Dublin Core ``<rights>``, DocBook ``<legalnotice>``, NewsML-G2
``<rightsInfo>`` and ``<expires>``, NITF ``<doc.rights>`` and ``<date.expire>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from licensing.resolvers.values import address, distinct, first_of, prose, restricts_beyond, statement
from licensing.rights import Declared

_WORTH_PARSING = re.compile(rb"(?i)licen[cs]e|availability|rights|legalnotice|usageterms|expire")
_LICENCES = frozenset(("license", "licence"))
_TERMS = frozenset(("usageterms", "copyrightnotice", "rightsexpressionxml", "rightsexpressiondata"))
_EXPIRY = frozenset(("expires", "date.expire"))
_SPEAKING = _LICENCES | _TERMS | _EXPIRY | {"a", "link", "rights", "availability", "legalnotice", "doc.rights"}
_OF_A_LICENCE = re.compile(r"licen[cs]e|creativecommons|opensource\.org|/copyleft/", re.IGNORECASE)
_TARGETS = (
    "target",
    "href",
    "url",
    "{http://www.w3.org/1999/xlink}href",
    "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}resource",
)


def declared(data: bytes, where: str) -> tuple[Declared, ...]:
    """Return what a document declares, each with its line and element; every statement of it counts.

    What a TEI ``<sourceDesc>`` says is about the source that the edition was made from, and counts only where the
    edition says nothing of itself (as in `data_curation.readers.tei`). A document that cannot be parsed though it
    speaks of a licence is prose; entities are not resolved.
    """
    if not _WORTH_PARSING.search(data.replace(b"\0", b"")):
        return ()
    from lxml import etree

    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        root = etree.fromstring(data, parser)
    except (etree.LxmlError, ValueError):
        return (prose("(cannot be parsed, though it mentions a licence or rights)", where),)
    return declared_in(root, where)


def declared_in(root: Any, where: str) -> tuple[Declared, ...]:
    """As `declared`, for a parsed element and all that is in it."""
    said = [(one, _is_of_source(element)) for element in root.iter() for one in _said_by(element, where)]
    own = [one for one, of_source in said if not of_source]
    return distinct(own or [one for one, _ in said])


def _said_by(element: Any, where: str) -> Iterator[Declared]:
    name = element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""
    if name not in _SPEAKING:
        return
    place = f"{where}:{element.sourceline} <{name}>"
    rels = (element.get("rel") or "").lower().split()
    if name in _LICENCES or (name in ("a", "link") and "license" in rels):
        yield from _licence(element, place)
    elif name == "rights":
        yield from _of_text(element, place)
    elif name == "availability":
        yield from _availability(element, place)
    elif name == "legalnotice":
        yield from _legal_notice(element, place)
    elif name in _TERMS or name == "doc.rights":
        yield from _terms(element, place)
    elif name in _EXPIRY:
        yield prose(f"(not to be used after {element.get('norm') or first_of(element.itertext()).strip()})", place)


def _licence(element: Any, place: str) -> Iterator[Declared]:
    """The addresses of a licence, on it or on a reference in it; without one, its words."""
    targets = [
        one.get(name) for one in element.iter() for name in _TARGETS if isinstance(one.tag, str) and one.get(name)
    ]
    text = first_of(element.itertext())
    if targets:
        yield from (found for target in targets for part in target.split() if (found := address(part, place)))
        if restricts_beyond(text, targets):
            yield prose(text, place)
    else:
        yield from _of_text(element, place)


def _legal_notice(element: Any, place: str) -> Iterator[Declared]:
    """Its links to licences and what it says beyond them; without such a link, its words."""
    targets = [
        value for one in element.iter() for name in _TARGETS if (value := one.get(name)) and _OF_A_LICENCE.search(value)
    ]
    text = first_of(element.itertext())
    yield from (found for target in targets if (found := address(target, place)))
    if not targets or restricts_beyond(text, targets):
        yield from _of_text(element, place)


def _terms(element: Any, place: str) -> Iterator[Declared]:
    """Terms as they stand, an address where they give one; terms in attributes alone are prose for a person."""
    target = address(element.get("href") or "", place)
    text = first_of(element.itertext())
    if target:
        yield target
    if text.strip():
        yield from _of_text(element, place)
    elif not target:
        said = "; ".join(f"{name.rpartition('}')[2]} {value}" for name, value in sorted(element.attrib.items()))
        yield prose(f"(terms in a form that is not read) {said}", place)


def _availability(element: Any, place: str) -> Iterator[Declared]:
    """Prose, unless it holds a licence, which speaks for itself; an empty one stands for terms nobody filled in."""
    text = first_of(element.itertext())
    licences = [below for below in element.iter() if _is_licence(below)]
    if not licences:
        yield prose(text if text.strip() else element.get("status") or "(empty <availability>)", place)
    elif restricts_beyond(text, [value for one in licences for below in one.iter() for value in below.attrib.values()]):
        yield prose(text, place)


def _of_text(element: Any, place: str) -> Iterator[Declared]:
    text = first_of(element.itertext())
    one = statement(text, place)
    if one:
        yield one


def _is_of_source(element: Any) -> bool:
    return any(str(above.tag).rpartition("}")[2] == "sourceDesc" for above in element.iterancestors())


def _is_licence(element: Any) -> bool:
    return isinstance(element.tag, str) and element.tag.rpartition("}")[2].lower() in _LICENCES
