"""How close to the machine: Herkomst's loop on one GPU with a model of Llama 3.2 1B's shape, next to the HF Trainer.

python benchmarks/training_gpu.py                        # on a machine with one GPU, about ten minutes
python benchmarks/training_gpu.py --set attention=flex   # any setting of `training:` by name, for our rows
python benchmarks/training_gpu.py --tiny                 # the same path on any machine, to see that it works

Sequences of 4,096 tokens, bf16, compiled, random weights, made text; one after the other, because two such models do
not fit on one device. Rounds of some steps each are timed between synchronisations, the same for all; MFU is the
meter's (causal attention counted once) and, because others print that, also with all of attention counted. Attention
within documents does less work than the formula counts. The share of time waited for data comes from Herkomst's log.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml
from measure import machine
from training_peers import Round, Runner, TrainingEnded, Work, make_packed

from training.flops import flops_per_token
from training.meter import Meter
from training.peaks import find_peak
from training.settings import Shape

LLAMA_1B = Shape(16, 2048, 32, 8, 8192, 4096, 128_256)
TINY = Shape(2, 64, 4, 2, 128, 64, 512)
GOAL, LEAST = 0.50, 0.45
# Under this much memory, in GiB, two sequences go through at a time instead of four.
SMALL_DEVICE = 100
QUICK = {"compile": True, "deterministic": False}
SYSTEMS: dict[str, tuple[str, dict[str, Any]]] = {
    "Herkomst": ("herkomst", {**QUICK, "document_mask": False}),
    "Herkomst, documents apart": ("herkomst", {**QUICK, "document_mask": True}),
    "Herkomst, documents apart, same bits each run": ("herkomst", {"compile": True, "document_mask": True}),
    "HF Trainer": ("trainer", QUICK),
    "bare PyTorch loop, random data": ("bare", QUICK),
}


@dataclass(frozen=True)
class Speed:
    """Seconds a step in each round, MFU with attention counted causally and in full, and most memory in bytes."""

    seconds: list[float]
    tokens_per_second: float
    tflops: float
    mfu: float | None
    mfu_full: float | None
    memory: int


def main() -> None:
    """Measure all of them and print a table."""
    chosen = _arguments()
    _need_a_gpu(chosen)
    shape = TINY if chosen.tiny else LLAMA_1B
    chosen.micro = chosen.micro or (2 if _memory() < SMALL_DEVICE else 4)
    name = _device()
    meter = Meter(shape, shape.sequence_length, "cpu" if name == "cpu" else "cuda")
    print(_about(chosen, name), f"Formula: {meter.figures()['formula']}.", f"Peak: {meter.peak()}.", sep="\n\n")
    print("\n| system | tokens/s | ms a step (p10 to p90) | TFLOP/s | MFU | MFU, all attention | data wait | GiB |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        make_packed(Path(folder) / "tokens", shape.vocabulary_size, chosen.batch * shape.sequence_length * 40)
        for title, (system, settings) in SYSTEMS.items():
            if system in chosen.systems:
                own = settings | ({"compile": False} if chosen.tiny else {})
                own |= _settings(chosen) if system == "herkomst" else {}
                work = Work(Path(folder), shape, chosen.batch, chosen.micro, chosen.threads, "bf16", own)
                print(_measured(title, system, work, chosen, name), flush=True)
    print(f"\nAsked: {GOAL:.0%}, at least {LEAST:.0%}, and less than 1 % of the time waited for data.")


def _need_a_gpu(chosen: argparse.Namespace) -> None:
    import torch

    if torch.cuda.is_available() or chosen.tiny:
        return
    built = torch.version.cuda or torch.version.hip
    missing = f"torch {torch.__version__} is built for the processor alone; install a build for CUDA or ROCm"
    raise SystemExit(
        "Nothing was measured: torch sees no GPU here; "
        + (f"it is built for {built}, so see whether the driver is loaded and the device visible" if built else missing)
        + ". With --tiny the same path runs on the processor, which measures nothing of a GPU."
    )


def _device() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def _measured(title: str, system: str, work: Work, chosen: argparse.Namespace, name: str) -> str:
    """The row of one system; one that fails, for instance for want of memory, does not stop the others."""
    try:
        runner = Runner(system, work, chosen.steps, chosen.warm_up)
        rounds = [runner.round() for _ in range(chosen.rounds)]
    except TrainingEnded:
        return f"| {title} | it ended with the message above | | | | | | |"
    runner.stop()
    return _row(
        title, _speed(rounds, work, chosen.steps, name), _waited(work, chosen.warm_up) if system == "herkomst" else None
    )


def _speed(rounds: list[Round], work: Work, steps: int, name: str) -> Speed:
    seconds = [one.wall / steps for one in rounds]
    rate = work.tokens / statistics.median(seconds)
    causal, full = (
        rate * flops_per_token(work.shape, work.shape.sequence_length, half) / 1e12 for half in (True, False)
    )
    peak = find_peak(name)
    most = peak.bf16_dense_tflops if peak else None
    shares = (causal / most, full / most) if most else (None, None)
    return Speed(seconds, rate, causal, *shares, memory=max(one.memory for one in rounds))


def _row(system: str, speed: Speed, waited: float | None) -> str:
    low, middle, high = (value * 1e3 for value in _three(speed.seconds))
    return (
        f"| {system} | {speed.tokens_per_second:,.0f} | {middle:.1f} ({low:.1f} to {high:.1f}) | {speed.tflops:.1f} | "
        f"{_share(speed.mfu)} | {_share(speed.mfu_full)} | {_share(waited, 2)} | {speed.memory / 2**30:.1f} |"
    )


def _three(values: list[float]) -> tuple[float, float, float]:
    ordered = sorted(values)
    return ordered[len(ordered) // 10], statistics.median(ordered), ordered[-1 - len(ordered) // 10]


def _share(value: float | None, digits: int = 1) -> str:
    return "not known" if value is None else f"{value:.{digits}%}"


def _waited(work: Work, warm_up: int) -> float | None:
    """Share of the measured steps' time that was spent waiting for data, from the newest of Herkomst's logs."""
    logs = sorted(work.folder.glob("herkomst-*/log.jsonl"), key=lambda path: path.stat().st_mtime)
    rows = [json.loads(line) for line in logs[-1].read_text(encoding="utf-8").splitlines()]
    known = [row for row in rows if row["step"] >= warm_up and row.get("data_wait_share") is not None]
    seconds = sum(row["seconds"] for row in known)
    return sum(row["data_wait_share"] * row["seconds"] for row in known) / seconds if seconds else None


def _settings(chosen: argparse.Namespace) -> dict[str, Any]:
    pairs = (text.partition("=") for text in chosen.set)
    return {key: yaml.safe_load(value) for key, _, value in pairs}


def _memory() -> float:
    """The GPU's memory in GiB."""
    import torch

    return torch.cuda.get_device_properties(0).total_memory / 2**30 if torch.cuda.is_available() else 0.0


