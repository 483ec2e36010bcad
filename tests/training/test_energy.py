"""Energy counters in made trees: what is added, what is not, and how they run over."""

from __future__ import annotations

import ctypes
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.energy import Energy, EnergyMeter
from training.energy_counters import Places, node_counters

NOWHERE = Path("/nonexistent")


def zone(folder: Path, number: str, name: str, microjoules: int, most: int = 10**9) -> Path:
    place = folder / f"intel-rapl:{number}"
    place.mkdir(parents=True, exist_ok=True)
    (place / "name").write_text(name + "\n")
    (place / "energy_uj").write_text(f"{microjoules}\n")
    (place / "max_energy_range_uj").write_text(f"{most}\n")
    return place / "energy_uj"


def cray(folder: Path, joules: object, unit: str = "J") -> None:
    folder.mkdir(exist_ok=True)
    (folder / "energy").write_text(f"{joules} {unit} 1700000000 us\n")
    (folder / "accel0_energy").write_text("77 J 1700000000 us\n")


def places(tmp_path: Path, **environment: str) -> Places:
    return Places(tmp_path / "powercap", tmp_path / "cray", environment, no_driver)


def no_driver() -> Any:
    raise OSError("no driver")


class FakeNvml:
    """The driver's library with some devices, by unique id; the energy is in millijoules."""

    def __init__(self, **devices: int) -> None:
        self.devices = devices

    def nvmlInit_v2(self) -> int:  # noqa: N802
        return 0

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:  # noqa: N802
        count._obj.value = len(self.devices)
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: ctypes.c_uint, handle: Any) -> int:  # noqa: N802
        handle._obj.value = index.value + 1
        return 0 if index.value < len(self.devices) else 6

    def nvmlDeviceGetHandleByUUID(self, name: bytes, handle: Any) -> int:  # noqa: N802
        names = list(self.devices)
        if name.decode().removeprefix("GPU-") not in names:
            return 6
        handle._obj.value = names.index(name.decode().removeprefix("GPU-")) + 1
        return 0

    def nvmlDeviceGetDeviceHandleFromMigDeviceHandle(self, handle: Any, parent: Any) -> int:  # noqa: N802
        return 2

    def nvmlDeviceGetUUID(self, handle: Any, text: Any, size: Any) -> int:  # noqa: N802
        text.value = ("GPU-" + list(self.devices)[handle.value - 1]).encode()
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: Any, value: Any) -> int:  # noqa: N802
        value._obj.value = list(self.devices.values())[handle.value - 1]
        return 0


def test_packages_and_memory_are_added_and_nothing_twice(tmp_path: Path) -> None:
    for number, name in [("0", "package-0"), ("0:0", "core"), ("0:1", "dram"), ("1", "package-1-die-0"), ("2", "psys")]:
        zone(tmp_path / "powercap", number, name, 5_000_000)
    (tmp_path / "powercap" / "intel-rapl-mmio:0").mkdir()
    meter = EnergyMeter(65, places=places(tmp_path))
    for number, name in [("0", "package-0"), ("0:0", "core"), ("0:1", "dram"), ("1", "package-1-die-0"), ("2", "psys")]:
        zone(tmp_path / "powercap", number, name, 7_500_000)
    used = meter.read()
    assert (used.joules, used.method, used.nodes) == (pytest.approx(7.5), "measured", 1)
    assert "intel-rapl:0:1" in used.detail and "intel-rapl:2" not in used.detail
    assert "(processors and memory); what else the machine draws is not counted; one node" in used.detail


def test_a_counter_that_runs_over_goes_on(tmp_path: Path) -> None:
    counter = zone(tmp_path / "powercap", "0", "package-0", 900_000, most=1_000_000)
    meter = EnergyMeter(65, places=places(tmp_path))
    for value in (100_000, 800_000, 300_000):
        counter.write_text(str(value))
        used = meter.read()
    assert used.joules == pytest.approx(0.2 + 0.7 + 0.5)
    meter.close()


def test_a_counter_that_only_root_may_read_leaves_an_estimate(tmp_path: Path) -> None:
    counter = zone(tmp_path / "powercap", "0", "package-0", 900_000)
    counter.unlink()
    used = EnergyMeter(1000, places=places(tmp_path)).read()
    assert used.method == "estimated" and "1000 W assumed" in used.detail and 0 < used.joules < 1000


def test_the_node_counter_takes_the_place_of_its_parts(tmp_path: Path) -> None:
    zone(tmp_path / "powercap", "0", "package-0", 0)
    cray(tmp_path / "cray", 1000)
    meter = EnergyMeter(65, places=places(tmp_path))
    zone(tmp_path / "powercap", "0", "package-0", 99_000_000)
    cray(tmp_path / "cray", 1500)
    assert meter.read() == Energy(
        500.0, "measured", "pm_counters energy (the whole node); one node, read once each by its first process", 1
    )


