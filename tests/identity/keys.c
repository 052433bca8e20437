/* Prints the key of every point of a sweep file. tests/build_identity.sh compares two builds of this: one of them has a field more.
 *
 *   keys SWEEP.yaml... */
#include "bench/sweep/sweep.h"

#include <stdio.h>
#include <stdlib.h>

static const char *no_name(int i)
{
    (void)i;
    return NULL;
}

static bool no_field(int i, int field)
{
    (void)i, (void)field;
    return false;
}

int main(int argc, char **argv)
{
    static const struct vocabulary vocabulary = {no_name, no_field, no_field, no_name, NULL};
    static const struct conditions conditions = {.machine = "machine", .surroundings = "surroundings", .samples = 10};
    for (int i = 1; i < argc; i++) {
        struct sweep sweep;
        struct error error;
        if (!sweep_read(&vocabulary, argv[i], NULL, false, &sweep, &error)) {
            fprintf(stderr, "%s\n", error.text);
            return EXIT_FAILURE;
        }
        for (size_t k = 0; k < sweep.n_points; k++) {
            char key[KEY_SIZE], label[200];
            point_key(&sweep.point[k], &conditions, key);
            point_label(&sweep.point[k], sizeof label, label);
            printf("%s %s\n", key, label);
        }
        sweep_free(&sweep);
    }
    return EXIT_SUCCESS;
}
