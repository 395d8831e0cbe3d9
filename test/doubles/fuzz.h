/* fuzz: what the fuzz targets share: the properties that hold for every decoder, and an input read
 * as orders. A target is one libFuzzer program; a broken property aborts (base/must.h). */
#ifndef DOUBLES_FUZZ_H
#define DOUBLES_FUZZ_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/bytes.h"
#include "base/must.h"
#include "doubles/scratch.h"
#include "rusm.h"

#define FUZZ_ITEM_MAX 8192 /* bytes of what an item writes; longer inputs are passed over */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Reads one thing off r and writes it to w. 1; 0: the end of a list, or incomplete; negative. */
typedef int fuzz_item_fn(struct reader *r, struct writer *w);

/* What one run of it came to. */
struct fuzz_item {
    int rc;
    size_t used, written;
    uint8_t again[FUZZ_ITEM_MAX];
};

/* Holds a decoder against its properties. The bytes it used; 0: it took none.
 *   - it needs no byte but those that it used, and all of them: a part of them is never enough
 *   - what stands behind them never changes what it read
 *   - what it read survives another round, in no more bytes */
size_t fuzz_item(fuzz_item_fn *fn, const uint8_t *data, size_t len);

/* ---- an input as orders -------------------------------------------------------------------- */

/* A number below `bound`, of one byte or two; 0 when the input is used up. */
size_t fuzz_below(struct reader *r, size_t bound);

/* Up to `most` bytes, as many as the next byte says and there are. */
const uint8_t *fuzz_bytes(struct reader *r, size_t most, size_t *len);

/* ---- an input as a file -------------------------------------------------------------------- */

struct fuzz_file {
    int fd;
    char path[64];
};

/* A file of ours alone, in memory, that can be opened by its path. */
struct fuzz_file fuzz_file_make(const void *data, size_t len);

/* A text for a person: one line that steers no terminal. */
void fuzz_line_ok(const char *text, size_t len);

#endif
