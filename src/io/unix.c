/* SPDX-License-Identifier: Apache-2.0 */
/* Questions over a Unix socket, blocking. */
#include "io/unix.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

bool unix_say(int fd, struct str line, struct err *e)
{
    while (line.n > 0) {
        ssize_t n = send(fd, line.p, line.n, MSG_NOSIGNAL);
        if (n <= 0) {
            return err_set(e, "the station does not take the command: %s", strerror(errno));
        }
        line = str_skip(line, (size_t)n);
    }
    return true;
}

/* What came with the bytes; more than there is room for is closed. */
static void keep_descriptors(struct msghdr *m, int *fds, unsigned *count)
{
    for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        unsigned n = (unsigned)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (unsigned i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
            if (fds != NULL && *count < PASS_MAX) {
                fds[(*count)++] = fd;
            } else {
                close(fd);
            }
        }
    }
}

bool unix_hear(int fd, struct buf *answer, int *fds, unsigned *count, struct err *e)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * PASS_MAX)];
    } control;

    for (;;) {
        char *at = buf_reserve(answer, 4096);
        struct iovec v = {at, 4096};
        struct msghdr m = {.msg_iov = &v,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof(control)};
        ssize_t n = at == NULL ? -1 : recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
        if (n <= 0) {
            return err_set(e, "the station did not answer");
        }
        keep_descriptors(&m, fds, count);
        answer->n += (size_t)n;
        if (answer->p[answer->n - 1] == '\n') {
            answer->n--;
            return true;
        }
    }
}

enum unix_result unix_connect(const char *path, unsigned wait_s, int *fd, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval wait = {.tv_sec = (time_t)wait_s};
    size_t n = strlen(path);
    if (n >= sizeof(address.sun_path)) {
        return UNIX_NOBODY;
    }
    memcpy(address.sun_path, path, n + 1);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd < 0) {
        err_set(e, "no socket: %s", strerror(errno));
        return UNIX_FAILED;
    }
    setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(*fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    if (connect(*fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
        return UNIX_ANSWERED;
    }
    bool nobody = errno == ENOENT || errno == ECONNREFUSED;
    err_set(e, "%s: %s", path, strerror(errno));
    close(*fd);
    return nobody ? UNIX_NOBODY : UNIX_FAILED;
}

enum unix_result unix_ask(const char *path, struct str line, unsigned wait_s, struct buf *answer,
                          struct err *e)
{
    unsigned none = 0;
    int fd;
    enum unix_result result = unix_connect(path, wait_s, &fd, e);
    if (result != UNIX_ANSWERED) {
        return result;
    }
    bool ok = unix_say(fd, line, e) && unix_hear(fd, answer, NULL, &none, e);
    close(fd);
    return ok ? UNIX_ANSWERED : UNIX_FAILED;
}
