/* The machine: its facts are complete, its type is stable, and the memory it has to give follows the control groups, which the
 * tests lay out as files of their own. */
#include "bench/base/files.h"
#include "bench/base/process.h"
#include "bench/machine/machine.h"
#include "bench/machine/machine_memory.h"
#include "bench/machine/machine_threads.h"
#include "bench/machine/nvml.h"
#include "bench/machine/team.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"

#include <dlfcn.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *suite_machine(void);

START_TEST(facts_are_complete)
{
    static const char *const names[] = {
        "type",   "date",   "commit",       "changed",  "cpu",   "memory_bytes", "page_bytes",
        "device", "kernel", "distribution", "compiler", "flags", "libraries",    "threading_variables"};
    char type[MACHINE_TYPE_SIZE];
    json_t *facts = machine_facts();
    ck_assert_ptr_nonnull(facts);
    machine_type(type);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_msg(json_object_get(facts, names[i]) != NULL, "%s", names[i]);
    ck_assert_uint_eq(json_object_size(facts), sizeof names / sizeof *names);
    ck_assert_str_eq(json_string_value(json_object_get(facts, "type")), type);
    ck_assert_uint_eq(strlen(json_string_value(json_object_get(facts, "date"))), strlen("2026-11-23T18:40:00Z"));
    ck_assert_int_gt(json_integer_value(json_object_get(facts, "memory_bytes")), 1 << 20);
    ck_assert_int_eq(json_integer_value(json_object_get(facts, "page_bytes")), sysconf(_SC_PAGESIZE));
    const char *commit = json_string_value(json_object_get(facts, "commit"));
    bool known = strcmp(commit, "unknown") != 0;
    ck_assert_msg(!known || strspn(commit, "0123456789abcdef") >= 40, "%s", commit);
    ck_assert_int_eq(json_is_boolean(json_object_get(facts, "changed")), known);
    json_t *cpu = json_object_get(facts, "cpu");
    ck_assert_int_ge(json_integer_value(json_object_get(cpu, "online")), 1);
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(cpu, "levels"), 0)), "baseline");
    ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(json_object_get(facts, "libraries"), "openblas")), "OpenBLAS"));
    json_decref(facts);
}
END_TEST

START_TEST(facts_do_not_name_the_host)
{
    char host[256], *text;
    json_t *facts = machine_facts();
    ck_assert_int_eq(gethostname(host, sizeof host), 0);
    text = json_dumps(facts, 0);
    ck_assert_ptr_nonnull(text);
    if (strlen(host) > 8) /* a short name may be a word of something else */
        ck_assert_ptr_null(strstr(text, host));
    ck_assert_ptr_null(strstr(text, "\"host"));
    free(text);
    json_decref(facts);
}
END_TEST

/* What NVML tells, by a library that is made up: where one of that name is loaded already, that is the one that is found. Of
 * another card, or without the library, nothing is told. */
START_TEST(nvml_is_asked)
{
    char path[PATH_MAX];
    program_find("libnvidia-ml.so.1", path);
    if (dlopen("libnvidia-ml.so.1", RTLD_NOW) == NULL) {
        json_t *nothing = nvml_to_json("0000:17:00.0");
        ck_assert(json_is_null(nothing));
        json_decref(nothing);
    } else
        return; /* a real one is here, and would be asked */
    ck_assert_msg(dlopen(path, RTLD_NOW) != NULL, "%s", dlerror());
    json_t *facts = nvml_to_json("0000:17:00.0"), *stranger = nvml_to_json("0000:18:00.0");
    ck_assert(json_is_null(stranger));
    ck_assert_str_eq(json_string_value(json_object_get(facts, "driver")), "580.65.06");
    static const struct {
        const char *name;
        double value;
    } figures[] = {{"memory_bytes", 8e10},          {"clock_MHz", 1410},   {"clock_most_MHz", 1980}, {"memory_clock_MHz", 1593},
                   {"memory_clock_most_MHz", 2619}, {"power_limit_W", 650}};
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        ck_assert_double_eq(json_number_value(json_object_get(facts, figures[i].name)), figures[i].value);
    ck_assert(json_is_true(json_object_get(facts, "ecc")));
    ck_assert(json_is_null(json_object_get(facts, "power_limit_usual_W")));
    ck_assert(json_is_null(json_object_get(facts, "temperature_C")));
    json_decref(stranger);
    json_decref(facts);
}
END_TEST

START_TEST(type_is_stable)
{
    char first[MACHINE_TYPE_SIZE], second[MACHINE_TYPE_SIZE];
    cpu_set_t one;
    machine_type(first);
    ck_assert_uint_eq(strlen(first), MACHINE_TYPE_SIZE - 1);
    ck_assert_uint_eq(strspn(first, "0123456789abcdef"), MACHINE_TYPE_SIZE - 1);
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0); /* which changes what we may use, not the machine */
    machine_type(second);
    ck_assert_str_eq(first, second);
    ck_assert_int_eq(machine_threads(), 1);
}
END_TEST

