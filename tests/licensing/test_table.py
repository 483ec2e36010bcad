from __future__ import annotations

import re
from pathlib import Path

import pytest
from license_expression import get_spdx_licensing
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
        if "CC-BY-" in name:
            assert ("non-commercial" in licence.restricts) == ("-NC" in name), name
            assert ("no-derivatives" in licence.restricts) == ("-ND" in name), name
            assert (licence.copyleft == "share-alike") == ("-SA" in name), name
            assert {"attribution", "notice"} <= set(licence.duties), name
        if "non-commercial" in licence.restricts:
            assert licence.permits.commercial == licence.permits.sell_outputs == "no", name
        if name.split("-")[0] in ("GPL", "LGPL", "AGPL", "GFDL"):
            assert licence.copyleft == "strong", name


def test_all_versions_of_the_common_families_are_there() -> None:
    kinds = ("BY", "BY-SA", "BY-NC", "BY-ND", "BY-NC-SA", "BY-NC-ND")
    creative = {f"CC-{kind}-{version}" for kind in kinds for version in ("1.0", "2.0", "2.5", "3.0", "4.0")}
    terms = ("", "-invariants", "-no-invariants")
    gfdl = {f"GFDL-{version}{term}" for version in ("1.1", "1.2", "1.3") for term in terms}
    gnu = gfdl | {"GPL-1.0", "GPL-2.0", "GPL-3.0", "LGPL-2.0", "LGPL-2.1", "LGPL-3.0", "AGPL-1.0", "AGPL-3.0"}
    assert creative | {f"{name}-{tail}" for name in gnu for tail in ("only", "or-later")} <= set(TABLE.licences)


def test_every_port_that_spdx_lists_has_its_own_entry() -> None:
    listed = {str(key) for key in get_spdx_licensing().known_symbols if re.fullmatch(r"CC-BY-.+\d-[A-Z]{2,}", str(key))}
    assert len(listed) >= 20
    assert listed <= set(TABLE.licences)
    assert not {f"LicenseRef-{name}" for name in listed} & set(TABLE.licences)


SECOND = """\
  ISC:
    same_as: MIT
    name: ISC License
    clause: only paragraph
    url: https://opensource.org/licenses/ISC
    urls: [https://isc.example/licence/]
"""


def test_an_entry_takes_its_judgement_from_another(tmp_path: Path) -> None:
    read = load_table(written(tmp_path, ENTRY + SECOND)).licences
    assert (read["ISC"].permits, read["ISC"].duties, read["ISC"].because) == (
        read["MIT"].permits,
        {"notice": "second paragraph"},
        "Permits anything.",
    )
    assert (read["ISC"].clause, read["ISC"].same_as, read["MIT"].same_as) == ("only paragraph", "MIT", None)
    changed = load_table(written(tmp_path, ENTRY.replace("sell_outputs: unsettled", "sell_outputs: no") + SECOND))
    assert changed.licences["ISC"].permits.sell_outputs == "no"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("same_as: MIT", "same_as: Mit", r"line 12: licences\.ISC\.same_as: no such entry.*found: 'Mit'"),
        ("same_as: MIT", "same_as: [MIT]", r"line 12: licences\.ISC\.same_as: no such entry"),
        ("    same_as: MIT\n", "", r"line 12: licences\.ISC\.permits: Field required"),
        ("same_as: MIT", "same_as: MIT\n    basis: gift", r"line 13: licences\.ISC\.basis"),
        ("licenses/ISC", "licenses/MIT", r"line 15: licences\.ISC\.url: belongs to MIT already"),
        ("  ISC:", "  Isc:", r"line 12: licences\.Isc: no SPDX id"),
    ],
)
def test_errors_in_an_entry_that_takes_over(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(UnreadableFile, match=told):
        load_table(written(tmp_path, ENTRY + SECOND.replace(old, new)))


def test_a_judgement_is_at_most_one_look_away(tmp_path: Path) -> None:
    third = SECOND.replace("ISC", "0BSD").replace("same_as: MIT", "same_as: ISC").replace("isc.", "zero.")
    with pytest.raises(UnreadableFile, match=r"licences\.0BSD\.same_as: ISC takes its own judgement from MIT"):
        load_table(written(tmp_path, ENTRY + SECOND + third))


PORTS = """\
ports:
  - of: [ISC]
    because: Judged as that one.
    places: {nl: the Netherlands, no: Norway}
"""
PORTED = ENTRY + SECOND.replace("https://opensource.org/licenses/ISC", "https://isc.example/1.0/") + PORTS


def test_ports_are_judged_as_what_they_are_ports_of(tmp_path: Path) -> None:
    table = load_table(written(tmp_path, PORTED))
    assert set(table.licences) == {"MIT", "ISC", "LicenseRef-ISC-NL", "LicenseRef-ISC-NO"}
    port = table.licences["LicenseRef-ISC-NO"]
    assert (port.name, port.clause, port.duties) == (
        "ISC License, port to Norway",
        "ISC only paragraph",
        {"notice": "ISC second paragraph"},
    )
    assert port.because == "Port of ISC to Norway. Judged as that one. Permits anything."
    assert table.by_url["isc.example/1.0/no"] == table.by_url["isc.example/licence/no"] == "LicenseRef-ISC-NO"


def test_a_written_entry_goes_before_a_port(tmp_path: Path) -> None:
    own = (
        ENTRY.removeprefix("licences:\n")
        .replace("  MIT:", "  LicenseRef-ISC-NL:")
        .replace("share_data: no", "share_data: yes")
    )
    own = own.replace("https://opensource.org/licenses/MIT", "https://isc.example/1.0/nl/")
    table = load_table(written(tmp_path, PORTED.replace(PORTS, own + PORTS)))
    assert table.licences["LicenseRef-ISC-NL"].permits.share_data == "yes"
    assert table.licences["LicenseRef-ISC-NO"].permits.share_data == "no"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("of: [ISC]", "of: [ISC, Zlib]", r"line 18: ports\.0\.of: Zlib is not in the table"),
        ("https://isc.example/1.0/", "https://isc.example/1.0", r"line 15: licences\.ISC\.url: no port can follow"),
        ("places:", "place:", "did you mean 'places'"),
        ("of: [ISC]", "of: []", r"ports\.0\.of"),
    ],
)
def test_errors_in_ports(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(UnreadableFile, match=told):
        load_table(written(tmp_path, PORTED.replace(old, new)))


def test_a_policy_on_a_licence_without_entry_stops() -> None:
    policy = Policy.model_validate({"as_of": "2026-07-01", "licences": {"Zlib": "admit", "MIT": "refuse"}})
    with pytest.raises(UnreadableFile, match="Zlib"):
        check_policy(policy, TABLE)
    port = Policy.model_validate({"as_of": "2026-07-01", "licences": {"LicenseRef-CC-BY-SA-3.0-NL": "admit"}})
    check_policy(port, TABLE)
    check_policy(Policy.model_validate({"as_of": "2026-07-01", "licences": {"MIT": "refuse"}}), TABLE)


def test_the_day_of_judgement_must_be_given() -> None:
    with pytest.raises(ValidationError, match="as_of"):
        Policy.model_validate({})
