"""Bytes that nobody would write: every kind and reader of marked-up files answers with text or a problem."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from data_curation.extract import extract
from data_curation.readers import Source, read
from licensing.resolvers.document import declared
from tests.data_curation.test_kinds_asciidoc import BOOK
from tests.data_curation.test_kinds_docbook import ARTICLE5, BOOK4
from tests.data_curation.test_kinds_markdown import PAGE as MARKDOWN
from tests.data_curation.test_kinds_page_files import ALTO, ORDER, PAGE
from tests.data_curation.test_readers_news import NITF, item, message
from tests.data_curation.test_readers_rechtspraak import DECISION

SOURCE: TypeAdapter[Source] = TypeAdapter(Source)

VALID = {
    "a.adoc": [BOOK],
    "a.md": [MARKDOWN],
    "a.dbk": [ARTICLE5, BOOK4],
    "a.alto": [ALTO.format(version=4, order=ORDER), PAGE.format(version="2019-07-15")],
    "a.nitf": [NITF.format(status="usable")],
    "a.xml": [DECISION, item(), message(item("urn:a"), item("urn:b", 2, "stat:canceled"))],
}
READERS = {"news": "a.nitf a.xml", "ocr": "a.alto", "rechtspraak": "a.xml"}
SPLINTERS = (
    b"<", b">", b"&", b"&amp;", b"&x;", b"]]>", b"<!--", b"<![CDATA[", b"\0", b"\xff\xfe", b"<!DOCTYPE a [", b"]>",
    b'<!ENTITY a "b">', b"<?xml version='1.0' encoding='utf-16'?>", b"xmlns:a=''", b"xmlns='a'", b"index='-1'", b"|===",
    b"----", b"---\n", b"[[", b"((", b"<<", b"footnote:[", b"{", b"\r", b"\xc3", b"\xed\xa0\x80", b"<nitf/>",
    b"<p>" * 300,
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, valid: list[str]) -> bytes:
    """A valid file of which pieces were cut, doubled, or replaced."""
    data = draw(st.sampled_from(valid)).encode()
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 80)))
        new = draw(st.sampled_from((b"", data[start:end] * 2, *SPLINTERS)) | st.binary(max_size=6))
        data = data[:start] + new + data[end:]
    return data


def check_kind(name: str, data: bytes) -> None:
    found = extract(name, data)
    assert (found.text is None) == (found.problem is not None)
    if found.text is not None:
        found.text.encode()
    for one in declared(name, data):
        one.text.encode()


def check_reader(reader: str, name: str, data: bytes, **keys: object) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / name).write_bytes(data)
        made = {"name": "x", "partner": "X", "reader": reader, "path": ".", "include": ["*"], "licence": "MIT"} | keys
        rows = list(read(SOURCE.validate_python(made), folder, folder / "cache"))
        again = list(read(SOURCE.validate_python(made), folder, folder / "cache"))
    assert rows and [row.id for row in rows] == [row.id for row in again]
    for row in rows:
        assert (row.text is None) == (row.problem is not None)
        assert row.problem is None or row.detail


BUDGET = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
LARGE_BUDGET = settings(max_examples=4000, deadline=None, suppress_health_check=list(HealthCheck))


@BUDGET
@given(st.data())
def test_no_bytes_make_a_kind_fail(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(VALID)))
    check_kind(name, data.draw(st.binary(max_size=300) | mutated(VALID[name])))


@pytest.mark.parametrize("reader", sorted(READERS))
@BUDGET
@given(st.data())
def test_no_bytes_make_a_reader_fail(reader: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(READERS[reader].split()))
    check_reader(reader, name, data.draw(st.binary(max_size=100) | mutated(VALID[name])), largest_document=1500)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(VALID))
@LARGE_BUDGET
@given(st.data())
def test_many_bytes_make_no_kind_fail(name: str, data: st.DataObject) -> None:
    check_kind(name, data.draw(st.binary(max_size=300) | mutated(VALID[name])))


@pytest.mark.slow
@pytest.mark.parametrize("reader", sorted(READERS))
@LARGE_BUDGET
@given(st.data())
def test_many_bytes_make_no_reader_fail(reader: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(READERS[reader].split()))
    largest = data.draw(st.sampled_from((200, 1500, 1 << 20)))
    check_reader(reader, name, data.draw(st.binary(max_size=100) | mutated(VALID[name])), largest_document=largest)
