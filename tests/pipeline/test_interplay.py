"""Where lineage, copies and withdrawals meet: what is held back late holds back whatever was made from it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from data_curation import purge
from pipeline import amend, runner
from pipeline.config import load_config
from pipeline.run_directory import RunDirectory
from pipeline.trace import Tracer
from pipeline.verify import verify
from pipeline.withdrawal_state import withdrawal_values
from tests.pipeline.conftest import REPOSITORY, herkomst, write_config

pytestmark = pytest.mark.slow
ARTICLES = REPOSITORY / "configs/demo/de-kade/articles.jsonl"
COLUMNS = {"id": "id", "text": "text", "parents": "from", "operation": "how", "licence": "licence"}


def texts(count: int) -> list[str]:
    """Long articles of different content."""
    found = [row["text"] for row in map(json.loads, ARTICLES.read_text(encoding="utf-8").splitlines()) if row["text"]]
    return sorted(set(found), key=lambda text: (-len(text), text))[:count]


def line(name: str, text: str, parents: tuple[str, ...] = (), licence: str = "CC0-1.0") -> dict[str, Any]:
    return {"id": name, "text": text, "from": list(parents), "how": "chunked" if parents else None, "licence": licence}


def committed(
    folder: Path, run: str = "small", as_of: str = "2026-11-01", **sources: list[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The ledger's rows by native id after a run over these sources up to the corpus."""
    described = []
    for name, rows in sources.items():
        (folder / f"{run}-{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        described.append(
            {"name": name, "partner": f"Partner {name}", "reader": "jsonl", "path": f"{run}-{name}.jsonl"}
            | {"language": "nl", "columns": COLUMNS}
        )
    changes = {"sources": described, "policy": {"as_of": as_of}, "corpus": {"held_out_share": 0.0}}
    # A part repeats its whole: were repeats cut, little would be left of the family.
    changes["curation"] = {"languages": ["nl", "en"], "repeats": None}
    write_config(folder / f"{run}.yaml", name=run, **changes)
    herkomst("run", f"{run}.yaml", "--until", "commit", cwd=folder)
    return {row["native_id"]: row for row in Tracer(RunDirectory(folder / "runs" / run)).rows()}


@pytest.fixture(scope="module")
def family() -> list[dict[str, Any]]:
    """An article, a part of it, a part of that part, and one that has nothing to do with them."""
    whole, other = texts(2)
    third = len(whole) // 3
    return [
        line("whole", whole),
        line("part", whole[: 2 * third], ("whole",)),
        line("part-of-part", whole[:third], ("part",)),
        line("other", other),
    ]


def test_what_was_made_from_a_withdrawn_part_goes_with_it(family: list[dict[str, Any]], tmp_path: Path) -> None:
    before = committed(tmp_path, letters=family)
    assert {row["use"] for row in before.values()} == {"train"}
    herkomst("withdraw", "runs/small", "--document", "part", "--reason", "x", "--confirm", cwd=tmp_path)
    after = committed(tmp_path, letters=family)
    reasons = {name: row["reason"] for name, row in after.items() if row["use"] == "none"}
    assert reasons == {"part": "withdrawn", "part-of-part": "parent-withdrawn"}


def test_what_is_made_later_or_elsewhere_from_a_withdrawn_text_is_refused(
    family: list[dict[str, Any]], tmp_path: Path
) -> None:
    committed(tmp_path, letters=[family[0], family[3]])
    herkomst("withdraw", "runs/small", "--document", "whole", "--reason", "x", "--confirm", cwd=tmp_path)
    gone = {"whole": "withdrawn", "part": "parent-withdrawn", "part-of-part": "parent-withdrawn"}
    later = committed(tmp_path, letters=family)
    assert {name: row["reason"] for name, row in later.items() if row["use"] == "none"} == gone
    elsewhere = committed(tmp_path, "second", web=family)
    gone["whole"] = "withdrawn-copy"
    assert {name: row["reason"] for name, row in elsewhere.items() if row["use"] == "none"} == gone
    assert "letters" not in json.dumps(elsewhere, default=str)


def test_what_was_made_from_a_text_whose_copy_was_refused_waits_with_it(
    family: list[dict[str, Any]], tmp_path: Path
) -> None:
    copy = line("copy", family[0]["text"], licence="CC-BY-NC-4.0")
    rows = committed(tmp_path, letters=family, web=[copy])
    assert {name: row["reason"] for name, row in rows.items() if row["use"] == "none"} == {
        "copy": "non-commercial",
        "whole": "copy-not-admitted",
        "part": "parent-review",
        "part-of-part": "parent-review",
    }


def withdraw(folder: Path, name: str, *more: str) -> None:
    herkomst("withdraw", "runs/small", "--document", name, "--reason", "x", "--confirm", *more, cwd=folder)


def out(rows: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: row["reason"] for name, row in rows.items() if row["use"] == "none"}


def test_a_day_set_back_brings_nothing_back(family: list[dict[str, Any]], tmp_path: Path) -> None:
    whole, other = family[0], family[3]
    committed(tmp_path, letters=[whole, other])
    withdraw(tmp_path, "whole")
    withdraw(tmp_path, "other", "--effective", "2999-01-01")
    assert out(committed(tmp_path, letters=[whole, other])) == {"whole": "withdrawn"}
    assert out(committed(tmp_path, "second", "2026-01-01", web=[whole, other])) == {"whole": "withdrawn-copy"}
    assert out(committed(tmp_path, "small", "2999-01-01", letters=[whole, other])) == {
        "whole": "withdrawn",
        "other": "withdrawn",
    }
    shutil.rmtree(tmp_path / "runs" / "small" / "work")
    back = committed(tmp_path, "small", "2026-01-01", letters=[whole, other])
    assert out(back) == {"whole": "withdrawn", "other": "withdrawn"}
    run = RunDirectory(tmp_path / "runs" / "small")
    assert [[state["state"] for state in one["states"]] for one in withdrawal_values(run)] == [
        ["requested", "frozen"]
    ] * 2


