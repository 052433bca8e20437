/* See run.h. */
#include "bench/command/run.h"

#include "bench/base/clock.h"
#include "bench/base/fence.h"
#include "bench/base/files.h"
#include "bench/base/inherited.h"
#include "bench/base/parse.h"
#include "bench/base/shown.h"
#include "bench/command/conclude.h"
#include "bench/command/folder.h"
#include "bench/command/held.h"
#include "bench/command/points.h"
#include "bench/command/progress.h"
#include "bench/command/round.h"
#include "bench/command/schedule.h"
#include "bench/command/tally.h"
#include "bench/command/vocabulary.h"
#include "bench/journal/records.h"
#include "bench/machine/machine.h"
#include "bench/machine/machine_file.h"
#include "bench/measure/cache.h"
#include "bench/measure/checkpoint.h"
#include "bench/measure/measure.h"
#include "bench/measure/trained.h"
#include "bench/plugin/describe.h"
#include "bench/sweep/baseline.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run {
    const struct run_request *request;
    struct sweep sweep;
    struct folder folder;
    char machine[MACHINE_TYPE_SIZE], surroundings[MACHINE_TYPE_SIZE];
    struct conditions conditions;
    struct held *held;
    struct error changed; /* about the first file of inputs, or plug-in, that was changed meanwhile; empty: none was */
    struct journal *journal;
    struct tally tally;
    struct limits_names limits_names;
    struct calibration calibration;
    struct progress progress;
    double since;                /* of the monotonic clock: when the last record was about to be written */
    const char *label, *trained; /* of the point under way */
};

/* The first of these signals ends the run after the round that is under way; the second one ends it at once. */
static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

/* What a training that is under way says of itself. */
static void show_training(void *context)
{
    struct run *run = context;
    char said[200], text[420];
    if (!trained_hear(run->trained, sizeof said, said))
        return;
    snprintf(text, sizeof text, "%s: %s", run->label, said);
    progress_running(&run->progress, text);
}

/* Their points have another key by now, under which the next run will measure them. */
static void give_up(struct run *run, size_t i)
{
    const char *file = held_changed(run->held, &run->sweep.point[i]);
    run->tally.point[i].ended = true;
    pairings_end(&run->tally.pairings, i, true);
    if (run->changed.text[0] == '\0')
        fail(&run->changed,
             "%.600s was changed while the run was under way: rounds of its points were not kept from then on. The same command "
             "measures them on the file as it is now",
             file != NULL ? file : "a file");
}

/* Waits until no other run works on a training: before its worker begins, whose time is limited. *lock stays -1 where the user
 * ended the waiting. */
static bool take_training(struct run *run, const char *folder, int *lock, struct error *error)
{
    char why[300];
    enum trained_lock end;
    bool said = false;
    while ((end = trained_lock(folder, false, lock, error)) == TRAINED_TAKEN && !interrupted) {
        snprintf(why, sizeof why, "%s: another run works on this training; waiting for it", run->label);
        if (!said)
            progress_waiting(&run->progress, why);
        said = true;
        show_training(run);
        sleep(1);
    }
    return end != TRAINED_LOCK_FAILED;
}

/* A record that may count, between two looks at what the run depends on; or none (NULL) with *changed, where the inputs are other
 * ones by now: a file that is gone or cut short fails whoever reads it, and is no trouble of the disk. */
static bool take_record(struct run *run, const struct round_request *request, json_t **record, enum result *result, bool *changed,
                        struct error *error)
{
    struct error reason;
    *record = NULL;
    if (!held_same_libraries(run->held, error))
        return false;
    *record = round_measure(request, result, changed, &reason);
    bool failed = *record != NULL ? result_failed(*result) : reason.outside;
    *changed = (*record != NULL && *changed) || (failed && held_changed(run->held, request->point) != NULL);
    if (*record == NULL && !*changed) {
        *error = reason;
        return false;
    }
    if (held_same_libraries(run->held, error))
        return true;
    json_decref(*record);
    return false;
}

