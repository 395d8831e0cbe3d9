/* steer: see the header. */
#include "quic/steer.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include "quic/cid.h"

void steer_dialled(uint8_t id[STEER_DIALLED], uint8_t share)
{
    const size_t half = STEER_DIALLED / 2;

    id[0] = share;
    for (size_t i = 0; i < half; i++) {
        id[half + i] = (uint8_t)~id[i];
    }
}

static bool is_dialled(const uint8_t *id)
{
    const size_t half = STEER_DIALLED / 2;

    for (size_t i = 0; i < half; i++) {
        if ((id[half + i] ^ id[i]) != 0xff) {
            return false;
        }
    }
    return true;
}

unsigned steer_owner(const uint8_t *id, size_t len, unsigned group)
{
    bool named = len == CID_LEN || (len == STEER_DIALLED && is_dialled(id));

    return named ? id[0] % group : 0;
}

/* Makes the kernel do what steer_owner does, on the payload of a datagram. RFC 8999: a long header
 * has the version in bytes 1 to 4, the length of the id in byte 5 and the id from byte 6. A short
 * header has the id from byte 1. A datagram that is too short for a load is for endpoint 0. */
void steer_attach(int fd, unsigned group)
{
    enum { TO_SHORT = 18, TO_LONG = 16, TO_FIRST = 20, TO_DEAL = 21 }; /* line numbers below */
#define GO(to, at) (uint8_t)((to) - (at)-1)
    struct sock_filter code[] = {
        /*  0 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        /*  1 */ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x80, 0, GO(TO_SHORT, 1)),
        /*  2 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 5),
        /*  3 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CID_LEN, GO(TO_LONG, 3), 0),
        /*  4 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, STEER_DIALLED, 0, GO(TO_FIRST, 4)),
        /*  5 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 6),
        /*  6 */ BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 0xffffffff),
        /*  7 */ BPF_STMT(BPF_MISC | BPF_TAX, 0),
        /*  8 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 14),
        /*  9 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, GO(TO_FIRST, 9)),
        /* 10 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 10),
        /* 11 */ BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 0xffffffff),
        /* 12 */ BPF_STMT(BPF_MISC | BPF_TAX, 0),
        /* 13 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 18),
        /* 14 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, GO(TO_LONG, 14), 0),
        /* 15 */ BPF_STMT(BPF_RET | BPF_K, 0),
        /* 16 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
        /* 17 */ BPF_JUMP(BPF_JMP | BPF_JA, GO(TO_DEAL, 17), 0, 0),
        /* 18 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 1),
        /* 19 */ BPF_JUMP(BPF_JMP | BPF_JA, GO(TO_DEAL, 19), 0, 0),
        /* 20 */ BPF_STMT(BPF_RET | BPF_K, 0),
        /* 21 */ BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, group),
        /* 22 */ BPF_STMT(BPF_RET | BPF_A, 0),
    };
#undef GO
    struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

    (void)!setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program));
}
