"""Suites with intervals, and the report and the statements that are rendered from the record."""
