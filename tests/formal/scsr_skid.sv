`default_nettype none

module prove_scsr_skid #(
    parameter WIDTH = 2
) (
    input wire             clk,
    input wire             rst,
    input wire             s_valid,
    input wire [WIDTH-1:0] s_data,
    input wire             m_ready
);

    wire             s_ready;
    wire             m_valid;
    wire [WIDTH-1:0] m_data;

    scsr_skid #(.WIDTH(WIDTH)) dut (.*);

    (* hierconn *) wire             \dut.full_q ;
    (* hierconn *) wire [WIDTH-1:0] \dut.data_q ;

    wire             in = s_valid && s_ready;
    wire             out = m_valid && m_ready;
    wire [1:0]       count;
    wire [1:0]       ahead;
    wire             inside;
    wire [WIDTH-1:0] word;

    watch #(.WIDTH(WIDTH), .COUNT_W(2)) watch (.clk, .rst, .in, .in_data(s_data), .out, .count, .ahead, .inside, .word);

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    reg             offered_q = 1'b0;  // and not taken: such a beat stays
    reg             s_offered_q = 1'b0;
    reg [WIDTH-1:0] data_q;
    reg [WIDTH-1:0] s_data_q;
    always @(posedge clk) begin
        offered_q <= !rst && m_valid && !m_ready;
        s_offered_q <= !rst && s_valid && !s_ready;
        data_q <= m_data;
        s_data_q <= s_data;
    end
    always @* if (s_offered_q) assume (s_valid && s_data == s_data_q);

    always @* if (running) begin
        i_inside: assert (!inside || (\dut.full_q && \dut.data_q == word));

        // The offered beat stays as it is until it is taken.
        r1_stable: assert (!offered_q || (m_valid && m_data == data_q));
        c1_stable: cover (offered_q && m_valid && s_valid);

        // No beat is lost, repeated or invented: what is inside is the one word that may wait, ...
        r2_count: assert (count == {1'b0, \dut.full_q });
        c2_count: cover (count == 1 && !s_ready);

        // ... and the watched word comes out at its place, unchanged.
        r3_order: assert (!(out && inside && ahead == 0) || m_data == word);
        c3_order: cover (out && inside && ahead == 0);

        // An empty buffer hands on a beat in the same cycle.
        r4_through: assert (!(s_valid && count == 0) || (m_valid && m_data == s_data));
        c4_through: cover (in && out);
    end

endmodule

`default_nettype wire
