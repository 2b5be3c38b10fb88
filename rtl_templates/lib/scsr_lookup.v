`default_nettype none

// Slots on their way to the lanes: each lane looks up whether the neuron that its slot names spiked in the step before.
//
//   m_weights[0][p] = slot[p].neuron spiked ? slot[p].weight : 0           of a slot, which becomes an event of port 0
//   m_weights[b][p] = s_weights[b][p]                                      of any other operation
//
// A slot is {weight, word, place}: where the neuron stands among the words that leave the update. Every lane has a copy
// of the layer's spikes, in two halves that change places with each step: one holds those of the step before, the other
// takes those of this one. In a sample's first step nothing has spiked.
//
// Latency 2 enabled cycles (memory, choice), interval 1. The layer waits for its own TICK (scsr_collector.v): the last
// word of the step before has been written when a step's first slot comes, so no word is read while it is written. For
// that a word is written when it is first offered: of two that take it, the emitter may have made the TICK of it while
// the read-out still waits.

module scsr_lookup #(
    parameter LANES = 1,     // number of lanes
    parameter PORTS = 1,     // events per operation
    parameter UNITS = 1,     // neurons in a word
    parameter PLACE_W = 0,   // width of a neuron's place in its word; 0 where UNITS = 1
    parameter WORD_W = 1,    // width of a word's number
    parameter WEIGHT_W = 2,  // width of a weight, at least 2
    parameter SLOT_W = 3,    // width of a slot: WEIGHT_W + WORD_W + PLACE_W
    parameter TAG_W = 1      // width of the tag; bit 0: last step of the sample
) (
    input  wire                            clk,
    input  wire                            rst,
    input  wire                            en,
    input  wire                            s_valid,        // operations with the weights of all lanes
    input  wire [PORTS-1:0]                s_event,        // ports whose weights count
    input  wire [PORTS*LANES*WEIGHT_W-1:0] s_weights,
    input  wire                            s_is_slot,
    input  wire [LANES*SLOT_W-1:0]         s_slots,        // of all lanes, lane 0 in the lowest bits
    input  wire                            s_group_last,
    input  wire                            s_step_last,
    input  wire [TAG_W-1:0]                s_tag,
    output wire                            m_valid,        // the same operations
    output wire [PORTS-1:0]                m_event,
    output wire [PORTS*LANES*WEIGHT_W-1:0] m_weights,
    output wire                            m_group_last,
    output wire                            m_step_last,
    output wire [TAG_W-1:0]                m_tag,
    input  wire                            r_valid,        // a word of updated neurons is offered
    input  wire                            r_taken,        // and leaves
    input  wire [WORD_W-1:0]               r_word,
    input  wire                            r_last,         // it is the step's last
    input  wire [UNITS-1:0]                r_spikes
);

    reg       first_q;  // the slots are those of a sample's first step
    reg       read_q;   // the half with the spikes of the step before
    reg       write_q;  // the half that takes those of this one
    reg       waits_q;  // the word that is offered was so before
    reg [1:0] valid_q;  // which stages hold an operation

    // While the memories are read, and behind the choice.
    reg                            slot_1_q;
    reg                            first_1_q;
    reg [PORTS-1:0]                event_1_q;
    reg [PORTS*LANES*WEIGHT_W-1:0] weights_1_q;
    wire [LANES*WEIGHT_W-1:0]      found_1;      // weights of the slots whose neurons spiked
    reg [PORTS-1:0]                event_2_q;
    reg [PORTS*LANES*WEIGHT_W-1:0] weights_2_q;

    assign m_valid = valid_q[1];
    assign m_event = event_2_q;
    assign m_weights = weights_2_q;

    always @(posedge clk) begin
        if (rst) begin
            first_q <= 1'b1;
            read_q <= 1'b1;
            write_q <= 1'b0;
            waits_q <= 1'b0;
            valid_q <= 2'b00;
        end else begin
            if (en) valid_q <= {valid_q[0], s_valid};
            if (en && s_valid && s_step_last) begin
                first_q <= s_tag[0];
                read_q <= !read_q;
            end
            if (r_taken && r_last) write_q <= !write_q;
            waits_q <= r_valid && !r_taken;
        end
    end

    always @(posedge clk) begin
        if (en) begin
            slot_1_q <= s_is_slot;
            first_1_q <= first_q;
            event_1_q <= s_event;
            weights_1_q <= s_weights;
            event_2_q <= event_1_q;
            weights_2_q <= weights_1_q;
            if (slot_1_q) begin
                event_2_q[0] <= 1'b1;
                weights_2_q[LANES*WEIGHT_W-1:0] <= found_1;
            end
        end
    end

    scsr_delay #(
        .WIDTH (2 + TAG_W),
        .STAGES(2)
    ) marks (
        .clk(clk),
        .en (en),
        .s  ({s_group_last, s_step_last, s_tag}),
        .m  ({m_group_last, m_step_last, m_tag})
    );

    genvar p;
    generate
        for (p = 0; p < LANES; p = p + 1) begin : g_lane
            wire [SLOT_W-1:0]   slot = s_slots[p*SLOT_W+:SLOT_W];
            wire [UNITS-1:0]    word;      // spikes of the word that it names
            wire                spike;     // of the neuron
            reg [WEIGHT_W-1:0]  weight_q;

            scsr_ram #(
                .WIDTH (UNITS),
                .DEPTH (2 << WORD_W),
                .ADDR_W(WORD_W + 1),
                .BLOCK (0)
            ) spikes (
                .clk    (clk),
                .wr_en  (r_valid && !waits_q),
                .wr_addr({write_q, r_word}),
                .wr_data(r_spikes),
                .rd_en  (en),
                .rd_addr({read_q, slot[PLACE_W+:WORD_W]}),
                .rd_data(word)
            );

            always @(posedge clk) if (en) weight_q <= slot[PLACE_W+WORD_W+:WEIGHT_W];

            if (UNITS == 1) begin : g_one_unit
                assign spike = word;
            end else begin : g_units
                reg [PLACE_W-1:0] place_q;

                always @(posedge clk) if (en) place_q <= slot[PLACE_W-1:0];

                assign spike = word[place_q];
            end

            assign found_1[p*WEIGHT_W+:WEIGHT_W] = weight_q & {WEIGHT_W{spike && !first_1_q}};
        end
    endgenerate

endmodule

`default_nettype wire
