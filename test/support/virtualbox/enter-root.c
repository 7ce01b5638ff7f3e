/*
 * Runs a program of VirtualBox in a root of its own: enter-root ROOT SHARED LAUNCHER PROGRAM [ARGUMENT…]
 * SHARED is a folder of the host that has the same path inside; LAUNCHER takes the place of VBoxHeadless.
 * All mounts are in a mount namespace of the program's own: they are gone with it, and the host never sees them.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static int fail(const char *what)
{
    perror(what);
    return 125;
}

int main(int argc, char **argv)
{
    char target[4096];
    if (argc < 5) {
        fprintf(stderr, "usage: enter-root ROOT SHARED LAUNCHER PROGRAM [ARGUMENT…]\n");
        return 125;
    }
    const char *root = argv[1], *shared = argv[2], *launcher = argv[3];
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return fail("mount namespace");
    snprintf(target, sizeof target, "%s/proc", root);
    if (mount("proc", target, "proc", 0, NULL)) return fail(target);
    snprintf(target, sizeof target, "%s%s", root, shared);
    if (mount(shared, target, NULL, MS_BIND | MS_REC, NULL)) return fail(target);
    snprintf(target, sizeof target, "%s/usr/lib/virtualbox/VBoxHeadless", root);
    if (mount(launcher, target, NULL, MS_BIND, NULL)) return fail(target);
    if (chroot(root) || chdir("/")) return fail(root);
    execv(argv[4], argv + 4);
    return fail(argv[4]);
}
