"""What stands within a line of AsciiDoc, as it is shown: links, references, footnotes, marks of bold and italics."""

from __future__ import annotations

import re
from collections.abc import Mapping

_INDEX_TERMS = re.compile(r"\(\(\([^()]{0,500}\)\)\)|\bindexterm2?:\[[^\]]{0,500}\]")
_SHOWN_TERM = re.compile(r"(?<!\()\(\(([^()\n]{1,500})\)\)(?!\))")
_ANCHOR = re.compile(r"\[\[[\w:., -]{0,200}\]\]|\[#[\w-]{1,200}\](?=\S)|\banchor:[\w-]{1,200}\[[^\]]{0,200}\]")
_REFERENCE = re.compile(r"<<([^<>,\n]{1,500})(?:,([^<>\n]{0,500}))?>>|\bxref:([^\s\[]{1,500})\[([^\]]{0,500})\]")
_LINK = re.compile(r"(?:\blink:)?\b((?:https?|ftp|irc|mailto|file):[^\s\[\]<>]{1,2000})\[([^\]]{0,1000})\]")
_LOCAL_LINK = re.compile(r"\blink:([^\s\[]{1,2000})\[([^\]]{0,1000})\]")
_IMAGE = re.compile(r"\b(?:image|icon|audio|video):(?!:)[^\s\[]{1,1000}\[[^\]]{0,1000}\]")
_FOOTNOTE = re.compile(
    r"\bfootnote(?:ref)?:[\w-]{0,100}\[([^\[\]]{0,2000}(?:\[[^\[\]]{0,500}\][^\[\]]{0,2000}){0,9})\]"
)
_MACRO = re.compile(r"\b(?:kbd|btn|menu|pass|stem|latexmath|asciimath):([^\s\[]{0,200})\[([^\]]{0,500})\]")
_DOUBLED = re.compile(r"(\*\*|__|``|\+\+|##)(?=\S)(.{1,400}?)(?<=\S)\1")
_MARKED = re.compile(r"(?<![\w\\*_`+#])([*_`+#])(?=[^\s*_`+#])([^\n]{0,400}?[^\s\\])\1(?![\w*_`+#])")
_ROLE = re.compile(r"\[[.\w][\w. -]{0,100}\](?=[#*_`])")
_PASS = re.compile(r"(?:\+\+\+|\$\$)(.{0,400}?)(?:\+\+\+|\$\$)")
_ATTRIBUTE = re.compile(r"\\?\{([\w-]{1,100})\}")
_ESCAPED = re.compile(r"\\(?=[*_`+#{<\[(])")
_CURLED = (('"`', "“"), ('`"', "”"), ("'`", "‘"), ("`'", "’"))
_BUILT_IN = {
    "nbsp": "\u00a0", "zwsp": "", "apos": "'", "quot": '"', "lsquo": "‘", "rsquo": "’", "ldquo": "“", "rdquo": "”",
    "deg": "°", "plus": "+", "brvbar": "¦", "vbar": "|", "amp": "&", "lt": "<", "gt": ">", "startsb": "[", "endsb": "]",
    "caret": "^", "asterisk": "*", "tilde": "~", "backslash": "\\", "backtick": "`", "two-colons": "::",
    "two-semicolons": ";;", "cpp": "C++", "empty": "", "blank": "", "sp": " ", "wj": "",
}  # fmt: skip


def shown(line: str, attributes: Mapping[str, str]) -> str:
    """One line as it is shown; a footnote stands in brackets, an unknown attribute as written."""
    if not _worth(line):
        return line
    line = _ANCHOR.sub("", _INDEX_TERMS.sub("", line))
    line = _IMAGE.sub("", line)
    line = _FOOTNOTE.sub(lambda found: f" ({found[1].strip()})" if found[1].strip() else "", line)
    line = _LINK.sub(lambda found: _label(found[2]) or found[1].removeprefix("mailto:"), line)
    line = _LOCAL_LINK.sub(lambda found: _label(found[2]) or found[1], line)
    line = _REFERENCE.sub(_reference, line)
    line = _MACRO.sub(lambda found: " ".join(part for part in found.groups() if part), line)
    line = _SHOWN_TERM.sub(r"\1", line)
    line = _ATTRIBUTE.sub(lambda found: _value(found, attributes), line)
    return _ESCAPED.sub("", _unmarked(line))


def _worth(line: str) -> bool:
    return any(sign in line for sign in "[]{}<(*_`+#\\$")


def _unmarked(line: str) -> str:
    for mark, sign in _CURLED:
        line = line.replace(mark, sign)
    line = _PASS.sub(r"\1", _ROLE.sub("", line))
    line = _DOUBLED.sub(r"\2", line)
    for _ in range(2):
        line = _MARKED.sub(r"\2", line)
    return line


def _label(text: str) -> str:
    """The text of a link without its attributes: ``site,window=_blank`` is ``site``, and ``^`` opens a window."""
    text = text.strip()
    if text.startswith('"') and '"' in text[1:]:
        return text[1 : text.index('"', 1)]
    return re.sub(r",\s*[\w-]+=.*$", "", text).removesuffix("^").strip()


def _reference(found: re.Match[str]) -> str:
    target, label = (found[1], found[2]) if found[1] else (found[3], found[4])
    return (label or "").strip() or target.rpartition("#")[2].strip("_").replace("_", " ")


def _value(found: re.Match[str], attributes: Mapping[str, str]) -> str:
    if found[0].startswith("\\"):
        return found[0][1:]
    name = found[1].lower()
    return _BUILT_IN[name] if name in _BUILT_IN else attributes.get(name, found[0])