/* One round of one point, into the journal. */
static bool measure_round(struct run *run, size_t i, int round, size_t place, const struct round_pair *pair, struct error *error)
{
    int lock = -1;
    char log[PATH_MAX], cache[PATH_MAX], trained[PATH_MAX], label[200];
    enum result result;
    bool changed;
    const struct point *point = &run->sweep.point[i];
    bool trains = trained_folder(run->request->results, point, &run->conditions, trained);
    struct round_request request = {.point = point,
                                    .key = run->tally.point[i].key,
                                    .run = &run->sweep.run,
                                    .machine = run->machine,
                                    .program = run->request->program,
                                    .log = log,
                                    .results = run->request->results,
                                    .cache = measures[point->value[FIELD_MEASURE].integer].repeats ? cache : NULL,
                                    .digest = held_digest(run->held, point),
                                    .trained = trains ? trained : NULL,
                                    .meanwhile = trains ? show_training : NULL,
                                    .context = run,
                                    .calibration = &run->calibration,
                                    .round = round,
                                    .pair = pair,
                                    .place = place};
    files_path(run->folder.path, "log.txt", log);
    files_path(run->folder.path, "inputs", cache);
    int used = snprintf(label, sizeof label, pair != NULL ? "pair %d, " : "round %d, ", (pair != NULL ? pair->number : round) + 1);
    point_label(point, sizeof label - (size_t)used, label + (round > 0 || pair != NULL ? used : 0));
    run->label = label;
    run->trained = trained;
    progress_running(&run->progress, label);
    double before = clock_seconds();
    if (measures[point->value[FIELD_MEASURE].integer].of == OF_TRAINING && trains) {
        if (!take_training(run, trained, &lock, error))
            return false;
        if (lock < 0)
            return true;
        request.locked = true;
    }
    request.since = run->since + clock_seconds() - before;
    json_t *record;
    bool good = take_record(run, &request, &record, &result, &changed, error);
    if (lock >= 0)
        close(lock);
    if (!good)
        return false;
    double seconds = json_number_value(json_object_get(json_object_get(record, "process"), "wall_s"));
    run->since = clock_seconds();
    good = changed || journal_append(run->journal, record, error);
    if (good) {
        if (changed)
            give_up(run, i);
        else
            tally_record(&run->tally, record);
        if (run->tally.no_memory)
            good = fail_memory(error);
        run->progress.total = run->progress.done + 1 + tally_planned(&run->tally) - (pair != NULL && pair->first);
        progress_finished(&run->progress, label, changed ? "its file changed" : result_name(result),
                          changed || result_failed(result), seconds);
    }
    json_decref(record);
    return good;
}

/* Two fresh processes in succession, the baseline second in the first pair, first in the next one, and so on. */
static bool measure_pair(struct run *run, size_t i, size_t place, struct error *error)
{
    const struct pairing *pairing = &run->tally.pairings.pairing[i];
    const int number = pairings_next(pairing);
    bool good = true;
    for (int half = 0; half < SIDES && good && !interrupted; half++) {
        const enum side side = (enum side)((number + half) % SIDES);
        const size_t point = pairing->point[side], other = pairing->point[1 - side];
        const struct round_pair pair = {
            .number = number, .first = half == 0, .side = side_names[side], .with = run->tally.point[other].key};
        good = measure_round(run, point, tally_next(&run->tally, point), place, &pair, error);
        if (half == 0 && !pairings_want(&run->tally.pairings, i)) /* its other half is measured all the same */
            run->progress.total += SIDES;
    }
    return good;
}

/* One pair of every comparison that wants one, in an order drawn for this round. *more: one did. */
static bool measure_pairs(struct run *run, int round, size_t *order, bool *more, struct error *error)
{
    const size_t n = run->tally.pairings.n;
    bool good = pairings_look(&run->tally.pairings) || fail_memory(error);
    *more = false;
    schedule_round((uint64_t)run->sweep.run.order_seed, round, n, order);
    for (size_t place = 0; place < n && good && !interrupted; place++)
        if (pairings_want(&run->tally.pairings, order[place])) {
            good = measure_pair(run, order[place], place, error);
            *more = true;
        }
    return good;
}

/* Rounds of all points, each in an order of its own, until none is wanted; in each, what depends on others comes after them, and then
 * come the pairs. */
static bool measure_rounds(struct run *run, struct error *error)
{
    size_t n = run->sweep.n_points, *order = calloc(n, sizeof *order);
    bool good = order != NULL || fail_memory(error), more = run->tally.pairings.n > 0;
    run->since = clock_seconds();
    for (int round = 0; (round < run->tally.rounds || more) && good && !interrupted; round++) {
        schedule_round((uint64_t)run->sweep.run.order_seed, round, n, order);
        for (int dependent = 0; dependent <= 1; dependent++)
            for (size_t place = 0; place < n && good && !interrupted; place++)
                if ((run->tally.point[order[place]].training != NULL) == dependent && tally_wants(&run->tally, order[place], round))
                    good = measure_round(run, order[place], round, place, NULL, error);
        if (more && good && !interrupted)
            good = measure_pairs(run, round, order, &more, error);
    }
    free(order);
    return good &&
           (pairings_look(&run->tally.pairings) || fail_memory(error)); /* what was interrupted at a look is not at its end */
}

