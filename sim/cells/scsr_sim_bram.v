`default_nettype none

// A block RAM for the simulation of netlists: bytes of nine bits behind two ports, each of any power of two of bits.
//
// The models of vendors' block RAMs here only name its ports. Registered read, latency 1; a port reads the word before
// it writes. Addresses count bits without the bytes' ninth: a port of 1, 2 or 4 bits sees the low eight of a byte.
// Anything else that such a cell can do stops the simulation.

module scsr_sim_bram #(
    // Width of an address in bits
    parameter ADDR_W = 14,
    // Bits that port A reads and writes at once: 1, 2, 4, 9, 18, 36 or 72; 0: not used
    parameter READ_A = 0,
    parameter WRITE_A = 0,
    // The same of port B
    parameter READ_B = 0,
    parameter WRITE_B = 0,
    // 1: a port's output holds while it writes
    parameter HOLD_A = 0,
    parameter HOLD_B = 0,
    // Initial contents, byte by byte
    parameter [(9 << (ADDR_W - 3)) - 1:0] CONTENTS = 0
) (
    input  wire              clk_a, en_a,
    input  wire [7:0]        we_a,
    input  wire [ADDR_W-1:0] addr_a,
    input  wire [71:0]       wr_a,
    output reg  [71:0]       rd_a,
    input  wire              clk_b, en_b,
    input  wire [7:0]        we_b,
    input  wire [ADDR_W-1:0] addr_b,
    input  wire [71:0]       wr_b,
    output reg  [71:0]       rd_b,
    // What no model here does, such as a reset of the output
    input  wire              unknown
);

    localparam BYTES = 1 << (ADDR_W - 3);

    // Bytes that a port touches, and the first of them
    localparam READ_A_BYTES = (READ_A + 8) / 9, READ_B_BYTES = (READ_B + 8) / 9, WRITE_A_BYTES = (WRITE_A + 8) / 9,
        WRITE_B_BYTES = (WRITE_B + 8) / 9;

    reg [8:0] bytes [0:BYTES-1];
    integer i;
    integer j;

    initial for (i = 0; i < BYTES; i = i + 1) bytes[i] = CONTENTS[9 * i +: 9];

    wire [ADDR_W-4:0] byte_a = addr_a[ADDR_W-1:3];
    wire [ADDR_W-4:0] byte_b = addr_b[ADDR_W-1:3];

    always @(posedge clk_a) if (en_a) begin
        if (HOLD_A == 0 || we_a == 0) begin
            for (i = 0; i < READ_A_BYTES; i = i + 1)
                rd_a[9 * i +: 9] <= READ_A < 9 ? bytes[byte_a] >> addr_a[2:0] : bytes[(byte_a & ~(READ_A_BYTES - 1)) + i];
        end
        for (i = 0; i < WRITE_A_BYTES; i = i + 1)
            if (we_a[i]) begin
                if (WRITE_A < 9) begin
                    for (j = 0; j < WRITE_A; j = j + 1) bytes[byte_a][addr_a[2:0] + j] <= wr_a[j];
                end else bytes[(byte_a & ~(WRITE_A_BYTES - 1)) + i] <= wr_a[9 * i +: 9];
            end
    end

    always @(posedge clk_b) if (en_b) begin
        if (HOLD_B == 0 || we_b == 0) begin
            for (i = 0; i < READ_B_BYTES; i = i + 1)
                rd_b[9 * i +: 9] <= READ_B < 9 ? bytes[byte_b] >> addr_b[2:0] : bytes[(byte_b & ~(READ_B_BYTES - 1)) + i];
        end
        for (i = 0; i < WRITE_B_BYTES; i = i + 1)
            if (we_b[i]) begin
                if (WRITE_B < 9) begin
                    for (j = 0; j < WRITE_B; j = j + 1) bytes[byte_b][addr_b[2:0] + j] <= wr_b[j];
                end else bytes[(byte_b & ~(WRITE_B_BYTES - 1)) + i] <= wr_b[9 * i +: 9];
            end
    end

    always @(posedge clk_a or posedge clk_b) if (unknown) begin
        $display("%m: a mode that this model does not have");
        $stop;
    end

endmodule

`default_nettype wire
