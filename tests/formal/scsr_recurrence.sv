`default_nettype none

module prove_scsr_recurrence (
    input wire clk,
    input wire s_valid,
    input wire s_tick,
    input wire s_sample_last,
    input wire m_ready
);

    wire s_ready;
    wire m_valid;

    scsr_recurrence dut (.*);

    always @* begin
        // A spike of a sample's last step ends here, at once.
        r1_drop: assert (!(s_valid && s_sample_last && !s_tick) || (s_ready && !m_valid));
        c1_drop: cover (s_valid && s_sample_last && !s_tick && !m_ready);

        // Every other beat, and no more, goes through.
        r2_through: assert ((s_sample_last && !s_tick) || (m_valid == s_valid && s_ready == m_ready));
        c2_through: cover (m_valid && m_ready && s_sample_last);
    end

endmodule

`default_nettype wire
