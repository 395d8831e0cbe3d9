/* control: the control stream (the first bidirectional stream, opened by the dialler): what its
 * frames are, field by field, in the headers below.
 *
 *     frame.h    a frame's head, the list of types, receipts
 *     hello.h    HELLO
 *     rpc.h      REQUEST, REPLY and their operations
 *     table.h    the rows that OP_TABLE answers with
 *     gossip.h   NODES, NAMES
 *     exit.h     EXIT
 *     close.h    error codes of connections and streams
 *
 * In all of them: text is a length varint and bytes; integers without a size are varints; the
 * fields stand in the order given; bytes beyond a body's last field are ignored unless a list fills
 * it to its end. Decoders borrow from the bytes, allocate nothing, and return 0 or RUSM_EMALFORMED
 * (lists: 1 for an item, 0 at the end); encoders write to a writer, whose `bad` tells that its room
 * was too small.
 */
#ifndef WIRE_CONTROL_H
#define WIRE_CONTROL_H

#include "wire/close.h"
#include "wire/exit.h"
#include "wire/frame.h"
#include "wire/gossip.h"
#include "wire/hello.h"
#include "wire/rpc.h"
#include "wire/table.h"

#endif
