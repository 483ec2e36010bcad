"""A licence text reduced to what counts when two are compared (SPDX License List Matching Guidelines, v3.0 annex B).

Case, white space, quotes, dashes, list markers, comment and heading marks, rules made of one character, copyright
notices, spelling variants and http/https do not count; every word and all other punctuation does. Where the guidelines
let a text of any length be replaced, this module lets only a name stand, for a condition could hide there.
"""

from __future__ import annotations

import re
import unicodedata

_SIGNS = str.maketrans(
    {**dict.fromkeys("‐‑‒–—―−", "-"), **dict.fromkeys("“”„‟«»″'‘’‚‛`´′", '"'), "©": " (c) ", "\u00ad": "", "\ufeff": ""}
)
_MARKUP = re.compile(r"[*_#<>|\\~]")
_JOINING = re.compile(r"(?<=[^\W_])_(?=[^\W_])")
_RULE = re.compile(r"^[^\w]*$")
_PREFIX = re.compile(r"^(?://+|;+|%+|--(?=\s)|\.\.(?=\s)|rem\s|dnl\s|[#>|*!]+)\s*", re.IGNORECASE)
_BULLET = re.compile(
    r"^(?:[-•·o+](?=\s)|[a-z]\)|[ivx]{1,5}\)|\d{1,2}\)|\d{1,2}(?:\.\d{1,2})*\.(?=\s|[a-z]|$)|[a-z]\.(?=\s|$))\s*"
)
_ENUMERATOR = re.compile(r"\((?:[a-z]|[ivx]{1,5}|\d{1,2})\)")
_JOINED_SIGN = re.compile(r"([:;,])(?=[a-z\"(])")
_BEGINS_ITEM = re.compile(r"(?:^|[.:;,\")]|\band|\bor)$")
_ADDRESS_END = re.compile(r"(http://[^\s>)\]]{0,300}?)/(?=[\s>)\].,;]|$)")

_VARIANTS = {
    "acknowledgement": "acknowledgment", "analogue": "analog", "analyse": "analyze", "artefact": "artifact",
    "authorisation": "authorization", "authorised": "authorized", "calibre": "caliber", "cancelled": "canceled",
    "catalogue": "catalog", "categorise": "categorize", "centre": "center", "emphasised": "emphasized",
    "favour": "favor", "favourite": "favorite", "fulfil": "fulfill", "fulfilment": "fulfillment",
    "initialise": "initialize", "judgement": "judgment", "labelling": "labeling", "labour": "labor",
    "licence": "license", "licences": "licenses", "modelling": "modeling",
    "noncommercial": "non-commercial", "organisation": "organization", "organisations": "organizations",
    "practise": "practice", "programme": "program", "realise": "realize", "recognise": "recognize",
    "signalling": "signaling", "sublicence": "sublicense", "sub-license": "sublicense", "sub-licence": "sublicense",
    "utilisation": "utilization", "whilst": "while", "wilful": "willful",
}  # fmt: skip
_DASHES = re.compile(r"-{2,}")
_BROKEN_WORD = re.compile(r"(?<=\w)- (?=\w)")
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")

_YEAR = re.compile(r"\b(?:19|20)\d\d\b|\(c\)|[<\[{](?:years?|yyyy)[>\]}]", re.IGNORECASE)
_NOTICE = re.compile(r"(?:portions |parts )?(?:copyright|\(c\))", re.IGNORECASE)
_RESERVED = re.compile(r"all rights reserved\.?", re.IGNORECASE)
_GROUP = re.compile(
    r"(?:(?:portions|parts|copyright|\(c\)|\d[\d,-]*(?:present,?)?|-|present,?|by|the) )+(?:[\w.'&()/-]+ ){0,4}"
    r"(?:contributors|authors|developers|maintainers|team|project)[.,]?(?: all rights reserved\.?)?",
    re.IGNORECASE,
)
_CONNECTORS = frozenset(
    [
        "a", "al", "all", "and", "another", "any", "by", "c", "contributors", "copyright", "authors", "de", "del",
        "der", "den", "des", "developers", "di", "du", "e", "et", "for", "foundation", "from", "in", "individual",
        "its", "la", "le", "null", "others", "owner", "owners", "holder", "holders", "name", "of", "organization",
        "portions", "present", "project", "reserved", "rights", "team", "the", "to", "und", "van", "von", "y",
        "year", "yyyy",
    ]
)  # fmt: skip
_CONDITION = re.compile(
    r"\b(?:not|no|non|only|may|must|shall|should|cannot|uses?|used|using|licen[cs]\w*|permi\w+|commerc\w*|kommerz\w*|"
    r"unless|except\w*|prohib\w*|forbid\w*|verbod\w*|verbot\w*|grant\w*|subject|research|provided|condition\w*|"
    r"restrict\w*|consent|approval|written|contact|pays?|paid|fees?|charge\w*|royalt\w*|purchase\w*|agree\w*|terms|"
    r"niet|geen|alleen|enkel|gebruik\w*|toestemming|betal\w*|betaal\w*|vergoeding|nicht|kein\w*|nur|nutzung|zustimmung|"
    r"geb[uü]hr\w*|pas|usage|utilis\w*|autoris\w*|payer|solo|solamente|seulement|uso|sans|sin|ohne|zonder)\b",
    re.IGNORECASE,
)

