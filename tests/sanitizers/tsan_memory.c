/* Linked into C programs that load a library which rustc instrumented for ThreadSanitizer: it calls these three, which the
 * C compiler's runtime may be too old to have. The plain functions are watched by it just as well. */
#include <string.h>

void *__tsan_memcpy(void *to, const void *from, size_t length);
void *__tsan_memmove(void *to, const void *from, size_t length);
void *__tsan_memset(void *to, int byte, size_t length);

__attribute__((weak)) void *__tsan_memcpy(void *to, const void *from, size_t length) { return memcpy(to, from, length); }
__attribute__((weak)) void *__tsan_memmove(void *to, const void *from, size_t length) { return memmove(to, from, length); }
__attribute__((weak)) void *__tsan_memset(void *to, int byte, size_t length) { return memset(to, byte, length); }
