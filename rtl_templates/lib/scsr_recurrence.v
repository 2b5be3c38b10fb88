`default_nettype none

// A layer's own spikes on their way back into it: those of a sample's last step end here, its TICK goes through.
//
// Latency 0. The spikes of step t are inputs of step t + 1 (quant/golden.py: walk), and the first step of
// the next sample has no step before it. Where the layer keeps its spikes itself (scsr_lookup.v), only TICKs go through.

module scsr_recurrence #(
    parameter ONLY_TICKS = 0  // 1: no spike goes through
) (
    input  wire s_valid,
    output wire s_ready,
    input  wire s_tick,
    input  wire s_sample_last,
    output wire m_valid,
    input  wire m_ready
);

    wire drop = (s_sample_last || ONLY_TICKS != 0) && !s_tick;

    assign m_valid = s_valid && !drop;
    assign s_ready = m_ready || drop;

endmodule

`default_nettype wire
