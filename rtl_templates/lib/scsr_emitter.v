`default_nettype none

// Turns updated neurons into events: one per spike, and a TICK behind the last neuron of a step.
//
// Latency 1 cycle. A silent neuron passes even while an event waits; a last neuron that spikes takes two cycles.

module scsr_emitter #(
    // Width of a neuron's index
    parameter INDEX_W = 1,
    // Width of the tag
    parameter TAG_W = 1
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               r_valid,
    output wire               r_ready,
    input  wire [INDEX_W-1:0] r_index,
    input  wire               r_last,
    input  wire               r_spike,
    input  wire [TAG_W-1:0]   r_tag,
    output wire               m_valid,
    input  wire               m_ready,
    output wire               m_tick,
    output wire [INDEX_W-1:0] m_index,
    output wire [TAG_W-1:0]   m_tag
);

    reg               m_valid_q;
    reg               m_tick_q;
    reg [INDEX_W-1:0] m_index_q;
    reg [TAG_W-1:0]   m_tag_q;
    reg               tick_pending_q;

    wire free = !m_valid_q || m_ready;
    wire emit = r_valid && (r_spike || r_last);

    assign r_ready = !emit || (free && !tick_pending_q);

    always @(posedge clk) begin
        if (rst) begin
            m_valid_q <= 1'b0;
            tick_pending_q <= 1'b0;
        end else if (free) begin
            m_valid_q <= emit || tick_pending_q;
            tick_pending_q <= !tick_pending_q && r_valid && r_spike && r_last;
        end
    end

    always @(posedge clk) begin
        if (free) begin
            m_tick_q <= tick_pending_q || !r_spike;
            if (!tick_pending_q) begin
                m_index_q <= r_index;
                m_tag_q <= r_tag;
            end
        end
    end

    assign m_valid = m_valid_q;
    assign m_tick = m_tick_q;
    assign m_index = m_index_q;
    assign m_tag = m_tag_q;

endmodule

`default_nettype wire
