"""Simulation: holds generated hardware against the golden model, spike by spike."""
