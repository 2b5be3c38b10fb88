`default_nettype none

module prove_scsr_emitter #(
    parameter UNITS = 3,
    parameter INDEX_W = 4
) (
    input wire               clk,
    input wire               rst,
    input wire               r_valid,
    input wire [INDEX_W-1:0] r_index,
    input wire               r_last,
    input wire [UNITS-1:0]   r_spikes,
    input wire [1:0]         r_tag,
    input wire               m_ready
);

    wire               r_ready;
    wire               m_valid;
    wire               m_tick;
    wire [INDEX_W-1:0] m_index;
    wire [1:0]         m_tag;

    scsr_emitter #(.UNITS(UNITS), .INDEX_W(INDEX_W), .TAG_W(2)) dut (.*);

    (* hierconn *) wire [UNITS-1:0] \dut.sent_q ;
    (* hierconn *) wire             \dut.emit ;

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    wire take = r_valid && r_ready;
    wire emit = \dut.emit && (!m_valid || m_ready);  // into the output's register

    reg                     r_offered_q = 1'b0;
    reg [INDEX_W+UNITS+2:0] r_offer_q;
    reg                     offered_q = 1'b0;
    reg [INDEX_W+2:0]       offer_q;
    always @(posedge clk) begin
        r_offered_q <= !rst && r_valid && !r_ready;
        r_offer_q <= {r_index, r_last, r_spikes, r_tag};
        offered_q <= !rst && m_valid && !m_ready;
        offer_q <= {m_tick, m_index, m_tag};
    end
    always @* if (r_offered_q) assume (r_valid && {r_index, r_last, r_spikes, r_tag} == r_offer_q);

    // A word's events in order: its spikes, then a TICK if it is the step's last. `next_q` is the number of the next one.
    reg [UNITS:0] next_q;
    always @(posedge clk) begin
        if (rst || take) next_q <= 0;
        else if (emit) next_q <= next_q + 1'b1;
    end

    reg [UNITS:0]     spikes;     // in the word
    reg [INDEX_W-1:0] unit;       // of spike number `next_q`
    reg [UNITS-1:0]   emitted;
    integer u;
    always @* begin
        spikes = 0;
        unit = 0;
        emitted = 0;
        for (u = 0; u < UNITS; u = u + 1) begin
            if (r_spikes[u] && spikes < next_q) emitted[u] = 1'b1;
            if (r_spikes[u] && spikes == next_q) unit = u;
            spikes = spikes + r_spikes[u];
        end
    end

    wire [INDEX_W+2:0] due = next_q < spikes ? {1'b0, r_index + unit, 2'b00} : {1'b1, {INDEX_W{1'b0}}, r_tag};
    wire [INDEX_W+2:0] given = m_tick ? {1'b1, {INDEX_W{1'b0}}, m_tag} : {1'b0, m_index, 2'b00};
    wire [1:0]         count;
    wire [1:0]         ahead;
    wire               inside;
    wire [INDEX_W+2:0] word;

    watch #(.WIDTH(INDEX_W + 3), .COUNT_W(2)) watch (
        .clk, .rst, .in(emit), .in_data(due), .out(m_valid && m_ready), .count, .ahead, .inside, .word
    );

    always @* if (running) begin
        i_sent: assert (next_q == 0 ? \dut.sent_q == 0 : (\dut.sent_q == emitted && r_offered_q && next_q < spikes + r_last));

        // The offered event stays as it is until it is taken.
        r1_stable: assert (!offered_q || (m_valid && {m_tick, m_index, m_tag} == offer_q));
        c1_stable: cover (offered_q && m_tick);

        // No event is lost, repeated or invented on its way out.
        r2_count: assert (count == m_valid);
        c2_count: cover (m_valid && m_ready && emit);

        // It is the word's next one: its spikes in order, then the TICK with its tag.
        r3_event: assert (!(m_valid && inside && ahead == 0) || given == word);
        c3_event: cover (m_valid && inside && ahead == 0 && m_tick && m_tag == 2'b10);

        // A word leaves when all its events have gone out, and no more than those do.
        r4_all: assert (!take || next_q + emit == spikes + r_last);
        c4_all: cover (take && spikes == UNITS && r_last);

        // A word without events never waits.
        r5_silent: assert (!(r_valid && spikes == 0 && !r_last) || r_ready);
        c5_silent: cover (take && spikes == 0 && !r_last && offered_q && !m_ready);
    end

endmodule

`default_nettype wire
