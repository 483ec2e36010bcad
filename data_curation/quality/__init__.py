"""Heuristic quality: datatrove's Gopher, repetition, C4 and FineWeb rules on words split once; see `judge`."""

from data_curation.quality.judge import NO_RULES, TOO_MANY_SYMBOLS, TOO_SHORT, Quality, QualityResult, read_quality

__all__ = ["NO_RULES", "TOO_MANY_SYMBOLS", "TOO_SHORT", "Quality", "QualityResult", "read_quality"]
