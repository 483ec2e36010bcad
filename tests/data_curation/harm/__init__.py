"""Tests of data_curation.harm."""
