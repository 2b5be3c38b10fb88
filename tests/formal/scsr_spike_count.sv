`default_nettype none

module prove_scsr_spike_count #(
    parameter UNITS = 1,
    parameter COUNT_W = 2
) (
    input wire             clk,
    input wire             rst,
    input wire             s_taken,
    input wire             s_last,
    input wire             s_end,
    input wire [UNITS-1:0] s_spikes
);

    wire [COUNT_W-1:0] count;

    scsr_spike_count #(.UNITS(UNITS), .COUNT_W(COUNT_W)) dut (.*);

    (* hierconn *) wire [COUNT_W-1:0] \dut.so_far_q ;

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    wire [COUNT_W-1:0] here = $countones(s_spikes);
    reg [COUNT_W-1:0]  so_far_q;  // spikes of the step under way, modulo the width
    reg [COUNT_W-1:0]  before_q;  // of the step before
    reg                begins_q;  // that one was a sample's last, or there was none
    always @(posedge clk) begin
        if (rst) begin
            so_far_q <= 0;
            before_q <= 0;
            begins_q <= 1'b1;
        end else if (s_taken) begin
            so_far_q <= s_last ? 0 : so_far_q + here;
            if (s_last) begin
                before_q <= so_far_q + here;
                begins_q <= s_end;
            end
        end
    end

    always @* if (running) begin
        i_so_far: assert (\dut.so_far_q == so_far_q);

        // Within a sample the count is that of the step before.
        r1_count: assert (begins_q || count == before_q);
        c1_count: cover (!begins_q && count == 2 && so_far_q == 1);

        // In a sample's first step it is 0.
        r2_end: assert (!begins_q || count == 0);
        c2_end: cover (begins_q && before_q != 0);
    end

endmodule

`default_nettype wire
