"""From an integer model to a build folder of Verilog: plan, then render, then write."""

__version__ = "0.1.0"
