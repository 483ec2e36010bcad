"""IP addresses that belong to somebody: global by IANA's registries, and not four numbers of a version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from data_curation.personal.context import ContextWords
from data_curation.personal.found import Found
from data_curation.personal.rules import IpRules

_V4 = re.compile(r"[0-9](?<!\w.)[0-9]{0,2}+(?:\.[0-9]{1,3}){3}(?!\w|\.[0-9]|-[0-9]|/)")
# Every global address begins with 2 or 3 (2000::/3).
_V6 = re.compile(r"[23][0-9a-fA-F]{1,3}(?<!\w\w\w\w\w):(?:[0-9a-fA-F]{0,4}:){1,7}[0-9a-fA-F]{0,4}(?![\w:/])")
_WORD_REACH = 40
# A label such as "IP:" has a letter that is no digit of an address.
_LABEL = re.compile(r"(?<!\w)(?=[^\W\d_]*[^\W\d_a-fA-F])[^\W\d_]+:\Z")
_LONGEST_LABEL = 20
_VERSION_REACH = 15


class IpAddresses:
    """Finds IP addresses, as ``ip-v4`` and ``ip-v6``."""

    def __init__(self, rules: IpRules) -> None:
        self._rules = rules
        self._words = ContextWords(rules.words, _WORD_REACH)
        self._version = ContextWords(rules.not_after, _VERSION_REACH)

    def find(self, text: str) -> Iterator[Found]:
        """Find addresses of both kinds."""
        for match in _V4.finditer(text):
            if _starts_freely(text, match.start(), "-.,/") and self._is_v4(text, match):
                yield Found("ip", *match.span(), "ip-v4")
        if "::" in text or text.count(":") > 6:
            for match in _V6.finditer(text):
                if _starts_freely(text, match.start(), ":.") and self._is_global(match.group(), IPv6Address):
                    yield Found("ip", *match.span(), "ip-v6")

    def _is_v4(self, text: str, match: re.Match[str]) -> bool:
        octets = [int(octet) for octet in match.group().split(".")]
        if not self._is_global(match.group(), IPv4Address) or self._version.before(text, match.start()):
            return False
        large = sum(octet >= self._rules.small_octet for octet in octets)
        return large >= 2 or self._words.before(text, match.start())

    def _is_global(self, address: str, family: type[IPv4Address] | type[IPv6Address]) -> bool:
        try:
            parsed = family(address)
        except AddressValueError:
            return False
        if not parsed.is_global or parsed.is_multicast:
            return False
        return not any(parsed.version == network.version and parsed in network for network in self._rules.exclude)


def _starts_freely(text: str, start: int, refused: str) -> bool:
    before = text[start - 1 : start]
    if before == ":" and _LABEL.search(text, max(0, start - _LONGEST_LABEL), start):
        return True
    return not before or not (before.isalnum() or before == "_" or before in refused)
