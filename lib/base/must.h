/* must: assertions that stay on in release builds. They check what can only fail because of a bug
 * in rusm. A peer's bytes, a user's arguments or a full disk never make one fail. */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#define must(condition) \
    ((condition) ? (void)0 : must_failed(#condition, __FILE__, __LINE__, __func__))

/* Prints the condition and its place to standard error, then aborts. The line is JSON, as those of
 * the log are, if RUSM_LOG_FORMAT is "json" in the environment. */
_Noreturn void must_failed(const char *condition, const char *file, int line, const char *function);

#endif
