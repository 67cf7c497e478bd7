/* Preloaded by the trials of memory.py and damage.py: lets the n-th allocation, or the n-th call that writes, fail.
 *
 * torture_arm(kind, nth, code) starts counting, torture_disarm() stops and returns how many calls were seen. Between
 * them nothing is counted, so that Python itself starts and ends undisturbed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NOTHING, MEMORY, WRITING };

static atomic_int armed = NOTHING;
static atomic_long seen = 0;
static long failing = 0;
static int code = 0;

void torture_arm(int kind, long nth, int error)
{
    seen = 0;
    failing = nth;
    code = error;
    armed = kind;
}

long torture_disarm(void)
{
    armed = NOTHING;
    return seen;
}

/* Whether this call is the one to fail. */
static int fails(int kind)
{
    if (armed != kind || atomic_fetch_add(&seen, 1) != failing)
        return 0;
    errno = code;
    return 1;
}

/* libgomp ends the process itself where it gets no memory for a team ("Out of memory allocating"): not ours to test. */
static int from_openmp(void *caller)
{
    Dl_info info;
    return dladdr(caller, &info) != 0 && info.dli_fname != NULL && strstr(info.dli_fname, "gomp") != NULL;
}

static int starves(void *caller) { return armed == MEMORY && !from_openmp(caller) && fails(MEMORY); }

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

#define CALLER __builtin_return_address(0)

void *malloc(size_t size) { return starves(CALLER) ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return starves(CALLER) ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return starves(CALLER) ? NULL : __libc_realloc(old, size); }
void *aligned_alloc(size_t to, size_t size) { return starves(CALLER) ? NULL : __libc_memalign(to, size); }
int posix_memalign(void **out, size_t to, size_t size)
{
    void *memory = starves(CALLER) ? NULL : __libc_memalign(to, size);
    if (memory == NULL)
        return ENOMEM;
    *out = memory;
    return 0;
}

/* Calls `name` of the C library unless this is the one to fail. */
#define REAL(type, name, ...)                                                                                          \
    static type (*real)(__VA_ARGS__) = NULL;                                                                           \
    if (real == NULL)                                                                                                  \
    real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset)
{
    REAL(void *, mmap, void *, size_t, int, int, int, off_t);
    return starves(CALLER) ? MAP_FAILED : real(at, size, protection, flags, file, offset);
}

/* Pipes of the trial itself are below this. */
static int ours(int file) { return file > 2; }

ssize_t write(int file, const void *from, size_t size)
{
    REAL(ssize_t, write, int, const void *, size_t);
    return ours(file) && fails(WRITING) ? -1 : real(file, from, size);
}
ssize_t writev(int file, const struct iovec *from, int count)
{
    REAL(ssize_t, writev, int, const struct iovec *, int);
    return ours(file) && fails(WRITING) ? -1 : real(file, from, count);
}
ssize_t pwrite(int file, const void *from, size_t size, off_t at)
{
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    return ours(file) && fails(WRITING) ? -1 : real(file, from, size, at);
}
int ftruncate(int file, off_t size)
{
    REAL(int, ftruncate, int, off_t);
    return fails(WRITING) ? -1 : real(file, size);
}
int fsync(int file)
{
    REAL(int, fsync, int);
    return fails(WRITING) ? -1 : real(file);
}
int close(int file) /* closes, and says that what was written is lost */
{
    REAL(int, close, int);
    const int failing_now = ours(file) && fails(WRITING), result = real(file);
    if (failing_now)
        errno = code;
    return failing_now ? -1 : result;
}
int rename(const char *from, const char *to)
{
    REAL(int, rename, const char *, const char *);
    return fails(WRITING) ? -1 : real(from, to);
}
int link(const char *from, const char *to)
{
    REAL(int, link, const char *, const char *);
    return fails(WRITING) ? -1 : real(from, to);
}
int chmod(const char *path, mode_t mode)
{
    REAL(int, chmod, const char *, mode_t);
    return fails(WRITING) ? -1 : real(path, mode);
}

/* Only where a file is made: reading is none of this trial's business. */
#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        REAL(int, name, const char *, int, ...);                                                                       \
        va_list more;                                                                                                  \
        va_start(more, flags);                                                                                         \
        const mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;                                                \
        va_end(more);                                                                                                  \
        return flags & O_CREAT && fails(WRITING) ? -1 : real(path, flags, mode);                                       \
    }
OPEN(open)
OPEN(open64)
