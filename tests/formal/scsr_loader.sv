`default_nettype none

module prove_scsr_loader #(
    parameter WORDS = 3,
    parameter ADDR_W = 2,
    parameter SLICES = 2
) (
    input wire clk,
    input wire rst,
    input wire s_valid
);

    wire              m_valid;
    wire              full;
    wire [SLICES-1:0] write;
    wire [ADDR_W-1:0] addr;

    scsr_loader #(.WORDS(WORDS), .ADDR_W(ADDR_W), .SLICES(SLICES)) dut (.*);

    (* hierconn *) wire [SLICES-1:0] \dut.slice_q ;

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    reg [ADDR_W+SLICES:0] taken_q;  // parts of words
    always @(posedge clk) begin
        if (rst) taken_q <= 0;
        else if (s_valid && !full) taken_q <= taken_q + 1'b1;
    end

    always @* if (running) begin
        i_slice: assert (\dut.slice_q == (1 << (taken_q % SLICES)));
        i_addr: assert (full || addr == taken_q / SLICES);

        // The memory is full after SLICES parts of WORDS words, and then stays so.
        r1_full: assert (full == (taken_q == WORDS * SLICES) && taken_q <= WORDS * SLICES);
        c1_full: cover (full);

        // Until then each part is written at its place: one slice of one word, in order.
        r2_write: assert (
            full || (write == (s_valid ? 1 << (taken_q % SLICES) : 0) && addr == taken_q / SLICES && !m_valid)
        );
        c2_write: cover (s_valid && !full && addr == WORDS - 1);

        // What comes after is handed on, and nothing is written any more.
        r3_after: assert (!full || (m_valid == s_valid && write == 0));
        c3_after: cover (full && s_valid);
    end

endmodule

`default_nettype wire
