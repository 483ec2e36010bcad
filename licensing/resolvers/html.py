"""HTML pages: links with ``rel=license``, ``meta`` elements, RDFa and Microdata properties, JSON-LD.

What stands in a quotation, a figure or another such element, or has a subject of its own, speaks of that part. Beside
a statement on the page it counts as any other, so that the stricter stands; alone it says nothing of the page and is
prose, for a person to read. Sources: HTML Living Standard, 4.6.7 (link type ``license``, and ``copyright`` as its old
name); RDFa Core 1.1; DCMI Metadata Terms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from licensing.resolvers.jsonld import load, nodes
from licensing.resolvers.structured import declared_by, local_name
from licensing.resolvers.values import address, distinct, first_of, plain, prose, restricts_beyond, statement
from licensing.rights import Declared

_WORD = re.compile(rb"licen[cs]e|rights|copyright")
_IN_ATTRIBUTE = re.compile(rb"(?:rel|name|property|itemprop)\s*=\s*[\"']?[^\"'>]*$")
_BEFORE = 120
_LINKS = frozenset(("a", "area", "link"))
_LICENCE_RELS = frozenset(("license", "licence", "copyright", "dct:license", "dcterms:license", "cc:license"))
_LICENCE_NAMES = frozenset(("license", "licence"))
_RIGHTS_NAMES = frozenset(("rights", "copyright"))
_DUBLIN_CORE = frozenset(
    ("dc.license", "dcterms.license", "dc.rights", "dcterms.rights", "dc.rights.license", "dcterms.rights.license")
)
_PARTS = frozenset(
    ("figure", "blockquote", "q", "aside", "svg", "picture", "video", "audio", "object", "iframe", "cite", "comment")
)
_INERT = frozenset(("template", "noscript", "textarea", "title"))
_WHOLE_TYPES = frozenset(
    [
        "CreativeWork", "WebPage", "AboutPage", "CollectionPage", "ContactPage", "FAQPage", "ItemPage", "ProfilePage",
        "QAPage", "Article", "BlogPosting", "LiveBlogPosting", "NewsArticle", "OpinionNewsArticle", "Report",
        "ReportageNewsArticle", "ScholarlyArticle", "TechArticle", "Chapter", "HowTo", "LearningResource",
        "Legislation",
    ]
)  # fmt: skip
"""Types of schema.org that a page as a whole can be; what has another type is something on it."""

_WRAPPERS = _WHOLE_TYPES | {"WebSite", "Blog", "WPHeader", "WPFooter"}
_TARGETS = ("href", "resource", "src", "data")


class _Said(NamedTuple):
    """One statement and whether it speaks of the page as a whole."""

    declared: Declared
    is_whole: bool


def declared(data: bytes, where: str) -> tuple[Declared, ...]:
    """Return what a page declares of itself, each with its line and element; ``where`` is the page's name.

    A page that cannot be parsed though it speaks of a licence is prose.
    """
    if not _is_worth_parsing(data):
        return ()
    root = _parsed(data)
    if root is None:
        return (prose("(cannot be parsed, though it mentions a licence or rights)", where),)
    said = [one for element in root.iter() for one in _said_by(element, where)]
    if any(one.is_whole for one in said):
        return distinct(one.declared for one in said)
    return distinct(prose(f"(of a part only) {one.declared.text}", one.declared.where) for one in said)


def _is_worth_parsing(data: bytes) -> bool:
    """Whether an attribute names a licence or rights, or there is JSON-LD; most pages name them in their text only."""
    low = data.lower()
    if b"ld+json" in low or low.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    found = (word.start() for word in _WORD.finditer(low))
    return any(_IN_ATTRIBUTE.search(low[max(0, start - _BEFORE) : start]) for start in found)


def _parsed(data: bytes) -> Any:
    from lxml import etree, html

    try:
        return html.document_fromstring(data, parser=html.HTMLParser(no_network=True, encoding=_encoding(data)))
    except (etree.LxmlError, ValueError, AssertionError):
        return None


def _encoding(data: bytes) -> str | None:
    """UTF-8 where it is; else the parser goes by what the page declares."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _said_by(element: Any, where: str) -> Iterator[_Said]:
    tag = element.tag
    if not isinstance(tag, str):
        return
    found = [*_link(element, tag), *_meta(element, tag), *_property(element)]
    linked = _json_ld(element, where) if tag == "script" else ()
    if not found and not linked:
        return
    above = [one.tag for one in element.iterancestors() if isinstance(one.tag, str)]
    if _INERT & set(above):
        return
    is_whole = not _is_part(element, above)
    for kind, value, is_address in found:
        place = f"{where}:{element.sourceline} {kind}"
        one = address(value, place) if is_address else statement(value, place)
        if one:
            yield _Said(one, is_whole)
    yield from linked


