"""Simulated readers of the reader benchmarks; the tests use the same worlds."""