/* Whoever asks how many threads there are gets the same answer whether or not OpenMP has bound them. */
START_TEST(bound_threads_are_counted)
{
    char program[PATH_MAX], usable[64];
    program_find("bench", program);
    snprintf(usable, sizeof usable, "; %d processors\n", machine_threads());
    const char *const argv[] = {"env", "OMP_PROC_BIND=true", program, "list", NULL};
    const struct process_request request = {.argv = argv, .time_limit = HANG};
    struct process_result process;
    struct error error;
    ck_assert_msg(process_run(&request, &process, &error), "%s", error.text);
    ck_assert_msg(strstr(process.output, usable) != NULL, "%s", process.output);
    process_result_free(&process);
}
END_TEST

START_TEST(this_machine_has_something_to_give)
{
    ck_assert_int_ge(machine_threads(), 1);
    ck_assert_uint_gt(machine_memory_available(), 1 << 20);
}
END_TEST

/* One file of a made-up /proc and /sys, "PATH|TEXT". */
static void lay_out(const char *file)
{
    struct error error;
    char path[256];
    const char *bar = strchr(file, '|');
    snprintf(path, sizeof path, "%.*s", (int)(bar - file), file);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    ck_assert_msg(files_make_folder(scratch_path(path), &error), "%s", error.text);
    *slash = '/';
    scratch_write(scratch_path(path), bar + 1, strlen(bar + 1));
}

#define FREE "proc/meminfo|MemTotal:  9000 kB\nMemFree:  10 kB\nMemAvailable:    1000 kB\nBuffers: 7 kB\n"
#define V1 "sys/fs/cgroup/memory"

// clang-format off
static const struct {
    size_t expected;
    const char *files[8];
} systems[] = {
    {0, {"proc/none|"}},
    {0, {"proc/meminfo|MemTotal: 5 kB\n"}},
    {1024000, {FREE}},
    {1024000, {FREE, "proc/self/cgroup|0::/a/b\n"}},
    {1024000, {FREE, "proc/self/cgroup|garbage\n::\n7:memory\n"}},
    {1024000, {FREE, "proc/self/cgroup|0::/a\n", "sys/fs/cgroup/a/memory.max|max\n", "sys/fs/cgroup/a/memory.current|999999999\n"}},
    {5000, {FREE, "proc/self/cgroup|0::/a\n", "sys/fs/cgroup/a/memory.max|6000\n", "sys/fs/cgroup/a/memory.current|1000\n"}},
    {5300, {FREE, "proc/self/cgroup|0::/a\n", "sys/fs/cgroup/a/memory.max|6000\n", "sys/fs/cgroup/a/memory.current|1000\n",
            "sys/fs/cgroup/a/memory.stat|anon 5\nfile 7\ninactive_file 300\ntotal_inactive_file 9\n"}},
    {6000, {FREE, "proc/self/cgroup|0::/a\n", "sys/fs/cgroup/a/memory.max|6000\n"}},
    {1, {FREE, "proc/self/cgroup|0::/a\n", "sys/fs/cgroup/a/memory.max|6000\n", "sys/fs/cgroup/a/memory.current|7000\n"}},
    /* The tightest of the groups around it, with and without a namespace. */
    {100, {FREE, "proc/self/cgroup|0::/a/b/c\n", "sys/fs/cgroup/a/memory.max|100\n", "sys/fs/cgroup/a/b/c/memory.max|6000\n"}},
    {200, {FREE, "proc/self/cgroup|0::/\n", "sys/fs/cgroup/memory.max|200\n"}},
    {300, {FREE, "proc/self/cgroup|0::/not/seen/here\n", "sys/fs/cgroup/memory.max|300\n"}},
    /* The first generation. */
    {4000, {FREE, "proc/self/cgroup|5:cpu,cpuacct:/x\n4:memory:/a\n0::/\n", V1 "/a/memory.limit_in_bytes|6000\n",
            V1 "/a/memory.usage_in_bytes|2500\n", V1 "/a/memory.stat|inactive_file 1\ntotal_inactive_file 500\n",
            V1 "/memory.limit_in_bytes|9223372036854771712\n"}},
    {400, {FREE, "proc/self/cgroup|4:cpu,memory:/a\n", V1 "/a/memory.limit_in_bytes|400\n"}},
    {1024000, {FREE, "proc/self/cgroup|4:notmemory,memoryless:/a\n", V1 "/a/memory.limit_in_bytes|400\n"}},
};
// clang-format on

START_TEST(memory_follows_control_groups)
{
    for (int i = 0; systems[_i].files[i] != NULL; i++)
        lay_out(systems[_i].files[i]);
    ck_assert_uint_eq(machine_memory_available_at(scratch), systems[_i].expected);
}
END_TEST

