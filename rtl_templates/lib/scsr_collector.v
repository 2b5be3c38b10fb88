`default_nettype none

// Merges the event streams that a layer reads into one, step by step.
//
// Every source gives the spikes of a time step, in any order, then a TICK. The events of all sources go out as rows of
// the layer's weight memory, each source in its own range: row = OFFSETS[source] + index. When every source has ticked,
// one `close` ends the step. A source that is a step ahead waits; none has to wait for another within a step, and
// this is why skip links cannot deadlock (docs/architecture.md).
//
// Latency 0, interval 1: a step of E events takes E + 1 cycles. The lowest-numbered source goes first.

module scsr_collector #(
    parameter SOURCES = 1,     // number of sources, at least 1
    parameter EVENT_W = 1,     // width of an incoming index, at most ROW_W
    parameter ROW_W = 1,       // width of a row
    // First row of each source, source 0 in the lowest bits
    parameter [SOURCES*ROW_W-1:0] OFFSETS = {SOURCES * ROW_W{1'b0}},
    parameter TAG_W = 1,       // width of the tag that comes with a TICK, at least 2 where there are REPORTS
    // Sources whose TICK has index bit 0 set where the sample is damaged there; it sets the tag's highest bit
    parameter [SOURCES-1:0] REPORTS = {SOURCES{1'b0}},
    parameter TAG_SOURCE = 0,  // source whose tag is handed on
    // Sources that owe no TICK in the first step after reset: the layer's own spikes, of which there are none yet
    parameter [SOURCES-1:0] TICKED_AT_RESET = {SOURCES{1'b0}}
) (
    input  wire                       clk,
    input  wire                       rst,
    input  wire [SOURCES-1:0]         s_valid,  // events and TICKs, a stream for each source
    output wire [SOURCES-1:0]         s_ready,
    input  wire [SOURCES-1:0]         s_tick,   // the source has no more spikes in this step
    input  wire [SOURCES*EVENT_W-1:0] s_index,  // which of its channels spiked
    input  wire [TAG_W-1:0]           s_tag,    // of the source TAG_SOURCE, with its TICK
    output wire                       m_valid,  // rows, one per event
    input  wire                       m_ready,
    output wire                       m_close,  // no more rows in this step
    output reg  [ROW_W-1:0]           m_row,
    output wire [TAG_W-1:0]           m_tag
);

    reg [SOURCES-1:0] ticked_q;  // sources that have ended this step
    reg [TAG_W-1:0]   tag_q;     // kept from its TICK until the step ends

    wire [SOURCES-1:0] event_valid = s_valid & ~s_tick & ~ticked_q;  // sources with a spike to give
    wire [SOURCES-1:0] tick_valid = s_valid & s_tick & ~ticked_q;
    wire [SOURCES-1:0] ticked_d = ticked_q | tick_valid;
    // Only the lowest bit that is set in event_valid.
    wire [SOURCES-1:0] chosen = event_valid & (~event_valid + {{SOURCES - 1{1'b0}}, 1'b1});
    wire               close = &ticked_d;
    wire [TAG_W-1:0]   tag = ticked_q[TAG_SOURCE] ? tag_q : s_tag;

    assign m_valid = close || (|event_valid);
    assign m_close = close;
    assign s_ready = (tick_valid & {SOURCES{m_ready || !close}}) | (chosen & {SOURCES{m_ready}});

    // OR of the chosen source's row: all others contribute zero.
    integer k;
    reg [ROW_W-1:0] row;
    always @* begin
        m_row = {ROW_W{1'b0}};
        row = {ROW_W{1'b0}};
        for (k = 0; k < SOURCES; k = k + 1) begin
            row = {{ROW_W - EVENT_W{1'b0}}, s_index[k*EVENT_W+:EVENT_W]} + OFFSETS[k*ROW_W+:ROW_W];
            m_row = m_row | (row & {ROW_W{chosen[k]}});
        end
    end

    always @(posedge clk) begin
        if (rst) ticked_q <= TICKED_AT_RESET;
        else if (!close) ticked_q <= ticked_d;
        else if (m_ready) ticked_q <= {SOURCES{1'b0}};
    end

    always @(posedge clk) if (!ticked_q[TAG_SOURCE]) tag_q <= s_tag;

    genvar g;
    generate
        if (REPORTS == {SOURCES{1'b0}}) begin : g_no_reports
            assign m_tag = tag;
        end else begin : g_reports
            reg                damaged_q;  // a source has reported damage in this step
            wire [SOURCES-1:0] reported;   // sources that report it now
            wire               damaged_d = damaged_q || (|reported);

            for (g = 0; g < SOURCES; g = g + 1) begin : g_source
                assign reported[g] = REPORTS[g] && tick_valid[g] && s_index[g*EVENT_W];
            end

            assign m_tag = tag | {damaged_d, {TAG_W - 1{1'b0}}};

            always @(posedge clk) begin
                if (rst) damaged_q <= 1'b0;
                else if (!close) damaged_q <= damaged_d;
                else if (m_ready) damaged_q <= 1'b0;
            end
        end
    endgenerate

endmodule

`default_nettype wire
