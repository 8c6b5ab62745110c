/* SPDX-License-Identifier: Apache-2.0 */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* The first line of the file, which its owner wrote; "?" while it is still empty. */
static void read_owner(int fd, char *out, size_t size)
{
    ssize_t n = pread(fd, out, size - 1, 0);

    out[n > 0 ? n : 0] = '\0';
    out[strspn(out, "0123456789")] = '\0';
    if (out[0] == '\0')
        memcpy(out, "?", 2);
}

static bool write_owner(int fd)
{
    char pid[24];
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());

    return ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)n, 0) == n;
}

int lock_open(const char *path, struct err *e)
{
    char name[4096]; /* the longest path that Linux takes */

    if (snprintf(name, sizeof name, "%s.lock", path) >= (int)sizeof name) {
        err_set(e, "the path of the store is too long");
        return -1;
    }
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        err_set(e, "cannot open %s: %s", name, strerror(errno));
    return fd;
}

bool lock_lead(int fd, const char *path, struct err *e)
{
    char owner[24];

    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int why = errno;
        read_owner(fd, owner, sizeof owner);
        return why == EWOULDBLOCK ? err_set(e, "the store %s is in use by process %s", path, owner)
                                  : err_set(e, "cannot lock %s.lock: %s", path, strerror(why));
    }
    if (write_owner(fd))
        return true;
    err_set(e, "cannot write %s.lock: %s", path, strerror(errno));
    lock_yield(fd);
    return false;
}

void lock_yield(int fd)
{
    (void)flock(fd, LOCK_UN);
}

/* The bytes lie behind the pid. length 0: to the end of all numbers. */
static struct flock seats(int64_t first, int64_t length)
{
    return (struct flock){
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1024 + first, .l_len = length};
}

static bool taken(int fd, struct flock range)
{
    return fcntl(fd, F_OFD_GETLK, &range) != 0 || range.l_type != F_UNLCK; /* unsure: it lives */
}

bool lock_take_seat(int fd, int64_t number)
{
    struct flock range = seats(number, 1);

    return fcntl(fd, F_OFD_SETLK, &range) == 0;
}

bool lock_seat_taken(int fd, int64_t number)
{
    return taken(fd, seats(number, 1));
}

bool lock_any_seat_taken(int fd)
{
    return taken(fd, seats(0, 0));
}
