"""Rows for tests: each factory fills in what a test does not care about."""
