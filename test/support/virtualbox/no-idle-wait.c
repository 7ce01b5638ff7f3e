/*
 * A library to load before VBoxManage's own. VirtualBox 7.2's pool of threads now and then misses that it is shut down:
 * VBoxManage has done its work and said so, and ends only when a thread's idle time of ten seconds is over. Hundreds of
 * calls in a row would make minutes of that; here no thread idles for longer than a tenth of a second.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#define LONGEST_NANOSECONDS 100000000LL

typedef int (*wait_function)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *deadline)
{
    static wait_function original;
    if (!original) original = (wait_function)dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (strcmp(program_invocation_short_name, "VBoxManage")) return original(condition, mutex, deadline);
    struct timespec soon;
    /* Which clock a condition uses cannot be asked; the time since the start of a host is never 1980. */
    clock_gettime(deadline->tv_sec < 10 * 365 * 86400 ? CLOCK_MONOTONIC : CLOCK_REALTIME, &soon);
    long long nanoseconds = soon.tv_nsec + LONGEST_NANOSECONDS;
    soon.tv_sec += nanoseconds / 1000000000LL;
    soon.tv_nsec = nanoseconds % 1000000000LL;
    int is_sooner = soon.tv_sec < deadline->tv_sec || (soon.tv_sec == deadline->tv_sec && soon.tv_nsec < deadline->tv_nsec);
    return original(condition, mutex, is_sooner ? &soon : deadline);
}
