"""Sites as they are stored: a folder of answers written in a few lines."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from licensing.reservations import AgentTable, Resolver, load_agents
from licensing.reservations.signal import Evidence

AGENTS: AgentTable = load_agents(Path(__file__).parents[3] / "configs" / "ai-agents.yaml")
HOST = "krant.example"
PAGE = f"https://{HOST}/artikel/1"
QUIET_ROBOTS = b"User-agent: *\nDisallow: /zoeken\n"
QUIET_PAGE = b"<!doctype html><html lang=nl><head><title>Dijk</title></head><body><p>De dijk hield.</p></body></html>"


def evidence(data: bytes | str) -> Evidence:
    return Evidence("https://krant.example/bestand", data.encode() if isinstance(data, str) else data, "2026-11-01")


def silent() -> dict[str, dict[str, Any]]:
    """Every channel asked for, and nothing reserved; change an entry to see what follows."""
    return {
        f"https://{HOST}/robots.txt": {"status": 200, "body": QUIET_ROBOTS},
        f"https://{HOST}/.well-known/tdmrep.json": {"status": 404},
        f"https://{HOST}/ai.txt": {"status": 404},
        PAGE: {"status": 200, "headers": {"content-type": "text/html"}, "body": QUIET_PAGE},
    }


def store(folder: Path, entries: dict[str, dict[str, Any]], day: str = "2026-11-01", host: str = HOST) -> Path:
    """Write one host's folder of one day; a ``body`` becomes a file."""
    place = folder / host / day
    place.mkdir(parents=True)
    resources = []
    for number, (url, entry) in enumerate(entries.items()):
        said = {name: value for name, value in entry.items() if name != "body"}
        if "body" in entry:
            (place / f"{number}.bin").write_bytes(entry["body"])
            said["file"] = f"{number}.bin"
        resources.append({"url": url, **said})
    (place / "meta.json").write_text(json.dumps({"resources": resources}), encoding="utf-8")
    return folder


def resolver(folder: Path | None, as_of: str = "2026-11-15", **options: Any) -> Resolver:
    return Resolver(folder, options.pop("agents", AGENTS), date.fromisoformat(as_of), **options)
