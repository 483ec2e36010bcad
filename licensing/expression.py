"""Reading a declared licence into an SPDX expression, and an expression into its alternatives.

A name is accepted only where the SPDX licence list, the Debian copyright format 1.0 or the licence table's addresses
define it. Everything else gives None, which a decision turns into a review: a licence is never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from license_expression import ExpressionError, LicenseSymbol, Licensing, get_spdx_licensing

from licensing.rights import Declared

MOST_BRANCHES = 256
"""An expression with more alternatives is not read: no licence needs them, and their number grows exponentially."""

_LICENCE_REF = re.compile(r"(DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+")
_DEPRECATED_GNU = re.compile(r"(A|L)?GPL-\d\.\d\+?|GFDL-\d\.\d\+?")

_DEP5_NAMES = {
    "artistic": "Artistic-1.0",
    "cc0": "CC0-1.0",
    "expat": "MIT",
    "perl": "Artistic-1.0-Perl OR GPL-1.0-or-later",
    "psf-2": "PSF-2.0",
    "public-domain": "LicenseRef-public-domain",
    "zope-1.1": "ZPL-1.1",
    "zope-2.0": "ZPL-2.0",
    "zope-2.1": "ZPL-2.1",
}
_DEP5_EXCEPTIONS = {"font": "Font-exception-2.0", "classpath": "Classpath-exception-2.0"}
_DEP5_GNU = re.compile(r"(?P<family>a?l?gpl|gfdl)(?P<niv>-niv)?-(?P<version>\d(?:\.\d)?)(?:\.0)?(?P<later>\+?)")
_DEP5_WITH = re.compile(r"(?P<name>\S+) with (?P<what>\S+) exception", re.IGNORECASE)


def spdx(declared: Declared, urls: Mapping[str, str] | None = None) -> str | None:
    """Return the SPDX expression that was declared, in canonical spelling, or None where it cannot be known.

    ``urls`` maps addresses, as ``plain_address`` gives them, to SPDX ids (``LicenceTable.by_url``); without it no
    declaration of the form ``url`` can be read.
    """
    if declared.form == "spdx":
        return canonical(declared.text)
    if declared.form == "dep5":
        return _from_dep5(declared.text)
    if declared.form == "url":
        return (urls or {}).get(plain_address(declared.text))
    return None


@lru_cache(maxsize=4096)
def canonical(text: str) -> str | None:
    """Return an SPDX expression in canonical spelling; None for an unknown name, bad syntax or too much of it."""
    parsed = _parsed(text)
    if parsed is None or _count(parsed) > MOST_BRANCHES:
        return None
    return str(parsed.render())


@lru_cache(maxsize=4096)
def branches(expression: str) -> tuple[tuple[str, ...], ...]:
    """Return the alternatives of an expression, each the licence ids that all apply (disjunctive normal form).

    ``A AND (B OR C)`` gives ``((A, B), (A, C))``. ``X WITH E`` counts as one id. Raises ``ValueError`` where the
    expression is none that ``canonical`` accepts.
    """
    parsed = _parsed(expression)
    if parsed is None or _count(parsed) > MOST_BRANCHES:
        raise ValueError(f"'{expression}' is no SPDX expression that can be read; correct the declared licence")
    return tuple(dict.fromkeys(_alternatives(parsed)))


def joined(expressions: tuple[str, ...]) -> str | None:
    """Return one expression in which every given one applies; None where it has too many alternatives."""
    return canonical(" AND ".join(f"({expression})" for expression in expressions))


@lru_cache(maxsize=4096)
def conjuncts(expression: str) -> tuple[str, ...]:
    """Return the parts of an expression that all apply: ``A AND (B OR C)`` gives ``(A, B OR C)``.

    Raises ``ValueError`` where the expression is none that ``canonical`` accepts.
    """
    parsed = _parsed(expression)
    if parsed is None:
        raise ValueError(f"'{expression}' is no SPDX expression that can be read; correct the declared licence")
    return tuple(dict.fromkeys(_conjuncts(parsed)))


def plain_address(url: str) -> str:
    """Reduce an address to what tells licences apart: no scheme, ``www.``, query, deed, language or file ending."""
    address = url.strip().lower().partition("#")[0].partition("?")[0]
    address = re.sub(r"^[a-z]+://", "", address).removeprefix("www.")
    address = re.sub(r"/(deed|legalcode)(\.[a-z_-]+)?/?$", "", address)
    return re.sub(r"(\.(html|txt|json|rdf|en|de|fr|nl))+$", "", address.rstrip("/"))


def _parsed(text: str) -> Any:
    """Parse strictly; None where a name is not on the SPDX list and is no ``LicenseRef-``."""
    licensing = _licensing()
    try:
        parsed = licensing.parse(text, strict=True)
    except (ExpressionError, ValueError, IndexError, RecursionError):
        return None
    if parsed is None or any(not _is_known(symbol.key) for symbol in licensing.license_symbols(parsed)):
        return None
    return parsed


def _is_known(key: str) -> bool:
    return key in _licensing().known_symbols or _LICENCE_REF.fullmatch(key) is not None


@cache
def _licensing() -> Licensing:
    """The SPDX list alone.

    The library's list also carries names of other projects as aliases (``LicenseRef-MIT-TC`` for MIT); a LicenseRef
    means what its own author says, so those are left out. Deprecated GNU ids stay: SPDX defines what replaced them.
    """
    listed = get_spdx_licensing().known_symbols.values()
    return Licensing([_strict(symbol) for symbol in listed if not symbol.key.startswith("LicenseRef-")])


def _strict(symbol: Any) -> Any:
    aliases = tuple(alias for alias in symbol.aliases if _DEPRECATED_GNU.fullmatch(alias))
    return LicenseSymbol(symbol.key, aliases=aliases, is_exception=symbol.is_exception)


def _count(parsed: Any) -> int:
    """Number of alternatives, before any are made."""
    if not getattr(parsed, "args", ()):
        return 1
    counts = [_count(part) for part in parsed.args]
    if parsed.operator.strip() == "OR":
        return sum(counts)
    product = 1
    for count in counts:
        product *= count
    return product


def _conjuncts(parsed: Any) -> list[str]:
    if getattr(parsed, "args", ()) and parsed.operator.strip() == "AND":
        return [one for part in parsed.args for one in _conjuncts(part)]
    return [str(parsed.render())]


def _alternatives(parsed: Any) -> list[tuple[str, ...]]:
    if not getattr(parsed, "args", ()):
        return [(str(parsed.render()),)]
    parts = [_alternatives(part) for part in parsed.args]
    if parsed.operator.strip() == "OR":
        return [branch for part in parts for branch in part]
    product: list[tuple[str, ...]] = [()]
    for part in parts:
        product = [tuple(dict.fromkeys(left + right)) for left in product for right in part]
    return product


@lru_cache(maxsize=4096)
def _from_dep5(text: str) -> str | None:
    """Read a Debian ``License`` synopsis (copyright-format 1.0, sections 7.1 and 7.2).

    ``and`` binds tighter than ``or``; a comma before either sets the part in front of it apart:
    ``A or B, and C`` is ``(A OR B) AND C``. In ``A, B, or C`` the last operator holds for the whole list.
    """
    segments = [segment.strip() for segment in " ".join(text.split()).split(",")]
    operators = [_leading_operator(segment) for segment in segments]
    named = [operator for operator in operators[1:] if operator]
    if operators[0] or (len(segments) > 1 and not operators[-1]) or (None in operators[1:] and len(set(named)) > 1):
        return None
    read = [
        _from_dep5_words(segment.split(" ", 1)[1] if op else segment)
        for segment, op in zip(segments, operators, strict=True)
    ]
    result = read[0]
    for operator, part in zip(operators[1:], read[1:], strict=True):
        result = f"({result}) {(operator or named[0]).upper()} ({part})" if result and part else None
    return canonical(result) if result else None


def _leading_operator(segment: str) -> str | None:
    first, _, rest = segment.partition(" ")
    return first.lower() if rest and first.lower() in ("and", "or") else None


def _from_dep5_words(words: str) -> str | None:
    alternatives = []
    for alternative in re.split(r" or ", words, flags=re.IGNORECASE):
        names = [_from_dep5_name(name.strip()) for name in re.split(r" and ", alternative, flags=re.IGNORECASE)]
        known = [f"({name})" for name in names if name]
        if len(known) < len(names):
            return None
        alternatives.append(" AND ".join(known))
    return " OR ".join(alternatives)


def _from_dep5_name(name: str) -> str | None:
    exception = _DEP5_WITH.fullmatch(name)
    if exception:
        licence = _from_dep5_name(exception["name"])
        known = _DEP5_EXCEPTIONS.get(exception["what"].lower())
        return f"{licence} WITH {known}" if licence and known else None
    if name.lower() in _DEP5_NAMES:
        return _DEP5_NAMES[name.lower()]
    gnu = _DEP5_GNU.fullmatch(name.lower())
    if gnu:
        return _gnu(gnu)
    return _from_list(name)


def _gnu(found: re.Match[str]) -> str | None:
    version = found["version"] if "." in found["version"] else f"{found['version']}.0"
    middle = "-no-invariants" if found["niv"] else ""
    if middle and found["family"] != "gfdl":
        return None
    return canonical(f"{found['family'].upper()}-{version}{middle}-{'or-later' if found['later'] else 'only'}")


def _from_list(name: str) -> str | None:
    """A name of the SPDX list, where Debian may leave out a final ``.0`` (``Apache-2``)."""
    if " " in name or "(" in name:
        return None
    for spelling in (name, f"{name}.0", f"{name.removesuffix('.0')}"):
        found = canonical(spelling)
        if found:
            return found
    return None
