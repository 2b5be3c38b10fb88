`default_nettype none

// Takes the words of one loaded memory from a stream, and hands on all that come after them.
//
// Order: word 0, its lowest 16 bits first, then word 1, and so on. Loaders are chained; the last one's `full` says that
// all memories are loaded.

module scsr_loader #(
    parameter WORDS = 2,   // number of words
    parameter ADDR_W = 1,  // width of a word's address
    parameter SLICES = 1   // 16-bit slices of a word
) (
    input  wire              clk,
    input  wire              rst,
    input  wire              s_valid,  // 16 bits of weights come
    output wire              m_valid,  // not for this memory any more
    output wire              full,     // all words are written
    output wire [SLICES-1:0] write,    // slice of the word at `addr` that s_data is for
    output wire [ADDR_W-1:0] addr
);

    localparam [ADDR_W-1:0] ONE = 1;
    localparam [31:0] LAST_NUMBER = WORDS - 1;
    localparam [ADDR_W-1:0] LAST = LAST_NUMBER[ADDR_W-1:0];
    localparam [SLICES-1:0] FIRST_SLICE = 1;

    reg              full_q;  // stays so until the next reset
    reg [ADDR_W-1:0] addr_q;  // the word that is being written
    reg [SLICES-1:0] slice_q;  // one bit set

    wire take = s_valid && !full_q;

    assign full = full_q;
    assign m_valid = s_valid && full_q;
    assign write = slice_q & {SLICES{take}};
    assign addr = addr_q;

    always @(posedge clk) begin
        if (rst) begin
            full_q <= 1'b0;
            addr_q <= {ADDR_W{1'b0}};
            slice_q <= FIRST_SLICE;
        end else if (take) begin
            slice_q <= slice_q[SLICES-1] ? FIRST_SLICE : slice_q << 1;
            if (slice_q[SLICES-1]) begin
                full_q <= addr_q == LAST;
                addr_q <= addr_q + ONE;
            end
        end
    end

endmodule

`default_nettype wire
