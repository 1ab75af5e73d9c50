/* What a program does to the files of a folder, in order: a line for each write, sync and rename, in the file POWER_LOG. Loaded before the
   system's library. A write is noted before it happens and a sync after it has, so that what stands there as safe is safe. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static void note(const char *what, const char *path, const char *other) {
    static ssize_t (*whole)(int, const void *, size_t);
    const char *log = getenv("POWER_LOG"), *folder = getenv("POWER_FOLDER");
    if (!log || !folder || strncmp(path, folder, strlen(folder))) return;
    char line[2 * PATH_MAX + 16];
    int length = snprintf(line, sizeof line, "%s\t%s\t%s\n", what, path, other);
    int fd = open(log, O_WRONLY | O_APPEND | O_CREAT, 0644);
    if (fd < 0) return;
    if (!whole) whole = dlsym(RTLD_NEXT, "write");
    if (whole(fd, line, length) != length) abort();
    close(fd);
}

static void noted(const char *what, int fd) {
    char link[32], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return;
    path[length] = 0;
    note(what, path, "");
}

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) real = dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(ssize_t, write, int, const void *, size_t);
    noted("write", fd);
    return real(fd, bytes, count);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    noted("write", fd);
    return real(fd, parts, count);
}

int fsync(int fd) {
    REAL(int, fsync, int);
    int said = real(fd);
    noted("sync", fd);
    return said;
}

int fdatasync(int fd) {
    REAL(int, fdatasync, int);
    int said = real(fd);
    noted("sync", fd);
    return said;
}

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    char whole[PATH_MAX], folder[PATH_MAX];
    if (*from != '/' && getcwd(folder, sizeof folder)) {
        snprintf(whole, sizeof whole, "%s/%s", folder, from);
        note("rename", whole, to);
    } else {
        note("rename", from, to);
    }
    return real(from, to);
}
