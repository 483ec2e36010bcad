"""Addresses and the path patterns that robots.txt, TDMRep, RSL and ai.txt have in common (RFC 9309, section 2.2.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_AMBIGUOUS = re.compile(r"[\\\x00-\x1f\x7f]")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_KEPT = "%/:?#[]@!&'()+,;=-._~"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """A web address taken apart: the folder name of its host, and path with query in comparable form.

    ``http`` and ``https`` share a host; a port other than the scheme's own is part of its name (``HOST+8080``).
    """

    host: str
    target: str

    @property
    def key(self) -> str:
        """One text for one address, whatever its scheme."""
        return self.host + self.target

    @property
    def url(self) -> str:
        """The address as shown to people."""
        return f"https://{self.host.replace('+', ':')}{self.target}"


def address(url: str | None) -> Address | None:
    """Take an address apart; None where it is no ``http`` or ``https`` address with a usable host."""
    text = (url or "").strip()
    # A backslash or a control character is read differently by browsers and by this library: which host is meant?
    if _AMBIGUOUS.search(text):
        return None
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").rstrip(".").encode("idna").decode("ascii").lower()
        port = parts.port
    except (ValueError, UnicodeError):
        return None
    if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host):
        return None
    own_port = port in (None, _DEFAULT_PORTS[parts.scheme])
    query = f"?{parts.query}" if parts.query else ""
    return Address(host if own_port else f"{host}+{port}", _literal(_without_dots(parts.path or "/") + query))


def normal_pattern(pattern: str) -> str:
    """A pattern in comparable form; ``*`` and a ``$`` at its end keep their meaning."""
    end = "$" if pattern.endswith("$") else ""
    body = pattern.removesuffix("$")
    return "*".join(_literal(part) for part in body.split("*")) + end


def matches(pattern: str, target: str) -> bool:
    """Say whether a pattern matches a target from its start; ``*`` is any text, a final ``$`` the end.

    Both in comparable form. The time taken grows with the length of the target and never explodes.
    """
    anchored = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not target.startswith(first):
        return False
    place = len(first)
    if not rest:
        return not anchored or place == len(target)
    *middle, last = rest
    for part in middle:
        found = target.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return target.endswith(last) and len(target) - len(last) >= place if anchored else target.find(last, place) >= 0


def _literal(text: str) -> str:
    """Escape what has a meaning in patterns or is not ASCII; undo escapes of characters that need none."""

    def settle(found: re.Match[str]) -> str:
        character = chr(int(found[1], 16))
        return character if character in _UNRESERVED else found[0].upper()

    return quote(_ESCAPE.sub(settle, text), safe=_KEPT, errors="replace")


def _without_dots(path: str) -> str:
    """Resolve ``.`` and ``..`` (RFC 3986, section 5.2.4), so that no spelling walks around a rule."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        plain = segment.lower().replace("%2e", ".")
        if plain == "..":
            del kept[-1:]
        elif plain != ".":
            kept.append(segment)
    if segments and segments[-1].lower().replace("%2e", ".") in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
