/* id: the text forms of names, pids and addresses: checking, parsing, printing.
 * Pure; no allocation. */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "rusm.h"

/* [A-Za-z0-9][A-Za-z0-9._-]{0,62} */
bool id_node_name_ok(const char *name, size_t len);
/* Which of 256 shares of all nodes that one is in: the same everywhere (rusm-protocol(7)). */
uint8_t id_node_share(const char *name, size_t len);
/* 1 to 255 bytes of valid UTF-8; no white space (Unicode's too), control characters or '@'; not
 * digits only. */
bool id_process_name_ok(const char *name, size_t len);

/* An address as text, taken apart; the pointers borrow from the text. */
struct id_address {
    uint64_t serial;  /* 0: it is a name */
    const char *name; /* or NULL */
    size_t name_len;
    const char *node; /* NULL: none given, "here" */
    size_t node_len;
    bool has_incarnation;
    uint32_t incarnation;
};

/* Parses NAME, NAME@NODE, SERIAL (digits), SERIAL@NODE, SERIAL@NODE#HEX. Serial: 1 to 2^62 - 1,
 * what the wire carries, without leading zeros. Incarnation: 1 to 8 hex digits, not 0. 0 or
 * RUSM_EINVAL. */
int id_address_parse(const char *text, size_t len, struct id_address *out);

/* Prints 17@london#5f3a1c. As snprintf. */
int id_pid_format(char *text, size_t cap, uint64_t serial, const char *node, uint32_t incarnation);

/* A node as the user writes it: NAME, NAME@HOST:PORT, HOST:PORT, and [V6]:PORT for HOST:PORT.
 * "london" without ':' is a NAME. */
struct id_target {
    char name[RUSM_NODE_NAME_MAX + 1]; /* "" if none */
    char host[256];                    /* "" if none; without brackets */
    char port[6];
};
int id_target_parse(const char *text, struct id_target *out);

/* HOST:PORT alone; port 0 is fine here (any free one), but not in id_target_parse. 0 or
 * RUSM_EINVAL. */
int id_host_port_parse(const char *text, char host[256], char port[6]);
/* Is it a HOST:PORT that can be dialled (port not 0)? */
bool id_host_port_ok(const char *text, size_t len);
#define ID_HOST_PORT_MAX 263 /* bytes of the longest: brackets, 255, colon, 5 digits */

#endif
