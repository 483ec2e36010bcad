"""The card of a dataset on a hub: the YAML at the top of its ``README.md``.

``license`` holds hub short names. Many are SPDX ids in lower case; one that is not (``cc``, ``other``, ``odc-by``,
``openrail``) is prose, for the hub does not say which licence, version or terms it means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from licensing.resolvers.front_matter import fields
from licensing.resolvers.values import prose
from licensing.rights import Declared

_LICENCE = frozenset(("license", "licence"))
_FIELDS = re.compile(r"licen[cs]e(?:_name|_link)?|extra_gated_prompt", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Card:
    """What a card says: the licences it lists, and what else it says about terms."""

    licences: tuple[Declared, ...]
    terms: tuple[Declared, ...]


def read(text: str, where: str = "README.md") -> Card:
    """Read a card; one whose front matter cannot be read has its licence as prose. No front matter declares nothing.

    ``license_name`` and ``license_link`` say what ``license: other`` means, and conditions of access
    (``extra_gated_prompt``) are terms: all of them stand beside the licences and are not part of a choice among them.
    """
    found = fields(text, where, _FIELDS)
    listed = tuple(one for key, one in found if key in _LICENCE)
    terms = tuple(_term(key, one) for key, one in found if key not in _LICENCE)
    return Card(listed, terms)


def _term(key: str, found: Declared) -> Declared:
    return prose(found.text, found.where) if key == "extra_gated_prompt" else found
