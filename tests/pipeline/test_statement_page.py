"""A partner's statement as it is read: printed on A4, and on a phone."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from evaluation.page import template_text
from pipeline.reporting import Asked, audit_partner
from pipeline.run_directory import RunDirectory
from tests.pipeline.test_browser import CHROMIUM, FLAGS, MEASURE

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
PARTNER, NAME = "De Kade Pers B.V.", "statement-de-kade-pers-b-v"
TABLE = yaml.safe_load(template_text("statement.yaml"))
QUESTIONS = ("q_received", "q_used", "q_purpose", "q_repeat", "q_receive", "q_stop")
LAST_WORDS = {"en": "notice period", "nl": "opzegtermijn (art."}


@pytest.fixture(scope="module")
def statements(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("statements")
    (folder / "policy.yaml").write_text("key: tokens-scored\nwho: all\ncurrency: EUR\nfloor: 100\n")
    audit_partner(RunDirectory(small_run), PARTNER, folder, Asked(folder / "policy.yaml", "123456.78"))
    return folder


def browse(folder: Path, page: Path, *flags: str) -> str:
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder / 'profile'}", *flags, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler) is not installed")
@pytest.mark.parametrize("language", ["en", "nl"])
def test_all_six_answers_lie_on_the_first_page(statements: Path, tmp_path: Path, language: str) -> None:
    browse(
        tmp_path,
        statements / f"{NAME}.{language}.html",
        "--no-pdf-header-footer",
        f"--print-to-pdf={tmp_path / 's.pdf'}",
    )
    told = subprocess.run(["pdfinfo", tmp_path / "s.pdf"], capture_output=True, text=True, check=True).stdout
    width, height = (float(side) for side in re.findall(r"Page size:\s+([\d.]+) x ([\d.]+)", told)[0])
    assert abs(width - 595) < 2 and abs(height - 842) < 2, "A4"
    first = subprocess.run(
        ["pdftotext", "-l", "1", tmp_path / "s.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    text = " ".join(first.split())
    assert all(TABLE[question][language] in text for question in QUESTIONS)
    assert LAST_WORDS[language] in text, "the last line of the last answer"
    assert f"A. {TABLE['part_a'][language]}" not in text.partition("N. ")[2], "sections begin on the next page"


@pytest.mark.parametrize("language", ["en", "nl"])
def test_nothing_scrolls_sideways_on_a_phone(statements: Path, tmp_path: Path, language: str) -> None:
    name = f"{NAME}.{language}.html"
    shutil.copy(statements / name, tmp_path / name)
    (tmp_path / "measure.html").write_text(MEASURE.format(name=name, width=390), encoding="utf-8")
    shown = browse(tmp_path, tmp_path / "measure.html", "--virtual-time-budget=5000", "--dump-dom")
    found = {key: int(value) for key, value in re.findall(r'data-(width|text)="(\d+)"', shown)}
    assert found["text"] > 5000 and found["width"] <= 390
