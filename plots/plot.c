/* See plot.h. */
#include "plots/plot.h"

#include "bench/files.h"
#include "plots/gnuplot.h"
#include "plots/page.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = SWEEP_NAME_MAX + 64 };

/* Everything one call of plots_draw() goes through. */
struct session {
    const struct sweep *sweep;
    const struct records *records;
    char folder[PATH_MAX];
    char (*taken)[NAME_SIZE]; /* names of files so far */
    size_t n_taken;
    struct plots_drawn *drawn;
    struct error *error;
};

static bool name_is_taken(const struct session *session, const char *name)
{
    for (size_t i = 0; i < session->n_taken; i++)
        if (!strcmp(session->taken[i], name))
            return true;
    return false;
}

/* The wanted name, with a number where that is taken. A name reaches the file system, so anything but letters, digits, "_", "-" and
 * "." becomes "_". */
static bool claim_name(struct session *session, const char *wanted, char name[NAME_SIZE])
{
    char base[NAME_SIZE - 12];
    snprintf(base, sizeof base, "%.*s", (int)sizeof base - 1, wanted);
    for (char *at = base; *at; at++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *at) && (*at != '.' || at == base))
            *at = '_';
    snprintf(name, NAME_SIZE, "%s", base);
    for (int i = 2; name_is_taken(session, name); i++)
        snprintf(name, NAME_SIZE, "%s_%d", base, i);
    char(*taken)[NAME_SIZE] = realloc(session->taken, (session->n_taken + 1) * sizeof *taken);
    if (!taken)
        return fail(session->error, "out of memory for the plot %s", name);
    session->taken = taken;
    memcpy(taken[session->n_taken++], name, NAME_SIZE);
    return true;
}

static bool draw_page(struct session *session, const struct page *page, bool *empty)
{
    char *text, path[PATH_MAX];
    size_t length;
    if (!page_text(page, &text, &length, empty, session->error))
        return false;
    bool done = true;
    if (!*empty) {
        int written = snprintf(path, sizeof path, "%s/%s.dat", session->folder, page->name);
        done = (written > 0 && written < PATH_MAX) || fail(session->error, "the path of the plot %s is too long", page->name);
        done = done && files_write(path, text, length, session->error) &&
               gnuplot_draw(session->folder, page->figure->kind->name, page->name, session->error);
        session->drawn->pictures += done;
    }
    free(text);
    return done;
}

/* As many pages as it takes for no panel and no page to be crowded; pages without a point are passed over. */
static bool draw_figure(struct session *session, const struct figure *figure)
{
    bool one_page = figure->panels.n <= PAGE_PANELS_MAX && figure->series.n <= PAGE_SERIES_MAX;
    int number = 1;
    for (int p = 0; p < figure->panels.n; p += PAGE_PANELS_MAX)
        for (int s = 0; s < figure->series.n; s += PAGE_SERIES_MAX) {
            char wanted[NAME_SIZE], name[NAME_SIZE];
            snprintf(wanted, sizeof wanted, one_page ? "%s" : "%s-%d", figure->name, number);
            struct page page = {
                .figure = figure, .name = name, .number = one_page ? 0 : number, .first_panel = p, .first_series = s};
            page.n_panels = figure->panels.n - p < PAGE_PANELS_MAX ? figure->panels.n - p : PAGE_PANELS_MAX;
            page.n_series = figure->series.n - s < PAGE_SERIES_MAX ? figure->series.n - s : PAGE_SERIES_MAX;
            bool empty;
            if (!claim_name(session, wanted, name) || !draw_page(session, &page, &empty))
                return false;
            number += !empty;
            session->n_taken -= empty;
        }
    return true;
}

static bool draw_request(struct session *session, const struct plot_request *request, bool asked)
{
    struct figure figure;
    if (!figure_make(session->sweep, request, session->records, &figure, session->error))
        return false;
    bool done = true;
    if (figure.n)
        done = draw_figure(session, &figure);
    else if (asked) {
        char *note = session->drawn->note;
        size_t used = strlen(note);
        snprintf(note + used, sizeof session->drawn->note - used, "%s%s",
                 used ? ", " : "not drawn, for want of records: ", figure.name);
    }
    figure_free(&figure);
    return done;
}

/* Every kind; where x is a choice, against each field that varies, or else the first. */
static bool draw_unasked(struct session *session)
{
    for (int k = 0; k < plot_kind_count(); k++) {
        const struct plot_kind *kind = plot_kind_get(k);
        struct plot_request request = {.x = -1};
        snprintf(request.kind, sizeof request.kind, "%s", kind->name);
        bool any = false;
        for (int i = 0; i < kind->n_x; i++) {
            struct figure figure;
            request.x = kind->x[i].field;
            if (!figure_make(session->sweep, &request, session->records, &figure, session->error))
                return false;
            bool varies = field_varies(figure.record, figure.n, request.x);
            bool done = !varies || draw_figure(session, &figure);
            figure_free(&figure);
            if (!done)
                return false;
            any = any || varies;
        }
        request.x = -1;
        if (!any && !draw_request(session, &request, false))
            return false;
    }
    return true;
}

bool plots_draw(const struct sweep *sweep, const char *journal_path, const char *folder, struct plots_drawn *drawn,
                struct error *error)
{
    struct records records;
    struct session session = {.sweep = sweep, .records = &records, .drawn = drawn, .error = error};
    memset(drawn, 0, sizeof *drawn);
    int length = snprintf(session.folder, sizeof session.folder, "%s/plots", folder);
    if (length < 0 || length >= PATH_MAX)
        return fail(error, "the path of the folder for plots is too long");
    if (!records_read(journal_path, &records, error))
        return false;
    bool done = files_make_folder(session.folder, error) && gnuplot_copy_scripts(session.folder, error);
    for (int i = 0; done && i < sweep->n_plots; i++)
        done = draw_request(&session, &sweep->plot[i], true);
    if (done && sweep->n_plots == 0)
        done = draw_unasked(&session);
    free(session.taken);
    records_free(&records);
    return done;
}
