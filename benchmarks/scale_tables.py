"""Tables of what `scale.py` measured, in markdown."""

from __future__ import annotations

import math
from typing import Any

Figures = dict[str, Any]
_PARTS = {"documents": "documents", "copies": "copies", "made_from": "made from them", "reach": "tokens and steps"}


def table(documents: int, found: dict[str, Figures]) -> list[str]:
    """The figures of one size as a markdown table."""
    made, traced, audited, reached = (found[name] for name in ("generate", "trace", "audit", "reach"))
    planned, signed = found["plan"], found["sign"]
    steps = {name: planned[name] for name in planned["parts"]}
    told = ", ".join(f"{_PARTS[name]} {seconds:.1f}" for name, seconds in steps.items())
    lines = [
        "",
        f"{documents:,} documents, {made['tokens']:.3g} tokens in {made['streams']} streams, {made['steps']:,} steps; "
        f"{made['disk_bytes'] / 1e9:.2f} GB on disk (ledger {made['ledger_bytes'] / 1e9:.2f} GB), "
        f"{made['signature_bytes'] / 1e9:.2f} GB of signatures besides, "
        f"made in {made['seconds']:.0f} s",
        "",
        "| question | by the clock | processor | peak memory | naive way, processor | times slower |",
        "|---|---|---|---|---|---|",
    ]
    warm = f"{traced['median'] * 1000:.1f} ms warm, p99 {traced['p99'] * 1000:.1f}; {traced['cold'] * 1000:.0f} ms cold"
    parts = ", ".join(f"{name} {audited[name]:.1f}" for name in ("usage", "statement", "csv"))
    asked = {
        "trace one document": (warm, traced, "seconds"),
        "the same as a command": (f"{traced['command']:.1f} s", None, ""),
        "find by supplier's id": (f"{traced['native_id']:.2f} s", traced, "native_id"),
        f"audit a partner, {audited['rows']:,} documents": (
            f"{audited['seconds']:.1f} s ({parts})",
            audited,
            "seconds",
        ),
        f"its tokens and its {reached['steps']:,} steps": (f"{reached['seconds']:.2f} s", reached, "seconds"),
        "the same by ids": (f"{reached['by_id']:.2f} s", reached, "by_id"),
        f"plan its withdrawal, {planned['found']:,} copies found": (
            f"{planned['seconds']:.1f} s ({told})",
            planned | {name: reached[name] for name in ("naive", "naive_cpu", "naive_sample")},
            "seconds",
        ),
        "sign that plan": (f"{signed['seconds']:.1f} s", signed, "seconds") if signed else ("–", None, ""),
        "build all Merkle trees": (f"{found['tree']['seconds']:.1f} s", found["tree"], "seconds"),
        "count all for the report": (f"{found['report']['seconds']:.1f} s", found["report"], "seconds"),
    }
    return lines + [_line(name, *told) for name, told in asked.items()]


def _line(name: str, clock: str, figures: Figures | None, key: str) -> str:
    if figures is None:
        return f"| {name} | {clock} | – | – | – | – |"
    used = figures[f"{key}_cpu"]
    shown = f"{used * 1000:.1f} ms" if used < 0.05 else f"{used:.2f} s"
    peak = figures.get("peak_before_naive", figures["peak_mib"])
    slower = "– | –"
    if key == "seconds" and "naive" in figures:
        sample = figures.get("naive_sample", 1)
        told = f" (from {sample:.1%} of it)" if sample < 1 else ""
        slower = f"{figures['naive_cpu']:.1f} s{told} | {figures['naive_cpu'] / used:,.0f}"
    return f"| {name} | {clock} | {shown} | {peak:,.0f} MiB | {slower} |"


def slopes(found: dict[int, dict[str, Figures]]) -> list[str]:
    """How each figure grows between the two largest sizes, and what 10^9 documents need if it goes on like that.

    What grows with documents is carried on along the straight line; a trace grows with the logarithm, so by its power.
    """
    if len(found) < 2:
        return []
    keys = {
        "trace one document, ms": ("trace", "seconds_cpu", 1000),
        "find by supplier's id, s": ("trace", "native_id_cpu", 1),
        "audit a fortieth, s": ("audit", "seconds_cpu", 1),
        "its peak, MiB": ("audit", "peak_before_naive", 1),
        "its tokens and steps, s": ("reach", "seconds_cpu", 1),
        "the same by ids, s": ("reach", "by_id_cpu", 1),
        "peak of both, MiB": ("reach", "peak_before_naive", 1),
        "plan its withdrawal, s": ("plan", "seconds_cpu", 1),
        "of this near copies, s": ("plan", "copies_cpu", 1),
        "of this all else, s": ("plan", "rest_cpu", 1),
        "peak of the plan, MiB": ("plan", "peak_mib", 1),
        "all Merkle trees, s": ("tree", "seconds_cpu", 1),
        "their peak, MiB": ("tree", "peak_mib", 1),
        "count all for the report, s": ("report", "seconds_cpu", 1),
        "naive trace, s": ("trace", "naive_cpu", 1),
        "disk without tokens, GB": ("generate", "disk_bytes", 1e-9),
    }
    sizes = sorted(found)
    heads = " | ".join(f"{size:,}" for size in sizes)
    lines = [
        "",
        f"| processor time, memory, disk | {heads} | exponent | at 10^9 |",
        "|---|" + "---|" * (len(sizes) + 2),
    ]
    for name, (question, key, unit) in keys.items():
        values = {size: found[size][question][key] * unit for size in sizes if key in found[size][question]}
        if len(values) < 2:
            continue
        (before, less), (last, most) = list(values.items())[-2:]
        exponent = math.log(most / less) / math.log(last / before)
        line = most + (most - less) / (last - before) * (10**9 - last)
        power = most * (10**9 / last) ** max(0.0, exponent)
        shown = " | ".join(f"{values[size]:,.3g}" if size in values else "–" for size in sizes)
        lines.append(f"| {name} | {shown} | {exponent:.2f} | {power if name.startswith('trace') else line:,.3g} |")
    return lines
