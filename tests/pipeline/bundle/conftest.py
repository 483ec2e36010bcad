"""One good bundle for all tests, and the verifier run as a partner would: alone, in an empty place."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from licensing import verify
from licensing.attestation import load_or_create_key
from tests.pipeline.bundle.broken import Good, opened
from tests.pipeline.conftest import herkomst

PARTNER = "De Kade Pers B.V."
Verify = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def bundle(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of one of the two partners of the small run."""
    path = tmp_path_factory.mktemp("bundle") / "de-kade.zip"
    herkomst("audit", "runs/small", "--partner", PARTNER, "--bundle", path, cwd=small_run.parents[1])
    return path


@pytest.fixture(scope="session")
def good(bundle: Path, small_run: Path) -> Good:
    """Its files, and the key that signed it."""
    return Good(opened(bundle.read_bytes()), load_or_create_key(small_run.parents[1] / "key.pem"))


@pytest.fixture
def alone(tmp_path: Path) -> Verify:
    """Run the verifier with nothing: no packages, no environment, an empty folder."""
    place = tmp_path / "empty"
    place.mkdir()
    program = place / "verify.py"
    program.write_bytes(Path(verify.__file__).read_bytes())

    def run(*arguments: object, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
        command = [python, "-I", "-S", str(program), *map(str, arguments)]
        return subprocess.run(command, cwd=place, env={}, capture_output=True, text=True, check=False, timeout=60)

    return run
