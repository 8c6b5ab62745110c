/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For LD_PRELOAD: a disk that fails and a clock that jumps. What is to go wrong stands in the file
 * that SHIM_CONTROL names, which is mapped: a test changes it while the program runs (shim.py has
 * the same table). Only files of the store (.db, its -wal and -journal) fail.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct control {
    _Atomic int64_t sync_ms;     /* each sync takes so much longer */
    _Atomic int64_t sync_errno;  /* each sync fails so */
    _Atomic int64_t write_errno; /* each write fails so, once the next is used up */
    _Atomic int64_t write_room;  /* bytes that are still written before */
    _Atomic int64_t write_most;  /* bytes that one write takes at most; 0: all */
    _Atomic int64_t clock_s;     /* added to the time of day */
    _Atomic int64_t hits;        /* how often anything of this was done */
};

static struct control nothing;
static struct control *control = &nothing;

__attribute__((constructor)) static void map_control(void)
{
    const char *path = getenv("SHIM_CONTROL");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *map =
        fd < 0 ? MAP_FAILED : mmap(NULL, sizeof nothing, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (fd >= 0)
        close(fd);
    if (map != MAP_FAILED)
        control = map;
}

static int is_store(int fd)
{
    char link[40], path[4096];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0)
        return 0;
    path[n] = '\0';
    const char *end = strrchr(path, '.');
    return end != NULL && (strcmp(end, ".db") == 0 || strcmp(end, ".db-wal") == 0 ||
                           strcmp(end, ".db-journal") == 0);
}

static void *next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL)
        abort();
    return found;
}

/* Sleeps on the clock that is never moved. */
static int sync_with(int (*real)(int), int fd)
{
    int64_t ms = atomic_load(&control->sync_ms);
    int64_t failure = atomic_load(&control->sync_errno);
    struct timespec wait = {ms / 1000, ms % 1000 * 1000000};

    if ((ms == 0 && failure == 0) || !is_store(fd))
        return real(fd);
    atomic_fetch_add(&control->hits, 1);
    nanosleep(&wait, NULL);
    if (failure == 0)
        return real(fd);
    errno = (int)failure;
    return -1;
}

int fsync(int fd)
{
    static int (*real)(int);

    if (real == NULL)
        *(void **)&real = next("fsync");
    return sync_with(real, fd);
}

int fdatasync(int fd)
{
    static int (*real)(int);

    if (real == NULL)
        *(void **)&real = next("fdatasync");
    return sync_with(real, fd);
}

/* How much of a write is done; -1: it fails with errno set. */
static ssize_t allowed(int fd, size_t n)
{
    int64_t failure = atomic_load(&control->write_errno);
    int64_t most = atomic_load(&control->write_most);
    int64_t left;

    if ((failure == 0 && most == 0) || !is_store(fd))
        return (ssize_t)n;
    if (most > 0 && n > (size_t)most) {
        atomic_fetch_add(&control->hits, 1);
        n = (size_t)most;
    }
    if (failure == 0)
        return (ssize_t)n;
    left = atomic_load(&control->write_room);
    if (left > 0) {
        n = n < (size_t)left ? n : (size_t)left;
        atomic_fetch_sub(&control->write_room, (int64_t)n);
        return (ssize_t)n;
    }
    atomic_fetch_add(&control->hits, 1);
    errno = (int)failure;
    return -1;
}

ssize_t write(int fd, const void *p, size_t n)
{
    static ssize_t (*real)(int, const void *, size_t);

    if (real == NULL)
        *(void **)&real = next("write");
    ssize_t take = n == 0 ? 0 : allowed(fd, n);
    return take < 0 ? -1 : real(fd, p, (size_t)take);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off64_t);

    if (real == NULL)
        *(void **)&real = next("pwrite64");
    ssize_t take = n == 0 ? 0 : allowed(fd, n);
    return take < 0 ? -1 : real(fd, p, (size_t)take, at);
}

/* The same function where off_t has 64 bits. */
ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return pwrite64(fd, p, n, at);
}

int clock_gettime(clockid_t which, struct timespec *t)
{
    static int (*real)(clockid_t, struct timespec *);

    if (real == NULL)
        *(void **)&real = next("clock_gettime");
    int rc = real(which, t);
    if (rc == 0 && which == CLOCK_REALTIME)
        t->tv_sec += atomic_load_explicit(&control->clock_s, memory_order_relaxed);
    return rc;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    t->tv_sec = now.tv_sec;
    t->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}
