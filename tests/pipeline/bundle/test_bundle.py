"""A good bundle: what it holds, what it leaves out, what it answers."""

from __future__ import annotations

import ast
import gzip
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.words import reason
from licensing import verify
from licensing.attestation import load_or_create_key
from licensing.leaf import leaf_key
from pipeline.run_directory import RunDirectory
from pipeline.trace import Tracer
from tests.pipeline.bundle import broken
from tests.pipeline.bundle.broken import Good
from tests.pipeline.bundle.conftest import PARTNER, Verify
from tests.pipeline.conftest import REPOSITORY, environment, herkomst, small_config

ARTICLES = REPOSITORY / "configs/demo/de-kade/articles.jsonl"
PYTHON_39 = Path.home() / ".pyenv/versions/3.9.18/bin/python"


@pytest.mark.parametrize("key", ["fingerprint", "pem", None])
def test_a_good_bundle_holds(bundle: Path, good: Good, alone: Verify, tmp_path: Path, key: str | None) -> None:
    pem = tmp_path / "known.pem"
    pem.write_bytes(good.files["public-key.pem"])
    given = {"fingerprint": ["--key", good.key.id.upper()], "pem": ["--key", pem], None: []}[key]
    done = alone(bundle, *given)
    assert done.returncode == 0 and done.stdout.endswith("\nVERIFIED\n") and not done.stderr
    assert "77 rows, sorted and without doubles" in done.stdout
    assert ("signed by the key you gave" in done.stdout) == (key is not None)
    assert "stated by the provider, not committed: native_id, title" in done.stdout


@pytest.mark.skipif(not PYTHON_39.exists(), reason="no Python 3.9 on this machine")
def test_it_runs_on_python_3_9(bundle: Path, alone: Verify) -> None:
    done = alone(bundle, "--files", ARTICLES, "--id", "DK-2025-0412", python=str(PYTHON_39))
    assert done.returncode == 0 and "INCLUDED  DK-2025-0412" in done.stdout


def test_its_grammar_is_that_of_python_3_9_and_its_imports_those_of_the_library() -> None:
    tree = ast.parse(Path(verify.__file__).read_text(encoding="utf-8"), feature_version=(3, 9))
    modules = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules == {
        "__future__", "argparse", "base64", "collections", "collections.abc", "csv", "functools", "gzip", "hashlib",
        "io", "json", "math", "pathlib", "struct", "sys", "typing", "zipfile", "zlib",
    }  # fmt: skip


def test_the_copy_in_the_bundle_is_the_verifier(good: Good) -> None:
    assert good.files["verify.py"] == Path(verify.__file__).read_bytes()


