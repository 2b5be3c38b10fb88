`default_nettype none

// Marks a sample in which a damaged word was read: from that word on, to the sample's last, its tags' highest bit is set.
//
// Latency 0.

module scsr_mark #(
    parameter TAG_W = 2  // width of the tag, at least 2
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             en,
    input  wire             valid,    // a word passes
    input  wire             damaged,  // it could not be corrected
    input  wire             last,     // the sample's last word
    input  wire [TAG_W-1:0] s_tag,    // as it came
    output wire [TAG_W-1:0] m_tag     // with the mark in its highest bit
);

    reg  damaged_q;  // a word of this sample was damaged
    wire damaged_d = damaged_q || damaged;

    assign m_tag = s_tag | {damaged_d, {TAG_W - 1{1'b0}}};

    always @(posedge clk) begin
        if (rst) damaged_q <= 1'b0;
        else if (en && valid) damaged_q <= damaged_d && !last;
    end

endmodule

`default_nettype wire
