/* See journal.h. */
#include "bench/journal/journal.h"

#include "bench/base/files.h"
#include "bench/base/parse.h"
#include "bench/base/seal.h"
#include "bench/journal/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_FLAGS = JSON_REAL_PRECISION(9) | JSON_COMPACT };

struct journal {
    int file;
    off_t length; /* of the whole records */
    size_t torn;
    bool unlocked;
    char *path;
};

/* ---- Lines ----------------------------------------------------------------------------------------------------------------- */

static const char CHECKSUM[] = "checksum";

enum line { LINE_RECORD, LINE_NO_RECORD, LINE_CHANGED, LINE_UNSEALED, LINE_NO_MEMORY };

static const char *const complaints[] = {
    [LINE_NO_RECORD] = "it is not a record",
    [LINE_CHANGED] = "its checksum does not fit",
    [LINE_UNSEALED] = "it has no checksum",
};

/* Whether a record of this version was written without a checksum. What a newer program writes is for its reader to refuse. */
static bool may_lack_checksum(const json_t *record)
{
    json_int_t version = json_integer_value(json_object_get(record, "version"));
    return version < RECORD_CHECKED || version > RECORD_VERSION;
}

/* *record is the caller's, and NULL for what is no record. */
static enum line parse_line(const char *line, size_t length, json_t **record)
{
    *record = NULL;
    if (length == 0 || line[length - 1] != '\n')
        return LINE_NO_RECORD;
    if (!json_parse(line, length, 0, record, NULL))
        return LINE_NO_MEMORY;
    if (!json_is_object(*record)) {
        json_decref(*record);
        *record = NULL;
        return LINE_NO_RECORD;
    }
    enum seal seal = seal_check(line, length);
    json_object_del(*record, CHECKSUM);
    if (seal == SEAL_BROKEN)
        return LINE_CHANGED;
    return seal == SEAL_FITS || may_lack_checksum(*record) ? LINE_RECORD : LINE_UNSEALED;
}

/* ---- Writing --------------------------------------------------------------------------------------------------------------- */