_LIMIT = re.compile(r"\b(?:to|for|if|when|who|which|that|until|where)\b")
_NAME = r"(?:[^\s\"]+ ){1,10}?"
_HOLDERS = (
    (re.compile(rf"neither the names? of {_NAME}nor the names of (?:its|their|any|the) "), "neither holder nor its "),
    (re.compile(rf"is provided by {_NAME}\"as is\""), 'is provided by holder "as is"'),
    (re.compile(rf"in no event shall {_NAME}be liable"), "in no event shall holder be liable"),
    (re.compile(rf"\"as is\" and {_NAME}disclaims? all"), '"as is" and holder disclaims all'),
)  # fmt: skip


def lines_of(text: str) -> list[str]:
    """The lines that count, each normalised; blank lines, rules and copyright notices are gone."""
    kept: list[str] = []
    before = ""
    for raw in text.splitlines():
        line = _line(raw, begins=_BEGINS_ITEM.search(before) is not None)
        before = line
        if line:
            kept.append(line)
    return kept


def joined(lines: list[str]) -> str:
    """Lines as one text: where a line ended does not count."""
    text = _BROKEN_WORD.sub("-", _DASHES.sub("-", " ".join(lines)))
    return " ".join(_WORD.sub(_spelt, text).split())


def with_holders_replaced(text: str) -> str:
    """A normalised text in which the holder's name, where BSD-like texts repeat it, is the same word for all.

    A phrase that says more than a name is left as it stands, so that such a text matches nothing.
    """
    for pattern, instead in _HOLDERS:
        text = pattern.sub(lambda found, to=instead: found[0] if _says_more(found[0]) else to, text)  # type: ignore[misc]
    return text


def _says_more(phrase: str) -> bool:
    name = re.sub(
        r"^(?:neither the names? of|is provided by|in no event shall|\"as is\" and) |nor the names .*$", "", phrase
    )
    return (_CONDITION.search(name) or _LIMIT.search(name)) is not None


def _line(raw: str, begins: bool) -> str:
    """One line; a list marker is one only where an item can begin, for a line may break within "section 7."."""
    text = unicodedata.normalize("NFKC", raw).translate(_SIGNS).strip()
    text = " ".join(_PREFIX.sub("", text).split())
    if not text or _RULE.match(text) or _is_notice(text):
        return ""
    text = _MARKUP.sub("", _JOINING.sub(" ", text)).strip().lower().replace("https://", "http://")
    text = _ENUMERATOR.sub(" ", _BULLET.sub("", text) if begins else text)
    return " ".join(_JOINED_SIGN.sub(r"\1 ", _ADDRESS_END.sub(r"\1", text)).split())


def _is_notice(line: str) -> bool:
    """A copyright notice and nothing else: a year or (c), then names; a word that could be a condition tells no."""
    if _RESERVED.fullmatch(line):
        return True
    if not _NOTICE.match(line) or not _YEAR.search(line) or _CONDITION.search(line) or len(line) > 300:
        return False
    return _GROUP.fullmatch(line) is not None or all(_is_name(word) for word in line.split())


def _is_name(word: str) -> bool:
    bare = word.strip(".,;:()<>[]{}\"'&-+/")
    return (
        not bare
        or not bare[0].islower()
        or bare.lower() in _CONNECTORS
        or "@" in bare
        or "://" in bare
        or word[0] in "<[{"
    )


def _spelt(word: re.Match[str]) -> str:
    return _VARIANTS.get(word[0], word[0])
