"""Tests of data_curation.personal."""