/* Inputs are kept from round to round, and while a run that was interrupted may go on. */
static void remove_cache(const struct run *run)
{
    char cache[PATH_MAX];
    files_path(run->folder.path, "inputs", cache);
    cache_remove(cache);
}

/* What a killed run left half-written among the inputs would stay as long as they do. */
static void clear_cache(const struct run *run)
{
    char cache[PATH_MAX];
    files_path(run->folder.path, "inputs", cache);
    files_clear_leftovers(cache);
}

static bool measure_all(struct run *run, FILE *out, struct error *error)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    enum { SIGNALS = sizeof signals / sizeof signals[0] };
    struct sigaction old[SIGNALS], action = {.sa_handler = interrupt, .sa_flags = SA_RESETHAND | SA_RESTART};
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], inherited_ignored(signals[i]) ? NULL : &action, &old[i]); /* under nohup a run goes on */
    progress_begin(&run->progress, out, tally_planned(&run->tally));
    bool good = measure_rounds(run, error);
    progress_end(&run->progress);
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &old[i], NULL);
    return good;
}

static bool tally_line(const struct record_line *line, void *context)
{
    struct run *run = context;
    tally_record(&run->tally, line->json);
    limits_names_add(&run->limits_names, line->json);
    return true;
}

/* The folders of trainings are the user's to delete, and a disk's to spoil: one that is needed again is trained again. */
static void forget_lost_trainings(struct run *run, FILE *out)
{
    for (size_t i = 0; i < run->sweep.n_points; i++) {
        char folder[PATH_MAX];
        struct checkpoint *checkpoint;
        struct error reason;
        struct point_tally *training = run->tally.point[i].training;
        if (training == NULL || !tally_wants(&run->tally, i, 0) ||
            (training->result[0] != 1 + RESULT_OK && training->result[0] != 1 + RESULT_TARGET_NOT_REACHED) ||
            !trained_folder(run->request->results, &run->sweep.point[i], &run->conditions, folder))
            continue;
        enum checkpoint_found found = checkpoint_open_in(folder, &checkpoint, &reason);
        checkpoint_close(checkpoint);
        if (found == CHECKPOINT_THERE || reason.outside) /* whoever needs it says what is wrong with the disk */
            continue;
        if (found == CHECKPOINT_BAD) {
            shown_line(out, reason.text);
            fputs("; it is trained again\n", out);
        }
        tally_forget(&run->tally, training);
    }
}

/* Reads what the journal holds already, and says what of it is kept. */
static bool count_kept(struct run *run, const char *journal, FILE *out, struct error *error)
{
    struct unread unread;
    char passed_over[UNREAD_SIZE];
    if (!tally_make(&run->sweep, &run->conditions, run->request->retry, &run->tally, error) ||
        !records_each(journal, tally_line, run, &unread, error))
        return false;
    tally_settle(&run->tally);
    if (!pairings_look(&run->tally.pairings))
        return fail_memory(error);
    forget_lost_trainings(run, out);
    run->tally.retry = false; /* what fails again has been tried again */
    const struct tally *tally = &run->tally;
    shown_line(out, run->folder.note);
    fputs(run->folder.note[0] != '\0' ? "\n" : "", out);
    if (journal_unlocked(run->journal)) {
        fputs("The file system of ", out);
        shown_line(out, run->folder.path);
        fputs(" has no locks: a second run there would not be noticed, and would spoil this one or its trainings.\n", out);
    }
    if (unread_say(&unread, journal, passed_over)) {
        shown_lines(out, passed_over);
        fputc('\n', out);
    }
    if (tally->kept + tally->other_conditions + tally->other_points + journal_torn(run->journal) == 0)
        return true;
    size_t left = tally_planned(tally);
    fputs("Resuming ", out);
    shown_line(out, run->folder.path);
    fprintf(out, ": %zu rounds kept, %zu to measure%s.\n", tally->kept, left, left == 0 ? " (--fresh starts a new run)" : "");
    if (journal_torn(run->journal) > 0)
        fprintf(out, "The last record was incomplete; its round is measured again.\n");
    if (tally->other_conditions > 0)
        fprintf(
            out,
            "%zu records are from another build, other libraries or another number of samples: kept in the journal, not used.\n",
            tally->other_conditions);
    if (tally->other_points > 0)
        fprintf(out, "%zu records are of points that are no longer in the sweep: kept in the journal, not used.\n",
                tally->other_points);
    fflush(out);
    return true;
}

