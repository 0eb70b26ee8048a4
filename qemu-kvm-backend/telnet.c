#include "qemu-kvm-backend/telnet.h"

#include <assert.h>
#include <string.h>

/* RFC 854, "Telnet command structure" */
enum {
    SE = 240, /* the end of subnegotiation, ... */
    SB = 250, /* ... and its begin */
    WILL,
    WONT,
    DO,
    DONT,
    IAC,
};

enum { BINARY = 0, ECHO = 1, SUPPRESS_GO_AHEAD = 3 };

enum {
    DATA,
    COMMAND,       /* behind IAC */
    OPTION,        /* behind WILL and its like */
    SUBNEGOTIATION, /* up to IAC SE */
    SUBCOMMAND,    /* behind IAC in there */
};

void
telnet_begin(Telnet *telnet)
{
    static const uint8_t options[] = {
        IAC, WILL, ECHO, IAC, WILL, SUPPRESS_GO_AHEAD, IAC, WILL, BINARY, IAC, DO, BINARY,
    };

    telnet->state = DATA;
    telnet->at = 0;
    telnet->end = sizeof(options);
    memcpy(telnet->out, options, sizeof(options));
}

static int
after_command(uint8_t byte)
{
    return byte >= WILL && byte <= DONT ? OPTION : byte == SB ? SUBNEGOTIATION : DATA;
}

/* Whether it was typed. */
static bool
take(Telnet *telnet, uint8_t byte)
{
    switch (telnet->state) {
    case DATA:
        telnet->state = byte == IAC ? COMMAND : DATA;
        return byte != IAC;
    case COMMAND:
        telnet->state = after_command(byte);
        return byte == IAC;
    case OPTION:
        telnet->state = DATA;
        return false;
    case SUBNEGOTIATION:
        telnet->state = byte == IAC ? SUBCOMMAND : SUBNEGOTIATION;
        return false;
    default:
        telnet->state = byte == SE ? DATA : SUBNEGOTIATION;
        return false;
    }
}

size_t
telnet_decode(Telnet *telnet, uint8_t *bytes, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < size; i++) {
        if (take(telnet, bytes[i]))
            bytes[n++] = bytes[i];
    }
    return n;
}

size_t
telnet_encode(Telnet *telnet, const uint8_t *bytes, size_t size)
{
    size_t n = size < TELNET_PIECE ? size : TELNET_PIECE;

    assert(telnet->at == telnet->end);
    telnet->at = telnet->end = 0;
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == IAC)
            telnet->out[telnet->end++] = IAC;
        telnet->out[telnet->end++] = bytes[i];
    }
    return n;
}
