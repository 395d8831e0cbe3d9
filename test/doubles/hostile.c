#include "doubles/hostile.h"

void try(const struct victim *v, enum hello_role role, bool skip, const struct hostile *h)
{
    struct foe f;

    foe_start(&f, v, role);
    foe_frame(&f, h->type, skip, h->body, h->len);
    if (h->outcome == OPEN) {
        foe_open(&f, h->what);
    } else {
        foe_closed(&f, (enum close_code)h->outcome, h->what);
    }
    foe_stop(&f);
}

void try_all(const struct victim *v, enum hello_role role, const struct hostile *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        try(v, role, false, &list[i]);
    }
    victim_alive(v);
}
