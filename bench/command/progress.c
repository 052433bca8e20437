/* See progress.h. */
#include "bench/command/progress.h"

#include "bench/base/shown.h"
#include "bench/base/text.h"
#include "bench/base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR_MAX = 24, COLUMNS_DEFAULT = 80 };

/* Copies while it fits into so many columns, one a character; no character is cut in two, and of what is not harmless a mark is seen. */
static void copy_columns(const char *from, size_t columns, size_t capacity, char *to)
{
    size_t used = 0, n = 0;
    for (bool harmless; *from != '\0' && used < columns; used++) {
        size_t bytes = shown_character(from, &harmless);
        bool cut = !harmless && (unsigned char)from[0] >= 0xc0 && (from[1] == '\0' || from[2] == '\0' || from[3] == '\0');
        if (n + bytes >= capacity || cut)
            break;
        memcpy(to + n, harmless ? from : "?", harmless ? bytes : 1);
        n += harmless ? bytes : 1;
        from += bytes;
    }
    to[n] = '\0';
}

void progress_line(const struct progress *progress, double elapsed, const char *label, size_t columns,
                   char text[PROGRESS_LINE_SIZE])
{
    char line[PROGRESS_LINE_SIZE], bar[BAR_MAX + 4] = "", failed[40] = "", left[64] = "";
    size_t width = columns >= 80 ? BAR_MAX : columns >= 50 ? BAR_MAX / 2 : 0;
    if (width > 0 && progress->total > 0) {
        size_t filled = (size_t)((double)width * (double)progress->done / (double)progress->total);
        bar[0] = '[';
        for (size_t i = 0; i < width; i++)
            bar[1 + i] = i < filled ? '#' : '-';
        memcpy(bar + 1 + width, "] ", 3);
    }
    if (progress->failed > 0)
        snprintf(failed, sizeof failed, ", %zu failed", progress->failed);
    if (progress->done > 0 && progress->done < progress->total) {
        char duration[32];
        text_duration(elapsed / (double)progress->done * (double)(progress->total - progress->done), sizeof duration, duration);
        snprintf(left, sizeof left, ", %s left", duration);
    }
    snprintf(line, sizeof line, "%s%zu/%zu%s%s%s%s", bar, progress->done, progress->total, failed, left, label[0] ? ": " : "",
             label);
    copy_columns(line, columns > 0 ? columns - 1 : 0, PROGRESS_LINE_SIZE, text);
}

void progress_plain(const struct progress *progress, const char *label, const char *result, double seconds,
                    char text[PROGRESS_LINE_SIZE])
{
    char line[PROGRESS_LINE_SIZE], total[32], duration[32];
    int digits = snprintf(total, sizeof total, "%zu", progress->total);
    text_duration(seconds, sizeof duration, duration);
    /* The label gives way when it is absurdly long, not the result. */
    snprintf(line, sizeof line, "%*zu/%s %.800s ... %.60s %s", digits, progress->done, total, label, result, duration);
    copy_columns(line, PROGRESS_LINE_SIZE, PROGRESS_LINE_SIZE, text);
}

static size_t terminal_columns(FILE *out)
{
    struct winsize size;
    return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : COLUMNS_DEFAULT;
}

static void redraw(struct progress *progress, const char *label)
{
    char text[PROGRESS_LINE_SIZE];
    progress_line(progress, clock_seconds() - progress->started, label, terminal_columns(progress->out), text);
    fprintf(progress->out, "\r%s\033[K", text);
    fflush(progress->out);
}

void progress_begin(struct progress *progress, FILE *out, size_t total)
{
    const char *terminal = getenv("TERM");
    bool capable = terminal != NULL && strcmp(terminal, "") != 0 && strcmp(terminal, "dumb") != 0;
    *progress =
        (struct progress){.out = out, .terminal = capable && isatty(fileno(out)), .total = total, .started = clock_seconds()};
}

void progress_running(struct progress *progress, const char *label)
{
    if (progress->terminal)
        redraw(progress, label);
}

void progress_waiting(struct progress *progress, const char *why)
{
    progress_running(progress, why);
    if (progress->terminal)
        return;
    fprintf(progress->out, "%s\n", why);
    fflush(progress->out);
}

void progress_finished(struct progress *progress, const char *label, const char *result, bool failed, double seconds)
{
    char text[PROGRESS_LINE_SIZE];
    progress->done++;
    progress->failed += failed;
    if (progress->terminal) {
        redraw(progress, label);
        return;
    }
    progress_plain(progress, label, result, seconds, text);
    fprintf(progress->out, "%s\n", text);
    fflush(progress->out);
}

void progress_end(struct progress *progress)
{
    if (progress->terminal)
        fputs("\r\033[K", progress->out);
    fflush(progress->out);
    progress->terminal = false;
}
