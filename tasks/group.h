/* Finite groups by name, with elements that are numbers: alternating A<n> and symmetric S<n> groups in the lexicographic order of
 * their permutations, cyclic groups Z<n> as 0 .. n - 1, and direct products of these, "A4xZ5", the first factor major. So element 0
 * is the identity, always. */
#ifndef TASKS_GROUP_H
#define TASKS_GROUP_H

#include <stdbool.h>
#include <stdint.h>

enum {
    GROUP_ORDER_MAX = 5040, /* S7: labels beyond that are hardly learnt, and a few letters more would name astronomical groups */
    GROUP_FACTORS_MAX = 12, /* 2^13 is above the largest order */
    GROUP_DEGREE_MAX = 7    /* of permutations */
};

struct group_factor {
    char kind; /* A, S or Z */
    int n, order;
    int first; /* its elements' place in group.element; not of Z */
};

struct group {
    int order, n_factors;
    struct group_factor factor[GROUP_FACTORS_MAX];
    uint8_t element[GROUP_ORDER_MAX][GROUP_DEGREE_MAX]; /* permutations of the factors, in their order */
};

/* NULL, or what is wrong with the name and what was expected. */
const char *group_make(const char *name, struct group *group);

/* p * q as permutations are composed: (p * q)[i] = p[q[i]]. Elements are 0 .. order - 1. */
int group_product(const struct group *group, int p, int q);

#endif
