`default_nettype none

module prove_scsr_fork #(
    parameter BRANCHES = 3
) (
    input wire                clk,
    input wire                rst,
    input wire                s_valid,
    input wire [BRANCHES-1:0] m_ready
);

    wire                s_ready;
    wire [BRANCHES-1:0] m_valid;

    scsr_fork #(.BRANCHES(BRANCHES)) dut (.*);

    (* hierconn *) wire [BRANCHES-1:0] \dut.taken_q ;
    (* anyconst *) wire [BRANCHES-1:0] chosen;  // one branch, any
    always @* assume ((chosen & (chosen - 1'b1)) == 0 && chosen != 0);

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    wire give = s_valid && s_ready;
    wire take = |(m_valid & m_ready & chosen);

    reg  offered_q = 1'b0;
    reg  taken_q = 1'b0;  // the chosen branch has the beat that the source still offers
    reg  s_offered_q = 1'b0;
    always @(posedge clk) begin
        offered_q <= !rst && |(m_valid & chosen) && !take;
        s_offered_q <= !rst && s_valid && !s_ready;
        taken_q <= !rst && (taken_q || take) && !give;
    end
    always @* if (s_offered_q) assume (s_valid);

    always @* if (running) begin
        i_taken: assert (|(\dut.taken_q & chosen) == taken_q);
        i_source: assert (\dut.taken_q == 0 || s_offered_q);

        // What a branch is offered it is offered until it takes it.
        r1_stable: assert (!offered_q || |(m_valid & chosen));
        c1_stable: cover (offered_q && taken_q == 0 && \dut.taken_q != 0);

        // A beat goes to each branch once: not again ...
        r2_once: assert (!(taken_q && take));
        c2_once: cover (taken_q && s_valid && |(m_ready & chosen));

        // ... and not without: when it leaves the source, the branch has it.
        r3_all: assert (!give || taken_q || take);
        c3_all: cover (give && \dut.taken_q == ~chosen);

        // No branch waits for another: a beat that it has not taken is offered.
        r4_offer: assert (!(s_valid && !taken_q) || |(m_valid & chosen));
        c4_offer: cover (s_valid && !taken_q && (m_ready & ~chosen) == 0);

        // When all branches have taken or take the beat, it leaves.
        r5_leave: assert (!(s_valid && (\dut.taken_q | m_ready) == {BRANCHES{1'b1}}) || give);
        c5_leave: cover (s_valid && \dut.taken_q == ~chosen && |(m_ready & chosen));
    end

endmodule

`default_nettype wire
