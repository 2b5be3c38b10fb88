`default_nettype none

module prove_scsr_recurrence #(
    parameter ONLY_TICKS = 0
) (
    input wire clk,
    input wire s_valid,
    input wire s_tick,
    input wire s_sample_last,
    input wire m_ready
);

    wire s_ready;
    wire m_valid;

    scsr_recurrence #(.ONLY_TICKS(ONLY_TICKS)) dut (.*);

    wire ends = (s_sample_last || ONLY_TICKS) && !s_tick;

    always @* begin
        // A spike of a sample's last step ends here, at once, and where only TICKs go through every spike.
        r1_drop: assert (!(s_valid && ends) || (s_ready && !m_valid));
        c1_drop: cover (s_valid && ends && !m_ready && (s_sample_last || ONLY_TICKS));

        // Every other beat, and no more, goes through.
        r2_through: assert (ends || (m_valid == s_valid && s_ready == m_ready));
        c2_through: cover (m_valid && m_ready && s_sample_last);
    end

endmodule

`default_nettype wire
