`default_nettype none

// Fork of a stream: every beat goes to each branch once, each branch at its own time.
//
// Latency 0. A beat leaves the source when the last branch has taken it; a branch that has taken it already is not
// offered it again.

module scsr_fork #(
    parameter BRANCHES = 2  // number of branches, at least 1
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                s_valid,  // a word for all branches
    output wire                s_ready,
    output wire [BRANCHES-1:0] m_valid,  // the same word, to each branch by itself
    input  wire [BRANCHES-1:0] m_ready
);

    reg  [BRANCHES-1:0] taken_q;  // branches that have it already
    wire [BRANCHES-1:0] taken_d = taken_q | (m_valid & m_ready);

    assign m_valid = {BRANCHES{s_valid}} & ~taken_q;
    assign s_ready = &(taken_q | m_ready);

    always @(posedge clk) begin
        if (rst || s_ready) taken_q <= {BRANCHES{1'b0}};
        else taken_q <= taken_d;
    end

endmodule

`default_nettype wire
