/* id: the text forms of names, pids and addresses. It checks, parses and prints them. Pure, without
 * allocation. */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "rusm.h"

/* [A-Za-z0-9][A-Za-z0-9._-]{0,62} */
bool id_node_name_ok(const char *name, size_t len);
/* Returns the share of a node, one of 256. All nodes compute the same share (rusm-protocol(7)). */
uint8_t id_node_share(const char *name, size_t len);
/* Is it 1 to 255 bytes of valid UTF-8, without white space (Unicode's too), control characters and
 * '@', and not only digits? */
bool id_process_name_ok(const char *name, size_t len);

/* The parts of an address in text form. The pointers borrow from the text. */
struct id_address {
    uint64_t serial;  /* 0: the address has a name */
    const char *name; /* NULL: the address has a serial */
    size_t name_len;
    const char *node; /* NULL: no node given, so this one */
    size_t node_len;
    bool has_incarnation;
    uint32_t incarnation;
};

/* Parses NAME, NAME@NODE, SERIAL (digits), SERIAL@NODE or SERIAL@NODE#HEX. A serial is from 1 to
 * 2^62 - 1, as on the wire, without leading zeros. An incarnation is 1 to 8 hex digits and not 0.
 * Returns 0 or RUSM_EINVAL. */
int id_address_parse(const char *text, size_t len, struct id_address *out);

/* Prints a pid such as 17@london#5f3a1c. Returns what snprintf returns. */
int id_pid_format(char *text, size_t cap, uint64_t serial, const char *node, uint32_t incarnation);

/* A node as a user writes it: NAME, NAME@HOST:PORT or HOST:PORT. HOST:PORT may be [V6]:PORT.
 * "london", without ':', is a NAME. */
struct id_target {
    char name[RUSM_NODE_NAME_MAX + 1]; /* "": none */
    char host[256];                    /* "": none; without brackets */
    char port[6];
};
int id_target_parse(const char *text, struct id_target *out);

/* Parses HOST:PORT. Unlike id_target_parse it accepts port 0, which means any free port. Returns 0
 * or RUSM_EINVAL. */
int id_host_port_parse(const char *text, char host[256], char port[6]);
/* Is it a HOST:PORT that a node can dial (the port is not 0)? */
bool id_host_port_ok(const char *text, size_t len);
#define ID_HOST_PORT_MAX 263 /* bytes of the longest: 2 brackets, 255, a colon, 5 digits */

#endif
