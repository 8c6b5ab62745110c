/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For LD_PRELOAD: fsync and fdatasync sleep first, as on a disk that stalls. They do so only while
 * the file named by SLOW_FSYNC_FLAG exists, so that a test can start and stop the stall.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void stall(void)
{
    const char *flag = getenv("SLOW_FSYNC_FLAG");
    const char *ms = getenv("SLOW_FSYNC_MS");
    long wait_ms = ms == NULL ? 0 : strtol(ms, NULL, 10);
    struct timespec wait = {wait_ms / 1000, wait_ms % 1000 * 1000000};

    if (flag != NULL && access(flag, F_OK) == 0)
        nanosleep(&wait, NULL);
}

int fsync(int fd)
{
    int (*real)(int);

    *(void **)&real = dlsym(RTLD_NEXT, "fsync");
    stall();
    return real(fd);
}

int fdatasync(int fd)
{
    int (*real)(int);

    *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    stall();
    return real(fd);
}
