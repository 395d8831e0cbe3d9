/* process_json: answers with what the node tells of one process, as JSON: {"process": {...},
 * "relations": [{...}, ...]}. The keys are those of the columns. On the gateway's thread. */
#ifndef GATEWAY_PROCESS_JSON_H
#define GATEWAY_PROCESS_JSON_H

#include <stddef.h>
#include <stdint.h>

struct exchange;

/* Answers with the reply to OP_PROCESS, which this node wrote. */
void process_json_answer(struct exchange *x, const uint8_t *reply, size_t len);

#endif
