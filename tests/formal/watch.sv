`default_nettype none

// Follows one word of a stream, the one with the number `WATCHED`, from its way in to its way out. Numbers return after
// 2**COUNT_W words, so with more of them than words that can be inside, every word of an endless stream is followed.

module watch #(
    // Width of a word
    parameter WIDTH = 1,
    // Width of a word's number
    parameter COUNT_W = 3
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               in,
    input  wire [WIDTH-1:0]   in_data,
    input  wire               out,
    // Words inside, and of those the ones ahead of the watched one, if that is inside
    output wire [COUNT_W-1:0] count,
    output wire [COUNT_W-1:0] ahead,
    output wire               inside,
    // The watched word
    output wire [WIDTH-1:0]   word
);

    (* anyconst *) wire [COUNT_W-1:0] watched;

    reg [COUNT_W-1:0] in_q;
    reg [COUNT_W-1:0] out_q;
    reg [WIDTH-1:0]   word_q;

    always @(posedge clk) begin
        if (rst) begin
            in_q <= 0;
            out_q <= 0;
        end else begin
            if (in) in_q <= in_q + 1'b1;
            if (out) out_q <= out_q + 1'b1;
        end
        if (in && in_q == watched) word_q <= in_data;
    end

    assign count = in_q - out_q;
    assign ahead = watched - out_q;
    assign inside = ahead < count;
    assign word = word_q;

endmodule

`default_nettype wire
