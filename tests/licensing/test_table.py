from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from licensing.policy import Policy
from licensing.reading import UnreadableFile
from licensing.table import check_policy, load_table

TABLE = load_table(Path(__file__).parents[2] / "configs" / "licences.yaml")

ENTRY = """\
licences:
  MIT:
    name: MIT License
    copyleft: none
    permits: {training: yes, commercial: yes, share_weights: yes, share_data: no, sell_outputs: unsettled}
    duties: {notice: second paragraph}
    basis: licence
    clause: first paragraph
    because: Permits anything.
    url: https://opensource.org/licenses/MIT
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "licences.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_bare_yes_is_an_answer(tmp_path: Path) -> None:
    permits = load_table(written(tmp_path, ENTRY)).licences["MIT"].permits
    assert (permits.of("training"), permits.of("share_data"), permits.of("sell_outputs")) == ("yes", "no", "unsettled")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("copyleft: none", "copyleft: some", r"line 4: licences\.MIT\.copyleft"),
        ("copyleft: none", "copylefts: none", "did you mean 'copyleft'"),
        ("sell_outputs: unsettled", "sell_outputs: maybe", r"line 5: licences\.MIT\.permits\.sell_outputs"),
        (", sell_outputs: unsettled", "", r"line 5: licences\.MIT\.permits\.sell_outputs: Field required"),
        ("because: Permits anything.", "because: ''", r"licences\.MIT\.because"),
        ("  MIT:", "  Mit:", "Mit: no SPDX id in its canonical spelling"),
        ("  MIT:", "  Foo-1.0:", "Foo-1.0: no SPDX id"),
        (
            "    basis: licence",
            "    basis: licence\n    basis: public-domain",
            "line 8: 'basis' stands here and on line 7",
        ),
        ("licences:", "licences: [", "cannot be used"),
    ],
)
def test_errors_name_file_line_and_field(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(UnreadableFile, match=told) as error:
        load_table(written(tmp_path, ENTRY.replace(old, new)))
    assert "licences.yaml" in str(error.value)


def test_a_licence_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="'MIT' stands here and on line 2"):
        load_table(written(tmp_path, ENTRY + ENTRY.removeprefix("licences:\n")))


def test_an_address_names_one_licence(tmp_path: Path) -> None:
    second = ENTRY.removeprefix("licences:\n").replace("  MIT:", "  ISC:")
    with pytest.raises(UnreadableFile, match="belongs to MIT already"):
        load_table(written(tmp_path, ENTRY + second))


@pytest.mark.parametrize("text", ["", "licences: {}"])
def test_an_empty_table_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnreadableFile):
        load_table(written(tmp_path, text))


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"absent\.yaml"):
        load_table(tmp_path / "absent.yaml")


def test_the_shipped_table_is_consistent() -> None:
    for name, licence in TABLE.licences.items():
        assert licence.because.endswith("."), name
        assert ("share-alike" in licence.duties) == (licence.copyleft != "none"), name
        assert ("non-commercial" in licence.restricts) == ("-NC" in name), name
        assert ("no-derivatives" in licence.restricts) == ("-ND" in name), name
        if "-NC" in name:
            assert licence.permits.commercial == licence.permits.sell_outputs == "no", name
        if name.split("-")[0] in ("GPL", "LGPL", "AGPL", "GFDL"):
            assert licence.copyleft == "strong", name


def test_a_policy_on_a_licence_without_entry_stops() -> None:
    policy = Policy.model_validate({"as_of": "2026-07-01", "licences": {"Zlib": "admit", "MIT": "refuse"}})
    with pytest.raises(UnreadableFile, match="Zlib"):
        check_policy(policy, TABLE)
    check_policy(Policy.model_validate({"as_of": "2026-07-01", "licences": {"MIT": "refuse"}}), TABLE)


def test_the_day_of_judgement_must_be_given() -> None:
    with pytest.raises(ValidationError, match="as_of"):
        Policy.model_validate({})
