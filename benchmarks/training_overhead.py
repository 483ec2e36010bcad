"""What the accounts cost: Herkomst's loop next to the barest PyTorch loop and to the Hugging Face Trainer, on the CPU.

python benchmarks/training_overhead.py [--restarts 8] [--rounds 4] [--steps 4] [--threads 1] ...

The same model, batch, optimizer, precision, thread count and torch settings; each in its own process, taking turns of a
few steps in one order and then in the other, so that whatever else the machine does falls on all of them, and all of it
several times over. The ratio is taken round by round, in wall time and in processor time; above 1 Herkomst is faster.
"Documents apart" attends within each document alone, which the others do not, and is shown for its price.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from importlib.metadata import version
from pathlib import Path

from measure import machine
from training_peers import Round, Runner, Work, make_packed, ratio, take_turns

from training.settings import ModelSettings, resolve_shape

OURS, APART, BARE, TRAINER = "Herkomst", "Herkomst, documents apart", "bare PyTorch loop, random data", "HF Trainer"


def main() -> None:
    """Run them in turns and print two tables."""
    chosen = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        model = ModelSettings(depth=chosen.depth, sequence_length=chosen.length)
        shape = resolve_shape(model, chosen.vocabulary)
        make_packed(Path(folder) / "tokens", chosen.vocabulary, chosen.tokens)
        work = Work(Path(folder), shape, chosen.batch, chosen.micro, chosen.threads)
        plain, apart = (_with_mask(work, mask, chosen.steps) for mask in (False, True))
        wanted = {OURS: ("herkomst", plain), BARE: ("bare", plain), TRAINER: ("trainer", plain)}
        if not chosen.without_mask:
            wanted[APART] = ("herkomst", apart)
        found: dict[str, list[list[Round]]] = {name: [] for name in wanted}
        for _ in range(chosen.restarts):
            for name, rounds in _rounds(wanted, chosen).items():
                found[name].append(rounds)
    print(_versions(chosen), end="\n\n")
    print(f"{shape.parameters:,} parameters ({shape}), {work.tokens:,} tokens a step", end="\n\n")
    _print_speeds(found, chosen.steps, work.tokens)
    _print_ratios(found)


def _rounds(wanted: dict[str, tuple[str, Work]], chosen: argparse.Namespace) -> dict[str, list[Round]]:
    """Start all of them, let them take turns, and end them."""
    steps = chosen.steps
    runners = {name: Runner(system, work, steps, 2 * steps) for name, (system, work) in wanted.items()}
    found = take_turns(runners, chosen.rounds)
    for runner in runners.values():
        runner.stop()
    return found


def _print_speeds(found: dict[str, list[list[Round]]], steps: int, tokens: int) -> None:
    print("| system | ms a step, median (p10 to p90) | tokens/s | processor ms a step |\n|---|---|---|---|")
    for name, groups in found.items():
        rounds = [one for group in groups for one in group]
        wall = sorted(one.wall / steps * 1e3 for one in rounds)
        low, high = wall[len(wall) // 10], wall[-1 - len(wall) // 10]
        middle = statistics.median(wall)
        processor = statistics.median(one.processor / steps * 1e3 for one in rounds)
        print(f"| {name} | {middle:.1f} ({low:.1f} to {high:.1f}) | {tokens / middle * 1e3:,.0f} | {processor:.1f} |")
    print()


def _print_ratios(found: dict[str, list[list[Round]]]) -> None:
    print("| speed of | against | wall time (95 %) | processor time (95 %) | asked |\n|---|---|---|---|---|")
    for ours, theirs, asked in ((OURS, BARE, "0.97"), (OURS, TRAINER, "1.0"), (APART, BARE, "-"), (APART, OURS, "-")):
        if ours in found:
            wall = ratio(_of(found[ours], "wall"), _of(found[theirs], "wall"))
            processor = ratio(_of(found[ours], "processor"), _of(found[theirs], "processor"))
            print(f"| {ours} | {theirs} | {_interval(wall)} | {_interval(processor)} | {asked} |")


def _of(groups: list[list[Round]], clock: str) -> list[list[float]]:
    return [[getattr(one, clock) for one in group] for group in groups]


def _interval(values: tuple[float, float, float]) -> str:
    middle, low, high = values
    return f"**{middle:.3f}** ({low:.3f} to {high:.3f})"


def _with_mask(work: Work, mask: bool, log_every: int) -> Work:
    """The log is put together once a round, so that no round goes without its share of the accounts."""
    return Work(**{**vars(work), "settings": {"document_mask": mask, "log_every": log_every}})


def _versions(chosen: argparse.Namespace) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "accelerate"))
    return (
        f"{machine()}, {packages}; fp32, {chosen.threads} thread(s), {chosen.restarts} processes each with "
        f"{chosen.rounds} rounds of {chosen.steps} steps "
        f"each in turns, batch {chosen.batch} in micro-batches of {chosen.micro}"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (
        ("restarts", 8), ("rounds", 4), ("steps", 4), ("threads", 1), ("depth", 2), ("length", 256), ("batch", 8),
        ("micro", 4), ("vocabulary", 6000), ("tokens", 2_000_000),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--without-mask", action="store_true", help="leave the run with documents apart out")
    return parser.parse_args()


if __name__ == "__main__":
    main()
