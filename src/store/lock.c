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

int lock_take(const char *path, struct err *e)
{
    char name[4096]; /* the longest path that Linux takes */
    char owner[24];

    if (snprintf(name, sizeof name, "%s.lock", path) >= (int)sizeof name) {
        err_set(e, "the path of the store is too long");
        return -1;
    }
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        err_set(e, "cannot open %s: %s", name, strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int why = errno;
        read_owner(fd, owner, sizeof owner);
        if (why == EWOULDBLOCK)
            err_set(e, "the store %s is in use by process %s", path, owner);
        else
            err_set(e, "cannot lock %s: %s", name, strerror(why));
        close(fd);
        return -1;
    }
    if (!write_owner(fd)) {
        err_set(e, "cannot write %s: %s", name, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}
