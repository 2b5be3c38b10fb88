`default_nettype none

// The other models are written with these macros, so this file comes first: vendors' cells name each slot of a memory
// and each pin of a bus. Sixteen names that end in a hexadecimal digit, the last first; the same as parameters that
// are 0; the names of 18 pins, the last first.
`define SLOTS(NAME) NAME``F, NAME``E, NAME``D, NAME``C, NAME``B, NAME``A, NAME``9, NAME``8, \
    NAME``7, NAME``6, NAME``5, NAME``4, NAME``3, NAME``2, NAME``1, NAME``0
`define ZERO_SLOTS(NAME) NAME``0 = 0, NAME``1 = 0, NAME``2 = 0, NAME``3 = 0, NAME``4 = 0, NAME``5 = 0, NAME``6 = 0, \
    NAME``7 = 0, NAME``8 = 0, NAME``9 = 0, NAME``A = 0, NAME``B = 0, NAME``C = 0, NAME``D = 0, NAME``E = 0, NAME``F = 0
`define PINS(NAME) NAME``17, NAME``16, NAME``15, NAME``14, NAME``13, NAME``12, NAME``11, NAME``10, NAME``9, \
    NAME``8, NAME``7, NAME``6, NAME``5, NAME``4, NAME``3, NAME``2, NAME``1, NAME``0

// A block RAM for the simulation of netlists: bytes of nine bits behind two ports, each of any power of two of bits.
//
// The models of vendors' block RAMs here only name its ports. Registered read, latency 1; a port reads the word before
// it writes. Addresses count bits without the bytes' ninth: a port of 1, 2 or 4 bits sees the low eight of a byte.
// Anything else that such a cell can do stops the simulation.

module scsr_sim_bram #(
    // Width of an address in bits
    parameter ADDR_W = 14,
    // Bits that port A reads and writes at once: 1, 2, 4, 9, 18, 36 or 72; 0: not used
    parameter READ_A = 0, WRITE_A = 0,
    // The same of port B
    parameter READ_B = 0, WRITE_B = 0,
    // 1: a port's output holds while it writes
    parameter HOLD_A = 0, HOLD_B = 0,
    // Initial contents, byte by byte
    parameter [(9 << (ADDR_W - 3)) - 1:0] CONTENTS = 0
) (
    input  wire              clk_a, en_a,
    input  wire [7:0]        we_a,
    input  wire [ADDR_W-1:0] addr_a,
    input  wire [71:0]       wr_a,
    output wire [71:0]       rd_a,
    input  wire              clk_b, en_b,
    input  wire [7:0]        we_b,
    input  wire [ADDR_W-1:0] addr_b,
    input  wire [71:0]       wr_b,
    output wire [71:0]       rd_b,
    // What no model here does, such as a reset of the output
    input  wire              unknown
);

    localparam BYTES = 1 << (ADDR_W - 3);

    reg [8:0] bytes [0:BYTES-1];
    integer word;

    initial for (word = 0; word < BYTES; word = word + 1) bytes[word] = CONTENTS[9 * word +: 9];

    genvar p;
    generate
        for (p = 0; p < 2; p = p + 1) begin : g_port
            localparam READ = p == 0 ? READ_A : READ_B, WRITE = p == 0 ? WRITE_A : WRITE_B;
            localparam HOLD = p == 0 ? HOLD_A : HOLD_B;
            // Bytes that the port touches, and the first of them
            localparam READ_BYTES = (READ + 8) / 9, WRITE_BYTES = (WRITE + 8) / 9;
            wire              clk = p == 0 ? clk_a : clk_b, en = p == 0 ? en_a : en_b;
            wire [7:0]        we = p == 0 ? we_a : we_b;
            wire [ADDR_W-1:0] addr = p == 0 ? addr_a : addr_b;
            wire [71:0]       wr = p == 0 ? wr_a : wr_b;
            wire [ADDR_W-4:0] first = addr[ADDR_W-1:3];
            reg [71:0]        rd;
            integer           i, j;

            always @(posedge clk) if (en) begin
                if (HOLD == 0 || we == 0) begin
                    for (i = 0; i < READ_BYTES; i = i + 1)
                        rd[9 * i +: 9] <= READ < 9 ? bytes[first] >> addr[2:0] : bytes[(first & ~(READ_BYTES - 1)) + i];
                end
                for (i = 0; i < WRITE_BYTES; i = i + 1)
                    if (we[i]) begin
                        if (WRITE < 9) begin
                            for (j = 0; j < WRITE; j = j + 1) bytes[first][addr[2:0] + j] <= wr[j];
                        end else bytes[(first & ~(WRITE_BYTES - 1)) + i] <= wr[9 * i +: 9];
                    end
            end
        end
    endgenerate

    assign rd_a = g_port[0].rd;
    assign rd_b = g_port[1].rd;

    always @(posedge clk_a or posedge clk_b) if (unknown) begin
        $display("%m: a mode that this model does not have");
        $stop;
    end

endmodule

`default_nettype wire
