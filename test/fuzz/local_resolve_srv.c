/* fuzz: SRV records in the answer of a name server (lib/local/resolve_srv.c). */
#include "base/id.h"
#include "doubles/fuzz.h"
#include "local/resolve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct resolve_srv list[8], best;
    int count = resolve_srv_read(data, len, list, 8);

    must(count == RUSM_EMALFORMED || (count >= 0 && count <= 8));
    must(resolve_srv_read(data, len, &best, 1) == (count > 1 ? 1 : count));
    must(count <= 0 || (best.port == list[0].port && strcmp(best.host, list[0].host) == 0));
    for (int i = 0; i < count; i++) {
        char text[ID_HOST_PORT_MAX + 1];
        int n = snprintf(text, sizeof(text), "%s:%u", list[i].host, list[i].port);
        must(n > 0 && (size_t)n < sizeof(text) && id_host_port_ok(text, (size_t)n));
        must(i == 0 || list[i - 1].priority <= list[i].priority);
    }
    return 0;
}
