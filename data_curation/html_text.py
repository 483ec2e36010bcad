"""Text of an HTML or XHTML page: everything a reader sees, without what only serves to move between pages.

The extractor's own search for the "main content" is not used. On Debian's manuals it dropped lists, tables, boxed
passages and listings (a third of the text of the Debian Handbook) and cut words out of sentences. Instead the elements
that HTML 5 and the usual generators (DocBook XSL, Publican, Sphinx, LibreOffice help) set apart for navigation are
left out by name.
"""

from __future__ import annotations

import re
from typing import Any

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLParserException, HTMLTree

from data_curation.plain_text import Extracted, Unreadable, decoded, tidy

_NAVIGATION = [
    "nav", "header", "footer", "aside", "form", "button", "[role=navigation]", "[role=banner]", "[role=contentinfo]",
    "[role=search]", ".navheader", ".navfooter", ".docnav", "#banner", ".sphinxsidebar", ".related", ".headerlink",
]  # fmt: skip
_CHARSET = re.compile(rb"""(?i)<meta[^>]{0,200}?charset\s*=\s*["']?\s*([a-z0-9_-]{2,40})""")
_XML_CHARSET = re.compile(rb"""^<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9_.-]{2,40})["']""")
_HEAD = 4096
_LEAST_SHARE = 0.2


def from_html(data: bytes) -> Extracted:
    """Read a page; its language is the ``lang`` (or ``xml:lang``) of its root, its title the ``title`` element.

    Raises:
        Unreadable: the bytes are not what the page declares, or cannot be parsed.
    """
    page = decoded(data, declared_charset(data))
    try:
        tree = HTMLTree.parse(page)
        return Extracted(_text(tree, len(page)), _language(tree), " ".join((tree.title or "").split()) or None)
    except (HTMLParserException, RuntimeError) as fault:
        raise Unreadable("not-html", f"cannot be parsed as HTML ({fault})") from fault


def declared_charset(data: bytes) -> str | None:
    """The charset that the first 4,096 bytes declare; an XML declaration goes before a ``meta`` element."""
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8"
    found = _XML_CHARSET.search(data[:_HEAD]) or _CHARSET.search(data[:_HEAD])
    return found[1].decode("ascii") if found else None


def _text(tree: Any, size: int) -> str:
    """Leave navigation out, except where four fifths of the text would go: there the markup means something else."""
    text = tidy(extract_plain_text(tree, main_content=False, alt_texts=False, skip_elements=_NAVIGATION))
    if len(text) >= _LEAST_SHARE * size:
        return text
    whole = tidy(extract_plain_text(tree, main_content=False, alt_texts=False))
    return text if len(text) >= _LEAST_SHARE * len(whole) else whole


def _language(tree: Any) -> str | None:
    root = tree.document.query_selector("html") if tree.document else None
    return (root.getattr("lang") or root.getattr("xml:lang") or None) if root else None
