/* Scales of a sweep file: named sets of values that replace those of the file, such as the setting of the paper. A value of a
 * scale replaces that of the top level and of every grid. */
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
