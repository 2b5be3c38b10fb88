"""FPGAs: targets, synthesis, bitstreams, and projects for vendors' tools."""
