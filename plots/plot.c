/* See plot.h. */
#include "plots/plot.h"

#include "bench/base/files.h"
#include "plots/gnuplot.h"
#include "plots/names.h"
#include "plots/page.h"
#include "plots/pages.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES_UNASKED = 3 }; /* of a plot that nobody asked for */

/* Everything one call of plots_draw() goes through. */
struct session {
    const struct sweep *sweep;
    const struct records *records;
    const struct machine_limits *limits;
    char folder[PATH_MAX];
    struct names names;
    struct plots_drawn *drawn;
    struct error *error;
};

static void add_note(struct session *session, const char *text)
{
    char *note = session->drawn->note;
    size_t used = strlen(note);
    snprintf(note + used, sizeof session->drawn->note - used, "%s%s", used ? "\n" : "", text);
}

static bool draw_page(struct session *session, const struct page *page)
{
    char *text, path[PATH_MAX];
    size_t length;
    if (!page_text(page, &text, &length, session->error))
        return false;
    int written = snprintf(path, sizeof path, "%s/%s.dat", session->folder, page->name);
    bool done = (written > 0 && written < PATH_MAX) || fail(session->error, "the path of the plot %s is too long", page->name);
    done = done && files_write(path, text, length, session->error) &&
           gnuplot_draw(session->folder, page->figure->kind->script, page->name, session->error);
    session->drawn->pictures += done;
    free(text);
    return done;
}

/* A sweep over everything has panels by the hundred: says in words which fields make them. */
static void note_left_out(struct session *session, const struct figure *figure, int n_left_out)
{
    char text[512], names[256] = "";
    for (int i = 0; i < figure->panels.n_fields; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", fields[figure->panels.field[i]].name);
    }
    snprintf(text, sizeof text,
             "left out of %s: %d panels, of %d combinations of %s; a plots: section in the sweep file can select them",
             figure->name, n_left_out, figure->panels.n, names);
    add_note(session, text);
}

static bool draw_pages(struct session *session, const struct figure *figure, struct page *pages, int n, int n_left_out)
{
    if (n_left_out)
        note_left_out(session, figure, n_left_out);
    for (int i = 0; i < n; i++) {
        char wanted[PLOT_NAME_SIZE];
        plot_name name;
        snprintf(wanted, sizeof wanted, pages[i].number ? "%s-%d" : "%s", figure->name, pages[i].number);
        if (!names_take(&session->names, wanted, name))
            return fail(session->error, "out of memory for the plot %s", wanted);
        pages[i].name = name;
        pages[i].n_panels_left_out = n_left_out;
        if (!draw_page(session, &pages[i]))
            return false;
    }
    return true;
}

/* A plot that nobody asked for is passed over where its x has a single value. */
static bool draw_request(struct session *session, const struct plot_request *request, bool asked, bool *empty)
{
    struct figure figure;
    if (!figure_make(session->sweep, request, session->records, &figure, session->error))
        return false;
    figure.limits = session->limits;
    int n = 0, left_out = 0;
    struct page *pages = pages_make(&figure, asked ? INT_MAX : PAGES_UNASKED, &n, &left_out);
    bool done = pages && names_note(&session->names, figure.name);
    *empty = n == 0;
    if (!done)
        fail(session->error, "out of memory for the plot %s", figure.name);
    else if (asked || figure.x_varies)
        done = draw_pages(session, &figure, pages, n, left_out);
    free(pages);
    figure_free(&figure);
    return done;
}

static bool draw_asked(struct session *session)
{
    char missing[512] = "";
    for (int i = 0; i < session->sweep->n_plots; i++) {
        bool empty;
        if (!draw_request(session, &session->sweep->plot[i], true, &empty))
            return false;
        size_t used = strlen(missing);
        if (empty)
            snprintf(missing + used, sizeof missing - used, "%s%s",
                     used ? ", " : "not drawn (no matching records): ", session->names.figure[session->names.n_figures - 1]);
    }
    if (missing[0])
        add_note(session, missing);
    return true;
}

/* Every kind, against each field that its x may be. */
static bool draw_unasked(struct session *session)
{
    for (int k = 0; k < plot_kind_count(); k++) {
        const struct plot_kind *kind = plot_kind_get(k);
        struct plot_request request = {.x = -1, .along = -1};
        snprintf(request.kind, sizeof request.kind, "%s", kind->name);
        for (int i = 0; i < kind->n_x || i == 0; i++) {
            bool empty;
            request.x = kind->n_x ? kind->x[i].field : -1;
            if (!draw_request(session, &request, false, &empty))
                return false;
        }
    }
    return true;
}

bool plots_draw(const struct sweep *sweep, const struct records *records, const char *folder, struct plots_drawn *drawn,
                struct error *error)
{
    struct machine_limits limits;
    struct session session = {.sweep = sweep, .records = records, .limits = &limits, .drawn = drawn, .error = error};
    memset(drawn, 0, sizeof *drawn);
    int length = snprintf(session.folder, sizeof session.folder, "%s/plots", folder);
    if (length < 0 || length >= PATH_MAX)
        return fail(error, "the path of the folder for plots is too long");
    bool done = machine_limits_read(folder, records, &limits, error) && files_make_folder(session.folder, error) &&
                gnuplot_copy_scripts(session.folder, error);
    if (done && limits.other != NULL)
        add_note(&session, limits.other);
    done = done && (sweep->n_plots ? draw_asked(&session) : draw_unasked(&session));
    if (done)
        names_remove_others(&session.names, session.folder);
    names_free(&session.names);
    return done;
}
