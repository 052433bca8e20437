/* Word problems of finite groups: the label at t is the product of the first t tokens. See group.h for the groups. */
#include "tasks/group.h"

#include "tasks/family.h"

#include <stdlib.h>
#include <string.h>

/* ---- Permutations -------------------------------------------------------------------------------------------------------------- */

/* The next permutation in lexicographic order; false after the last. */
static bool next_permutation(uint8_t p[], int n)
{
    int i = n - 2;
    while (i >= 0 && p[i] > p[i + 1])
        i--;
    if (i < 0)
        return false;
    int j = n - 1;
    while (p[j] < p[i])
        j--;
    uint8_t kept = p[i];
    p[i] = p[j];
    p[j] = kept;
    for (int a = i + 1, b = n - 1; a < b; a++, b--) {
        kept = p[a];
        p[a] = p[b];
        p[b] = kept;
    }
    return true;
}

/* How many permutations come before this one; *even tells its parity. */
static int rank(const uint8_t p[], int n, bool *even)
{
    int before = 0, inversions = 0;
    for (int i = 0; i < n; i++) {
        int smaller = 0;
        for (int j = i + 1; j < n; j++)
            smaller += p[j] < p[i];
        inversions += smaller;
        before = before * (n - i) + smaller;
    }
    *even = inversions % 2 == 0;
    return before;
}

/* All permutations of a factor, in order. */
static void list_elements(struct group *group, const struct group_factor *factor)
{
    uint8_t p[GROUP_DEGREE_MAX] = {0, 1, 2, 3, 4, 5, 6};
    int k = factor->first;
    do {
        bool even;
        rank(p, factor->n, &even);
        if (even || factor->kind == 'S')
            memcpy(group->element[k++], p, sizeof p);
    } while (next_permutation(p, factor->n));
}

/* Of every two neighbours in the order of all permutations, 2 k and 2 k + 1, which differ in their last two places, one is even. */
static int factor_product(const struct group *group, const struct group_factor *factor, int p, int q)
{
    if (factor->kind == 'Z')
        return (p + q) % factor->n;
    const uint8_t *left = group->element[factor->first + p], *right = group->element[factor->first + q];
    uint8_t product[GROUP_DEGREE_MAX];
    bool even;
    for (int i = 0; i < factor->n; i++)
        product[i] = left[right[i]];
    int place = rank(product, factor->n, &even);
    return factor->kind == 'A' ? place / 2 : place;
}

/* ---- Groups -------------------------------------------------------------------------------------------------------------------- */

static const struct {
    char kind;
    int least, most; /* n, so that the order is 2 .. GROUP_ORDER_MAX */
} kinds[] = {{'A', 3, 7}, {'S', 2, 7}, {'Z', 2, GROUP_ORDER_MAX}};

static const char expected_name[] =
    "expected A3 to A7, S2 to S7, Z2 to Z5040, or a product of these such as A4xZ5, with at most 5040 elements in all";

/* Reads "A5" up to an 'x' or the end. */
static bool read_factor(const char **name, struct group_factor *factor)
{
    size_t k = 0, digits = strspn(*name + (**name != '\0'), "0123456789");
    while (k < sizeof kinds / sizeof kinds[0] && kinds[k].kind != **name)
        k++;
    if (k == sizeof kinds / sizeof kinds[0] || digits == 0 || digits > 4 || (*name)[1] == '0')
        return false;
    factor->kind = **name;
    for (factor->n = 0, (*name)++; digits > 0; digits--)
        factor->n = 10 * factor->n + (*(*name)++ - '0');
    if (factor->n < kinds[k].least || factor->n > kinds[k].most)
        return false;
    factor->order = factor->kind == 'Z' ? factor->n : 1;
    for (int i = factor->kind == 'A' ? 3 : 2; i <= factor->n && factor->kind != 'Z'; i++)
        factor->order *= i;
    return **name == '\0' || (**name == 'x' && (*name)[1] != '\0');
}

const char *group_make(const char *name, struct group *group)
{
    int listed = 0;
    memset(group, 0, sizeof *group);
    group->order = 1;
    do {
        struct group_factor *factor = &group->factor[group->n_factors];
        if (group->n_factors == GROUP_FACTORS_MAX || !read_factor(&name, factor) || group->order * factor->order > GROUP_ORDER_MAX)
            return expected_name;
        factor->first = listed;
        if (factor->kind != 'Z') {
            list_elements(group, factor);
            listed += factor->order;
        }
        group->order *= factor->order;
        group->n_factors++;
    } while (*name++ == 'x');
    return NULL;
}

int group_product(const struct group *group, int p, int q)
{
    int product = 0, weight = 1;
    for (int i = group->n_factors - 1; i >= 0; i--) {
        int n = group->factor[i].order;
        product += weight * factor_product(group, &group->factor[i], p % n, q % n);
        weight *= n;
        p /= n;
        q /= n;
    }
    return product;
}

/* ---- The task ------------------------------------------------------------------------------------------------------------------ */

enum { OPTION_BOS };

static const struct task_option group_options[] = {{.name = "bos", .words = {"no", "yes"}}, {0}};

static bool named(const char *name)
{
    return name[0] != '\0' && strchr("ASZ", name[0]) != NULL && name[1] >= '0' && name[1] <= '9';
}

static bool open_group(struct task *task, const char *name, const struct reason *reason)
{
    struct group *group = malloc(sizeof *group);
    char quoted[TASK_QUOTED_SIZE];
    if (group == NULL)
        return task_refuse(reason, "out of memory");
    task->own = group;
    const char *wrong = group_make(name, group);
    if (wrong != NULL)
        return task_refuse(reason, "unknown group %s; %s", task_quote(name, quoted), wrong);
    bool bos = task->option[OPTION_BOS];
    task->facts.vocabulary = group->order + bos;
    task->facts.classes = group->order;
    task->facts.labelled = !bos;
    task->facts.shortest = 1;
    task->facts.longest = 1 << 20;
    task->facts.chance = 1.0 / group->order;
    return true;
}

static int64_t width(const struct task *task, int64_t length, bool training)
{
    (void)training;
    return length + task->option[OPTION_BOS];
}

static void fill(const struct task *task, struct draws *draws, int64_t length, bool training, int32_t *token, int32_t *target)
{
    const struct group *group = task->own;
    (void)training;
    if (task->option[OPTION_BOS]) {
        *token++ = group->order;
        *target++ = TASK_UNSCORED;
    }
    for (int64_t t = 0, product = 0; t < length; t++) {
        token[t] = (int32_t)draws_below(draws, (uint32_t)group->order);
        product = group_product(group, (int)product, token[t]);
        target[t] = (int32_t)product;
    }
}

const struct family group_family = {
    .name = "group",
    .summary = "words of a finite group, labelled at every position by the product so far: A5, S5, Z60, A4xZ5",
    .spelled = "a group such as A5, S5, Z60 or A4xZ5",
    .letter = 'G',
    .options = group_options,
    .named = named,
    .open = open_group,
    .width = width,
    .fill = fill,
};
