/*
 * VBoxHeadless for a host without VirtualBox' kernel module: it starts VirtualBox' own code in "driverless" mode, in
 * which the guest's instructions are interpreted. Two things that machines for real hosts are not made for are changed
 * on their way into the virtual machine monitor, so that a machine keeps the settings it was given:
 *   - the interpreter executes everything;
 *   - an internal network, which lives in the kernel module, becomes a user-mode NAT of the network card's own.
 * The numbers are those of VirtualBox 7.2's headers iprt/initterm.h and VBox/sup.h.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FOLDER "/usr/lib/virtualbox/"
#define INIT_VERSION 2
#define INIT_SUPLIB (1u << 16)
#define INIT_SUP_SHIFT 18
#define SUP_DRIVERLESS (1u << 2)
#define SUP_DRIVERLESS_INTERPRETER (1u << 3)

typedef int (*init_function)(uint32_t version, uint32_t flags, int argc, char ***argv, const char *executable);
typedef int (*main_function)(int argc, char **argv, char **environment);
typedef const void *(*table_function)(void);
typedef int (*insert_integer)(void *node, const char *name, uint64_t value);
typedef int (*insert_string)(void *node, const char *name, const char *value);
typedef int (*insert_counted)(void *node, const char *name, const char *value, size_t length);

static insert_integer original_integer;
static insert_string original_string;
static insert_counted original_counted;

static int is_internal_network(const char *name, const char *value, size_t length)
{
    return !strcmp(name, "Driver") && length == 6 && !memcmp(value, "IntNet", 6);
}

/* What only the driver of internal networks understands; a NAT's "Network" is a range and holds a slash. */
static int is_of_internal_network(const char *name, const char *value, size_t length)
{
    return !strcmp(name, "IfPolicyPromisc") || (!strcmp(name, "Network") && !memchr(value, '/', length));
}

static int changed_counted(void *node, const char *name, const char *value, size_t length)
{
    if (is_internal_network(name, value, length)) return original_string(node, name, "NAT");
    if (is_of_internal_network(name, value, length)) return 0;
    return original_counted(node, name, value, length);
}

static int changed_string(void *node, const char *name, const char *value)
{
    return changed_counted(node, name, value, strlen(value));
}

/* The settings that VirtualBox makes of `--vm-execution-engine interpreter`. */
static int changed_integer(void *node, const char *name, uint64_t value)
{
    if (!strcmp(name, "TripleFaultReset")) original_integer(node, "IemExecutesAll", 1);
    if (!strcmp(name, "HMForced")) original_integer(node, "FallbackToIEM", 1);
    if (!strcmp(name, "IemExecutesAll") || !strcmp(name, "FallbackToIEM")) return 0;
    if (!strcmp(name, "HMEnabled") || !strcmp(name, "HMForced") || !strcmp(name, "FallbackToNEM")) value = 0;
    /* of internal networks */
    if (!strcmp(name, "TrunkType")) return 0;
    return original_integer(node, name, value);
}

/* The console calls the monitor through a table of functions; its entries are found by what they point to. */
static int replace_in_table(void **table, void *from, void *to)
{
    for (size_t index = 0; index < 512; index++) {
        if (table[index] != from) continue;
        uintptr_t page = (uintptr_t)&table[index] & ~(uintptr_t)(sysconf(_SC_PAGESIZE) - 1);
        if (mprotect((void *)page, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE)) return 0;
        table[index] = to;
        return 1;
    }
    return 0;
}

static int change_machine_settings(void)
{
    void *monitor = dlopen(FOLDER "VBoxVMM.so", RTLD_NOW | RTLD_GLOBAL);
    if (!monitor) return 0;
    table_function get_table = (table_function)dlsym(monitor, "VMMR3GetVTable");
    original_integer = (insert_integer)dlsym(monitor, "CFGMR3InsertInteger");
    original_string = (insert_string)dlsym(monitor, "CFGMR3InsertString");
    original_counted = (insert_counted)dlsym(monitor, "CFGMR3InsertStringN");
    if (!get_table || !original_integer || !original_string || !original_counted) return 0;
    void **table = (void **)get_table();
    return replace_in_table(table, original_integer, changed_integer) &&
           replace_in_table(table, original_string, changed_string) &&
           replace_in_table(table, original_counted, changed_counted);
}

static int fail(const char *what)
{
    const char *reason = dlerror();
    fprintf(stderr, "driverless launcher: %s: %s\n", what, reason ? reason : "not as expected");
    return 1;
}

int main(int argc, char **argv, char **environment)
{
    void *runtime = dlopen(FOLDER "VBoxRT.so", RTLD_NOW | RTLD_GLOBAL);
    if (!runtime) return fail("VBoxRT.so");
    init_function init = (init_function)dlsym(runtime, "RTR3InitEx");
    if (!init) return fail("RTR3InitEx");
    uint32_t driverless = (SUP_DRIVERLESS | SUP_DRIVERLESS_INTERPRETER) << INIT_SUP_SHIFT;
    if (init(INIT_VERSION, INIT_SUPLIB | driverless, argc, &argv, FOLDER "VBoxHeadless") < 0) return fail("RTR3InitEx");
    if (!change_machine_settings()) return fail("VBoxVMM.so");
    void *headless = dlopen(FOLDER "VBoxHeadless.so", RTLD_NOW | RTLD_GLOBAL);
    if (!headless) return fail("VBoxHeadless.so");
    main_function start = (main_function)dlsym(headless, "TrustedMain");
    if (!start) return fail("TrustedMain");
    return start(argc, argv, environment);
}
