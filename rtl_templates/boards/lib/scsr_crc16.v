`default_nettype none

// One byte's step of the checksum CRC-16/CCITT, polynomial x^16 + x^12 + x^5 + 1, highest bit first
// (hwgen/boards/serial_protocol.py: crc16).
//
// Combinational.

module scsr_crc16 (
    input  wire [15:0] crc,
    input  wire [7:0]  data,
    output wire [15:0] next
);

    localparam [15:0] POLYNOMIAL = 16'h1021;

    reg     [15:0] value;
    integer        i;

    always @* begin
        value = crc ^ {data, 8'h00};
        for (i = 0; i < 8; i = i + 1) value = {value[14:0], 1'b0} ^ (POLYNOMIAL & {16{value[15]}});
    end

    assign next = value;

endmodule

`default_nettype wire
