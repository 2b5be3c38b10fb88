`default_nettype none

// Skid buffer: a stream passes unless it must wait; then one word waits here, and only then is s_ready low.
//
// Latency 0, interval 1. s_ready comes from a register: the path of m_ready ends here.

module scsr_skid #(
    parameter WIDTH = 1  // width of a word in bits
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [WIDTH-1:0] s_data,
    output wire             m_valid,
    input  wire             m_ready,
    output wire [WIDTH-1:0] m_data
);

    reg             full_q;  // a word waits here
    reg [WIDTH-1:0] data_q;  // that word

    assign s_ready = !full_q;
    assign m_valid = full_q || s_valid;
    assign m_data = full_q ? data_q : s_data;

    always @(posedge clk) begin
        if (rst) full_q <= 1'b0;
        else full_q <= m_valid && !m_ready;
    end

    always @(posedge clk) if (!full_q) data_q <= s_data;

endmodule

`default_nettype wire
