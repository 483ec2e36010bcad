import json
import re
from pathlib import Path
from typing import Any

import pytest
from datatrove.data import Document
from datatrove.pipeline.filters import LambdaFilter
from datatrove.pipeline.formatters import FTFYFormatter

from data_curation.blocks import made, passed
from data_curation.readers.datatrove_ import DatatroveSource, read_datatrove
from data_curation.received import Received
from licensing.errors import HerkomstError


class Told:
    def __init__(self) -> None:
        self.drops: dict[str, str] = {}
        self.changes: dict[str, tuple[str, str]] = {}

    def takes_part(self, document: Any) -> bool:
        return not document.metadata.get("removed")

    def shown(self, document: Any) -> dict[str, Any]:
        return dict(document.metadata)

    def dropped(self, document: Any, reason: str) -> None:
        self.drops[document.id] = reason

    def changed(self, document: Any, before: str) -> None:
        self.changes[document.id] = before, document.text


def documents() -> list[Document]:
    made = [Document(text=f"tekst {n}", id=str(n), metadata={"n": n}) for n in range(6)]
    made[2].metadata["removed"] = "before"
    return made


def reason(document: Any) -> Any:
    return (False, "odd") if document.metadata["n"] % 2 else True


def test_a_filter_runs_unchanged_and_nothing_is_lost() -> None:
    told = Told()
    out = list(passed(LambdaFilter(reason), documents(), 0, 1, told))
    assert sorted(one.id for one in out) == [str(n) for n in range(6)]
    assert told.drops == {"1": "odd", "3": "odd", "5": "odd"} and not told.changes


def test_a_formatter_changes_text_and_says_so() -> None:
    told, broken = Told(), documents()
    broken[0].text = "schÃ¶n"
    out = {one.id: one.text for one in passed(FTFYFormatter(), broken, 0, 1, told)}
    assert told.changes == {"0": ("schÃ¶n", "schön")} and out["0"] == "schön" and len(out) == 6


class FirstOne:
    def run(self, data: Any, rank: int, world_size: int) -> Any:
        yield next(data)


def test_what_a_block_never_asked_for_is_not_lost() -> None:
    told = Told()
    out = list(passed(FirstOne(), documents(), 0, 1, told))
    assert sorted(one.id for one in out) == [str(n) for n in range(6)]
    assert sorted(told.drops) == ["1", "3", "4", "5"]


class Meddler:
    def run(self, data: Any, rank: int, world_size: int) -> Any:
        for document in data:
            document.metadata["language"] = "nld_Latn"
            document.metadata["removed"] = None
            yield Document(text=document.text + "!", id=document.id)


def test_a_block_changes_nothing_but_the_text() -> None:
    out = list(passed(Meddler(), documents(), 0, 1, Told()))
    assert all(one.metadata.keys() == {"n"} for one in out if one.metadata["n"] != 2)
    assert all(one.text.endswith("!") for one in out if one.metadata["n"] != 2)


class Broken:
    def run(self, data: Any, rank: int, world_size: int) -> Any:
        for document in data:
            yield {}[document.id]


def test_a_block_that_fails_is_named_and_what_failed_before_it_is_not() -> None:
    with pytest.raises(HerkomstError, match=r"block Broken failed with KeyError: '0'"):
        list(passed(Broken(), documents(), 0, 1, Told()))

    def interrupted() -> Any:
        yield from documents()[:1]
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        list(passed(LambdaFilter(reason), interrupted(), 0, 1, Told()))


class Picky:
    def __init__(self, pattern: str) -> None:
        re.compile(pattern)


def test_whatever_a_block_raises_when_it_is_made_names_the_key() -> None:
    with pytest.raises(HerkomstError, match=r"curation.blocks\[0\].*missing \)"):
        made("tests.data_curation.test_blocks.Picky", {"pattern": "("}, "curation.blocks[0]")


class Forger:
    def run(self, data: Any, rank: int, world_size: int) -> Any:
        yield from data
        yield Document(text="from nowhere", id="new")


def test_a_block_that_invents_documents_is_stopped() -> None:
    with pytest.raises(HerkomstError, match="never went in"):
        list(passed(Forger(), documents(), 0, 1, Told()))


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("datatrove.pipeline.filters.Nothing", {}, "there is no class"),
        ("nowhere.Filter", {}, "there is no class"),
        ("datatrove.pipeline.filters.URLFilter", {"colour": 1}, "options"),
        ("collections.OrderedDict", {}, "no method run"),
    ],
)
def test_a_block_that_cannot_be_made_says_which_key(name: str, options: dict[str, Any], told: str) -> None:
    with pytest.raises(HerkomstError, match=told) as caught:
        made(name, options, "curation.blocks[0]")
    assert str(caught.value).startswith("curation.blocks[0]")


def read(folder: Path, **keys: Any) -> list[Received]:
    source = DatatroveSource.model_validate(
        {
            "name": "x",
            "partner": "X",
            "reader": "datatrove",
            "block": "datatrove.pipeline.readers.JsonlReader",
            "options": {"data_folder": "in"},
            "columns": {"id": "id", "text": "text", "licence": "licence"},
        }
        | keys
    )
    return list(read_datatrove(source, folder, folder))


def test_a_reader_of_datatrove_gives_documents_with_rights_and_rows_for_what_it_drops(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    rows = [
        json.dumps({"id": "a", "text": "Een bericht.", "licence": "CC0-1.0"}),
        "{broken",
        json.dumps({"id": "c", "text": "", "licence": "CC0-1.0"}),
        json.dumps({"id": "d", "text": "Nog een.", "licence": "CC-BY-4.0"}),
    ]
    (tmp_path / "in" / "a.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    found = read(tmp_path)
    assert {(one.native_id, one.problem) for one in found} == {
        ("a", None),
        ("datatrove.pipeline.readers.JsonlReader#1", "reader-warning"),
        ("c", "empty"),
        ("d", None),
    }
    assert [one.declared[0].text for one in found if not one.problem] == ["CC0-1.0", "CC-BY-4.0"]
    assert [one.id for one in read(tmp_path)] == [one.id for one in found]


def test_a_reader_that_finds_nothing_stops_the_source(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(HerkomstError, match=r"source x: .*JsonlReader cannot read"):
        read(tmp_path)