def _about(chosen: argparse.Namespace, name: str) -> str:
    import torch

    packages = ", ".join(
        f"{one} {_version(one)}" for one in ("transformers", "accelerate", "flash-attn", "liger-kernel")
    )
    return (
        f"{name}, {machine()}, torch {torch.__version__} (CUDA {torch.version.cuda}, HIP {torch.version.hip}), "
        f"{packages}; bf16, batch {chosen.batch} in micro-batches of {chosen.micro}, {chosen.rounds} rounds of "
        f"{chosen.steps} steps after {chosen.warm_up} to warm up{'' if chosen.tiny else ', compiled'}; our settings "
        f"besides those named: {_settings(chosen) or 'none'}"
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default, what in (
        ("batch", 16, "sequences a step"),
        ("micro", 0, "sequences at a time; 0 is four, or two on a GPU with less than 100 GiB"),
        ("steps", 5, "steps a round"),
        ("rounds", 10, "rounds"),
        ("warm-up", 10, "steps before the first round"),
        ("threads", 8, "of the processor"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=what)
    parser.add_argument("--systems", nargs="+", default=["herkomst", "trainer", "bare"], help="which of these")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings of `training:`")
    parser.add_argument("--tiny", action="store_true", help="a tiny model, to see on any machine that this works")
    return parser.parse_args()


if __name__ == "__main__":
    main()
