"""Integers: the model that hardware is built from, its file formats, and the golden model that runs it."""
