`default_nettype none

// scsr_rom with any contents: what is proven with it holds for every file.

module scsr_rom #(
    // Read ports, 1 or 2
    parameter PORTS = 1,
    // Width of a word in bits
    parameter WIDTH = 1,
    // Number of words
    parameter DEPTH = 2,
    // Width of an address in bits
    parameter ADDR_W = 1,
    // Not read
    parameter FILE = ""
) (
    input  wire                    clk,
    input  wire                    en,
    input  wire [PORTS*ADDR_W-1:0] addr,
    output wire [PORTS*WIDTH-1:0]  data
);

    (* anyconst *) wire [DEPTH*WIDTH-1:0] words;
    (* anyseq *) wire [WIDTH-1:0]         nothing;  // a word that does not exist
    reg [PORTS*WIDTH-1:0]                 word_q;
    reg [PORTS*WIDTH-1:0]                 data_q;

    genvar p;
    generate
        for (p = 0; p < PORTS; p = p + 1) begin : g_port
            wire [ADDR_W-1:0] a = addr[p*ADDR_W+:ADDR_W];
            always @(posedge clk) if (en) word_q[p*WIDTH+:WIDTH] <= a < DEPTH ? words[a*WIDTH+:WIDTH] : nothing;
        end
    endgenerate

    always @(posedge clk) if (en) data_q <= word_q;

    assign data = data_q;

endmodule

`default_nettype wire
