/* See plugins.h. The functions of an implementation are not told which one they belong to: each slot has its own, made by a
 * macro, that pass the context of the slot on. */
#include "impls/registry/plugins.h"

#include "impls/contract/support.h"

#include <math.h>
#include <string.h>

struct slot {
    struct plugin_row row;
    struct plugin_calls calls; /* all NULL before it is loaded */
    struct implementation implementation;
};

static struct slot slots[PLUGINS_MAX];
static int n_slots;

static void supports(const struct slot *slot, const struct problem *p, const struct settings *settings,
                     const struct environment *environment, struct support *support)
{
    *support = (struct support){.yes = true};
    if (slot->calls.supports == NULL)
        support_no(support, "the plug-in %s is not loaded", slot->row.name);
    else if (support_begin(support, p, settings, environment, &slot->implementation))
        slot->calls.supports(slot->calls.context, p, settings, environment, support);
}

static void count(const struct slot *slot, const struct problem *p, const struct settings *settings,
                  const struct environment *environment, int64_t l, struct work *work)
{
    *work = (struct work){.bytes = NAN, .operations = NAN, .set = NAN, .exponentials = NAN};
    if (slot->calls.count != NULL)
        slot->calls.count(slot->calls.context, p, settings, environment, l, work);
}

static struct status plan(const struct slot *slot, const struct problem *p, const struct settings *settings,
                          const struct environment *environment, struct plan **plan)
{
    struct status status = plan_begin(&slot->implementation, p, settings, environment, plan);
    return status.code == STATUS_OK ? slot->calls.plan(slot->calls.context, p, settings, environment, plan) : status;
}

static struct status forward_absent(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                                    struct trace *trace)
{
    (void)plan, (void)inputs, (void)outputs, (void)trace;
    return status_at(STATUS_INTERNAL, -1, -1, "a plug-in that is not loaded was called");
}

static void destroy_absent(struct plan *plan)
{
    (void)plan;
}

// clang-format off
#define EIGHT(X, n) X(n##0) X(n##1) X(n##2) X(n##3) X(n##4) X(n##5) X(n##6) X(n##7)
#define SLOTS(X) EIGHT(X, 00) EIGHT(X, 01) EIGHT(X, 02) EIGHT(X, 03) /* octal: 000 to 037 */
// clang-format on

#define FUNCTIONS(i)                                                                                                               \
    static void supports_##i(const struct problem *p, const struct settings *s, const struct environment *e, struct support *to)   \
    {                                                                                                                              \
        supports(&slots[i], p, s, e, to);                                                                                          \
    }                                                                                                                              \
    static void count_##i(const struct problem *p, const struct settings *s, const struct environment *e, int64_t l,               \
                          struct work *to)                                                                                         \
    {                                                                                                                              \
        count(&slots[i], p, s, e, l, to);                                                                                          \
    }                                                                                                                              \
    static struct status plan_##i(const struct problem *p, const struct settings *s, const struct environment *e,                  \
                                  struct plan **to)                                                                                \
    {                                                                                                                              \
        return plan(&slots[i], p, s, e, to);                                                                                       \
    }
SLOTS(FUNCTIONS)

#define ROW(i) {.supports = supports_##i, .count = count_##i, .plan = plan_##i},
static const struct implementation functions[] = {SLOTS(ROW)};
_Static_assert(sizeof functions / sizeof functions[0] == PLUGINS_MAX, "a slot for each plug-in");

bool plugin_named(const char *name)
{
    return strchr(name, '/') != NULL;
}

static struct slot *find(const char *name)
{
    for (int i = 0; i < n_slots; i++)
        if (strcmp(slots[i].row.name, name) == 0)
            return &slots[i];
    return NULL;
}

const struct plugin_row *plugin_row(const char *name)
{
    const struct slot *slot = find(name);
    return slot != NULL ? &slot->row : NULL;
}

bool plugin_add(const struct plugin_row *row)
{
    struct slot *slot = find(row->name);
    if (slot == NULL && n_slots == PLUGINS_MAX)
        return false;
    if (slot == NULL)
        slot = &slots[n_slots++];
    struct implementation *one = &slot->implementation;
    slot->row = *row;
    slot->calls = (struct plugin_calls){.context = NULL};
    *one = functions[slot - slots];
    one->name = slot->row.name;
    one->summary = slot->row.summary;
    one->options = slot->row.options[0] != '\0' ? slot->row.options : NULL;
    one->device = DEVICE_CPU;
    one->exact = row->exact;
    one->solver = row->solver;
    one->cells = row->cells;
    one->mixers = row->mixers;
    one->gradients = row->gradients;
    one->forward = forward_absent;
    one->destroy = destroy_absent;
    return true;
}

void plugin_load(const char *name, const struct plugin_calls *calls)
{
    struct slot *slot = find(name);
    struct implementation *one = &slot->implementation;
    slot->calls = *calls;
    one->upload = calls->upload;
    one->forward = calls->forward;
    one->backward = calls->backward;
    one->download = calls->download;
    one->elapsed = calls->elapsed;
    one->destroy = calls->destroy;
}

int plugin_count(void)
{
    return n_slots;
}

int plugin_find(const char *name)
{
    struct plugin_row row = {.summary = "a plug-in that is not described",
                             .cells = (1u << CELL_COUNT) - 1,
                             .mixers = MIXERS_ANY,
                             .gradients = GRADIENTS_EXACT | GRADIENTS_STEPS};
    const struct slot *slot = find(name);
    if (slot != NULL || !plugin_named(name) || strlen(name) >= sizeof row.name)
        return slot != NULL ? (int)(slot - slots) : -1;
    strcpy(row.name, name);
    return plugin_add(&row) ? n_slots - 1 : -1;
}

const struct implementation *plugin_get(int index)
{
    return &slots[index].implementation;
}
