"""No resolver raises on any input, and what it calls SPDX is SPDX."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licensing.expression import canonical
from licensing.resolvers import croissant, document, front_matter, html, hub_card, licence_text, reuse, spdx_tags, xml
from licensing.resolvers.structured import declared_by
from licensing.rights import Declared

PIECES = st.sampled_from(
    [
        "---", "+++", "...", ":", ",", "[", "]", "{", "}", "<", ">", "(", ")", '"', "'", "&", "*", "#", ";", "=", "()",
        "license", "licence", "rights", "MIT", "CC-BY-4.0", "AND", "OR", "WITH", "<a ", "rel=license", "href=",
        "<meta ", "name=", "content=", "property=", "itemprop=", "<figure>", "</figure>", "</script>",
        '<script type="application/ld+json">', '{"license":', '{"@graph":', '"@id":', "<licence ", "target=", "/>",
        "<availability>", "<?xml", "<!DOCTYPE", "&#0;", "SPDX-License-Identifier:", "License:", "Files:", "Copyright",
        "[[annotations]]", "path=", "extra_gated_prompt", "&a", "*a", "\ud800", "\0", "\x85", "\u2028", "\ufeff",
    ]
)  # fmt: skip
MARKUP = st.lists(st.one_of(PIECES, st.sampled_from(["\n", " ", "\r\n"]), st.text(max_size=8)), max_size=60).map(
    "".join
)
TEXTS = st.one_of(MARKUP, MARKUP.map(lambda body: f"---\nlicense: {body}\n---\n"), st.text())
BYTES = st.one_of(TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary())
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.just("MIT")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["license", "@graph", "@type", "url", "name", "distribution", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)

BY_BYTES: dict[str, Callable[[bytes], tuple[Declared, ...]]] = {
    "html": lambda data: html.declared(data, "x"),
    "xml": lambda data: xml.declared(data, "x"),
    "licence file": lambda data: licence_text.declared(data, "x"),
    "side file": lambda data: spdx_tags.side_file(data, "x"),
    "reuse": lambda data: reuse.read(data, "x").declared("x"),
    "page": lambda data: document.declared("x.html", data),
    "text": lambda data: document.declared("x.md", data),
    "tei": lambda data: document.declared("x.xml", data),
}
BY_TEXT: dict[str, Callable[[str], tuple[Declared, ...]]] = {
    "front matter": lambda text: front_matter.declared(text, "x"),
    "croissant": lambda text: croissant.declared(text, "x"),
    "hub card": lambda text: (*hub_card.read(text).licences, *hub_card.read(text).terms),
}


def check(found: tuple[Declared, ...]) -> None:
    for one in found:
        assert one.text and one.where
        one.text.encode()
        one.where.encode()
        if one.form == "spdx":
            assert canonical(one.text) is not None


@pytest.mark.parametrize("resolver", sorted(BY_BYTES))
@settings(max_examples=120, deadline=None)
@given(data=BYTES)
def test_bytes(resolver: str, data: bytes) -> None:
    check(BY_BYTES[resolver](data))


@pytest.mark.parametrize("resolver", sorted(BY_TEXT))
@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
def test_texts(resolver: str, text: str) -> None:
    check(BY_TEXT[resolver](text))


@settings(max_examples=200, deadline=None)
@given(value=JSON)
def test_values(value: object) -> None:
    check(declared_by(value, "x"))
    card = json.dumps({"@type": "Dataset", "license": value, "distribution": value, "usageInfo": value})
    check(croissant.declared(card, "x"))
    check(html.declared(f'<script type="application/ld+json">{card}</script>'.encode(), "x"))


@settings(max_examples=300, deadline=None)
@given(text=MARKUP)
def test_expressions(text: str) -> None:
    assert canonical(text) is None or canonical(str(canonical(text))) == canonical(text)


@pytest.mark.parametrize(
    "data",
    [
        b"<div>" * 200_000 + b'<a rel="license" href="x">',
        b"<a rel=license href=" + b"x" * 3_000_000,
        b'<script type="application/ld+json">{"license":' + b'{"license":' * 100_000,
        b'<script type="application/ld+json">' + b'{"license":[' * 900 + b"]}" * 900 + b"</script>",
        b"<license " * 100_000,
        b"---\nlicense: " + b"(" * 900 + b"\n---\n",
        b"---\nlicense: " + b"- " * 30_000 + b"\n---\n",
        b"+++\nlicense = " + b"[" * 60_000 + b"\n+++\n",
        b"(" * 100_000,
        b"MIT AND " * 120,
        b"http://" * 100_000,
        b"".join(b'<a rel="license" href="%d">' % number for number in range(5000)),
        b"<b property=license>" * 250 + b"x" * 2_000_000,
    ],
)
def test_what_is_deep_or_long(data: bytes) -> None:
    for name in sorted(BY_BYTES):
        check(BY_BYTES[name](data))
    for resolver in BY_TEXT.values():
        check(resolver(data.decode()))
