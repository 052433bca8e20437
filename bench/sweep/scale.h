/* Scales of a sweep file: named sets of values that are laid over the rest of it, such as the paper's own settings over those that two
 * cores get through. Where a scale says something, it replaces what the top level and every grid say of it. */
#ifndef BENCH_SWEEP_SCALE_H
#define BENCH_SWEEP_SCALE_H

#include "bench/sweep/reader.h"

/* scale: NAME, unless the command line has named one. */
bool scale_read_name(struct reader *reader, const struct node *node);

/* scales: {NAME: {SECTION: ..., ...}, ...}. Looks through all of them, and lays the wanted one over the top level, which must have been
 * read. The name of the sweep becomes NAME-SCALE. */
bool scales_read(struct reader *reader, const struct node *node);

/* False, with the complaint, where a scale is wanted and the file has no scales at all. */
bool scale_found(struct reader *reader, const struct node *root);

/* Lays the wanted scale, if any, over a product. */
bool scale_lay(struct reader *reader, struct product *product);

#endif