def test_the_same_run_gives_the_same_bytes(bundle: Path, small_run: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    herkomst("audit", "runs/small", "--partner", PARTNER, "--bundle", again, cwd=small_run.parents[1])
    assert again.read_bytes() == bundle.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again.zip"]


def test_nothing_of_any_other_partner(good: Good, small_run: Path) -> None:
    other = next(one for one in small_config()["sources"] if one["partner"] != PARTNER)  # type: ignore[attr-defined]
    words = {other["partner"], other["name"], other["path"]}
    for row in Tracer(RunDirectory(small_run)).rows():
        if row["partner"] != PARTNER:
            words |= {row["id"], row["native_id"], row["title"], row["stream"], row["final_sha256"]} - {None, ""}
    roots = json.loads((small_run / "corpus" / "roots.json").read_bytes())["partners"]
    words |= {one["root"] for one in roots if one["partner"] != PARTNER}
    assert len(words) > 15
    assert "Stille Bron Stichting" in words
    for name, data in good.files.items():
        if name != "verify.py":
            assert [word for word in words if word.encode() in data] == [], name


def test_the_partner_gets_its_own_contract_and_no_other(good: Good) -> None:
    contracts = [name for name in good.files if name.startswith("agreements/")]
    assert contracts == ["agreements/de-kade-2026.yaml"]
    assert good.account()["agreements"] == {
        "de-kade-2026": hashlib.sha256(good.files["agreements/de-kade-2026.yaml"]).hexdigest()
    }


def test_the_account_names_what_was_trained(good: Good, small_run: Path) -> None:
    account = good.account()
    assert account["record_head"] == RunDirectory(small_run).record().head()
    assert (
        account["training"]["plan"] == hashlib.sha256((small_run / "training" / "plan.json").read_bytes()).hexdigest()
    )
    assert account["usage"] == json.loads(good.files["statement.json"])["usage"]


# ---- the steps that read them


def test_use_in_training_is_recomputed_from_the_order(bundle: Path, good: Good, alone: Verify) -> None:
    done = alone(bundle, "--steps")
    usage = good.account()["usage"]
    told = (
        f"{usage['documents']} documents were read, {usage['tokens_read']} tokens in all, {usage['tokens_scored']} of"
    )
    assert done.returncode == 0 and told in done.stdout


def test_the_steps_of_a_document_are_those_of_the_trace(bundle: Path, alone: Verify, small_run: Path) -> None:
    tracer = Tracer(RunDirectory(small_run))
    asked = [row for row in tracer.rows() if row["partner"] == PARTNER]
    read = next(row for row in asked if len(tracer.positions(row)) > 1)
    held = next(row for row in asked if row["use"] == "held-out")
    places = ", ".join(f"({step}, {row})" for step, row in sorted(map(tuple, tracer.positions(read))))
    assert f"read at (step, row): {places}\n" in alone(bundle, "--steps", "--id", read["id"]).stdout
    assert "read at no step\n" in alone(bundle, "--steps", "--id", held["native_id"]).stdout


@pytest.mark.parametrize("build", [broken.usage_overstated, broken.times_read_understated])
def test_a_false_account_of_training_holds_until_the_steps_are_recomputed(
    build: Callable[[Good], bytes], good: Good, alone: Verify, tmp_path: Path
) -> None:
    """Why --steps is there: rows and signature agree with each other, and neither with the order."""
    made = tmp_path / "made.zip"
    made.write_bytes(build(good))
    assert alone(made).returncode == 0
    done = alone(made, "--steps")
    assert done.returncode == 1 and ("[figures-differ]" in done.stderr or "[list-differs]" in done.stderr)


# ---- the partner's own files


def test_every_delivered_line_is_accounted_for(bundle: Path, alone: Verify, small_run: Path) -> None:
    done = alone(bundle, "--files", ARTICLES)
    rows = [row for row in Tracer(RunDirectory(small_run)).rows() if row["partner"] == PARTNER]
    count = {use: sum(row["use"] == use for row in rows) for use in ("train", "held-out", "none")}
    expected = (
        f"{count['train']} included, {count['held-out']} held out, {count['none']} received and not used, 0 absent"
    )
    assert done.returncode == 0 and expected in done.stdout
    assert done.stdout.count("which the document's id confirms") == 77


def test_what_was_not_delivered_is_absent_and_what_was_refused_says_why(
    bundle: Path, alone: Verify, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    (folder / "old").mkdir(parents=True)
    lines = ARTICLES.read_bytes().splitlines()
    (folder / "one.jsonl").write_bytes(b"\n\n" + lines[0] + b"\n" + lines[1].replace(b"e", b"3") + b"\n" + lines[2])
    (folder / "old" / "letter.txt").write_text("never sent", encoding="utf-8")
    (folder / "table.parquet").write_bytes(b"PAR1")
    (folder / "broken.jsonl.gz").write_bytes(b"\x1f\x8bnot gzip at all")
    told = alone(bundle, "--files", folder).stdout
    assert f"RECEIVED, NOT USED  one.jsonl:3\n    {reason('agreement-period')}" in told
    assert "ABSENT  one.jsonl:4\n" in told and "ABSENT  old/letter.txt\n" in told
    assert "INCLUDED  one.jsonl:5\n" in told
    assert "NOT CHECKED  table.parquet\n" in told and "NOT CHECKED  broken.jsonl.gz\n" in told
    assert "1 included, 0 held out, 1 received and not used, 2 absent, 2 not checked" in told


def test_lines_in_a_compressed_file_are_found_too(bundle: Path, alone: Verify, tmp_path: Path) -> None:
    packed = tmp_path / "articles.jsonl.gz"
    packed.write_bytes(gzip.compress(ARTICLES.read_bytes()))
    told = alone(bundle, "--files", packed).stdout
    assert " 0 absent, 0 not checked" in told and "as the provider states it" in told


def test_by_own_id_and_by_document_id(bundle: Path, good: Good, alone: Verify) -> None:
    ids = [leaf_key(line) for line in good.files["rows.jsonl"].splitlines()]
    assert "RECEIVED, NOT USED  DK-2023-0955" in alone(bundle, "--id", "DK-2023-0955").stdout
    assert f"  {ids[5]}\n" in alone(bundle, "--id", ids[5]).stdout
    between = f"{int(ids[5], 16) + 1:064x}"
    told = alone(bundle, "--id", between).stdout
    assert f"ABSENT  {between}\n" in told and f"between {ids[5]} and {ids[6]}, which are neighbours" in told
    assert f"between the beginning and {ids[0]}" in alone(bundle, "--id", "0" * 64).stdout
    assert f"between {ids[-1]} and the end" in alone(bundle, "--id", "f" * 64).stdout
    assert "give the file itself" in alone(bundle, "--id", "DK-9").stdout


# ---- when no bundle is made


def test_no_bundle_without_the_key_of_the_run(small_run: Path, tmp_path: Path) -> None:
    load_or_create_key(tmp_path / "other.pem")
    for key in ("other.pem", "absent.pem"):
        told = refused(small_run, tmp_path / "out.zip", environment(tmp_path) | {"HERKOMST_KEY": str(tmp_path / key)})
        assert "HERKOMST_KEY" in told and "no bundle was written" in told
    assert not (tmp_path / "out.zip").exists() and not (tmp_path / "absent.pem").exists()


def refused(run: Path, out: Path, env: dict[str, str]) -> str:
    command = [sys.executable, "-m", "pipeline.cli", "audit", str(run), "--partner", PARTNER, "--bundle", str(out)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    return done.stderr


def test_no_bundle_of_a_run_that_does_not_hang_together(small_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(small_run, run)
    roots = run / "corpus" / "roots.json"
    roots.write_bytes(roots.read_bytes().replace(b'"size":77', b'"size":76'))
    env = environment(small_run.parents[1])
    assert "not the file that was signed" in refused(run, tmp_path / "out.zip", env)
    shutil.copyfile(small_run / "corpus" / "roots.json", roots)
    (run / "record" / "0007-train.json").unlink()
    assert "the account of this run is not whole" in refused(run, tmp_path / "out.zip", env)
    assert not list(tmp_path.glob("*.zip")) and not list(tmp_path.glob(".*partial"))
