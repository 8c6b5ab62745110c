/* SPDX-License-Identifier: Apache-2.0 */
/* One question over a Unix socket, blocking. */
#include "io/unix.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static enum unix_result exchange(int fd, struct str line, struct buf *answer, struct err *e)
{
    while (line.n > 0) {
        ssize_t n = send(fd, line.p, line.n, MSG_NOSIGNAL);
        if (n <= 0) {
            err_set(e, "the station does not take the command: %s", strerror(errno));
            return UNIX_FAILED;
        }
        line = str_skip(line, (size_t)n);
    }
    for (;;) {
        char *at = buf_reserve(answer, 4096);
        ssize_t n = at == NULL ? -1 : recv(fd, at, 4096, 0);
        if (n <= 0) {
            err_set(e, "the station did not answer");
            return UNIX_FAILED;
        }
        answer->n += (size_t)n;
        if (answer->p[answer->n - 1] == '\n') {
            answer->n--;
            return UNIX_ANSWERED;
        }
    }
}

enum unix_result unix_ask(const char *path, struct str line, unsigned wait_s, struct buf *answer,
                          struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval wait = {.tv_sec = (time_t)wait_s};
    size_t n = strlen(path);
    if (n >= sizeof(address.sun_path)) {
        return UNIX_NOBODY;
    }
    memcpy(address.sun_path, path, n + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        err_set(e, "no socket: %s", strerror(errno));
        return UNIX_FAILED;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    enum unix_result result = UNIX_NOBODY;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
        result = exchange(fd, line, answer, e);
    } else if (errno != ENOENT && errno != ECONNREFUSED) {
        err_set(e, "%s: %s", path, strerror(errno));
        result = UNIX_FAILED;
    }
    close(fd);
    return result;
}
