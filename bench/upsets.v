`default_nettype none

// Memories in which bits flip while a simulation runs: upset_ram in place of scsr_ram, upset_rom of scsr_rom.
//
// In each cycle with a probability of WIDTH * DEPTH / period one bit of a memory flips, and stays so until its word is
// written. mem/upsets.hex holds the period, 0 for none, and a seed.

module upset_source #(
    parameter WIDTH = 1,
    parameter DEPTH = 2,
    // What tells this memory from others of its size
    parameter [63:0] KEY = 0
) (
    input  wire        clk,
    output wire        hit,
    output wire [63:0] word,
    output wire [63:0] place
);

    localparam [63:0] BITS = WIDTH * DEPTH;

    reg [63:0] upsets [0:1];
    reg [63:0] random_q;  // xorshift64 (Marsaglia 2003, "Xorshift RNGs")

    wire [63:0] first = random_q ^ (random_q << 13);
    wire [63:0] second = first ^ (first >> 7);
    wire [63:0] bit_number = (random_q >> 20) % BITS;

    assign hit = upsets[0] != 0 && random_q % upsets[0] < BITS;
    assign word = bit_number / WIDTH;
    assign place = bit_number % WIDTH;

    initial begin
        $readmemh("mem/upsets.hex", upsets);
        random_q = upsets[1] ^ (BITS << 32) ^ KEY;
    end

    always @(posedge clk) random_q <= second ^ (second << 17);

endmodule

module upset_ram #(
    parameter WIDTH = 1,
    parameter DEPTH = 2,
    parameter ADDR_W = 1
) (
    input  wire              clk,
    input  wire              wr_en,
    input  wire [ADDR_W-1:0] wr_addr,
    input  wire [WIDTH-1:0]  wr_data,
    input  wire              rd_en,
    input  wire [ADDR_W-1:0] rd_addr,
    output reg  [WIDTH-1:0]  rd_data
);

    reg [WIDTH-1:0] words [0:DEPTH-1];

    wire        hit;
    wire [63:0] word;
    wire [63:0] place;

    upset_source #(
        .WIDTH(WIDTH),
        .DEPTH(DEPTH)
    ) source (
        .clk  (clk),
        .hit  (hit),
        .word (word),
        .place(place)
    );

    integer i;
    initial for (i = 0; i < DEPTH; i = i + 1) words[i] = {WIDTH{1'b0}};

    // A bit that flips in the word that is written flips in what is written.
    always @(posedge clk) begin
        if (wr_en) words[wr_addr] = wr_data;
        if (hit) words[word[ADDR_W-1:0]] = words[word[ADDR_W-1:0]] ^ (1'b1 << place);
        if (rd_en) rd_data <= words[rd_addr];
    end

endmodule

module upset_rom #(
    parameter PORTS = 1,
    parameter WIDTH = 1,
    parameter DEPTH = 2,
    parameter ADDR_W = 1,
    parameter FILE = ""
) (
    input  wire                    clk,
    input  wire                    en,
    input  wire [PORTS*ADDR_W-1:0] addr,
    output reg  [PORTS*WIDTH-1:0]  data
);

    reg [WIDTH-1:0]       words [0:DEPTH-1];
    reg [PORTS*WIDTH-1:0] word_q;

    wire        hit;
    wire [63:0] word;
    wire [63:0] place;

    upset_source #(
        .WIDTH(WIDTH),
        .DEPTH(DEPTH),
        .KEY  (FILE % 64'd18446744073709551557)
    ) source (
        .clk  (clk),
        .hit  (hit),
        .word (word),
        .place(place)
    );

    initial $readmemh(FILE, words);

    integer p;
    always @(posedge clk) begin
        if (hit) words[word[ADDR_W-1:0]] = words[word[ADDR_W-1:0]] ^ (1'b1 << place);
        if (en) begin
            for (p = 0; p < PORTS; p = p + 1) word_q[p*WIDTH+:WIDTH] <= words[addr[p*ADDR_W+:ADDR_W]];
            data <= word_q;
        end
    end

endmodule

`default_nettype wire
