"""Text of a manual page: the macros of man(7) and mdoc(7) are taken off, escapes become the characters they stand for.

This is a reading of the page, not a typesetter: definitions of macros and strings are skipped, of conditionals only the
branch for terminals is kept, tables keep their cells between tabs. References: groff_man(7), groff_char(7), groff(7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from data_curation.plain_text import Extracted, decoded, tidy


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GLYPHS = {
    "aq": "'", "bu": "•", "co": "©", "rg": "®", "tm": "™", "at": "@", "rs": "\\", "em": "—", "en": "–", "hy": "-",
    "lq": "“", "rq": "”", "oq": "‘", "cq": "’", "dq": '"', "ti": "~", "ha": "^", "ga": "`", "bv": "|", "ba": "|",
    "de": "°", "ra": "→", "->": "→", "la": "⟨", "<-": "←", ">=": "≥", "<=": "≤", "!=": "≠", "mu": "×", "+-": "±",
    "Fo": "«", "Fc": "»", "fo": "‹", "fc": "›", "Bq": "„", "bq": "‚", "sh": "#", "Do": "$", "Eu": "€", "eu": "€",
    "lB": "[", "rB": "]", "lC": "{", "rC": "}", "sl": "/", "ul": "_", "ru": "_", "mi": "−", "pl": "+", "eq": "=",
    "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "/o": "ø", "/O": "Ø", "oa": "å", "oA": "Å", "12": "½",
    "14": "¼", "34": "¾", "sc": "§", "ps": "¶", "dg": "†", "dd": "‡", "ct": "¢", "Po": "£", "Ye": "¥", "mc": "µ",
    "*a": "α", "*b": "β", "*g": "γ", "*l": "λ", "*m": "μ", "*p": "π", "*W": "Ω", "if": "∞", "Aq": "'", "L\"": '"',
    "R\"": '"', "C`": "", "C'": "", "Tm": "™", "R": "®", "S": "", "--": "–",
}  # fmt: skip
_ACCENTS = {"'": "\u0301", "`": "\u0300", "^": "\u0302", ":": "\u0308", "~": "\u0303", ",": "\u0327"}
_ESCAPE = re.compile(
    r"""\\(?:
      (?P<glyph>\((?P<two>..)|\[(?P<long>[^\]\n]*)\]|C'(?P<named>[^'\n]*)')
    | \*(?:\((?P<string2>..)|\[(?P<string>[^\]\n]*)\]|(?P<string1>.))
    | (?P<dropped>[fFgkMmnRYV](?:\(..|\[[^\]\n]*\]|[+-]?.) | s(?:\([+-]?..|\[[^\]\n]*\]|'[^'\n]*'|[+-]?\d\d?|[+-]?.)
        | [AbBDhHlLNoRSvwxXZ]'[^'\n]*' | [zc&/,:%^|!pudra{}t)])
    | (?P<space>[ ~0])
    | (?P<backslash>[e\\E])
    | (?P<other>.)
    )""",
    re.VERBOSE,
)
_REMARK = re.compile(r'\\["#].*')
_REQUEST = re.compile(r"[.'][ \t]*(\\?[^\s\\]*)[ \t]*(.*)")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"?|(\S+)')

_BREAKS = _words("""PP LP P TP TQ HP IP sp br RS RE Pp Bl El It Bd Ed D1 Dl nf fi EX EE TS TE Sp Vb Ve in ti SY YS""")
_HEADINGS = frozenset(("SH", "SS", "Sh", "Ss"))
_ALTERNATING = frozenset(("BR", "RB", "BI", "IB", "IR", "RI"))
_WITH_TEXT = frozenset(("B", "I", "SM", "SB", "R", "CW"))
_LINKS = frozenset(("UR", "MT", "URL", "MTO"))
_MDOC = _words(
    """Nm Nd Fl Ar Op Pa Em Sy Li Xr Dq Sq Aq Ql Cm Ic Va Vt Ev Er An Fn Ft Fa Dv Ad Tn Ux Bx At Bq Pq Qq Brq Lk Mt Cd
    Ms No St Bsx Fx Nx Ox"""
)
_LISTINGS = {"nf": True, "EX": True, "Vb": True, "Bd": True, "TS": True}
_PROSE = frozenset(("fi", "EE", "Ve", "Ed", "TE"))
_DEFINITIONS = frozenset(("de", "de1", "am", "ig", "dei", "ami"))


def from_man_page(data: bytes) -> Extracted:
    """Read a page; its title is the name and section that ``.TH`` or ``.Dt`` give.

    Raises:
        Unreadable: the bytes are not UTF-8.
    """
    page = _Page()
    lines = _without_definitions(decoded(data).replace("\r\n", "\n").split("\n"))
    for line in lines:
        page.take(line)
    return Extracted(tidy(page.text()), None, page.title)


class _Page:
    """Collects the text line by line: filled text is joined, headings and listings keep their lines."""

    def __init__(self) -> None:
        self.title: str | None = None
        self._done: list[str] = []
        self._filled: list[str] = []
        self._listing = False
        self._glue = False

    def take(self, line: str) -> None:
        if line[:1] in (".", "'") and (found := _REQUEST.fullmatch(line)):
            self._request(found[1], _REMARK.sub("", found[2]))
        elif line.strip():
            self._add(_unescaped(_REMARK.sub("", line)), line.endswith("\\c"))
        else:
            self._close(blank=True)

    def text(self) -> str:
        self._close()
        return "\n".join(self._done)

    def _request(self, name: str, rest: str) -> None:
        if name in ("TH", "Dt"):
            parts = _arguments(rest)
            self.title = f"{parts[0]}({parts[1]})" if len(parts) > 1 else None
        elif name in _HEADINGS:
            self._close(blank=True)
            self._add(_unescaped(" ".join(_arguments(rest))))
            self._close()
        elif name in _BREAKS:
            self._break(name, rest)
        elif name in _ALTERNATING:
            self._add("".join(map(_unescaped, _arguments(rest))))
        elif name in _WITH_TEXT or name in _MDOC:
            self._add(_unescaped(" ".join(_arguments(rest))))
        elif name in _LINKS:
            self._add(_unescaped(" ".join(_arguments(rest)[:1])))
        elif name in ("ie", "el", "if"):
            self._conditional(name, rest)

    def _break(self, name: str, rest: str) -> None:
        self._close(blank=name not in ("br", "in", "ti"))
        self._listing = _LISTINGS.get(name, self._listing and name not in _PROSE)
        if name in ("IP", "It"):
            label = _arguments(rest)[:1] if name == "IP" else _arguments(rest)
            self._add(_unescaped(" ".join(label)))

    def _conditional(self, name: str, rest: str) -> None:
        """Keep what is for terminals (``n``); both branches of any other test are set-up that prints nothing."""
        found = re.match(r"(!?[nt])[ \t]+(.*)", rest)
        body = found[2] if found and found[1] in ("n", "!t") else ""
        if body and not body.startswith("\\{"):
            self.take(body)

    def _add(self, text: str, glued: bool = False) -> None:
        if not text.strip():
            return
        if self._glue and self._filled:
            self._filled[-1] += text
        else:
            self._filled.append(text)
        self._glue = glued
        if self._listing and not glued:
            self._close()

    def _close(self, blank: bool = False) -> None:
        if self._filled:
            joined = " ".join(self._filled)
            self._done.append(joined if self._listing else " ".join(joined.split()))
        if blank and not self._listing and self._done and self._done[-1]:
            self._done.append("")
        self._filled = []


def _without_definitions(lines: list[str]) -> Iterator[str]:
    """Leave out remarks, definitions (``.de X`` to ``..``) and conditional blocks (``\\{`` to ``\\}``) as a whole."""
    end: str | None = None
    depth = 0
    for line in lines:
        if end is not None:
            end = None if line.rstrip() == end or line.startswith(end + " ") else end
            continue
        found = _REQUEST.fullmatch(line) if line[:1] in (".", "'") else None
        if depth or (found and found[1] in ("if", "ie", "el") and "\\{" in line):
            depth += line.count("\\{") - line.count("\\}")
        elif found and found[1] in _DEFINITIONS:
            words = found[2].split()
            wanted = words[:1] if found[1] == "ig" else words[1:2]
            end = f".{wanted[0]}" if wanted and not wanted[0].startswith("\\") else ".."
        elif not (found and found[1].startswith('\\"')):
            yield line


def _arguments(text: str) -> list[str]:
    return [
        quoted.replace('""', '"') if word == "" else word
        for quoted, word in _QUOTED.findall(text.replace("\\ ", "\\~"))
    ]


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    if found["glyph"]:
        return _glyph(found["two"] or found["long"] or found["named"] or "")
    if name := (found["string2"] or found["string"] or found["string1"]):
        return _GLYPHS.get(name, "")
    if found["space"]:
        return " "
    if found["backslash"]:
        return "\\"
    return "" if found["dropped"] else found["other"]


def _glyph(name: str) -> str:
    if name in _GLYPHS:
        return _GLYPHS[name]
    if code := re.fullmatch(r"u([0-9A-F]{4,6})", name):
        return chr(int(code[1], 16)) if int(code[1], 16) <= 0x10FFFF else ""
    if len(name) == 2 and name[0] in _ACCENTS and name[1].isalpha():
        return f"{name[1]}{_ACCENTS[name[0]]}"
    return name if len(name) == 1 else ""
