"""Measurements: the demo and benchmarks, each writing what it found as JSON."""
