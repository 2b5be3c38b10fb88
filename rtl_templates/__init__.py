"""Verilog: leaf modules (`lib`), the templates of a network's top (`top`), what targets need around it (`targets`)."""
