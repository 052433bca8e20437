/* See sweep_run.h. */
#include "bench/sweep/sweep_run.h"

#include "bench/base/number.h"
#include "bench/sweep/measures.h"

#include <stdio.h>
#include <string.h>

const struct sweep_run sweep_run_default = {
    .samples = 10, .rounds = 6, .time_limit = 60, .training_limit = 600, .checkpoint_every = 30, .order_seed = 1, .margin = 0.02};

/* "90", "90 s", "1.5min": a number, then one of the units. */
struct unit {
    const char *name;
    double size;
};

static bool read_quantity(const struct node *node, const struct unit *units, size_t n, double *quantity)
{
    char number[32];
    if (node->kind != NODE_SCALAR)
        return false;
    size_t digits = strspn(node->text, "0123456789.");
    if (digits >= sizeof number)
        return false;
    memcpy(number, node->text, digits);
    number[digits] = '\0';
    const char *name = node->text + digits + strspn(node->text + digits, " ");
    for (size_t i = 0; i < n; i++) {
        if (strcmp(units[i].name, name) == 0 && number_read_real(number, quantity)) {
            *quantity *= units[i].size;
            return true;
        }
    }
    return false;
}

/* The most hours that a round may take, and a training over all runs that it goes on in. */
enum { DAY = 24, WEEKS = 1000 };

static bool read_whole(const struct source *source, const struct node *node, int64_t most, int64_t *number)
{
    char expected[64];
    if (node->kind == NODE_SCALAR && number_read_integer(node->text, number) && *number >= 1 && *number <= most)
        return true;
    snprintf(expected, sizeof expected, "a whole number from 1 to %lld", (long long)most);
    return fail_value(source, node, node->key, expected);
}

static bool read_samples(const struct source *source, const struct node *node, struct sweep_run *run)
{
    int64_t samples = 0;
    if (!read_whole(source, node, 10000, &samples))
        return false;
    run->samples = (int)samples;
    return true;
}

static bool read_rounds(const struct source *source, const struct node *node, struct sweep_run *run)
{
    int64_t rounds = 0;
    if (!read_whole(source, node, ROUNDS_MAX, &rounds))
        return false;
    run->rounds = (int)rounds;
    return true;
}

static bool read_order_seed(const struct source *source, const struct node *node, struct sweep_run *run)
{
    return read_whole(source, node, INT32_MAX, &run->order_seed);
}

static bool read_seconds(const struct source *source, const struct node *node, int hours, double *seconds)
{
    char expected[80];
    static const struct unit units[] = {{"", 1}, {"s", 1}, {"min", 60}, {"h", 3600}};
    double given;
    if (!read_quantity(node, units, sizeof units / sizeof units[0], &given) || !(given > 0 && given <= 3600.0 * hours)) {
        snprintf(expected, sizeof expected, "a time above 0, at most %d h, such as 60 s, 5 min or 1 h", hours);
        return fail_value(source, node, node->key, expected);
    }
    *seconds = given;
    return true;
}

static bool read_time_limit(const struct source *source, const struct node *node, struct sweep_run *run)
{
    return read_seconds(source, node, DAY, &run->time_limit);
}

static bool read_training_limit(const struct source *source, const struct node *node, struct sweep_run *run)
{
    return read_seconds(source, node, WEEKS, &run->training_limit);
}

static bool read_checkpoint_every(const struct source *source, const struct node *node, struct sweep_run *run)
{
    return read_seconds(source, node, DAY, &run->checkpoint_every);
}

static bool read_memory_limit(const struct source *source, const struct node *node, struct sweep_run *run)
{
    static const struct unit units[] = {{"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}};
    double bytes;
    if (!read_quantity(node, units, sizeof units / sizeof units[0], &bytes) || !(bytes >= 0x1p20 && bytes <= 0x1p50))
        return fail_value(source, node, node->key, "a size of at least 1 MiB, such as 500 MB, 4 GB or 4 GiB");
    run->memory_limit = (size_t)bytes;
    return true;
}

/* {relative_interval: 2%, at_most: 30 rounds} */
static bool read_until(const struct source *source, const struct node *node, struct sweep_run *run)
{
    static const char *const keys[] = {"relative_interval", "at_most"};
    static const struct unit shares[] = {{"%", 0.01}, {"", 1}}, rounds[] = {{"rounds", 1}, {"", 1}};
    double most;
    if (node->kind != NODE_MAP)
        return fail_value(source, node, node->key, "{relative_interval: 2%, at_most: 30 rounds}");
    if (!keys_known(source, node, " in until", keys, 2))
        return false;
    const struct node *interval = node_find(node, keys[0]), *at_most = node_find(node, keys[1]);
    if (interval == NULL || at_most == NULL)
        return fail_at(source->error, &node->mark, "until has no %s; expected {relative_interval: 2%%, at_most: 30 rounds}",
                       interval == NULL ? keys[0] : keys[1]);
    if (!read_quantity(interval, shares, 2, &run->relative_interval) || !(run->relative_interval > 0 && run->relative_interval < 1))
        return fail_value(source, interval, interval->key, "a share between 0 and 1, such as 2% or 0.02");
    if (!read_quantity(at_most, rounds, 2, &most) || !(most >= ROUNDS_INTERVAL && most <= ROUNDS_MAX && most == (double)(int)most))
        return fail_value(source, at_most, at_most->key,
                          "a whole number of rounds from 6 (fewer have no interval) to 1000, such as 30 rounds");
    run->at_most = (int)most;
    return true;
}

static bool read_margin(const struct source *source, const struct node *node, struct sweep_run *run)
{
    static const struct unit shares[] = {{"%", 0.01}, {"", 1}};
    double margin;
    if (!read_quantity(node, shares, 2, &margin) || !(margin > 0 && margin <= 1))
        return fail_value(source, node, node->key, "a share above 0, at most 1, such as 2% or 0.02");
    run->margin = margin;
    return true;
}

/* full: the whole ladder, once a run; none: a few seconds less, and no bounds */
static bool read_calibration(const struct source *source, const struct node *node, struct sweep_run *run)
{
    bool full = node->kind == NODE_SCALAR && strcmp(node->text, "full") == 0;
    bool none = node->kind == NODE_SCALAR && strcmp(node->text, "none") == 0;
    run->uncalibrated = none;
    return full || none || fail_value(source, node, node->key, "full or none");
}

double sweep_run_limit(const struct sweep_run *run, const struct point *point)
{
    return measures[point->value[FIELD_MEASURE].integer].of == OF_TRAINING ? run->training_limit : run->time_limit;
}

const char *const sweep_run_keys[SWEEP_RUN_KEYS] = {"samples",          "rounds",     "until",       "time_limit",
                                                    "memory_limit",     "order_seed", "calibration", "training_limit",
                                                    "checkpoint_every", "margin"};

bool sweep_run_read(const struct source *source, const struct node *node, struct sweep_run *run)
{
    static bool (*const read[SWEEP_RUN_KEYS])(const struct source *, const struct node *, struct sweep_run *) = {
        read_samples,    read_rounds,      read_until,          read_time_limit,       read_memory_limit,
        read_order_seed, read_calibration, read_training_limit, read_checkpoint_every, read_margin};
    for (int i = 0; i < SWEEP_RUN_KEYS; i++)
        if (strcmp(node->key, sweep_run_keys[i]) == 0)
            return read[i](source, node, run);
    return true;
}
