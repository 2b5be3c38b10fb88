`default_nettype none

// recurrent_probe: the core, and on probe_* the neuron updates of its layers, for simulation only.
//
// Layers, lowest bits first: 1, 2.
// probe_valid, a bit per layer: neurons were updated in this cycle; they come in order, step after step. probe_spike, a
// bit for each neuron that a layer updates per cycle: it spiked.

module recurrent_probe #(
    // Where the memories' files are, seen from the folder that a tool runs in, or from the root; ends with a slash
    parameter MEM_DIR = "mem/"
) (
    input  wire        aclk,
    input  wire        aresetn,
    input  wire [15:0] s_axis_tdata,
    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    input  wire        s_axis_tlast,
    output wire [31:0] m_axis_tdata,
    output wire        m_axis_tvalid,
    input  wire        m_axis_tready,
    output wire        m_axis_tlast,
    output wire [255:0] model_digest,
    output wire [23:0] tool_version,
    output wire [1:0]  probe_valid,
    output wire [1:0]  probe_spike
);

    recurrent #(
        .MEM_DIR(MEM_DIR)
    ) core (
        .aclk         (aclk),
        .aresetn      (aresetn),
        .s_axis_tdata (s_axis_tdata),
        .s_axis_tvalid(s_axis_tvalid),
        .s_axis_tready(s_axis_tready),
        .s_axis_tlast (s_axis_tlast),
        .m_axis_tdata (m_axis_tdata),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready),
        .m_axis_tlast (m_axis_tlast),
        .model_digest (model_digest),
        .tool_version (tool_version)
    );

    assign probe_valid[0] = core.layer_1.r_valid && core.layer_1.r_ready;
    assign probe_spike[0+:1] = core.layer_1.r_values & {1{probe_valid[0]}};
    assign probe_valid[1] = core.layer_2.r_valid && core.layer_2.r_ready;
    assign probe_spike[1+:1] = 1'd0;

endmodule

`default_nettype wire
