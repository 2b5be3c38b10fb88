`default_nettype none

// A skip link: a fork sends a stream through a layer and, over a FIFO, past it; a collector joins both in the next layer.
// What stands for the two layers does what scsr_event_list.sv and scsr_emitter.sv prove of them: it holds two steps, one
// that comes in and one that is worked on, sends any events of a step, then its TICK, and always goes on.

module prove_skip_link #(
    parameter FIFO = 1,    // 0: the skip link is a wire
    parameter DEPTH = 2,
    parameter ADDR_W = 1,
    parameter CLOSES = 14  // cycles in which a step is closed
) (
    input wire clk,
    input wire rst,
    input wire s_valid,
    input wire s_tick,
    input wire middle_last,  // the middle layer has no further event in its step
    input wire middle_waits,
    input wire sink_waits
);

    reg running = 1'b0;  // the first cycle is a reset
    always @(posedge clk) running <= 1'b1;
    always @* if (!running) assume (rst);

    wire       s_ready;
    wire [1:0] branch_valid;
    wire [1:0] branch_ready;
    wire       skip_valid;
    wire       skip_ready;
    wire       skip_tick;
    wire       middle_valid;
    wire       middle_ready;
    wire       middle_tick;
    wire       row_valid;
    wire       row_ready;
    wire       row_close;
    wire       row;
    wire       row_tag;

    scsr_fork #(.BRANCHES(2)) fork_ (
        .clk, .rst, .s_valid, .s_ready, .m_valid(branch_valid), .m_ready(branch_ready)
    );

    generate
        if (FIFO) begin : g_fifo
            scsr_fifo #(.WIDTH(1), .DEPTH(DEPTH), .ADDR_W(ADDR_W)) fifo (
                .clk, .rst, .s_valid(branch_valid[1]), .s_ready(branch_ready[1]), .s_data(s_tick), .m_valid(skip_valid),
                .m_ready(skip_ready), .m_data(skip_tick)
            );
        end else begin : g_wire
            assign skip_valid = branch_valid[1];
            assign branch_ready[1] = skip_ready;
            assign skip_tick = s_tick;
        end
    endgenerate

    scsr_collector #(.SOURCES(2), .OFFSETS(2'd0)) collector (
        .clk, .rst, .s_valid({skip_valid, middle_valid}), .s_ready({skip_ready, middle_ready}),
        .s_tick({skip_tick, middle_tick}), .s_index(2'd0), .s_tag(1'b0), .m_valid(row_valid), .m_ready(row_ready),
        .m_close(row_close), .m_row(row), .m_tag(row_tag)
    );

    // The source keeps what it offers, sends at most two events in a step, and does not pause.
    reg [1:0] events_q;
    reg       s_offered_q = 1'b0;
    reg       s_tick_q;
    wire      take = s_valid && s_ready;
    always @(posedge clk) begin
        events_q <= rst || (take && s_tick) ? 0 : events_q + take;
        s_offered_q <= !rst && s_valid && !s_ready;
        s_tick_q <= s_tick;
    end
    always @* begin
        assume (rst || s_valid);
        if (s_offered_q) assume (s_tick == s_tick_q);
        if (events_q == 2) assume (s_tick);
    end

    // The layer in the middle: steps that are closed and not yet answered; at most two events in an answer.
    reg [1:0]  closed_q;
    reg [1:0]  sent_q;
    reg        offered_q;
    reg        offered_tick_q;
    reg        middle_waited_q;
    wire       middle_in = branch_valid[0] && branch_ready[0] && s_tick;
    wire       middle_out = middle_valid && middle_ready && middle_tick;
    assign branch_ready[0] = closed_q < 2;
    assign middle_valid = closed_q != 0 && (offered_q || !middle_waits);
    assign middle_tick = offered_q ? offered_tick_q : middle_last || sent_q == 2;
    always @(posedge clk) begin
        closed_q <= rst ? 0 : closed_q + middle_in - middle_out;
        sent_q <= rst || middle_out ? 0 : sent_q + (middle_valid && middle_ready);
        offered_q <= !rst && middle_valid && !middle_ready;
        offered_tick_q <= middle_tick;
        middle_waited_q <= middle_waits;
    end
    always @* if (running && middle_waited_q) assume (!middle_waits);

    // The list of the layer behind the join: the same, and a step that it holds is worked off.
    reg [1:0]  listed_q;
    reg        sink_waited_q;
    wire       close = row_valid && row_ready && row_close;
    assign row_ready = listed_q < 2;
    always @(posedge clk) begin
        listed_q <= rst ? 0 : listed_q + close - (listed_q != 0 && !sink_waits);
        sink_waited_q <= sink_waits;
    end
    always @* if (running && sink_waited_q) assume (!sink_waits);

    // Cycles since a step was closed.
    reg [5:0] open_q;
    reg [2:0] closes_q;
    always @(posedge clk) begin
        open_q <= rst || close ? 0 : open_q + 1'b1;
        closes_q <= rst ? 0 : closes_q + (close && closes_q != 7);
    end

    always @* if (running) begin
        // No deadlock: as the source goes on, step after step is closed behind the join.
        r1_closes: assert (open_q < CLOSES);
        c1_closes: cover (closes_q == 3 && sent_q == 2 && !s_ready && skip_valid && !skip_ready);
    end

endmodule

`default_nettype wire
