/* trace: see the header. The node room reads the request, clients write it. Runs on any thread. */
#include "wire/trace.h"

#include "rusm.h"

int trace_read(struct reader *r, struct trace *out)
{
    target_read(r, &out->target);
    out->count = reader_varint(r);
    uint64_t payload = reader_varint(r);
    r->bad = r->bad || payload > 1;
    out->payload = payload == 1;
    return r->bad ? RUSM_EMALFORMED : 0;
}

void trace_write(struct writer *w, const struct trace *trace)
{
    target_write(w, &trace->target);
    writer_varint(w, trace->count);
    writer_varint(w, trace->payload);
}
