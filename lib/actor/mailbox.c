/* mailbox: see the header. What is not worth inlining. */
#include "actor/mailbox.h"

size_t mailbox_discard(struct mailbox *mb, struct message_pool *pool)
{
    size_t count = 0;

    while (mb->head) {
        message_free(pool, mailbox_pop(mb));
        count++;
    }
    return count;
}