static bool read_at(int file, char *bytes, size_t length, off_t at)
{
    while (length > 0) {
        ssize_t n = pread(file, bytes, length, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        length -= (size_t)n;
        at += n;
    }
    return true;
}

/* Where the last line begins, its own newline not counted as the end of one before. */
static bool last_line(int file, off_t length, off_t *begin)
{
    char block[65536];
    off_t end = length > 0 ? length - 1 : 0;
    while (end > 0) {
        size_t n = end < (off_t)sizeof block ? (size_t)end : sizeof block;
        if (!read_at(file, block, n, end - (off_t)n))
            return false;
        const char *newline = memrchr(block, '\n', n);
        if (newline != NULL) {
            *begin = end - (off_t)n + (newline - block) + 1;
            return true;
        }
        end -= (off_t)n;
    }
    *begin = 0;
    return true;
}

static bool cut_torn_line(struct journal *journal, struct error *error)
{
    off_t begin;
    if (journal->length == 0)
        return true;
    if (!last_line(journal->file, journal->length, &begin))
        return fail(error, "cannot read journal %s: %s", journal->path, strerror(errno));
    size_t n = (size_t)(journal->length - begin);
    char *line = malloc(n);
    if (line == NULL)
        return fail_memory(error);
    json_t *record = NULL;
    bool read = read_at(journal->file, line, n, begin);
    enum line found = read ? parse_line(line, n, &record) : LINE_NO_RECORD;
    json_decref(record);
    free(line);
    if (!read)
        return fail(error, "cannot read journal %s: %s", journal->path, strerror(errno));
    if (found == LINE_NO_MEMORY)
        return fail_memory(error);
    if (found != LINE_NO_RECORD)
        return true;
    if (ftruncate(journal->file, begin) != 0)
        return fail(error, "cannot remove the incomplete last line of journal %s: %s", journal->path, strerror(errno));
    journal->length = begin;
    journal->torn = 1;
    return true;
}

static bool prepare(struct journal *journal, struct error *error)
{
    struct stat found;
    struct error reason;
    journal->file = files_open(journal->path, FILES_APPEND, &reason);
    if (journal->file < 0)
        return fail(error, "cannot open journal %.300s: %.600s", journal->path, reason.text);
    if (fstat(journal->file, &found) != 0)
        return fail(error, "cannot read journal %s: %s", journal->path, strerror(errno));
    /* Some network file systems have no locks: only a lock that another holds is a reason to stop. */
    journal->unlocked = flock(journal->file, LOCK_EX | LOCK_NB) != 0;
    if (journal->unlocked && errno == EWOULDBLOCK)
        return fail(error, "cannot open journal %s: another run is writing it", journal->path);
    journal->length = found.st_size;
    if (found.st_size == 0)
        files_sync_folder_of(journal->path);
    return cut_torn_line(journal, error);
}

bool journal_open(const char *path, struct journal **journal, struct error *error)
{
    *journal = NULL;
    struct journal *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return fail_memory(error);
    opened->file = -1;
    opened->path = strdup(path);
    bool ready = opened->path == NULL ? fail_memory(error) : prepare(opened, error);
    if (!ready) {
        journal_close(opened);
        return false;
    }
    *journal = opened;
    return true;
}

size_t journal_torn(const struct journal *journal)
{
    return journal->torn;
}

bool journal_unlocked(const struct journal *journal)
{
    return journal->unlocked;
}

static bool write_line(struct journal *journal, const char *line, size_t length, struct error *error)
{
    size_t done = 0;
    while (done < length) { /* what is written in part tells at the second attempt why */
        ssize_t written = write(journal->file, line + done, length - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written == 0)
            errno = EIO;
        if (written <= 0)
            break;
        done += (size_t)written;
    }
    if (done == length && fsync(journal->file) == 0) {
        journal->length += (off_t)length;
        return true;
    }
    fail(error, "cannot append to journal %.300s: %s", journal->path, error_reason(errno));
    /* Should even this fail, the torn line is at the end, where readers and the next journal_open() expect one. */
    if (ftruncate(journal->file, journal->length) == 0)
        fsync(journal->file);
    return false;
}

bool journal_append(struct journal *journal, const json_t *record, struct error *error)
{
    if (json_object_size(record) == 0) /* or no object */
        return fail(error, "cannot append to journal %s: the record is not a JSON object with members", journal->path);
    struct json_watch watch;
    json_watch_begin(&watch);
    size_t length = json_dumpb(record, NULL, 0, LINE_FLAGS); /* 0: out of memory */
    char *line = length > 0 ? malloc(length + SEAL_SIZE + 1) : NULL;
    bool whole = line != NULL && json_dumpb(record, line, length, LINE_FLAGS) == length;
    whole = json_watch_end(&watch) && whole;
    if (whole) {
        length = seal_put(line, length, false);
        line[length] = '\n';
    }
    bool appended = whole ? write_line(journal, line, length + 1, error) : fail_memory(error);
    free(line);
    return appended;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    if (journal->file >= 0)
        close(journal->file);
    free(journal->path);
    free(journal);
}

/* ---- Reading --------------------------------------------------------------------------------------------------------------- */

void unread_aside(struct unread *unread, const char *reason)
{
    if (unread->aside++ > 0)
        return;
    unread->first = unread->at;
    snprintf(unread->reason, sizeof unread->reason, "%s", reason);
}

bool unread_say(const struct unread *unread, const char *path, char text[UNREAD_SIZE])
{
    const size_t capacity = UNREAD_SIZE;
    const char *again = "running its sweep again measures what is missing";
    if (unread->aside > 1)
        snprintf(text, capacity, "journal %.900s: %zu lines are set aside; the first is line %zu: %s. They stay in the file; %s.",
                 path, unread->aside, unread->first, unread->reason, again);
    else if (unread->aside == 1)
        snprintf(text, capacity, "journal %.900s: line %zu is set aside: %s. It stays in the file; %s.", path, unread->first,
                 unread->reason, again);
    else
        snprintf(text, capacity, unread->torn > 0 ? "journal %.900s: the last line is incomplete; %s." : "", path, again);
    size_t n = strlen(text);
    if (unread->repeats > 0)
        snprintf(
            text + n, capacity - n,
            "%sjournal %.900s: %zu record%s of rounds that were measured before, with other figures; the first is line %zu. Of "
            "each round the last counts: no run of this program leaves such records, so another journal was copied into this one.",
            n > 0 ? "\n" : "", path, unread->repeats, unread->repeats == 1 ? " is" : "s are", unread->repeat);
    return text[0] != '\0';
}

static bool read_lines(FILE *file, const char *path, bool (*each)(json_t *, void *), void *context, struct unread *unread,
                       struct error *error)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    bool going = true;
    while (going && (errno = 0, length = getline(&line, &capacity, file)) >= 0) {
        if (unread->torn > 0) /* no, another line follows */
            unread_aside(unread, complaints[LINE_NO_RECORD]);
        json_t *record;
        enum line found = parse_line(line, (size_t)length, &record);
        unread->torn = found == LINE_NO_RECORD;
        unread->at++;
        if (found == LINE_NO_MEMORY)
            going = fail_memory(error);
        else if (found == LINE_RECORD)
            going = each(record, context);
        else if (found != LINE_NO_RECORD)
            unread_aside(unread, complaints[found]);
        json_decref(record);
    }
    if (going && (ferror(file) || errno == ENOMEM))
        going = fail(error, "cannot read journal %s after line %zu: %s", path, unread->at, strerror(errno));
    free(line);
    return going;
}

bool journal_read(const char *path, bool (*each)(json_t *record, void *context), void *context, struct unread *unread,
                  struct error *error)
{
    *unread = (struct unread){.at = 0};
    struct error reason;
    FILE *file = files_stream(path, &reason);
    if (file == NULL)
        return fail(error, "cannot open journal %.300s: %.600s", path, reason.text);
    bool read = read_lines(file, path, each, context, unread, error);
    fclose(file);
    return read;
}