#define CPU1 "sys/fs/cgroup/cpu"

/* Of eight processors. */
// clang-format off
static const struct {
    int expected;
    const char *files[8];
} quotas[] = {
    {8, {"proc/none|"}},
    {8, {"proc/self/cgroup|0::/a\n", "sys/fs/cgroup/a/cpu.max|max 100000\n"}},
    {8, {"proc/self/cgroup|0::/a\n", "sys/fs/cgroup/a/cpu.max|1600000 100000\n"}},
    {2, {"proc/self/cgroup|0::/a\n", "sys/fs/cgroup/a/cpu.max|250000 100000\n"}},
    {1, {"proc/self/cgroup|0::/a\n", "sys/fs/cgroup/a/cpu.max|20000 100000\n"}},
    {8, {"proc/self/cgroup|0::/a\n", "sys/fs/cgroup/a/cpu.max|garbage\n"}},
    {8, {"proc/self/cgroup|0::/a\n", "sys/fs/cgroup/a/cpu.max|100000 0\n"}},
    /* The least of the groups around it, seen or not. */
    {3, {"proc/self/cgroup|0::/a/b/c\n", "sys/fs/cgroup/a/cpu.max|300000 100000\n", "sys/fs/cgroup/a/b/c/cpu.max|400000 100000\n"}},
    {5, {"proc/self/cgroup|0::/not/seen\n", "sys/fs/cgroup/cpu.max|250000 50000\n"}},
    /* The first generation, under both names of its folder. */
    {4, {"proc/self/cgroup|5:cpu,cpuacct:/x\n4:memory:/a\n0::/\n", CPU1 "/x/cpu.cfs_quota_us|40000\n", CPU1 "/x/cpu.cfs_period_us|10000\n",
         CPU1 "/cpu.cfs_quota_us|-1\n", CPU1 "/cpu.cfs_period_us|10000\n", "sys/fs/cgroup/memory/a/cpu.cfs_quota_us|1\n"}},
    {6, {"proc/self/cgroup|5:cpu,cpuacct:/x/y\n", CPU1 ",cpuacct/x/cpu.cfs_quota_us|600000\n", CPU1 ",cpuacct/x/cpu.cfs_period_us|100000\n"}},
    {8, {"proc/self/cgroup|5:cpu:/x\n", CPU1 "/x/cpu.cfs_quota_us|40000\n"}},
};
// clang-format on

START_TEST(threads_follow_quotas)
{
    for (int i = 0; quotas[_i].files[i] != NULL; i++)
        lay_out(quotas[_i].files[i]);
    ck_assert_int_eq(machine_threads_at(scratch, 8), quotas[_i].expected);
}
END_TEST

/* Threads that cannot be started are counted before OpenMP would end the process. Root has no such limit, and is somebody else
 * here. */
START_TEST(threads_that_cannot_start_are_counted)
{
    char reason[TEAM_REASON_SIZE];
    ck_assert_int_eq(team_threads(3, reason), 3);
    ck_assert_str_eq(reason, "");
    pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit one = {1, 1};
        bool limited = setrlimit(RLIMIT_NPROC, &one) == 0 && (geteuid() != 0 || setuid(65534) == 0);
        int threads = team_threads(3, reason);
        _exit(!limited || threads != 1 || strstr(reason, "ulimit -u") == NULL);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* A mask that is set while the process runs holds for the threads that are there. */
START_TEST(shared_processors_are_counted)
{
    cpu_set_t mask;
    ck_assert_int_ge(team_processors(2), 1);
    ck_assert_int_eq(sched_getaffinity(0, sizeof mask, &mask), 0);
    int first = 0;
    while (!CPU_ISSET(first, &mask))
        first++;
    CPU_ZERO(&mask);
    CPU_SET(first, &mask);
#pragma omp parallel num_threads(3)
    sched_setaffinity(0, sizeof mask, &mask);
    ck_assert_int_eq(team_processors(3), 1);
}
END_TEST

Suite *suite_machine(void)
{
    Suite *suite = suite_create("machine");
    TCase *tests = tcase_create("machine");
    tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
    tcase_add_test(tests, facts_are_complete);
    tcase_add_test(tests, facts_do_not_name_the_host);
    tcase_add_test(tests, nvml_is_asked);
    tcase_add_test(tests, type_is_stable);
    tcase_add_test(tests, bound_threads_are_counted);
    tcase_add_test(tests, this_machine_has_something_to_give);
    tcase_add_loop_test(tests, threads_follow_quotas, 0, sizeof quotas / sizeof *quotas);
    tcase_add_test(tests, threads_that_cannot_start_are_counted);
    tcase_add_test(tests, shared_processors_are_counted);
    tcase_add_loop_test(tests, memory_follows_control_groups, 0, sizeof systems / sizeof *systems);
    suite_add_tcase(suite, tests);
    return suite;
}
