/* control: the control stream, which is the first bidirectional stream. The dialler opens it. The
 * headers below describe its frames, field by field.
 *
 *     frame.h    the head of a frame, the list of types, receipts
 *     hello.h    HELLO
 *     rpc.h      REQUEST, REPLY and their operations
 *     table.h    the rows in the replies to OP_TABLE
 *     follow.h   the events in the replies to OP_FOLLOW and OP_TRACE
 *     trace.h    the fields of OP_TRACE
 *     gossip.h   NODES, NAMES
 *     exit.h     EXIT
 *     close.h    error codes of connections and streams
 *
 * These rules hold in all of them. A text is a length varint and that many bytes. An integer
 * without a size is a varint. The fields come in the order given. Bytes after the last field of a
 * body are ignored, unless a list fills the body to its end.
 *
 * Decoders borrow from the bytes and allocate nothing. They return 0 or RUSM_EMALFORMED. A decoder
 * of list items returns 1 for an item and 0 at the end. Encoders write to a writer. They set its
 * `bad` if its room is too small.
 */
#ifndef WIRE_CONTROL_H
#define WIRE_CONTROL_H

#include "wire/close.h"
#include "wire/exit.h"
#include "wire/follow.h"
#include "wire/frame.h"
#include "wire/gossip.h"
#include "wire/hello.h"
#include "wire/rpc.h"
#include "wire/table.h"
#include "wire/trace.h"

#endif
