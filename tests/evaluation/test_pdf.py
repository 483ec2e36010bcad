"""A statement as PDF: whole, the same bytes twice, archival and accessible; refused where something would be lost."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from unicodedata import category

import lxml.html
import pytest

from evaluation.pdf import _COVERED, PdfError, render_pdf
from evaluation.statement import render_statement
from evaluation.words import Language
from tests.evaluation.made_run import NASTY, PARTNER, make_run, usage

needs_poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")


def page(body: str, language: str = "nl") -> str:
    return f'<!doctype html><html lang="{language}"><head><title>Proef</title></head><body>{body}</body></html>'


def made(body: str, language: str = "nl") -> bytes:
    return render_pdf(page(body, language), "De Kade · proef", "2026-06-03")


def text_of(data: bytes, folder: Path, *options: str) -> str:
    (folder / "made.pdf").write_bytes(data)
    done = subprocess.run(["pdftotext", *options, str(folder / "made.pdf"), "-"], capture_output=True, check=True)
    return done.stdout.decode()


@pytest.mark.parametrize("language", ["en", "nl"])
def test_the_statement_becomes_an_archival_and_accessible_pdf(tmp_path: Path, language: Language) -> None:
    html = render_statement(make_run(tmp_path), PARTNER, language, usage(), csv_name="rows.csv")
    data = render_pdf(html, f"{PARTNER} · proef", "2026-06-03")
    assert data == render_pdf(html, f"{PARTNER} · proef", "2026-06-03")
    assert data.startswith(b"%PDF-1.7") and b"<pdfaid:part>2<" in data and b"<pdfuaid:part>1<" in data
    assert f"<rdf:li>{language}</rdf:li>".encode() in data
    assert b"2026-06-03" in data


@needs_poppler
@pytest.mark.parametrize("language", ["en", "nl"])
def test_no_word_of_the_page_is_lost(tmp_path: Path, language: Language) -> None:
    html = render_statement(make_run(tmp_path), PARTNER, language, usage(), csv_name="rows.csv")
    told = re.sub(r"[\s\xad-]+", "", text_of(render_pdf(html, "x", "2026-06-03"), tmp_path, "-raw"))
    for element in lxml.html.document_fromstring(html).body.iter("h1", "h2", "h3", "td", "th", "li", "caption"):
        for word in element.text_content().split():
            assert word.replace("-", "") in told, (element.tag, word)
    assert re.sub(r"\s", "", NASTY) in told


@needs_poppler
def test_pages_are_numbered_and_named_and_digests_can_be_copied(tmp_path: Path) -> None:
    digest = "0123456789abcdef" * 4
    cells = "".join(f"<tr><td>{n}</td><td>{digest}</td></tr>" for n in range(150))
    head = "<thead><tr><th>Nummer</th><th>Hashwaarde</th></tr></thead>"
    data = made(f"<h1>Proef</h1><table><caption>Veel</caption>{head}<tbody>{cells}</tbody></table>")
    told = text_of(data, tmp_path, "-layout")
    pages = told.count("De Kade · proef")
    assert pages > 2 and f"p. {pages} van {pages}" in told
    assert told.count("Hashwaarde") == pages
    assert told.count(digest) == 150
    narrow = made(f"<h1>Proef</h1><table><tr><td>{'woord ' * 300}</td><td>{digest}</td></tr></table>")
    told = text_of(narrow, tmp_path)
    assert "\u200b" not in told and "\u00ad" not in told and "cdef-" not in told


@pytest.mark.parametrize(
    "body",
    [
        "<h1>A</h1><p>one <strong>two</strong> <em>three</em> <code>four</code> <a href='https://a.example'>five</a></p>",
        "<h1>A</h1><ul><li>one</li><li>two <p>and more</p></li></ul><ol><li>three</li></ol>",
        "<h1>A</h1><ol class='answers'><li><h2>One?</h2><p>Yes.</p></li><li><h2>Two?</h2><p>No.</p></li></ol>",
        "<h1>A</h1><dl><dt>one</dt><dd>two</dd><div><dt>three</dt><dd>four</dd></div></dl>",
        "<h1>A</h1><table><tr><th>one</th><td colspan='2' class=num>2</td></tr><tr><td>1</td><td>2</td><td>3</td></tr>"
        "</table>",
        "<h1>A</h1><table><tr><td colspan=2>wide</td><td>3</td></tr><tr><td>1</td><td>2</td><td>3</td></tr></table>",
        "<h1>A</h1><table><thead><tr><th>nothing below</th></tr></thead></table><p>text</p>",
        "<h1>A</h1><figure><svg class='chart' viewBox='0 0 9 9' aria-label='a bar'><rect class='bar' width='4'"
        " height='4'/></svg><figcaption>a figure</figcaption></figure>",
        "<h1>A</h1><section><details><summary>more</summary><pre><code>x = 1\n  y</code></pre></details></section>",
        "<h1>A</h1><div class='gaps'>loose text<br>and more<blockquote>a quotation</blockquote></div>",
    ],
)
def test_what_our_templates_use_is_known(body: str) -> None:
    assert made(body).startswith(b"%PDF")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("<h1>A</h1><marquee>gone?</marquee>", "<marquee>"),
        ("<h1>A</h1><p>text <video></video></p>", "<video>"),
        ("<h1>A</h1><script>1</script>", "<script>"),
        ("<h1>A</h1><ul>loose text<li>one</li></ul>", "loose text"),
        ("<h1>A</h1><table><tr><td><form></form></td></tr></table>", "<form>"),
        ("<h1>A</h1><svg viewBox='0 0 1 1'></svg>", "aria-label"),
        ("<h1>A</h1><h2>B <div>block</div></h2>", "<div> within <h2>"),
    ],
)
def test_what_is_not_known_is_refused_by_name(body: str, named: str) -> None:
    with pytest.raises(PdfError, match=re.escape(named)):
        made(body)


def test_a_page_without_title_or_language_is_refused() -> None:
    for html in ("<html lang='nl'><body><h1>A</h1></body></html>", page("<h1>A</h1>", "xx")):
        with pytest.raises(PdfError, match="needs both"):
            render_pdf(html, "x", "2026-06-03")


@needs_poppler
def test_text_is_never_code_and_signs_without_a_glyph_are_shown_as_missing(tmp_path: Path) -> None:
    nasty = r'#panic("x") \ " $ * _ @ [ ] { } ; \u{41} #import "@preview/x:1" 漢字 🙂'
    told = text_of(made(f"<h1>Proef</h1><p>{nasty}</p>"), tmp_path)
    assert re.sub(r"\s", "", r'#panic("x") \ " $ * _ @ [ ] { } ; \u{41} #import "@preview/x:1" □□ □') in re.sub(
        r"\s", "", told
    )
    assert "□ staat voor een teken dat dit lettertype niet heeft" in told
    assert "□" not in text_of(made("<h1>Ćwiczenie Ελληνικά Български ﬁ ½ € № ≥ → e\u0301</h1>"), tmp_path)


def test_every_character_that_is_said_to_be_covered_has_a_glyph() -> None:
    """The standard refuses a text that a font cannot show, so a wrong range would stop a partner's statement."""
    shown = [chr(n) for n in range(0x20, 0x10000) if _COVERED.match(chr(n)) and category(chr(n)) != "Cn"]
    text = " ".join(one for one in shown if one not in "<&")
    assert len(shown) > 2400
    assert made(f"<h1>Proef</h1><p>{text}</p><p><strong>{text}</strong></p><p><code>{text}</code></p>", "en")