def _link(element: Any, tag: str) -> Iterator[tuple[str, str, bool]]:
    rels = set((element.get("rel") or "").lower().split())
    if tag in _LINKS and rels & _LICENCE_RELS and element.get("href") is not None:
        kind = f'<{tag} rel="{sorted(rels & _LICENCE_RELS)[0]}">'
        yield kind, element.get("href"), True
        words = f"{first_of(element.itertext())} {element.get('title') or ''}"
        if restricts_beyond(words, [element.get("href")]):
            yield kind, words, False


def _meta(element: Any, tag: str) -> Iterator[tuple[str, str, bool]]:
    if tag != "meta" or not element.get("content"):
        return
    name = (element.get("name") or "").strip().lower()
    if name in _LICENCE_NAMES | _RIGHTS_NAMES | _DUBLIN_CORE or name.replace(":", ".") in _DUBLIN_CORE:
        yield f'<meta name="{name}">', element.get("content"), False


def _property(element: Any) -> Iterator[tuple[str, str, bool]]:
    """RDFa ``property`` and Microdata ``itemprop``: each address and each text that the element gives."""
    for attribute in ("property", "itemprop"):
        names = {local_name(one).lower() for one in (element.get(attribute) or "").split()}
        known = sorted(names & (_LICENCE_NAMES | {"rights"}))
        if not known:
            continue
        kind = f'<{element.tag} {attribute}="{known[0]}">'
        targets = [element.get(name) for name in _TARGETS if element.get(name)]
        yield from ((kind, target, True) for target in targets)
        content = element.get("content") or ("" if targets else first_of(element.itertext()))
        if content:
            yield kind, content, False


def _is_part(element: Any, above: list[str]) -> bool:
    """Whether a statement has another subject than the page: by what it stands in, or by what it says it is about."""
    if _PARTS & set(above) or above.count("article") > 1:
        return True
    return _has_subject(element, ("about",)) or any(
        _has_subject(one, ("about", "resource")) or bool(_types(one) - _WRAPPERS) for one in element.iterancestors()
    )


def _has_subject(element: Any, attributes: tuple[str, ...]) -> bool:
    return any((element.get(name) or "").strip() not in ("", "#", "./") for name in attributes)


def _types(element: Any) -> frozenset[str]:
    """The types that Microdata or RDFa give an element."""
    named = f"{element.get('itemtype') or ''} {element.get('typeof') or ''}"
    return frozenset(local_name(kind) for kind in named.split())


def _json_ld(element: Any, where: str) -> list[_Said]:
    kind = (element.get("type") or "").partition(";")[0].strip().lower()
    text = element.text or ""
    if kind != "application/ld+json" or not re.search(r"licen[cs]e", text, re.IGNORECASE):
        return []
    place = f'{where}:{element.sourceline} <script type="application/ld+json">'
    try:
        data = load(text)
    except ValueError:
        return [_Said(prose(f"(no JSON that can be read) {plain(text[:200])}", place), True)]
    return [
        _Said(found, node.is_whole and node.types() <= _WHOLE_TYPES)
        for node in nodes(data)
        for path, value in node.values()
        for found in declared_by(value, f"{place} {path}")
    ]