@pytest.mark.parametrize("bad", ["18446744073708555916", "-5", "", "many"])
def test_readings_that_make_no_sense_are_left_out_and_said(tmp_path: Path, bad: str) -> None:
    cray(tmp_path / "cray", 1000)
    meter = EnergyMeter(65, places=places(tmp_path))
    cray(tmp_path / "cray", bad)
    assert meter.read().joules == 0
    cray(tmp_path / "cray", 1010)
    used = meter.read()
    assert used.joules == 10 and "1 readings made no sense" in used.detail


def test_a_counter_set_back_counts_from_there(tmp_path: Path) -> None:
    cray(tmp_path / "cray", 1000)
    meter = EnergyMeter(65, places=places(tmp_path))
    for value in (1100, 20, 50):
        cray(tmp_path / "cray", value)
        used = meter.read()
    assert used.joules == 130


def test_another_unit_than_joules_is_not_taken_for_joules(tmp_path: Path) -> None:
    cray(tmp_path / "cray", 1000, unit="W")
    assert node_counters(places(tmp_path)) == []


@pytest.mark.parametrize(
    ("visible", "expected"),
    [(None, 2 + 3), ("1", 3), ("0,0,GPU-a", 2), ("GPU-b", 3), ("", 0), ("7", 0)],
)
def test_each_visible_device_is_counted_once(tmp_path: Path, visible: str | None, expected: float) -> None:
    library = FakeNvml(a=1000, b=1000)
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    found = Places(NOWHERE, NOWHERE, environment, lambda: library)
    meter = EnergyMeter(65, places=found)
    library.devices = {"a": 3000, "b": 4000}
    used = meter.read()
    assert (used.joules == expected and used.method == "measured") if expected else used.method == "estimated"


def ranks(tmp_path: Path, environment: dict[str, str]) -> list[EnergyMeter]:
    """Two nodes with two processes each; the counters of node ``n`` are in ``cray<n>``."""
    found = []
    for rank in range(4):
        place = Places(NOWHERE, tmp_path / f"cray{rank // 2}", environment, no_driver)
        found.append(EnergyMeter(100, rank, rank % 2, place))
    return found


def read_all(meters: list[EnergyMeter]) -> list[Energy]:
    rows = np.stack([meter._mine(True) for meter in meters])
    return [meter.read(lambda _: rows) for meter in meters]


def test_every_node_is_counted_once_whoever_asks(tmp_path: Path) -> None:
    for node in range(2):
        cray(tmp_path / f"cray{node}", 0)
    meters = ranks(tmp_path, {})
    for node in range(2):
        cray(tmp_path / f"cray{node}", 10 + node)
    found = read_all(meters)
    assert {(one.joules, one.nodes, one.method) for one in found} == {(21.0, 2, "measured")}
    assert "2 nodes, read once each by its first process" in found[0].detail


def test_one_node_without_counters_makes_an_estimate_of_it(tmp_path: Path) -> None:
    cray(tmp_path / "cray0", 0)
    meters = ranks(tmp_path, {})
    cray(tmp_path / "cray0", 1000)
    used = read_all(meters)[0]
    assert used.method == "estimated" and "for 1 of 2 nodes" in used.detail and 1000 < used.joules < 1100


def slurm(folder: Path, monkeypatch: pytest.MonkeyPatch, plugin: str) -> None:
    """Slurm's commands, the energy from a file."""
    folder.mkdir()
    (folder / "joules").write_text("100")
    for name, does in (
        ("scontrol", f"echo 'AccountingStorageTRES = cpu'; echo 'AcctGatherEnergyType    = {plugin}'"),
        ("sstat", f'[ "$4" = "--jobs=7.0" ] && cat {folder / "joules"}'),
    ):
        script = folder / name
        script.write_text(f"#!/bin/sh\n{does}\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_slurm_counts_the_job_where_the_nodes_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slurm(tmp_path / "bin", monkeypatch, "acct_gather_energy/ipmi")
    meters = ranks(tmp_path, {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0"})
    (tmp_path / "bin" / "joules").write_text("5100|")
    used = read_all(meters)[0]
    assert (used.joules, used.method, used.nodes) == (5000.0, "measured", 2) and "Slurm ipmi" in used.detail
    assert read_all(meters)[3].joules == 5000.0


@pytest.mark.parametrize("plugin", ["acct_gather_energy/none", "(null)", ""])
def test_slurm_without_its_plugin_leaves_an_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: str
) -> None:
    slurm(tmp_path / "bin", monkeypatch, plugin)
    used = read_all(ranks(tmp_path, {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0"}))[0]
    assert used.method == "estimated" and "for each of 2 nodes" in used.detail


def test_slurm_that_counts_nothing_leaves_an_estimate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slurm(tmp_path / "bin", monkeypatch, "acct_gather_energy/rapl")
    used = read_all(ranks(tmp_path, {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0"}))[0]
    assert used.method == "estimated" and used.joules > 0
