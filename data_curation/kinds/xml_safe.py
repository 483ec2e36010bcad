"""XML parsed without reading, fetching or expanding anything that stands elsewhere, in time linear in its size.

An outside DTD may be named (DocBook 4 and NITF name one by custom) and is never read; a document whose text needs it is
refused. Definitions in the file's own DTD are refused before parsing starts, for XML bombs are made of them: entities
within entities, one large entity many times over, a large default value for an attribute that every element gets.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from data_curation.plain_text import Unreadable, decoded

XML = "{http://www.w3.org/XML/1998/namespace}"

_HEAD = 400
_WIDE = ("utf-16-le", "utf-16-be")
_ENCODING = re.compile(r"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9_.:-]{2,40})["']""")
_PROLOG = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->", re.DOTALL)
_DOCTYPE = re.compile(r"""<!DOCTYPE(?:[^\["'>]|"[^"]*"|'[^']*')*(\[)?""")
_SUBSET = re.compile(
    r"""\s+|<!--.*?-->|<\?.*?\?>|(?P<reference>%)[^;\s]+;|<!(?P<name>[A-Z]+)(?:[^"'<>]|"[^"]*"|'[^']*')*>""", re.DOTALL
)
_UNDEFINED = frozenset((26, 27))
"""libxml2's codes for an entity that nothing defines (XML_ERR_UNDECLARED_ENTITY, XML_WAR_UNDECLARED_ENTITY)."""

OPTIONS: dict[str, bool] = {
    "resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False,
    "remove_comments": True, "remove_pis": True,
}  # fmt: skip
"""What every parser is made with; without ``huge_tree``, libxml2 refuses more than 256 levels."""


def parse_xml(data: bytes) -> Any:
    """Parse one document and return its root element.

    Raises:
        Unreadable: wrong bytes, not well-formed, nested deeper than 256, or with entities of its own or of an outside
            DTD.
    """
    text = decoded_xml(data)
    refuse_definitions(text)
    parser = etree.XMLParser(encoding="utf-8", **OPTIONS)
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as fault:
        raise Unreadable("not-xml", f"not well-formed XML ({fault})") from fault
    refuse_undefined(parser.error_log)
    return root


def decoded_xml(data: bytes) -> str:
    """Decode as the mark or the XML declaration says (XML 1.0, section 4.3.3), strictly; without either as UTF-8.

    Raises:
        Unreadable: a byte does not fit, the charset is not read, or mark and declaration contradict each other.
    """
    name = charset(data)
    if name not in _WIDE:
        return decoded(data, name)
    try:
        return data.decode(name).removeprefix("\ufeff")
    except UnicodeDecodeError as fault:
        raise Unreadable("not-utf-8", f"byte {fault.start} is not UTF-16") from fault


def charset(data: bytes) -> str:
    """The charset of a document by its first bytes; all that are read but UTF-16 write markup as ASCII does.

    Raises:
        Unreadable: the charset is not read, or mark and declaration contradict each other.
    """
    if data[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        raise Unreadable("not-utf-8", "is UTF-32, which is not read")
    wide = _wide(data)
    found = _ENCODING.match(data[:_HEAD].decode(wide or "latin-1", "replace").lstrip("\ufeff\xef\xbb\xbf"))
    name = found[1].lower() if found else None
    if name and name.startswith("utf-16") != (wide is not None):
        raise Unreadable("not-utf-8", f"declares the charset '{name}' and is {'' if wide else 'not '}UTF-16")
    if wide:
        return wide
    if data.startswith(b"\xef\xbb\xbf") and name not in (None, "utf-8", "utf8"):
        raise Unreadable("not-utf-8", f"declares the charset '{name}' and begins with the mark of UTF-8")
    try:
        decoded(b"<", name)
    except LookupError as fault:
        raise Unreadable("not-utf-8", f"declares the charset '{name}', which is not read") from fault
    return name or "utf-8"


def refuse_definitions_in(head: bytes) -> None:
    """As `refuse_definitions`, by the first bytes of a stream, which must reach as far as the root element.

    Raises:
        Unreadable: it defines something, or its root element is not among these bytes.
    """
    codec = charset(head)
    text = head.decode(codec if codec in _WIDE else "latin-1", "replace").lstrip("\ufeff\xef\xbb\xbf")
    refuse_definitions(text)
    at = _after(_PROLOG, text, 0)
    if not text.startswith("<", at) or text.startswith(("<!--", "<?"), at):
        raise Unreadable("not-xml", f"no root element within its first {len(head)} bytes")


def refuse_definitions(text: str) -> None:
    """Refuse a document whose own DTD defines entities or attributes, or cannot be read.

    Raises:
        Unreadable: it does.
    """
    at = _after(_PROLOG, text, 0)
    opened = _DOCTYPE.match(text, at)
    if opened is None or opened[1] is None:
        return
    at = opened.end()
    while found := _SUBSET.match(text, at):
        if found["reference"] or found["name"] in ("ENTITY", "ATTLIST"):
            what = "attributes" if found["name"] == "ATTLIST" else "entities"
            raise Unreadable("entities-refused", f"defines {what} in its DTD, which are never expanded")
        at = found.end()
    if not text.startswith("]", at):
        raise Unreadable("not-xml", "its document type declaration cannot be read")


def refuse_undefined(log: Any) -> None:
    """Refuse a document that refers to what only an outside DTD could define.

    Raises:
        Unreadable: libxml2's log of parsing it says so.
    """
    for entry in log:
        if entry.type in _UNDEFINED:
            raise Unreadable(
                "entities-refused", f"needs an outside DTD, which is never read (line {entry.line}: {entry.message})"
            )


def local_name(element: Any) -> str:
    """Name without namespace, as written; empty for what is no element."""
    return element.tag.rpartition("}")[2] if element is not None and isinstance(element.tag, str) else ""


def _wide(data: bytes) -> str | None:
    if data.startswith((b"\xff\xfe", b"<\0?\0")):
        return "utf-16-le"
    return "utf-16-be" if data.startswith((b"\xfe\xff", b"\0<\0?")) else None


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    while found := pattern.match(text, at):
        at = found.end()
    return at
