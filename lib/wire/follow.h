/* follow: how the events of a node travel to a client that follows them.
 *
 *     OP_FOLLOW      incarnation u32, since, mode, count, type text*. An incarnation of 0 asks for
 *                    the events from now on, another one for those after the event `since` of
 *                    that incarnation. The mode says what the types are: all types come, only
 *                    these, or all but these
 *     first reply    since: the event after which the others begin
 *     other replies  events, one after the other to the end of the body:
 *                    id, time_ms, type text, count, then (key text, form, value)*. Form 0 is a
 *                    text, form 1 a varint
 *
 * A type and a key have the form of a column's name.
 */
#ifndef WIRE_FOLLOW_H
#define WIRE_FOLLOW_H

#include "rusm.h"
#include "wire/table.h"

#define FOLLOW_TYPES_MAX 32
#define FOLLOW_FIELDS_MAX 128

enum follow_mode { FOLLOW_ALL = 0, FOLLOW_ONLY = 1, FOLLOW_BUT = 2 };

/* What a client wants of the events. */
struct follow {
    uint32_t incarnation; /* of the id below; 0: from now on */
    uint64_t since;
    enum follow_mode mode;
    size_t count; /* at most FOLLOW_TYPES_MAX; 0 with FOLLOW_ALL */
    char type[FOLLOW_TYPES_MAX][COLUMN_NAME_MAX + 1];
};
/* Reads the fields of the request. Returns 0 or RUSM_EMALFORMED. */
int follow_read(struct reader *r, struct follow *out);
void follow_write(struct writer *w, const struct follow *follow);
/* Returns whether the client wants events of that type. */
bool follow_wants(const struct follow *follow, const char *type);

struct follow_event {
    uint64_t id, time_ms;
    char type[COLUMN_NAME_MAX + 1];
    size_t count;
    char key[FOLLOW_FIELDS_MAX][COLUMN_NAME_MAX + 1];
    struct rusm_field field[FOLLOW_FIELDS_MAX]; /* of TEXT, with the text's bytes as they are
                                                   and a NUL; or of COUNT */
};
/* Reads the next event. Copies its texts to `texts`, each with a NUL after it. As in row_read, all
 * texts of a frame fit into LIMIT_FRAME bytes. Returns 1, 0 at the end, or RUSM_EMALFORMED, also if
 * `texts` is too small. */
int follow_event_read(struct reader *r, struct follow_event *out, char *texts, size_t cap);
/* Write an event: its head, then as many fields as the head says. */
void follow_event_write(struct writer *w, uint64_t id, uint64_t time_ms, const char *type,
                        size_t count);
void follow_text_write(struct writer *w, const char *key, const char *text);
void follow_number_write(struct writer *w, const char *key, uint64_t number);

#endif