/* The command line as a person types it: run.sh hands its words on as they are. */
static json_t *command_line(char *const *words)
{
    json_t *list = json_pack("[s]", "./run.sh");
    for (; *words != NULL; words++)
        json_array_append_new(list, json_text(*words));
    return list;
}

/* What a reader of the folder needs beside the journal: the sweep file, the machine, and the keys of the points that it is about.
 * */
static bool describe(const struct run *run, struct error *error)
{
    char path[PATH_MAX];
    files_path(run->folder.path, "sweep.yaml", path);
    if (!files_write(path, run->sweep.source.text, run->sweep.source.size, error) ||
        !folder_keep_scale(run->folder.path, run->sweep.scale, error) || !plugins_write(run->folder.path, error))
        return false;
    struct json_watch watch;
    json_watch_begin(&watch);
    json_t *facts = machine_facts();
    json_object_set_new(facts, "command_line", command_line(run->request->words));
    if (run->calibration.json != NULL)
        json_object_set(facts, "roofs", run->calibration.json);
    if (run->calibration.product != NULL)
        json_object_set(facts, "product", run->calibration.product);
    bool good = json_watch_end(&watch) && facts != NULL ? machine_file_write(run->folder.path, facts, error) : fail_memory(error);
    json_decref(facts);
    return good && points_write(run->folder.path, &run->tally, error);
}

static enum run_end end_of(const struct run *run)
{
    for (size_t i = 0; i < run->sweep.n_points && run->tally.point != NULL; i++) {
        enum result result = tally_result(&run->tally, i);
        if (result != RESULT_COUNT && result_failed(result))
            return RUN_FAILED;
    }
    return run->tally.point == NULL || tally_planned(&run->tally) > 0 ? RUN_INTERRUPTED : RUN_COMPLETE;
}

bool run_sweep(const struct run_request *request, FILE *out, enum run_end *end, struct error *error)
{
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return fail_memory(error);
    run->request = request;
    *end = RUN_COMPLETE;
    fence_set(request->results);
    if (!sweep_read(&sweep_vocabulary, request->sweep_path, request->scale, request->many, &run->sweep, error)) {
        free(run);
        return false;
    }
    if (request->baseline != NULL && !baseline_apply(&run->sweep, request->baseline, error)) {
        sweep_free(&run->sweep);
        free(run);
        return false;
    }
    machine_type(run->machine);
    run->conditions =
        (struct conditions){.machine = run->machine, .surroundings = run->surroundings, .samples = run->sweep.run.samples};
    char journal[PATH_MAX] = "";
    run->held = held_begin(&run->sweep); /* before the keys are made: a round counts only if both saw the same bytes */
    bool good = (run->held != NULL || fail_memory(error)) && (machine_surroundings(run->surroundings) || fail_memory(error)) &&
                folder_open(request->results, run->sweep.name, request->fresh, run->machine, &run->folder, error);
    if (good) {
        files_path(run->folder.path, "journal.jsonl", journal);
        good = journal_open(journal, &run->journal, error) && count_kept(run, journal, out, error) &&
               calibrate(&run->sweep, request->program, run->folder.path, &run->limits_names, out, &run->calibration, error) &&
               describe(run, error);
    }
    if (good) {
        clear_cache(run);
        good = measure_all(run, out, error);
        if (good && run->changed.text[0] != '\0') {
            *error = run->changed;
            good = false;
        }
        if (good && tally_planned(&run->tally) == 0)
            remove_cache(run);
        struct error later; /* the first error is the one to report; what was measured before it is concluded all the same */
        good = conclude(&run->sweep, run->folder.path, out, good ? error : &later) && good;
    }
    *end = end_of(run);
    journal_close(run->journal);
    tally_free(&run->tally);
    calibration_free(&run->calibration);
    held_free(run->held);
    sweep_free(&run->sweep);
    free(run);
    return good;
}
