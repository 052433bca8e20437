/* From the rounds of a point to one record of it, which the table and the plots show. The unit is the round: what differs from
 * process to process does not shrink with more samples in one process. */
#ifndef BENCH_REPORT_SUMMARY_H
#define BENCH_REPORT_SUMMARY_H

#include "bench/journal/records.h"

/* Puts one record in the place of all rounds of a point, in memory alone and in the place of these. Of a round that stands in the journal twice the later
 * line counts, and rounds under other conditions (another key) than those of the point's last line do not. The record of a point is
 * that of its first round with the point's result, but for what the schema merges otherwise (bench/journal/schema.h), and
 *
 *  "rounds": how many; "samples": in all of them; "round", "order", "throughput.seconds", "throughput.variation": gone; "started", "ended":
 *      first and last start
 *  "result": the worst of the rounds, "message": "2 of 6 rounds: ..." where they do not agree; then there is no speed
 *  "throughput.outliers": rounds beyond Tukey's fences (none among fewer than 5); they stay in all figures
 *  "load.addition_s": least and most
 *  "warnings": [{"code":, "figure": the worst, "rounds": how many rounds have it}], with those of the point as a whole.
 *
 * False when out of memory; there are no records any more then. */
bool records_merge(struct records *records, struct error *error);

#endif
