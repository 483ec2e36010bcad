"""Small charts as inline SVG: no script, no outside request, a title and a description for whoever cannot see them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

_WIDTH, _HEIGHT = 420, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 14, 40


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows, with its unit."""

    label: str


def line_chart(points: Sequence[tuple[float, float]], title: str, x: Axis, y: Axis) -> Markup:
    """Draw ``points`` (x ascending) as a line; the description names the first and the last point.

    Raises:
        ValueError: fewer than two points, points that are not finite, or x not ascending: such a line would mislead.
    """
    _check(points)
    (x_low, x_high), y_ticks = (points[0][0], points[-1][0]), _ticks([value for _, value in points])
    x_ticks = [tick for tick in _ticks([x_low, x_high]) if x_low <= tick <= x_high]
    y_low, y_high = y_ticks[0], y_ticks[-1]

    def across(value: float) -> float:
        return _LEFT + (value - x_low) / (x_high - x_low) * (_WIDTH - _LEFT - _RIGHT)

    def down(value: float) -> float:
        return _TOP + (y_high - value) / (y_high - y_low) * (_HEIGHT - _TOP - _BOTTOM)

    path = " ".join(f"{across(a):.1f},{down(b):.1f}" for a, b in points)
    (first_x, first_y), (last_x, last_y) = points[0], points[-1]
    told = f"{y.label}: from {first_y:.2f} at {x.label} {first_x:,.0f} to {last_y:.2f} at {x.label} {last_x:,.0f}."
    parts = [
        *(_grid(down(tick), f"{tick:g}") for tick in y_ticks),
        *(_below(across(tick), f"{tick:,.0f}") for tick in x_ticks),
        f'<line x1="{_LEFT}" y1="{_HEIGHT - _BOTTOM}" x2="{_WIDTH - _RIGHT}" y2="{_HEIGHT - _BOTTOM}" class="axis"/>',
        f'<polyline points="{path}" class="line"/>',
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(x.label)}</text>',
        f'<text transform="translate(12 {(_TOP + _HEIGHT - _BOTTOM) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(y.label)}</text>",
    ]
    return _svg(f"0 0 {_WIDTH} {_HEIGHT}", "chart", title, told, parts)


def bar(share: float, title: str) -> Markup:
    """Draw one horizontal bar, ``share`` (0 to 1) of its full length; the numbers stand in the text beside it.

    Raises:
        ValueError: a share outside 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a bar of {share} of its length cannot be drawn; give a share from 0 to 1")
    # A sliver stays visible: a few documents are not none.
    width = max(0.5, 100 * share) if share else 0
    parts = ['<rect width="100" height="10" class="rail"/>', f'<rect width="{width:.2f}" height="10" class="bar"/>']
    return _svg('0 0 100 10" preserveAspectRatio="none', "strip", title, None, parts)


def binned(values: Sequence[tuple[float, float]], most: int = 160) -> list[tuple[float, float]]:
    """Average neighbouring points so that at most ``most`` are left; each stands at the mean of its bin."""
    width = max(1, math.ceil(len(values) / most))
    bins = (values[first : first + width] for first in range(0, len(values), width))
    return [(sum(a for a, _ in part) / len(part), sum(b for _, b in part) / len(part)) for part in bins]


def _check(points: Sequence[tuple[float, float]]) -> None:
    if len(points) < 2 or not all(math.isfinite(a) and math.isfinite(b) for a, b in points):
        raise ValueError(f"a line needs at least two finite points, and there are {len(points)}; leave the chart out")
    if any(later[0] <= earlier[0] for earlier, later in itertools.pairwise(points)):
        raise ValueError("the points of a line must go forwards; sort them by step and leave out repeated steps")


def _ticks(values: Sequence[float]) -> list[float]:
    """Four to eight round numbers that enclose the values."""
    low, high = min(values), max(values)
    spread = high - low or abs(high) or 1.0
    power = 10 ** math.floor(math.log10(spread))
    step = next(power * part for part in (0.1, 0.2, 0.25, 0.5, 1, 2, 5) if spread / (power * part) <= 6)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(step * number, 10) for number in range(first, max(last, first + 1) + 1)]


def _grid(height: float, label: str) -> str:
    return (
        f'<line x1="{_LEFT}" y1="{height:.1f}" x2="{_WIDTH - _RIGHT}" y2="{height:.1f}" class="grid"/>'
        f'<text x="{_LEFT - 6}" y="{height + 4:.1f}" text-anchor="end">{label}</text>'
    )


def _below(place: float, label: str) -> str:
    return f'<text x="{place:.1f}" y="{_HEIGHT - _BOTTOM + 15}" text-anchor="middle">{label}</text>'


def _svg(view_box: str, kind: str, title: str, told: str | None, parts: Sequence[str]) -> Markup:
    described = f"<desc>{escape(told)}</desc>" if told else ""
    return Markup(  # noqa: S704 - every text in it was escaped above
        f'<svg viewBox="{view_box}" class="{kind}" role="img"><title>{escape(title)}</title>{described}'
        f"{''.join(parts)}</svg>"
    )
