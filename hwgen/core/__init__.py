"""The core: plan, Verilog, memories, reports and the build folder that holds them."""
