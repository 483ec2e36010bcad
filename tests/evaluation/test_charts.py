from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from evaluation.charts import Axis, bar, binned, line_chart

SVG = "{http://www.w3.org/2000/svg}"
STEP, LOSS = Axis("step"), Axis("loss <nats>")


def test_a_line_runs_from_the_first_point_to_the_last_and_says_so() -> None:
    drawn = ElementTree.fromstring(line_chart([(1, 9.0), (50, 5.0), (100, 4.0)], "Loss & step", STEP, LOSS))
    assert drawn.findtext("title") == "Loss & step"
    assert drawn.findtext("desc") == "loss <nats>: from 9.00 at step 1 to 4.00 at step 100."
    line = drawn.find("polyline")
    assert line is not None
    places = [tuple(map(float, one.split(","))) for one in line.attrib["points"].split()]
    assert places == sorted(places)
    assert places[0][1] < places[1][1] < places[2][1], "a falling loss must fall on the page too"


@pytest.mark.parametrize("high", [0.00123, 0.9, 4.2, 11.9, 7_000, 1e9])
def test_every_point_lies_between_the_outermost_grid_lines(high: float) -> None:
    drawn = ElementTree.fromstring(line_chart([(0, high), (1, high / 3)], "t", STEP, Axis("y")))
    grid = [float(one.attrib["y1"]) for one in drawn.findall("line") if one.attrib["class"] == "grid"]
    line = drawn.find("polyline")
    assert line is not None
    heights = [float(one.split(",")[1]) for one in line.attrib["points"].split()]
    assert min(grid) - 0.11 <= min(heights) and max(heights) <= max(grid) + 0.11
    assert 3 <= len(grid) <= 9


def test_a_flat_line_can_be_drawn() -> None:
    assert "polyline" in line_chart([(0, 2.0), (1, 2.0)], "t", STEP, LOSS)
    assert "polyline" in line_chart([(0, 0.0), (1, 0.0)], "t", STEP, LOSS)


@pytest.mark.parametrize(
    "points", [[], [(0, 1.0)], [(0, 1.0), (1, float("nan"))], [(0, float("inf")), (1, 1.0)], [(1, 1.0), (1, 2.0)]]
)
def test_a_line_that_would_mislead_is_refused(points: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError):
        line_chart(points, "t", STEP, LOSS)


def test_a_bar_has_the_length_of_its_share_and_a_sliver_stays_visible() -> None:
    def width(share: float) -> float:
        return float(ElementTree.fromstring(bar(share, "t")).findall("rect")[1].attrib["width"])

    assert [width(share) for share in (0, 0.25, 1)] == [0, 25, 100]
    assert width(1e-6) > 0
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValueError):
            bar(wrong, "t")


def test_titles_are_escaped() -> None:
    assert "<b>" not in bar(1, "<b>x</b>") and "&lt;b&gt;" in bar(1, "<b>x</b>")


def test_binning_keeps_the_mean_and_the_order() -> None:
    values = [(float(step), float(step % 7)) for step in range(1000)]
    bins = binned(values, 160)
    assert len(bins) <= 160
    assert [place for place, _ in bins] == sorted(place for place, _ in bins)
    assert binned(values, 2000) == values
    assert binned([(0.0, 1.0), (1.0, 3.0)], 1) == [(0.5, 2.0)]
