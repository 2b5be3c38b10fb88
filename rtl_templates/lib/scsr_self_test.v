`default_nettype none

// Self-test: sends a stored sample through the core and compares the packet with the stored one.
//
//   source -> s_* -> m_* -> core -> r_* -> o_* -> sink
//
// A test runs after every reset, and when `start` is high between two samples: the input waits, the samples in the core
// come out, the stored one goes in, and its packet ends here. `failed` is the last test's result; it is also set in
// every packet's last beat, as status flag FLAG.
//
// Latency 0 outside of a test.

module scsr_self_test #(
    parameter BEATS = 2,         // beats of the stored sample
    parameter BEAT_W = 1,        // width of a beat's number
    parameter BEAT_FILE = "",    // the beats, {tlast, tdata}, in the form of $readmemh
    parameter ANSWERS = 2,       // beats of the packet, or packets, that must come out
    parameter ANSWER_W = 1,      // width of such a beat's number
    parameter ANSWER_FILE = "",  // those beats, tdata, with EVERY_STEP {tlast, tdata}, in the form of $readmemh
    parameter FLAG = 21,         // bit of a packet's last beat that says that the test failed
    parameter EVERY_STEP = 0     // 1: the core gives a packet per step (scsr_readout.v)
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        start,         // asks for a test between two samples
    output wire        running,       // the core is busy with the stored sample
    output wire        failed,        // the last test found a difference
    input  wire [15:0] s_axis_tdata,  // s_axis: the events of the outside
    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    input  wire        s_axis_tlast,
    output wire [15:0] m_axis_tdata,  // m_axis: events to the core
    output wire        m_axis_tvalid,
    input  wire        m_axis_tready,
    output wire        m_axis_tlast,
    input  wire [31:0] r_axis_tdata,  // r_axis: packets from the core
    input  wire        r_axis_tvalid,
    output wire        r_axis_tready,
    input  wire        r_axis_tlast,
    output wire [31:0] o_axis_tdata,  // o_axis: packets to the outside
    output wire        o_axis_tvalid,
    input  wire        o_axis_tready,
    output wire        o_axis_tlast
);

    localparam COUNT_W = 8;
    localparam [COUNT_W-1:0] ONE_SAMPLE = 1;
    localparam [BEAT_W-1:0] ONE_BEAT = 1;
    localparam [ANSWER_W-1:0] ONE_ANSWER = 1;
    localparam [31:0] LAST_BEAT_NUMBER = BEATS - 1;
    localparam [31:0] LAST_ANSWER_NUMBER = ANSWERS - 1;
    localparam [BEAT_W-1:0] LAST_BEAT = LAST_BEAT_NUMBER[BEAT_W-1:0];
    localparam [ANSWER_W-1:0] LAST_ANSWER = LAST_ANSWER_NUMBER[ANSWER_W-1:0];
    localparam [31:0] FAILED = 32'd1 << FLAG;
    localparam STORED_W = EVERY_STEP != 0 ? 33 : 32;
    localparam LAST_STEP = 22;  // bit of a packet's last beat that says that the sample ended, with EVERY_STEP

    reg                wanted_q;   // a test is to come
    reg                running_q;  // it is on
    reg                sent_q;     // its sample is in the core
    reg                failed_q;  // a beat of the answer was wrong
    reg                open_q;     // the source's sample has begun and not ended
    reg [COUNT_W-1:0]  inside_q;   // samples in the core, the source's alone
    reg [BEAT_W-1:0]   beat_q;    // the stored beat that goes next
    reg [ANSWER_W-1:0] answer_q;  // the beat of the answer that comes next

    // The stored words follow their numbers by two cycles.
    reg [1:0]   beat_settled_q;
    reg [1:0]   answer_settled_q;
    wire [16:0] beat;  // {tlast, tdata}
    wire [STORED_W-1:0] answer;
    wire        answer_last;  // it ends its packet

    wire full = &inside_q;  // no more samples can be counted
    wire shut = running_q || (!open_q && (wanted_q || full));    // the outside waits
    wire enter = s_axis_tvalid && s_axis_tready;
    wire entered = enter && s_axis_tdata[15] && s_axis_tlast;    // a sample is complete in the core
    wire ended = EVERY_STEP == 0 || r_axis_tdata[LAST_STEP];     // the packet is its sample's last
    wire left = o_axis_tvalid && o_axis_tready && o_axis_tlast && ended;  // a sample's answer is out
    wire empty = inside_q == {COUNT_W{1'b0}};                    // nothing of the outside is in the core

    wire beat_taken = running_q && m_axis_tvalid && m_axis_tready;
    wire answer_taken = running_q && r_axis_tvalid && r_axis_tready;
    wire wrong = r_axis_tdata != answer[31:0] || r_axis_tlast != answer_last;  // not the stored answer

    assign running = running_q;
    assign failed = failed_q;
    assign s_axis_tready = m_axis_tready && !shut;
    assign m_axis_tdata = running_q ? beat[15:0] : s_axis_tdata;
    assign m_axis_tlast = running_q ? beat[16] : s_axis_tlast;
    assign m_axis_tvalid = running_q ? beat_settled_q[1] && !sent_q : s_axis_tvalid && !shut;
    assign r_axis_tready = running_q ? answer_settled_q[1] : o_axis_tready;
    assign o_axis_tdata = r_axis_tdata | (failed_q && r_axis_tlast ? FAILED : 32'd0);
    assign o_axis_tvalid = r_axis_tvalid && !running_q;
    assign o_axis_tlast = r_axis_tlast;

    scsr_rom #(
        .WIDTH (17),
        .DEPTH (BEATS),
        .ADDR_W(BEAT_W),
        .FILE  (BEAT_FILE)
    ) beats (
        .clk (clk),
        .en  (1'b1),
        .addr(beat_q),
        .data(beat)
    );

    scsr_rom #(
        .WIDTH (STORED_W),
        .DEPTH (ANSWERS),
        .ADDR_W(ANSWER_W),
        .FILE  (ANSWER_FILE)
    ) answers (
        .clk (clk),
        .en  (1'b1),
        .addr(answer_q),
        .data(answer)
    );

    generate
        if (EVERY_STEP != 0) begin : g_packets
            assign answer_last = answer[STORED_W-1];
        end else begin : g_packet
            assign answer_last = answer_q == LAST_ANSWER;
        end
    endgenerate

    always @(posedge clk) begin
        if (rst) begin
            open_q <= 1'b0;
            inside_q <= {COUNT_W{1'b0}};
        end else begin
            if (enter) open_q <= !(s_axis_tdata[15] && s_axis_tlast);
            if (entered && !left) inside_q <= inside_q + ONE_SAMPLE;
            else if (left && !entered) inside_q <= inside_q - ONE_SAMPLE;
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            wanted_q <= 1'b1;
            running_q <= 1'b0;
            failed_q <= 1'b0;
        end else if (!running_q) begin
            wanted_q <= wanted_q || start;
            if (wanted_q && !open_q && !enter && empty) begin
                wanted_q <= 1'b0;
                running_q <= 1'b1;
                failed_q <= 1'b0;
            end
        end else if (answer_taken) begin
            if (wrong) failed_q <= 1'b1;
            if (answer_q == LAST_ANSWER) running_q <= 1'b0;
        end
    end

    always @(posedge clk) begin
        if (!running_q) begin
            sent_q <= 1'b0;
            beat_q <= {BEAT_W{1'b0}};
            answer_q <= {ANSWER_W{1'b0}};
            beat_settled_q <= 2'b00;
            answer_settled_q <= 2'b00;
        end else begin
            if (beat_taken) begin
                sent_q <= beat_q == LAST_BEAT;
                beat_q <= beat_q + ONE_BEAT;
            end
            if (answer_taken) answer_q <= answer_q + ONE_ANSWER;
            beat_settled_q <= beat_taken ? 2'b00 : {beat_settled_q[0], 1'b1};
            answer_settled_q <= answer_taken ? 2'b00 : {answer_settled_q[0], 1'b1};
        end
    end

endmodule

`default_nettype wire
