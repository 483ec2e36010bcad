"""The report and the statements as a browser shows them: no request to the outside, and no sideways scrolling."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
]
MEASURE = """<body style="margin:0">
<iframe id="page" src="{name}" width="{width}" height="900" style="border:0"></iframe>
<script>document.getElementById("page").onload = function () {{
  var inside = this.contentDocument;
  document.body.setAttribute("data-width", inside.documentElement.scrollWidth);
  document.body.setAttribute("data-text", inside.body.innerText.length);
}};</script></body>"""


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["report.html", "statement-de-kade-pers-b-v.nl.html"])
def test_a_page_fits_its_width(small_run: Path, tmp_path: Path, name: str, width: int) -> None:
    shutil.copy(small_run / "reports" / name, tmp_path / name)
    (tmp_path / "measure.html").write_text(MEASURE.format(name=name, width=width), encoding="utf-8")
    command = [
        str(CHROMIUM),
        *FLAGS,
        f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=5000",
        "--dump-dom",
    ]
    shown = subprocess.run(
        [*command, (tmp_path / "measure.html").as_uri()], capture_output=True, text=True, check=True, timeout=120
    ).stdout
    found = {key: int(value) for key, value in re.findall(r'data-(width|text)="(\d+)"', shown)}
    assert found["text"] > 2000
    assert found["width"] <= width


@pytest.mark.parametrize("name", ["report.html", "statement-de-kade-pers-b-v.en.html"])
def test_a_page_asks_nothing_of_the_outside(small_run: Path, name: str) -> None:
    html = (small_run / "reports" / name).read_text(encoding="utf-8")
    assert not re.search(r"<(?:script|iframe|object|embed|link)\b|@import|url\(\s*['\"]?https?:", html)
    assert not re.search(r"<img[^>]+src=['\"](?!data:)", html)
