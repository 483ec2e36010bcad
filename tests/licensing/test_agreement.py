from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from licensing.agreement import Agreement, Period, load_agreement, load_agreements
from licensing.reading import UnreadableFile

AGREEMENT = (Path(__file__).parent / "de-proef.yaml").read_text(encoding="utf-8")


def written(folder: Path, text: str, name: str = "de-proef.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_contract_is_read(tmp_path: Path) -> None:
    agreement = load_agreement(written(tmp_path, AGREEMENT))
    assert agreement.content_period == Period.model_validate({"from": date(2015, 1, 1), "until": date(2025, 12, 31)})
    assert agreement.clause("permitted_uses.share_data") == "art. 3.4"
    assert agreement.clause("permitted_uses.training") == "art. 3.1"
    assert agreement.clause("territory") == "the agreement"


def test_the_example_in_the_docstring_is_valid() -> None:
    example = (Agreement.__doc__ or "").partition("::\n\n")[2]
    agreement = Agreement.model_validate(yaml.safe_load(example))
    assert agreement.id == "de-kade-2026"
    assert set(yaml.safe_load(example)) == set(Agreement.model_fields)


def test_what_software_cannot_enforce_is_listed(tmp_path: Path) -> None:
    agreement = load_agreement(written(tmp_path, AGREEMENT))
    listed = {field: (said, clause) for field, said, clause in agreement.not_enforced()}
    assert listed["deletion_duty"] == ("Delete all copies within 30 days of the end.", "art. 9.3")
    assert set(listed) == {"purpose", "territory", "deletion_duty", "notice_period_days", "remuneration_key"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("most_epochs: 4", "most_epoch: 4", "did you mean 'most_epochs'"),
        ("most_epochs: 4", "most_epochs: 0", "line 9: most_epochs"),
        ("most_epochs: 4", "most_epochs: '4'", "line 9: most_epochs"),
        ("training: true", "training: 'true'", r"line 4: permitted_uses\.training"),
        ("training: true, ", "", r"permitted_uses\.training: Field required"),
        ("hold_out_share: 0.1", "hold_out_share: 0.7", "line 11: hold_out_share"),
        ("until: 2028-12-31", "until: 2025-12-31", "before it begins"),
        ("until: 2028-12-31", "until: 2028-02-30", "de-proef.yaml cannot be used"),
        ("{from: 2026-01-01, until: 2028-12-31}", "{from: 2026-01-01}", r"use_period\.until: Field required"),
        ("  most_epochs: art. 4.2\n", "", "no clause for most_epochs"),
        ("  most_epochs: art. 4.2\n", "  most_epochs: art. 4.2\n  most_epoch: art. 4\n", "most_epoch is no field"),
        ("id: de-proef-2026", "id: De Proef", "line 1: id"),
        ("sources: [de-proef]", "sources: []", "line 3: sources"),
        ("most_epochs: 4", "most_epochs: 4\nmost_epochs: 40", "'most_epochs' stands here and on line 9"),
    ],
)
def test_errors_name_the_field(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in AGREEMENT
    with pytest.raises(UnreadableFile, match=told):
        load_agreement(written(tmp_path, AGREEMENT.replace(old, new)))


def test_a_field_the_contract_leaves_open_needs_no_clause(tmp_path: Path) -> None:
    text = re.sub(r"most_epochs: 4\n", "most_epochs: null\n", AGREEMENT).replace("  most_epochs: art. 4.2\n", "")
    assert load_agreement(written(tmp_path, text)).most_epochs is None


def test_two_contracts_with_one_id_are_refused(tmp_path: Path) -> None:
    first, second = written(tmp_path, AGREEMENT), written(tmp_path, AGREEMENT, "again.yaml")
    assert list(load_agreements([first])) == ["de-proef-2026"]
    with pytest.raises(UnreadableFile, match=r"again\.yaml: id"):
        load_agreements([first, second])


def test_first_and_last_day_count() -> None:
    period = Period.model_validate({"from": "2026-01-01", "until": "2026-01-31"})
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1)]
    assert [period.contains(day) for day in days] == [False, True, True, False]
    assert Period.model_validate({"from": "2026-01-01", "until": None}).contains(date(2999, 1, 1))
