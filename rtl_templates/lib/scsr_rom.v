`default_nettype none

// Read-only memory, loaded from a hexadecimal file, with a second register behind the memory's own.
//
// Latency 2 enabled cycles, interval 1. The second register keeps the memory's slow output out of the logic's path.

module scsr_rom #(
    // Width of a word in bits
    parameter WIDTH = 1,
    // Number of words
    parameter DEPTH = 2,
    // Width of an address in bits
    parameter ADDR_W = 1,
    // Contents, in the form of $readmemh; empty: all words are zero
    parameter FILE = ""
) (
    input  wire              clk,
    input  wire              en,
    input  wire [ADDR_W-1:0] addr,
    output wire [WIDTH-1:0]  data
);

    reg [WIDTH-1:0] words [0:DEPTH-1];
    reg [WIDTH-1:0] word_q;
    reg [WIDTH-1:0] data_q;

    generate
        if (FILE != "") begin : g_contents
            initial $readmemh(FILE, words);
        end else begin : g_zero
            integer i;
            initial for (i = 0; i < DEPTH; i = i + 1) words[i] = {WIDTH{1'b0}};
        end
    endgenerate

    always @(posedge clk) begin
        if (en) begin
            word_q <= words[addr];
            data_q <= word_q;
        end
    end

    assign data = data_q;

endmodule

`default_nettype wire
