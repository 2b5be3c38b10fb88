`default_nettype none

// Decoder of the host's messages (docs/boards.md): bytes in, beats for the core and words for its weights out.
//
//   BEAT -> m_axis, tlast = 0        LOAD -> m_load        END -> nothing after LOADs, else the sample's last TICK
//
// An END is obeyed only if its checksum is that of all messages since the END before. Anything wrong raises a fault for
// one cycle; whoever sees it holds this module in reset.
//
// Latency 1 cycle from a message's last byte to the beat, interval 4.

module scsr_uart_decode #(
    parameter LOAD = 0  // 1: the core takes words for its weights
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        s_valid,       // bytes of the host
    output wire        s_ready,
    input  wire [7:0]  s_data,
    output wire [15:0] m_axis_tdata,  // m_axis: events to the core
    output wire        m_axis_tvalid,
    input  wire        m_axis_tready,
    output wire        m_axis_tlast,
    output wire [15:0] m_load_tdata,  // m_load: weights to the core
    output wire        m_load_tvalid,
    input  wire        m_load_tready,
    output wire        fault_order,   // a byte that cannot come here
    output wire        fault_check    // a checksum that is wrong
);

    localparam [2:0] BEAT_KIND = 3'd4;
    localparam [2:0] LOAD_KIND = 3'd5;
    localparam [2:0] END_KIND = 3'd6;
    localparam [15:0] CRC_START = 16'hffff;
    localparam [15:0] TICK = 16'h8000;

    // Which byte of a message comes next: one place is marked.
    localparam [2:0] FIRST = 3'b001;

    reg [2:0]  place_q;  // the byte that comes next, one bit set
    reg [2:0]  kind_q;   // of the message
    reg [15:0] data_q;   // what it carries
    reg [15:0] crc_q;    // of the messages since the last END
    reg        done_q;   // a message is complete
    // Words for the weights came since the last END.
    reg        loaded_q;

    wire       take = s_valid && s_ready;
    wire       first = place_q[0];
    wire [2:0] kind = first ? s_data[6:4] : kind_q;
    wire       known = kind == BEAT_KIND || (kind == LOAD_KIND && LOAD != 0) || kind == END_KIND;
    wire       in_order = first ? s_data[7] && known && s_data[3:2] == 2'b00 : !s_data[7];

    wire is_end = kind_q == END_KIND;  // ends a sample or the weights, and carries the checksum
    wire checked = !is_end || data_q == crc_q;
    wire for_core = kind_q == BEAT_KIND || (is_end && !loaded_q);            // a beat of events
    wire for_load = kind_q == LOAD_KIND;
    wire gone = for_core ? m_axis_tready : for_load ? m_load_tready : 1'b1;  // the message has been taken

    wire [15:0] next_crc;

    scsr_crc16 checksum (
        .crc (crc_q),
        .data(s_data),
        .next(next_crc)
    );

    assign s_ready = !done_q;
    assign fault_order = take && !in_order;
    assign fault_check = done_q && !checked;
    assign m_axis_tvalid = done_q && checked && for_core;
    assign m_axis_tdata = is_end ? TICK : data_q;
    assign m_axis_tlast = is_end;
    assign m_load_tvalid = done_q && for_load;
    assign m_load_tdata = data_q;

    always @(posedge clk) begin
        if (rst) begin
            place_q <= FIRST;
            done_q <= 1'b0;
            loaded_q <= 1'b0;
            crc_q <= CRC_START;
        end else if (done_q) begin
            done_q <= !gone;
            if (is_end) begin
                loaded_q <= loaded_q && !gone;
                if (gone) crc_q <= CRC_START;
            end else if (for_load) begin
                loaded_q <= 1'b1;
            end
        end else if (take) begin
            place_q <= {place_q[1:0], place_q[2]};
            done_q <= place_q[2];
            if (kind != END_KIND) crc_q <= next_crc;
        end
    end

    always @(posedge clk) begin
        if (take) begin
            kind_q <= kind;
            // Fourteen of a message's sixteen bits come in its last two bytes, seven in each.
            data_q <= first ? {14'd0, s_data[1:0]} : {data_q[8:0], s_data[6:0]};
        end
    end

endmodule

`default_nettype wire
