`default_nettype none

module prove_scsr_mark (
    input wire       clk,
    input wire       rst,
    input wire       en,
    input wire       valid,
    input wire       damaged,
    input wire       last,
    input wire [2:0] s_tag
);

    wire [2:0] m_tag;

    scsr_mark #(.TAG_W(3)) dut (.*);

    (* hierconn *) wire \dut.damaged_q ;

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    wire word = en && valid;
    reg  seen_q;  // a word of the sample was damaged
    always @(posedge clk) begin
        if (rst) seen_q <= 1'b0;
        else if (word) seen_q <= !last && (seen_q || damaged);
    end

    always @* if (running) begin
        i_seen: assert (\dut.damaged_q == seen_q);

        // The highest bit is set from the sample's first damaged word to its last word.
        r1_marked: assert (m_tag[2] == (s_tag[2] || seen_q || damaged));
        c1_marked: cover (word && last && seen_q && !damaged && !s_tag[2]);

        // The rest of the tag passes.
        r2_tag: assert (m_tag[1:0] == s_tag[1:0]);
        c2_tag: cover (m_tag == 3'b110);
    end

endmodule

`default_nettype wire
