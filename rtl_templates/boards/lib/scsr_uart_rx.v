`default_nettype none

// Receiver of a serial line: one start bit, eight data bits from the lowest on, one stop bit, no parity.
//
// Latency from the middle of the stop bit to m_valid: 3 cycles. A byte is shown for one cycle; a line that stays low is
// reported once, as a byte without a stop bit.

module scsr_uart_rx #(
    parameter BIT_CYCLES = 16,  // length of a bit in cycles, at least 4
    parameter COUNT_W = 5       // width of a counter of BIT_CYCLES
) (
    input  wire       clk,
    input  wire       rst,
    input  wire       rx,       // the line, idle at 1
    output wire       m_valid,  // a byte has come
    output wire [7:0] m_data,
    output wire       m_error   // the stop bit was missing
);

    localparam [31:0] BIT = BIT_CYCLES;
    localparam [31:0] HALF = BIT_CYCLES / 2;
    localparam [COUNT_W-1:0] ONE = {{COUNT_W - 1{1'b0}}, 1'b1};
    localparam [COUNT_W-1:0] WHOLE_BIT = BIT[COUNT_W-1:0] - ONE;
    localparam [COUNT_W-1:0] HALF_BIT = HALF[COUNT_W-1:0] - ONE;
    localparam [3:0] NEXT = 4'd1;
    localparam [3:0] START = 4'd0;
    localparam [3:0] STOP = 4'd9;

    // The line comes from another clock: two registers before anybody looks, a third to see it fall.
    reg [2:0]         line_q;
    reg               busy_q;   // a byte is coming
    reg [3:0]         place_q;  // its bit: start, 8 of data, stop
    reg [COUNT_W-1:0] count_q;  // cycles until it is looked at
    reg [7:0]         data_q;
    reg               valid_q;
    reg               error_q;

    wire line = line_q[1];
    wire fell = line_q[2] && !line;
    wire sample = busy_q && count_q == {COUNT_W{1'b0}};  // now, in the middle of the bit
    wire false_start = place_q == START && line;

    always @(posedge clk) begin
        if (rst) begin
            line_q <= 3'b111;
            busy_q <= 1'b0;
            valid_q <= 1'b0;
        end else begin
            line_q <= {line_q[1:0], rx};
            if (!busy_q) busy_q <= fell;
            else if (sample) busy_q <= place_q != STOP && !false_start;
            valid_q <= sample && place_q == STOP;
        end
    end

    always @(posedge clk) begin
        if (!busy_q) begin
            place_q <= START;
            count_q <= HALF_BIT;
        end else if (sample) begin
            place_q <= place_q + NEXT;
            count_q <= WHOLE_BIT;
        end else begin
            count_q <= count_q - ONE;
        end
        if (sample && place_q != STOP) data_q <= {line, data_q[7:1]};
        error_q <= !line;
    end

    assign m_valid = valid_q;
    assign m_data = data_q;
    assign m_error = error_q;

endmodule

`default_nettype wire
