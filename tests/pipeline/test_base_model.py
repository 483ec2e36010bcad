"""A run that continues from an existing model: its licence is judged, its tokenizer used, its digests signed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from evaluation.lineage import lineage_rows
from licensing.errors import HerkomstError
from licensing.files import file_digest
from licensing.reading import UnreadableFile
from pipeline.base_model import BaseNotAdmitted, base_folder, explain_base, lineage, require_base
from pipeline.check import explain
from pipeline.config import load_config
from pipeline.run_directory import RunDirectory
from pipeline.runner import newest_entries
from pipeline.runner import run as run_stages
from tests.pipeline.conftest import herkomst, small_config
from tests.training.base_models import CARD, write_base

BASE = {
    "path": "./base",
    "licence": "Apache-2.0",
    "licence_evidence": "LICENSE in the folder, seen 2026-11-24",
    "training_summary": "none",
}


def write_config(folder: Path, **base: str) -> Path:
    """The small run, continued from the tiny base for twelve steps."""
    config: dict[str, Any] = small_config()
    del config["tokenizer"]
    config["base_model"] = BASE | base
    config["model"] = {"sequence_length": 64}
    config["release"] = {"licence": "Apache-2.0", "name_partners": True}
    config["training"] |= {"segments": [{"name": "main", "steps": 12}], "learning_rate": 1e-3}
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return path


@pytest.mark.slow
def test_a_run_continues_from_a_base_model_and_releases_it(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    base, run, out = write_base(tmp_path / "base"), tmp_path / "runs" / "small", tmp_path / "out"
    write_config(tmp_path)
    herkomst("run", "small.yaml", "--workers", 1, cwd=tmp_path)
    assert herkomst("verify", "runs/small", cwd=tmp_path).returncode == 0
    assert "Nothing to do" in herkomst("run", "small.yaml", cwd=tmp_path).stdout

    # ---- the weights are the base's, moved by twelve steps
    before, after = (
        load_file(base / "model.safetensors"),
        load_file(run / "checkpoints/step-00000012/model.safetensors"),
    )
    assert before.keys() == after.keys()
    moved = {name: float(abs(after[name] - before[name]).max()) for name in before}
    assert 0 < max(moved.values()) < 0.02

    # ---- the record and the report name it
    stated = newest_entries(RunDirectory(run))["train"].predicate["figures"]["base_model"]
    assert stated["files"]["model.safetensors"] == file_digest(base / "model.safetensors")[0]
    assert (stated["decision"], stated["licence"], stated["revision"]) == ("admit", "Apache-2.0", None)
    report = (run / "reports" / "report.html").read_text(encoding="utf-8")
    for part in ("by continuing the training of base", "continued training only", stated["weights_sha256"]):
        assert part in report
    assert str(tmp_path) not in json.dumps(stated)

    # ---- and so does the release
    herkomst("export", "runs/small", "--to", "out", cwd=tmp_path)
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "license: apache-2.0" in card and "Duty: notice" in card and "continued training only" in card
    assert (out / "base-model" / "LICENSE").read_bytes() == (base / "LICENSE").read_bytes()
    assert (out / "tokenizer.json").read_bytes() == (base / "tokenizer.json").read_bytes()
    assert (out / "herkomst-record" / "plan.json").exists()
    assert len(list((out / "herkomst-record" / "statements").iterdir())) == 9


@pytest.mark.parametrize(
    ("card", "changes", "reason"),
    [
        ("cc-by-nc-4.0", {"licence": "CC-BY-NC-4.0"}, "non-commercial"),
        ("cc-by-nc-4.0", {}, "non-commercial"),  # the card contradicts what was concluded
        ("other", {"licence": "LicenseRef-Somebodys-terms"}, "licence-not-in-table"),
        ("apache-2.0", {"licence": "free for all"}, "licence-unknown"),
    ],
)
def test_a_base_model_that_is_not_admitted_stops_before_anything_runs(
    tmp_path: Path, card: str, changes: dict[str, str], reason: str
) -> None:
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "README.md").write_text(CARD.format(licence=card), encoding="utf-8")
    loaded = load_config(write_config(tmp_path, **changes))
    with pytest.raises(BaseNotAdmitted, match=f"{reason}.*Nothing was run"):
        run_stages(loaded, RunDirectory(tmp_path / "runs" / "small"))
    assert not (tmp_path / "runs").exists()


def test_check_says_what_the_base_is_and_how_large(tmp_path: Path) -> None:
    write_base(tmp_path / "base")
    told = explain(load_config(write_config(tmp_path)))
    for part in (
        "base, a local folder",
        "Apache-2.0: admit",
        "duty: notice",
        "continued training only",
        "that of the base model",
        "dial 2",
    ):
        assert part in told


def test_what_the_card_declares_in_words_of_its_own_is_shown_beside_what_was_concluded(tmp_path: Path) -> None:
    """It decides nothing, so whoever signs must see it: a family's own terms are not the licence concluded here."""
    write_base(tmp_path / "base")
    (tmp_path / "base" / "README.md").write_text(CARD.format(licence="family-3.1"), encoding="utf-8")
    loaded = load_config(write_config(tmp_path))
    assert "its card declares: family-3.1" in explain(loaded)
    rows = dict(lineage_rows(lineage(loaded, "0" * 64)))
    assert rows["Declared by its card"] == "family-3.1" and rows["Licence"].startswith("Apache-2.0")


def test_a_licence_judged_by_name_in_the_policy_goes_first(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    path = write_config(tmp_path, licence="CC-BY-NC-4.0")
    config = yaml.safe_load(path.read_bytes())
    config["policy"]["licences"] = {"CC-BY-NC-4.0": "admit"}
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert require_base(load_config(path)).reason == "policy-admitted"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"base_model": BASE | {"path": "org/name"}}, "commit hash of org/name is needed"),
        ({"base_model": BASE | {"path": "org/name", "revision": "main"}}, "revision"),
        ({"base_model": BASE | {"revision": "0" * 40}}, "a local folder has none"),
        ({"tokenizer": {"vocabulary_size": 500}}, "take out tokenizer.vocabulary_size"),
        ({"training": small_config()["training"]}, "training.learning_rate is needed"),
        ({"base_model": None}, "model.depth is missing"),
    ],
)
def test_a_configuration_that_leaves_the_base_open_is_refused(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    path = write_config(tmp_path)
    config = yaml.safe_load(path.read_bytes()) | change
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    with pytest.raises(UnreadableFile, match=told):
        load_config(path)


def test_a_resolved_configuration_can_be_run_again(tmp_path: Path) -> None:
    loaded = load_config(write_config(tmp_path))
    (tmp_path / "resolved.yaml").write_bytes(loaded.as_resolved())
    again = load_config(tmp_path / "resolved.yaml")
    assert again.as_resolved() == loaded.as_resolved()
    assert again.config.model.model_fields_set == {"sequence_length"}


def test_a_model_of_the_hub_is_taken_at_its_commit_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants as hub

    commit, cache = "1a" * 20, tmp_path / "cache"
    snapshot = cache / "models--org--name" / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (snapshot / "README.md").write_text(CARD.format(licence="apache-2.0"), encoding="utf-8")
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", True)
    loaded = load_config(write_config(tmp_path, path="org/name", revision=commit))
    assert base_folder(loaded, weights=False) == snapshot
    assert f"org/name at {commit}" in explain_base(loaded)[0]
    with pytest.raises(HerkomstError, match=r"org/name at 2b.*cannot be had from the hub with HF_HUB_OFFLINE set"):
        base_folder(load_config(write_config(tmp_path, path="org/name", revision="2b" * 20)))
