`default_nettype none

module prove_scsr_watchdog #(
    parameter LIMIT = 3,
    parameter COUNT_W = 2
) (
    input wire        clk,
    input wire        rst,
    input wire [15:0] s_axis_tdata,
    input wire        s_axis_tvalid,
    input wire        s_axis_tlast,
    input wire        m_axis_tready
);

    wire        s_axis_tready;
    wire [15:0] m_axis_tdata;
    wire        m_axis_tvalid;
    wire        m_axis_tlast;
    wire        m_axis_tuser;

    scsr_watchdog #(.LIMIT(LIMIT), .COUNT_W(COUNT_W)) dut (.*);

    (* hierconn *) wire               \dut.open_q ;
    (* hierconn *) wire               \dut.expired_q ;
    (* hierconn *) wire [COUNT_W-1:0] \dut.count_q ;

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    reg        s_offered_q = 1'b0;
    reg [16:0] s_offer_q;
    reg        offered_q = 1'b0;
    reg [17:0] offer_q;
    always @(posedge clk) begin
        s_offered_q <= !rst && s_axis_tvalid && !s_axis_tready;
        s_offer_q <= {s_axis_tlast, s_axis_tdata};
        offered_q <= !rst && m_axis_tvalid && !m_axis_tready;
        offer_q <= {m_axis_tuser, m_axis_tlast, m_axis_tdata};
    end
    always @* if (s_offered_q) assume (s_axis_tvalid && {s_axis_tlast, s_axis_tdata} == s_offer_q);

    wire take = m_axis_tvalid && m_axis_tready;
    wire end_ = take && m_axis_tdata[15] && m_axis_tlast;

    reg       open_q;   // a sample has begun and not ended
    reg [3:0] quiet_q;  // cycles since in which nothing was offered
    always @(posedge clk) begin
        if (rst) begin
            open_q <= 1'b0;
            quiet_q <= 0;
        end else begin
            if (take) open_q <= !end_;
            quiet_q <= open_q && !m_axis_tvalid ? quiet_q + 1'b1 : 0;
        end
    end

    always @* if (running) begin
        i_open: assert (\dut.open_q == open_q && (!\dut.expired_q || open_q));
        i_count: assert (quiet_q <= LIMIT && (\dut.expired_q ? \dut.count_q == 0 : \dut.count_q == quiet_q));
        i_end: assert (!\dut.expired_q || offered_q || quiet_q == LIMIT);

        // The offered beat stays as it is until it is taken.
        r1_stable: assert (!offered_q || (m_axis_tvalid && {m_axis_tuser, m_axis_tlast, m_axis_tdata} == offer_q));
        c1_stable: cover (offered_q && m_axis_tuser);

        // A beat of the source passes in the same cycle, unchanged, and nothing else does but ends.
        r2_through: assert (
            (s_axis_tvalid && s_axis_tready) == (take && !m_axis_tuser)
            && (m_axis_tuser || {m_axis_tvalid, m_axis_tlast, m_axis_tdata} == {s_axis_tvalid, s_axis_tlast, s_axis_tdata})
        );
        c2_through: cover (take && !m_axis_tuser && s_axis_tlast);

        // A sample is ended LIMIT cycles after its last beat, if nothing was offered in them, by a TICK with tlast.
        r3_end: assert (!(quiet_q == LIMIT) || (m_axis_tvalid && m_axis_tuser && m_axis_tdata == 16'h8000 && m_axis_tlast));
        c3_end: cover (quiet_q == LIMIT && s_axis_tvalid);

        // Never earlier, and never between samples.
        r4_early: assert (!m_axis_tuser || (open_q && (offered_q || quiet_q == LIMIT)));
        c4_early: cover (m_axis_tuser && offered_q);
    end

endmodule

`default_nettype wire
