"""DocBook 4 and 5: books, articles and their parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from data_curation.kinds.days import day
from data_curation.kinds.markup import Markup, names, plain, text_of
from data_curation.kinds.xml_safe import XML, local_name
from data_curation.plain_text import Extracted, Unreadable

ROOTS = names("set book article part chapter section appendix preface refentry glossary sect1 sect2 reference")

_INFO = names(
    "info articleinfo bookinfo chapterinfo sectioninfo setinfo partinfo appendixinfo prefaceinfo refentryinfo"
)
_NAME = names("honorific firstname givenname othername surname lineage")
_MARKUP = Markup(
    blocks=names(
        """set book article part chapter section sect1 sect2 sect3 sect4 sect5 simplesect appendix preface dedication
        refentry refsect1 refsect2 refsect3 refsection refnamediv refsynopsisdiv cmdsynopsis refname refpurpose
        title subtitle titleabbrev bridgehead para simpara formalpara blockquote attribution epigraph abstract
        itemizedlist orderedlist variablelist segmentedlist simplelist calloutlist qandaset procedure listitem member
        term callout step question answer varlistentry figure informalfigure example informalexample table
        informaltable row tr caption note tip warning caution important sidebar glossary glossentry glossterm glossdef
        glosssee glossseealso bibliography biblioentry bibliomixed toc equation informalequation msgset"""
    ),
    dropped=names(
        """indexterm remark index titleabbrev mediaobject inlinemediaobject imageobject graphic inlinegraphic
        footnoteref beginpage areaspec refmiscinfo colspec spanspec toc lot co xref anchor legalnotice revhistory"""
    ),
    headers=_INFO,
    listings=names("programlisting screen literallayout synopsis funcsynopsisinfo address classsynopsisinfo"),
    cells=names("entry td th seg"),
)


def from_docbook(root: Any) -> Extracted:
    """Read a document; footnotes stand in line, index terms, remarks and the legal notice are left out.

    Raises:
        Unreadable: an ``<article>`` of another format (JATS has ``<front>`` and ``<body>``).
    """
    if any(local_name(child) in ("body", "front") for child in root):
        raise Unreadable("not-xml", f"its <{local_name(root)}> is not that of DocBook")
    info = [child for child in root if local_name(child) in _INFO]
    title = next((plain(one) for one in _children([root, *info], "title")), None)
    return Extracted(
        text_of(root, _MARKUP),
        root.get(f"{XML}lang") or root.get("lang"),
        title or None,
        author=_authors(info),
        published=_published(info),
        native_id=root.get(f"{XML}id") or root.get("id"),
    )


def _children(parents: list[Any], name: str) -> Iterator[Any]:
    return (child for parent in parents for child in parent if local_name(child) == name)


def _authors(info: list[Any]) -> str | None:
    found = [_name(one) for part in info for one in part.iter() if local_name(one) == "author"]
    return "; ".join(name for name in found if name) or None


def _name(author: Any) -> str:
    """The parts of a name in their order, without address and affiliation."""
    parts = [plain(one) for one in author.iter() if local_name(one) in _NAME]
    return " ".join(part for part in parts if part) or next(
        (plain(one) for one in author.iter() if local_name(one) in ("personname", "orgname")), ""
    )


def _published(info: list[Any]) -> str | None:
    """A date that is a whole day; others say nothing about an agreement's period."""
    dates = (*_children(info, "pubdate"), *_children(info, "date"))
    return next((found for one in dates if (found := day(plain(one)))), None)
