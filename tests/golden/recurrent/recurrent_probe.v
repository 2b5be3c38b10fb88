`default_nettype none

// recurrent_probe: the core, and on probe_* the neuron updates of its layers, for simulation only.
//
// Bit i belongs to layer 1, 2 in this order: probe_valid, a neuron was updated in this cycle (neurons come in order,
// step after step); probe_spike, it spiked.

module recurrent_probe (
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
    output wire [1:0]  probe_valid,
    output wire [1:0]  probe_spike
);

    recurrent core (
        .aclk         (aclk),
        .aresetn      (aresetn),
        .s_axis_tdata (s_axis_tdata),
        .s_axis_tvalid(s_axis_tvalid),
        .s_axis_tready(s_axis_tready),
        .s_axis_tlast (s_axis_tlast),
        .m_axis_tdata (m_axis_tdata),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready),
        .m_axis_tlast (m_axis_tlast)
    );

    assign probe_valid[0] = core.layer_1.r_valid && core.layer_1.r_ready;
    assign probe_spike[0] = probe_valid[0] && core.layer_1.r_value[0];
    assign probe_valid[1] = core.layer_2.r_valid && core.layer_2.r_ready;
    assign probe_spike[1] = 1'b0;

endmodule

`default_nettype wire
