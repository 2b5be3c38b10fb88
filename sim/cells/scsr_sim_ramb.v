`default_nettype none

// RAMB18E1 and RAMB36E1 of the 7 series as Yosys emits them: no output register, no reset of the output.
//
// With the width of both ports together, port A reads and port B writes, each with the data pins of both.

module scsr_sim_ramb #(
    // Bytes of a port
    parameter BYTES = 2,
    // Initial contents: the bytes, and the ninth bit of each
    parameter [8192 * BYTES - 1:0] DATA = 0,
    parameter [1024 * BYTES - 1:0] PARITY = 0,
    // Bits that a port reads and writes at once
    parameter READ_A = 0, WRITE_A = 0, READ_B = 0, WRITE_B = 0,
    // What a port's output shows while it writes
    parameter MODE_A = "WRITE_FIRST", MODE_B = "WRITE_FIRST",
    // Width of an address in bits
    parameter ADDR_W = 14
) (
    input  wire               clk_a, clk_b, en_a, en_b,
    input  wire [BYTES-1:0]   we_a,
    input  wire [2*BYTES-1:0] we_b,
    input  wire [ADDR_W-1:0]  addr_a, addr_b,
    input  wire [8*BYTES-1:0] data_a, data_b,
    input  wire [BYTES-1:0]   parity_a, parity_b,
    output wire [8*BYTES-1:0] read_a, read_b,
    output wire [BYTES-1:0]   read_parity_a, read_parity_b,
    // What this model does not do
    input  wire               unknown
);

    // Bytes of nine bits from data and parity
    function [9216 * BYTES - 1:0] contents(input integer unused);
        integer i;
        for (i = 0; i < 1024 * BYTES; i = i + 1) contents[9 * i +: 9] = {PARITY[i], DATA[8 * i +: 8]};
    endfunction

    localparam WIDE_READ = READ_A == 18 * BYTES, WIDE_WRITE = WRITE_B == 18 * BYTES;

    wire [71:0] wr_a, wr_b, rd_a, rd_b;
    wire [7:0] bytes_a, bytes_b;
    wire [16*BYTES-1:0] wide_data = WIDE_WRITE ? {data_b, data_a} : {{8 * BYTES{1'b0}}, data_b};
    wire [2*BYTES-1:0] wide_parity = WIDE_WRITE ? {parity_b, parity_a} : {{BYTES{1'b0}}, parity_b};

    genvar k;
    generate
        for (k = 0; k < 8; k = k + 1) begin : g_byte
            if (k < BYTES) begin : g_low
                assign bytes_a[k] = we_a[k];
                assign wr_a[9 * k +: 9] = {parity_a[k], data_a[8 * k +: 8]};
                assign {read_parity_a[k], read_a[8 * k +: 8]} = rd_a[9 * k +: 9];
                assign {read_parity_b[k], read_b[8 * k +: 8]} =
                    WIDE_READ ? rd_a[9 * (k + BYTES) +: 9] : rd_b[9 * k +: 9];
            end else begin : g_high
                assign {bytes_a[k], wr_a[9 * k +: 9]} = 10'd0;
            end
            if (k < 2 * BYTES) begin : g_wide
                assign bytes_b[k] = we_b[k];
                assign wr_b[9 * k +: 9] = {wide_parity[k], wide_data[8 * k +: 8]};
            end else begin : g_none
                assign {bytes_b[k], wr_b[9 * k +: 9]} = 10'd0;
            end
        end
    endgenerate

    scsr_sim_bram #(
        .ADDR_W(ADDR_W), .READ_A(READ_A), .WRITE_A(WRITE_A), .READ_B(READ_B), .WRITE_B(WRITE_B),
        .HOLD_A(MODE_A == "NO_CHANGE"), .HOLD_B(MODE_B == "NO_CHANGE"), .CONTENTS(contents(0))
    ) memory (
        .clk_a(clk_a), .en_a(en_a), .we_a(bytes_a), .addr_a(addr_a), .wr_a(wr_a), .rd_a(rd_a),
        .clk_b(clk_b), .en_b(en_b), .we_b(bytes_b), .addr_b(addr_b), .wr_b(wr_b), .rd_b(rd_b),
        .unknown(
            unknown || (MODE_A == "WRITE_FIRST" && READ_A != 0 && WRITE_A != 0) ||
            (MODE_B == "WRITE_FIRST" && READ_B != 0 && WRITE_B != 0)
        )
    );

endmodule

`default_nettype wire
