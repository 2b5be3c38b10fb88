`default_nettype none

// Memory with one port, written in slices of 16 bits while nothing reads, then only read.
//
// Shaped for the large single-port blocks that cannot hold contents at power-on, such as those of the iCE40 UltraPlus.
// Latency 2 enabled cycles (memory, register), interval 1.

module scsr_loaded_ram #(
    parameter WIDTH = 1,   // width of a word in bits
    parameter SLICES = 1,  // number of 16-bit slices: WIDTH / 16, rounded up
    parameter DEPTH = 2,   // number of words
    parameter ADDR_W = 1   // width of an address in bits
) (
    input  wire              clk,
    input  wire              en,
    input  wire [ADDR_W-1:0] addr,   // of the word that is read, or that `write` is for
    output wire [WIDTH-1:0]  data,
    input  wire [SLICES-1:0] write,  // its slices that are written
    input  wire [15:0]       write_data
);

    wire [SLICES*16-1:0] words_data;  // all slices, the last one filled up

    genvar s;
    generate
        for (s = 0; s < SLICES; s = s + 1) begin : g_slice
            reg [15:0] words [0:DEPTH-1];
            reg [15:0] word_q;
            reg [15:0] data_q;

            always @(posedge clk) begin
                if (write[s]) words[addr] <= write_data;
                else if (en) word_q <= words[addr];
                if (en) data_q <= word_q;
            end

            assign words_data[s*16+:16] = data_q;
        end

        if (SLICES * 16 > WIDTH) begin : g_rest
            wire unused = &{1'b0, words_data[SLICES*16-1:WIDTH]};
        end
    endgenerate

    assign data = words_data[WIDTH-1:0];

endmodule

`default_nettype wire
