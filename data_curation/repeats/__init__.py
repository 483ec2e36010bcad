"""Paragraphs and runs of words that stand in several documents: counted, and cut from all but the first."""
