`default_nettype none

// Encoder of the board's messages (docs/boards.md): what has to be said in, bytes out.
//
//   after reset    READY, MODEL
//   fault          FAULT, once
//   taken          CREDIT whenever another 128 bytes were taken from the host
//   s_axis         HIGH, LOW for each beat; END with a checksum of all since the END before after the last
//
// A message is three bytes and goes out as a whole. Latency 1 cycle to the first byte, interval 4 or as m_ready allows.

module scsr_uart_encode #(
    parameter [15:0] MODEL = 16'd0,  // the number that tells this core from others
    // What READY says: version of the protocol in the upper four bits, window in units of 128 bytes below
    parameter [15:0] GREETING = 16'd0
) (
    input  wire        clk,
    input  wire        rst,
    input  wire [15:0] taken,         // number of bytes taken since reset
    input  wire [2:0]  fault,         // what went wrong; 0: nothing
    input  wire [31:0] s_axis_tdata,  // packets from the core
    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    input  wire        s_axis_tlast,
    output wire        m_valid,       // bytes for the host
    input  wire        m_ready,
    output wire [7:0]  m_data
);

    localparam [2:0] READY_KIND = 3'd0;
    localparam [2:0] MODEL_KIND = 3'd1;
    localparam [2:0] CREDIT_KIND = 3'd2;
    localparam [2:0] FAULT_KIND = 3'd3;
    localparam [2:0] HIGH_KIND = 3'd4;
    localparam [2:0] LOW_KIND = 3'd5;
    localparam [2:0] END_KIND = 3'd6;
    localparam [2:0] NO_FAULT = 3'd0;
    localparam [15:0] CRC_START = 16'hffff;
    localparam CREDIT_BIT = 7;

    // What has been said.
    reg                   ready_said_q;
    reg                   model_said_q;
    reg                   fault_said_q;
    reg [15:CREDIT_BIT]   credit_said_q;
    // Of the beat offered, its upper half; of the packet, all its beats.
    reg                   high_said_q;
    reg                   beats_said_q;

    // The message on its way: its bytes to come, the next one on top, and a mark for each.
    reg [23:0]            bytes_q;
    reg [2:0]             left_q;  // a bit for each byte that is left
    reg                   end_q;   // the message carries the checksum and does not count in it
    reg [15:0]            crc_q;   // of all messages since the last END

    wire say_ready = !ready_said_q;
    wire say_model = !say_ready && !model_said_q;
    wire greeted = ready_said_q && model_said_q;  // READY and MODEL come before anything else
    wire say_fault = greeted && fault != NO_FAULT && !fault_said_q;
    wire say_credit = greeted && !say_fault && taken[15:CREDIT_BIT] != credit_said_q;
    wire say_packet = greeted && !say_fault && !say_credit && (s_axis_tvalid || beats_said_q);
    wire say = say_ready || say_model || say_fault || say_credit || say_packet;

    wire idle = left_q == 3'b000;    // no message is on its way
    wire start = idle && say;        // the next message sets out
    wire sent = m_valid && m_ready;  // a byte is taken
    wire is_end = say_packet && beats_said_q;

    reg [2:0]  kind;
    reg [15:0] data;

    always @* begin
        kind = LOW_KIND;
        data = s_axis_tdata[15:0];
        if (say_ready) begin
            kind = READY_KIND;
            data = GREETING;
        end else if (say_model) begin
            kind = MODEL_KIND;
            data = MODEL;
        end else if (say_fault) begin
            kind = FAULT_KIND;
            data = {13'd0, fault};
        end else if (say_credit) begin
            kind = CREDIT_KIND;
            data = taken;
        end else if (beats_said_q) begin
            kind = END_KIND;
            data = crc_q;
        end else if (!high_said_q) begin
            kind = HIGH_KIND;
            data = s_axis_tdata[31:16];
        end
    end

    wire [15:0] next_crc;

    scsr_crc16 checksum (
        .crc (crc_q),
        .data(bytes_q[23:16]),
        .next(next_crc)
    );

    assign m_valid = !idle;
    assign m_data = bytes_q[23:16];
    assign s_axis_tready = start && say_packet && high_said_q && !beats_said_q;

    always @(posedge clk) begin
        if (rst) begin
            ready_said_q <= 1'b0;
            model_said_q <= 1'b0;
            fault_said_q <= 1'b0;
            credit_said_q <= {16 - CREDIT_BIT{1'b0}};
            high_said_q <= 1'b0;
            beats_said_q <= 1'b0;
        end else if (start) begin
            ready_said_q <= 1'b1;
            if (say_model) model_said_q <= 1'b1;
            if (say_fault) fault_said_q <= 1'b1;
            if (say_credit) credit_said_q <= taken[15:CREDIT_BIT];
            if (say_packet) begin
                high_said_q <= !high_said_q && !beats_said_q;
                beats_said_q <= high_said_q && s_axis_tlast;
            end
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            left_q <= 3'b000;
            crc_q <= CRC_START;
        end else if (start) begin
            left_q <= 3'b111;
            if (is_end) crc_q <= CRC_START;
        end else if (sent) begin
            left_q <= {left_q[1:0], 1'b0};
            if (!end_q) crc_q <= next_crc;
        end
    end

    always @(posedge clk) begin
        if (start) begin
            bytes_q <= {1'b1, kind, 2'b00, data[15:14], 1'b0, data[13:7], 1'b0, data[6:0]};
            end_q <= is_end;
        end else if (sent) begin
            bytes_q <= {bytes_q[15:0], 8'd0};
        end
    end

endmodule

`default_nettype wire
