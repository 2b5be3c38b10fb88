`default_nettype none

// Sender on a serial line: one start bit, eight data bits from the lowest on, one stop bit, no parity.
//
// Latency 1 cycle to the start bit, interval 10 * BIT_CYCLES + 1.

module scsr_uart_tx #(
    parameter BIT_CYCLES = 16,  // length of a bit in cycles
    parameter COUNT_W = 5       // width of a counter of BIT_CYCLES
) (
    input  wire       clk,
    input  wire       rst,
    input  wire       s_valid,  // a byte to send
    output wire       s_ready,
    input  wire [7:0] s_data,
    output wire       tx        // the line, idle at 1
);

    localparam [31:0] BIT = BIT_CYCLES;
    localparam [COUNT_W-1:0] ONE = {{COUNT_W - 1{1'b0}}, 1'b1};
    localparam [COUNT_W-1:0] WHOLE_BIT = BIT[COUNT_W-1:0] - ONE;
    localparam [3:0] NEXT = 4'd1;
    localparam [3:0] STOP = 4'd9;

    reg               busy_q;   // a byte is on its way
    reg [3:0]         place_q;  // its bit: start, 8 of data, stop
    reg [COUNT_W-1:0] count_q;  // cycles that the bit still lasts
    // The bit on the line, lowest, and those to come; ones follow, which are the stop bit and the idle line.
    reg [8:0]         bits_q;

    wire bit_over = count_q == {COUNT_W{1'b0}};

    assign s_ready = !busy_q;
    assign tx = bits_q[0];

    always @(posedge clk) begin
        if (rst) begin
            busy_q <= 1'b0;
            bits_q <= 9'h1ff;
        end else if (!busy_q) begin
            busy_q <= s_valid;
            if (s_valid) bits_q <= {s_data, 1'b0};
        end else if (bit_over) begin
            busy_q <= place_q != STOP;
            bits_q <= {1'b1, bits_q[8:1]};
        end
    end

    always @(posedge clk) begin
        if (!busy_q) place_q <= 4'd0;
        else if (bit_over) place_q <= place_q + NEXT;
        if (!busy_q || bit_over) count_q <= WHOLE_BIT;
        else count_q <= count_q - ONE;
    end

endmodule

`default_nettype wire
