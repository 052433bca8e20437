/* A block: a table or a paragraph of a markdown page that is made from a run's folder alone. What it holds is asked for in YAML:
 *
 *   <!-- block
 *   table: results/reference/throughput        the folder; or count:, or about:
 *   where: {T: 1024, pass: forward}            conditions on points, as a sweep's plots have them
 *   rows: [impl, l]                            a row for each combination of these fields
 *   across: threads                            and a column for each value of this one
 *   show: {seconds_per_call_median: "time [ms]"}   columns of table.csv, with the head and unit that they get
 *   -->
 *   ... all that stands here is written by `bench blocks` ...
 *   <!-- end -->
 *
 * table: of the points, those that differ in seeds alone together: their median and range. More of it:
 *   show: a column, a list of columns, or COLUMN: "head [unit]" (what is only counted needs no unit); `A / B` is the quotient of two columns. Columns of training of a
 *       point of accuracy are those of the training that it depends on
 *   result: diverged       only points that ended so
 *   over: {FIELD: value}   each figure over that of the point that differs in these fields (and in those that one does not use)
 *   along: FIELD           the exponent p of figure ~ FIELD^p instead of the figure
 *   each: any              points that differ in other fields share a row: median, least and most
 *   digits: 3              significant digits
 * count: how many points ended with which result, or have which value of the column that of: names; where:, result:, rows: as above.
 * about: when and on what it was measured, how many points, rounds and seeds, what else the machine did; of a list of folders a table.
 */
#ifndef BENCH_REPORT_BLOCKS_BLOCK_H
#define BENCH_REPORT_BLOCKS_BLOCK_H

#include "bench/base/yaml.h"
#include "bench/journal/records.h"
#include "bench/sweep/filter.h"

enum { BLOCK_WIDTH = 120 }; /* columns of a line of text on a page */

enum { BLOCK_FIELDS_MAX = 8, BLOCK_SHOWN_MAX = 8, BLOCK_FOLDERS_MAX = 64 };

enum block_kind { BLOCK_TABLE, BLOCK_COUNT, BLOCK_ABOUT, BLOCK_KINDS };

struct block_shown {
    const struct column *column, *divisor; /* divisor: NULL for the column itself */
    const char *head;                      /* with its unit */
    double scale;                          /* from the column's unit to that of the head */
};

struct block {
    enum block_kind kind;
    struct location mark;
    const char *folder[BLOCK_FOLDERS_MAX];
    int n_folders;
    bool listed; /* about: of a list */
    struct filter where, over;
    enum result result; /* RESULT_COUNT: any */
    int rows[BLOCK_FIELDS_MAX], n_rows;
    int across, along; /* fields, or -1 */
    struct block_shown shown[BLOCK_SHOWN_MAX];
    int n_shown;
    const struct column *of; /* of a count */
    bool any;
    int digits;
};

/* What a folder holds: its rounds, its points (records_merge, longest_add), and machine.json. */
struct block_data {
    struct records rounds, points;
    json_t *machine;
};

/* Reads what a block asks for; its texts live in the source's pool. Errors are sentences "FILE:LINE:COLUMN: ...". */
bool block_read(const struct source *source, const struct node *node, struct block *block);

#endif
