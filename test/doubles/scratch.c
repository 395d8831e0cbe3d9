#include "doubles/scratch.h"

bool scratch_make(char path[SCRATCH_MAX])
{
    const char *tmp = getenv("TMPDIR");
    int n = snprintf(path, SCRATCH_MAX, "%s/rusm-test-XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
    return n > 0 && n < SCRATCH_MAX && mkdtemp(path);
}
