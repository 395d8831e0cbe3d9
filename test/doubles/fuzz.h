/* fuzz: what the fuzz targets share: the properties that hold for every decoder, and an input read
 * as orders. A target is one libFuzzer program. A broken property aborts it (base/must.h). */
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

#define FUZZ_ITEM_MAX 8192 /* bytes that an item may write; longer inputs are skipped */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Reads one item from r and writes it to w. Returns 1, 0 at the end of a list or if the item is
 * incomplete, or a negative error. */
typedef int fuzz_item_fn(struct reader *r, struct writer *w);

/* The result of one run of a fuzz_item_fn. */
struct fuzz_item {
    int rc;
    size_t used, written;
    uint8_t again[FUZZ_ITEM_MAX];
};

/* Checks that a decoder has these properties. Returns the bytes that it used, 0 if it took no item.
 *   - it needs the bytes that it used and no others: a part of them is never enough
 *   - bytes behind them never change what it reads
 *   - what it read, encoded and decoded again, is the same, in no more bytes */
size_t fuzz_item(fuzz_item_fn *fn, const uint8_t *data, size_t len);

/* ---- an input as orders -------------------------------------------------------------------- */

/* Returns a number below `bound`, read from one or two bytes, or 0 if the input is used up. */
size_t fuzz_below(struct reader *r, size_t bound);

/* Returns up to `most` bytes: as many as the next byte says and the input has. */
const uint8_t *fuzz_bytes(struct reader *r, size_t most, size_t *len);

/* ---- an input as a file -------------------------------------------------------------------- */

struct fuzz_file {
    int fd;
    char path[64];
};

/* Makes a file in memory, which only we can read, and which can be opened by its path. */
struct fuzz_file fuzz_file_make(const void *data, size_t len);

/* Checks that a text for a person is one line and has no terminal control characters. */
void fuzz_line_ok(const char *text, size_t len);

#endif
