`default_nettype none

// AXI4-Stream input: checks beats, drops what is malformed, hands on events (docs/streams.md).
//
//   SPIKE  -> m_index, unless the channel does not exist or has spiked in this step already
//   TICK   -> m_tick with m_tag = {status flags of the sample, end of sample}
//
// Latency 3 cycles, interval 1. After reset the input is not ready for CHANNELS cycles.
//
// A repeat is found by a stamp per channel: the number of the step in which it spiked last. Stamps count 1, 2, ... and
// wrap, so old ones must be gone before their number returns: every TICK clears one channel's stamp in turn, and there
// are more numbers than channels. The sweep after reset clears them all.

module scsr_axis_input #(
    parameter CHANNELS = 1,  // number of input channels
    parameter INDEX_W = 1,   // width of a channel index
    parameter STAMP_W = 2,   // width of a stamp: 2**STAMP_W - 1 is greater than CHANNELS
    // Number of status flags: unknown channel, repeat, tlast on a SPIKE, and, as the fourth, a TICK with tuser
    parameter FLAGS = 3
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [15:0]        s_axis_tdata,  // beats as they come from outside
    input  wire               s_axis_tvalid,
    output wire               s_axis_tready,
    input  wire               s_axis_tlast,
    input  wire               s_axis_tuser,  // the TICK is the watchdog's (scsr_watchdog.v)
    output wire               m_valid,       // good events, at most one per channel and step
    input  wire               m_ready,
    output wire               m_tick,
    output wire [INDEX_W-1:0] m_index,       // the channel that spiked
    output wire [FLAGS:0]     m_tag          // with a TICK: {status flags, end of sample}
);

    localparam [15:0] CHANNEL_COUNT = CHANNELS;
    localparam [INDEX_W-1:0] LAST_CHANNEL = CHANNEL_COUNT[INDEX_W-1:0] - {{INDEX_W - 1{1'b0}}, 1'b1};
    localparam [STAMP_W-1:0] NO_STAMP = {STAMP_W{1'b0}};
    localparam [STAMP_W-1:0] FIRST_STAMP = {{STAMP_W - 1{1'b0}}, 1'b1};
    localparam [STAMP_W-1:0] LAST_STAMP = {STAMP_W{1'b1}};

    // Clearing of stamps: the sweep after reset, then one channel per TICK.
    reg               sweeping_q;  // the stamps are being cleared: no beat is taken
    reg [INDEX_W-1:0] clear_q;     // the channel whose stamp goes next

    // Stage 1: a beat whose stamp comes out of the memory.
    reg               valid_1_q;
    reg               tick_1_q;
    reg               last_1_q;
    reg               user_1_q;
    reg               unknown_1_q;  // there is no such channel
    reg [INDEX_W-1:0] index_1_q;
    reg               written_1_q;
    reg               seen_1_q;

    // Stage 2: a beat that is judged, and its stamp. Where the stamp was written after its read had begun, `written` says
    // so, and `seen` whether that made the channel a repeat.
    reg               valid_2_q;
    reg               tick_2_q;
    reg               last_2_q;
    reg               user_2_q;
    reg               unknown_2_q;
    reg [INDEX_W-1:0] index_2_q;
    reg               written_2_q;
    reg               seen_2_q;
    reg [STAMP_W-1:0] stored_2_q;

    reg [STAMP_W-1:0] stamp_q;  // number of this step
    reg [FLAGS-1:0]   flags_q;  // of the sample so far

    // Stage 3: the event offered.
    reg               m_valid_q;
    reg               m_tick_q;
    reg [INDEX_W-1:0] m_index_q;
    reg [FLAGS:0]     m_tag_q;

    wire               advance = !m_valid_q || m_ready;  // all stages move on
    wire               take = s_axis_tvalid && s_axis_tready;
    wire [INDEX_W-1:0] channel = s_axis_tdata[INDEX_W-1:0];

    wire [STAMP_W-1:0] stored_1;

    wire seen = written_2_q ? seen_2_q : stored_2_q == stamp_q;  // the channel has spiked in this step
    wire tick = valid_2_q && tick_2_q;
    wire spike = valid_2_q && !tick_2_q;
    wire repeated = spike && !unknown_2_q && seen;
    wire fresh = spike && !unknown_2_q && !seen;                 // it spikes for the first time

    wire [3:0]       found = {tick && user_2_q, spike && last_2_q, repeated, spike && unknown_2_q};
    wire [FLAGS-1:0] flags_d = flags_q | found[FLAGS-1:0];
    wire             unused = found[3];

    wire               clear = sweeping_q || (advance && tick);
    wire               wr_en = clear || (advance && fresh);
    wire [INDEX_W-1:0] wr_index = clear ? clear_q : index_2_q;
    wire [STAMP_W-1:0] wr_stamp = clear ? NO_STAMP : stamp_q;

    assign s_axis_tready = advance && !sweeping_q;

    scsr_ram #(
        .WIDTH (STAMP_W),
        .DEPTH (CHANNELS),
        .ADDR_W(INDEX_W)
    ) stamps (
        .clk    (clk),
        .wr_en  (wr_en),
        .wr_addr(wr_index),
        .wr_data(wr_stamp),
        .rd_en  (take),
        .rd_addr(channel),
        .rd_data(stored_1)
    );

    always @(posedge clk) begin
        if (rst) begin
            sweeping_q <= 1'b1;
            clear_q <= {INDEX_W{1'b0}};
        end else if (clear) begin
            if (clear_q == LAST_CHANNEL) sweeping_q <= 1'b0;
            clear_q <= clear_q == LAST_CHANNEL ? {INDEX_W{1'b0}} : clear_q + {{INDEX_W - 1{1'b0}}, 1'b1};
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            valid_1_q <= 1'b0;
            valid_2_q <= 1'b0;
            m_valid_q <= 1'b0;
            stamp_q <= FIRST_STAMP;
            flags_q <= {FLAGS{1'b0}};
        end else if (advance) begin
            valid_1_q <= take;
            valid_2_q <= valid_1_q;
            m_valid_q <= tick || fresh;
            if (tick) stamp_q <= stamp_q == LAST_STAMP ? FIRST_STAMP : stamp_q + FIRST_STAMP;
            flags_q <= tick && last_2_q ? {FLAGS{1'b0}} : flags_d;
        end
    end

    wire written_now = wr_en && wr_index == index_1_q;

    always @(posedge clk) begin
        if (advance) begin
            tick_1_q <= s_axis_tdata[15];
            last_1_q <= s_axis_tlast;
            user_1_q <= s_axis_tuser;
            unknown_1_q <= {1'b0, s_axis_tdata[14:0]} >= CHANNEL_COUNT;
            index_1_q <= channel;
            written_1_q <= wr_en && wr_index == channel;
            seen_1_q <= fresh;
            tick_2_q <= tick_1_q;
            last_2_q <= last_1_q;
            user_2_q <= user_1_q;
            unknown_2_q <= unknown_1_q;
            index_2_q <= index_1_q;
            written_2_q <= written_now || written_1_q;
            seen_2_q <= written_now ? fresh : seen_1_q && !tick;  // a TICK between makes all channels new
            stored_2_q <= stored_1;
            m_tick_q <= tick_2_q;
            m_index_q <= index_2_q;
            m_tag_q <= {flags_d, last_2_q};
        end
    end

    assign m_valid = m_valid_q;
    assign m_tick = m_tick_q;
    assign m_index = m_index_q;
    assign m_tag = m_tag_q;

endmodule

`default_nettype wire
