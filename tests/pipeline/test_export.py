"""A release loads as the checkpoint does, is signed over every file, tells nothing private, is refused in doubt."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from licensing.attestation import open_envelope, read_public_key_pem
from licensing.files import file_digest
from pipeline.export import _refuse_use, export
from pipeline.run_directory import RunDirectory
from pipeline.runner import newest_entries
from tests.pipeline.conftest import environment, herkomst
from training.release import ReleaseError, vllm_findings

LOADED = """
import json, sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
folder, text = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(folder)
ids = tokenizer(text, split_special_tokens=True, add_special_tokens=False)["input_ids"]
torch.set_num_threads(1)
model = AutoModelForCausalLM.from_pretrained(folder).eval()
with torch.inference_mode():
    logits = model(input_ids=torch.tensor([ids])).logits[0, -1]
    written = model.generate(torch.tensor([ids]), max_new_tokens=4, do_sample=False)
print(json.dumps({"ids": ids, "logits": logits.tolist(), "written": len(written[0])}))
"""
TEXT = "De haven ligt stil, <|end_of_document|> zei </s> ĥi."


@pytest.fixture(scope="session")
def release(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HERKOMST_KEY", str(small_run.parents[1] / "key.pem"))
        folder = tmp_path_factory.mktemp("release") / "out"
        export(RunDirectory(small_run), folder)
    return folder


def test_every_file_is_in_the_sums_and_in_the_signed_statement(release: Path, small_run: Path) -> None:
    subprocess.run(["sha256sum", "--quiet", "--strict", "-c", "SHA256SUMS"], cwd=release, check=True)
    files = {path.relative_to(release).as_posix(): path for path in release.rglob("*") if path.is_file()}
    summed = {line.split("  ", 1)[1] for line in (release / "SHA256SUMS").read_text().splitlines()}
    assert summed == files.keys() - {"SHA256SUMS"}
    path = release / "herkomst-record" / "release.json"
    public = read_public_key_pem((small_run / "record" / "public-key.pem").read_bytes(), "key")
    signed = open_envelope(path.read_bytes(), str(path), public)
    subjects = {one["name"]: one["digest"]["sha256"] for one in signed["subject"]}
    others = files.keys() - {"SHA256SUMS", "herkomst-record/release.json"}
    assert subjects == {name: file_digest(files[name])[0] for name in others}
    assert signed["predicate"]["weights_sha256"] == subjects["model.safetensors"]


def test_the_card_says_what_the_records_say_and_what_is_missing(release: Path) -> None:
    card = (release / "README.md").read_text(encoding="utf-8")
    block = yaml.safe_load(card.split("---\n")[1])
    assert block["language"] == ["en", "nl"] or block["language"] == ["nl", "en"]
    assert "license" not in block and "Licence of the weights: missing" in card
    for part in (
        "may be sold",
        "Apache-2.0 |",
        "| Agreements with partners |",
        "estimated: 65 W assumed",
        "training began from random weights",
        "were not tested",
        "came after the token `<|end_of_document|>`",
    ):
        assert part in card, part


def test_nothing_private_is_in_it(release: Path, small_run: Path) -> None:
    files = {path.name: path.read_bytes() for path in release.rglob("*") if path.is_file()}
    for private in (str(small_run), "de-kade", "DK-2025", "Deletion", "rechten@"):
        assert not [name for name, held in files.items() if private.encode() in held], private
    # The partner's name stands only where its agreement asks for it.
    naming = [line for line in files.pop("README.md").decode().splitlines() if "De Kade" in line]
    assert naming == ["- Bevat artikelen van De Kade (De Kade Pers B.V.) (in the words agreed)"]
    assert not [name for name, held in files.items() if b"De Kade" in held]
    roots = json.loads((small_run / "corpus" / "roots.json").read_bytes())
    shown = json.loads((release / "herkomst-record" / "roots.json").read_bytes())
    assert shown["root"] == roots["root"] and len(shown["partner_leaves"]) == len(roots["partners"])
    assert not list(release.rglob("*.parquet"))


@pytest.mark.slow
def test_transformers_gives_from_the_release_what_it_gives_from_the_checkpoint(release: Path, small_run: Path) -> None:
    checkpoint = max((small_run / "checkpoints").glob("step-*"))
    beside = release.parent / "checkpoint"
    shutil.copytree(checkpoint, beside)
    for path in (small_run / "tokenizer").iterdir():
        shutil.copy(path, beside)
    told = []
    for folder in (release, beside):
        command = [sys.executable, "-c", LOADED, str(folder), TEXT]
        done = subprocess.run(command, env=environment(folder), capture_output=True, text=True, check=True)
        told.append(json.loads(done.stdout.splitlines()[-1]))
    assert told[0] == told[1]
    assert told[0]["written"] > len(told[0]["ids"])


@pytest.fixture
def copied(small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    shutil.copytree(small_run, tmp_path / "runs" / "small")
    monkeypatch.setenv("HERKOMST_KEY", str(small_run.parents[1] / "key.pem"))
    return RunDirectory(tmp_path / "runs" / "small")


def refused(run: RunDirectory, folder: Path) -> str:
    with pytest.raises(ReleaseError) as fault:
        export(run, folder)
    assert "nothing was released" in str(fault.value)
    return str(fault.value)


def test_a_release_is_never_written_over_or_into_the_run(copied: RunDirectory, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    assert "is there already" in refused(copied, tmp_path / "there")
    assert "lies in the run" in refused(copied, copied.path / "release")


def test_what_verify_finds_stops_a_release(copied: RunDirectory, tmp_path: Path) -> None:
    with (copied.training / "plan.json").open("ab") as file:
        file.write(b" ")
    assert "differs from what stage train signed for" in refused(copied, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_documents_judged_for_another_use_are_not_released(small_run: Path, tmp_path: Path) -> None:
    """As after a change of intended_use of which only a first stage was run, so that it stands in the record."""
    run = RunDirectory(small_run)
    entries = newest_entries(run)
    config = yaml.safe_load(run.config.read_bytes())
    _refuse_use(run, config, entries)
    other = config | {"intended_use": config["intended_use"] | {"outputs_sold": False}}
    with pytest.raises(ReleaseError, match="not the one that the documents were judged for"):
        _refuse_use(run, other, entries)


def test_an_evaluation_that_nobody_signed_is_not_told(copied: RunDirectory, tmp_path: Path) -> None:
    for path in [*(copied.path / "record").glob("*-evaluate.json"), *(copied.path / "record").glob("*-report.json")]:
        path.unlink()
    export(copied, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert card.count("Not measured.") == 3 and "No signed statement of: evaluate" in card


def test_another_key_does_not_sign(copied: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERKOMST_KEY", str(tmp_path / "other.pem"))
    assert "HERKOMST_KEY" in refused(copied, tmp_path / "out")
    assert not (tmp_path / "other.pem").exists()


@pytest.mark.slow
@pytest.mark.parametrize("effective", ["2026-11-24", "2031-01-01"])
def test_a_withdrawal_that_is_not_carried_out_stops_a_release(
    copied: RunDirectory, small_run: Path, tmp_path: Path, effective: str
) -> None:
    shutil.copy(small_run.parents[1] / "key.pem", tmp_path / "key.pem")
    partner = ["--partner", "De Kade Pers B.V.", "--reason", "letter", "--effective", effective, "--confirm"]
    herkomst("withdraw", "runs/small", *partner, cwd=tmp_path)
    told = refused(copied, tmp_path / "out")
    assert "run `herkomst run` again" in told if effective < "2027" else "from 2031-01-01 on" in told


def test_what_vllm_would_not_load_is_said(release: Path, tmp_path: Path) -> None:
    (width,) = vllm_findings(release)
    assert "16 wide" in width
    shutil.copytree(release, tmp_path / "other")
    config = json.loads((release / "config.json").read_bytes())
    known = config | {"architectures": ["StrangeModel"], "head_dim": 64, "auto_map": {"AutoModel": "own.py"}}
    (tmp_path / "other" / "config.json").write_text(json.dumps(known))
    assert len(vllm_findings(tmp_path / "other")) == 2
