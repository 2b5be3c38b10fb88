`default_nettype none

// Read-only memory, loaded from a hexadecimal file, with a second register behind the memory's own.
//
// Latency 2 enabled cycles, interval 1. The second register keeps the memory's slow output out of the logic's path.
// Two ports are the two ports of one block RAM: the contents are there once.

module scsr_rom #(
    parameter PORTS = 1,   // read ports, 1 or 2
    parameter WIDTH = 1,   // width of a word in bits
    parameter DEPTH = 2,   // number of words
    parameter ADDR_W = 1,  // width of an address in bits
    parameter FILE = ""    // contents, in the form of $readmemh; empty: all words are zero
) (
    input  wire                    clk,
    input  wire                    en,
    input  wire [PORTS*ADDR_W-1:0] addr,  // of all ports, port 0 in the lowest bits
    output wire [PORTS*WIDTH-1:0]  data   // two cycles later
);

    // A memory of few words is left to the tool: look-up tables may be cheaper than a block.
    (* rom_style = DEPTH > 16 ? "block" : "auto" *)
    reg [WIDTH-1:0] words [0:DEPTH-1];

    generate
        if (FILE != "") begin : g_contents
            initial $readmemh(FILE, words);
        end else begin : g_zero
            integer i;
            initial for (i = 0; i < DEPTH; i = i + 1) words[i] = {WIDTH{1'b0}};
        end
    endgenerate

    genvar p;
    generate
        for (p = 0; p < PORTS; p = p + 1) begin : g_port
            reg [WIDTH-1:0] word_q;
            reg [WIDTH-1:0] data_q;

            always @(posedge clk) begin
                if (en) begin
                    word_q <= words[addr[p*ADDR_W+:ADDR_W]];
                    data_q <= word_q;
                end
            end

            assign data[p*WIDTH+:WIDTH] = data_q;
        end
    endgenerate

endmodule

`default_nettype wire
