"""Tests of data_curation.languages."""
