"""Boards, the serial line to them, and the host program."""
