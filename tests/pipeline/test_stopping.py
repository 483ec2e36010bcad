"""A training that was stopped and saved ends the command with the code that puts a job back in its queue."""

from __future__ import annotations

from typing import Any

import pytest

from licensing.errors import HerkomstError
from pipeline import cli
from training.stopping import TrainingStopped


@pytest.mark.parametrize(("fault", "code"), [(TrainingStopped("stopped after step 7"), 75), (HerkomstError("no"), 1)])
def test_the_exit_code_says_whether_the_same_command_continues(
    fault: HerkomstError, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(**_: Any) -> None:
        raise fault

    monkeypatch.setattr(cli, "app", stopped)
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == code
    assert capsys.readouterr().err == f"herkomst: {fault}\n"