def test_a_register_that_lost_something_stops_the_runs_that_obeyed_it(
    family: list[dict[str, Any]], tmp_path: Path
) -> None:
    letters = [family[0], family[3]]
    committed(tmp_path, letters=letters)
    withdraw(tmp_path, "whole")
    assert out(committed(tmp_path, "second", web=letters)) == {"whole": "withdrawn-copy"}
    shutil.rmtree(tmp_path / "runs" / "small")
    entry = next((tmp_path / "runs" / "withdrawals").iterdir())
    for part in sorted(path for path in entry.rglob("*") if path.is_file()):
        kept = part.read_bytes()
        part.unlink()
        done = herkomst("verify", "runs/second", cwd=tmp_path, check=False)
        assert done.returncode == 1 and ("missing" in done.stdout or "No such file" in done.stdout), part
        part.write_bytes(kept)
    shutil.rmtree(entry)
    done = herkomst("run", "second.yaml", "--until", "commit", cwd=tmp_path, check=False)
    assert done.returncode == 1 and "no longer to be found" in done.stderr


def test_a_run_kept_elsewhere_obeys_all_the_same(family: list[dict[str, Any]], tmp_path: Path) -> None:
    letters = [family[0], family[3]]
    committed(tmp_path, letters=letters)
    withdraw(tmp_path, "whole")
    herkomst("run", "small.yaml", "--run-dir", "elsewhere/copy", "--until", "commit", cwd=tmp_path)
    run = RunDirectory(tmp_path / "elsewhere" / "copy")
    assert out({row["native_id"]: row for row in Tracer(run).rows()}) == {"whole": "withdrawn"}
    assert herkomst("verify", "elsewhere/copy", cwd=tmp_path).returncode == 0


def test_a_withdrawal_that_was_never_signed_stops_the_run(family: list[dict[str, Any]], tmp_path: Path) -> None:
    letters = [family[0], family[3]]
    committed(tmp_path, letters=letters)
    withdraw(tmp_path, "whole")
    run = RunDirectory(tmp_path / "runs" / "small")
    # What a kill between writing the folder and signing it leaves behind.
    shutil.rmtree(tmp_path / "runs" / "withdrawals")
    max(run.record().folder.glob("*-withdraw.json")).unlink()
    done = herkomst("run", "small.yaml", "--until", "commit", cwd=tmp_path, check=False)
    assert done.returncode == 1 and "never signed" in done.stderr
    withdraw(tmp_path, "whole")
    assert out(committed(tmp_path, letters=letters)) == {"whole": "withdrawn"}


def test_a_kill_while_text_is_deleted_leaves_none_of_it(
    family: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = [family[0], family[3]]
    committed(tmp_path, letters=letters)
    withdraw(tmp_path, "whole")
    monkeypatch.setenv("HERKOMST_KEY", str(tmp_path / "key.pem"))
    loaded, run = load_config(tmp_path / "small.yaml"), RunDirectory(tmp_path / "runs" / "small")

    class Killed(BaseException):
        pass

    for module, name in ((purge, "_rewrite"), (amend, "_sign_again")):
        real, left = getattr(module, name), [1]

        def once(*arguments: Any, real: Any = real, left: list[int] = left) -> Any:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return real(*arguments)

        with monkeypatch.context() as patched:
            patched.setattr(module, name, once)
            with pytest.raises(Killed):
                runner.run(loaded, run, until="commit", workers=1)
    runner.run(loaded, run, until="commit", workers=1)
    assert not list(run.record().verify())
    assert verify(run) == []
    phrase = family[0]["text"][200:260]
    tables = [path for path in run.path.rglob("*.parquet") if phrase in str(pq.read_table(path).to_pylist())]
    assert tables == []
    assert runner.run(loaded, run, until="commit", workers=1) == []


def test_nothing_is_cut_in_favour_of_a_copy_that_is_not_used(tmp_path: Path) -> None:
    whole, *others = texts(12)
    shared = max(whole.split("\n\n"), key=len)
    own = [line(f"t{number}", f"{text}\n\n{shared}") for number, text in enumerate(others)]
    bad = {
        "name": "bad",
        "partner": "Bad",
        "reader": "jsonl",
        "path": "bad.jsonl",
        "language": "nl",
        "columns": COLUMNS,
    }
    web = bad | {"name": "web", "partner": "Web", "path": "web.jsonl"}
    rows = {"bad": [line("b", whole, licence="CC-BY-NC-4.0")], "web": [line("copy", whole), *own]}
    for name, found in rows.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    write_config(tmp_path / "small.yaml", sources=[bad, web], curation={"languages": ["nl"]})
    herkomst("run", "small.yaml", "--until", "commit", cwd=tmp_path)
    ledger = {row["native_id"]: row for row in Tracer(RunDirectory(tmp_path / "runs" / "small")).rows()}
    assert ledger["copy"]["reason"] == "copy-not-admitted"
    kept = [
        row["native_id"]
        for row in ledger.values()
        if row["use"] != "none" and "repeats-cut" not in {event["reason"] for event in row["events"]}
    ]
    assert len(kept) == 1 and kept[0].startswith("t")
