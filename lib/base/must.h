/* must: assertions that stay on in release builds. For what can never happen unless rusm itself
 * is wrong; a peer's bytes, a user's arguments or a full disk never reach one. */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#define must(condition) \
    ((condition) ? (void)0 : must_failed(#condition, __FILE__, __LINE__, __func__))

/* Prints the condition and where it stood to standard error, then aborts. */
_Noreturn void must_failed(const char *condition, const char *file, int line, const char *function);

#endif
