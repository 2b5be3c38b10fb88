`default_nettype none

// Turns updated neurons into events: one per spike, and a TICK behind the last word of a step.
//
// Latency 1 cycle. A word of neurons takes as many cycles as it has spikes, at least one, and one more at the end of a
// step if it has any. A silent word passes even while an event waits.

module scsr_emitter #(
    parameter UNITS = 1,    // neurons per word
    parameter INDEX_W = 1,  // width of a neuron's index
    parameter TAG_W = 1     // width of the tag
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               r_valid,  // updated neurons, a word after the other
    output wire               r_ready,
    input  wire [INDEX_W-1:0] r_index,  // the word's first neuron
    input  wire               r_last,   // it is the step's last word
    input  wire [UNITS-1:0]   r_spikes,
    input  wire [TAG_W-1:0]   r_tag,
    output wire               m_valid,  // an event per spike, then a TICK
    input  wire               m_ready,
    output wire               m_tick,
    output wire [INDEX_W-1:0] m_index,  // the neuron that spiked
    output wire [TAG_W-1:0]   m_tag     // of the step
);

    localparam [UNITS-1:0] ONE = 1;

    // Spikes of the word that have gone out.
    reg [UNITS-1:0]   sent_q;

    reg               m_valid_q;  // the output register holds an event
    reg               m_tick_q;
    reg [INDEX_W-1:0] m_index_q;
    reg [TAG_W-1:0]   m_tag_q;

    wire             free = !m_valid_q || m_ready;             // it can take another
    wire [UNITS-1:0] left = r_spikes & ~sent_q;                // spikes of the word that are still to go
    wire [UNITS-1:0] after_next = left & (left - ONE);  // without the lowest bit that is set
    wire             spike = |left;
    wire             more = |after_next || (spike && r_last);  // the word has something to send after this one
    wire             emit = r_valid && (spike || r_last);

    assign r_ready = emit ? free && !more : 1'b1;

    // The lowest unit whose spike is left, counted from the word's first neuron.
    integer u;
    reg [INDEX_W-1:0] unit;
    always @* begin
        unit = {INDEX_W{1'b0}};
        for (u = UNITS - 1; u >= 0; u = u - 1) if (left[u]) unit = u[INDEX_W-1:0];
    end

    always @(posedge clk) begin
        if (rst) begin
            m_valid_q <= 1'b0;
            sent_q <= {UNITS{1'b0}};
        end else if (free) begin
            m_valid_q <= emit;
            sent_q <= emit && more ? r_spikes & ~after_next : {UNITS{1'b0}};
        end
    end

    always @(posedge clk) begin
        if (free) begin
            m_tick_q <= !spike;
            m_index_q <= r_index + unit;
            m_tag_q <= r_tag;
        end
    end

    assign m_valid = m_valid_q;
    assign m_tick = m_tick_q;
    assign m_index = m_index_q;
    assign m_tag = m_tag_q;

endmodule

`default_nettype wire
