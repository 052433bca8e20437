/* See caption.h. */
#include "plots/caption.h"

#include "bench/base/shown.h"

#include "plots/layout.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

enum { LINE_MAX_BYTES = 1024 };

static void put_text(FILE *out, const char *name, const char *text)
{
    fprintf(out, "%s\t", name);
    shown_plot(out, text[0] ? text : " "); /* an empty column would read as that of the row before */
    fputc('\n', out);
}

/* A long text as several rows, broken after commas and semicolons, of which all but the first may be called otherwise. */
static void put_lines(FILE *out, const char *name, const char *next_name, const char *text, int width)
{
    size_t most = (size_t)width / LETTER_WIDTH;
    while (*text) {
        size_t length = strlen(text);
        if (length > most) {
            size_t cut = 0;
            for (size_t i = 0; i < most; i++)
                if ((text[i] == ',' || text[i] == ';') && text[i + 1] == ' ')
                    cut = i + 1;
            if (cut)
                length = cut;
        }
        char line[LINE_MAX_BYTES];
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        put_text(out, name, line);
        name = next_name;
        text += length;
        text += strspn(text, " ");
    }
}

static void put_foot(FILE *out, const char *text, int width)
{
    put_lines(out, "foot", "foot", text, width);
}

/* Shown even where they have their default: nobody reads a curve without them. */
static bool always_said(int field)
{
    static const int said[] = {FIELD_B,    FIELD_T,     FIELD_D,     FIELD_MIXER, FIELD_R,      FIELD_S,
                               FIELD_FORM, FIELD_DTYPE, FIELD_KAPPA, FIELD_L,     FIELD_THREADS};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        if (said[i] == field)
            return true;
    return false;
}

/* ---- Names of curves and panels ---------------------------------------------------------------------------------------- */

static void label_curve(const struct page *page, int series, struct record *const *record, size_t n, char label[GROUP_LABEL_SIZE])
{
    const struct grouping *grouping = &page->figure->series;
    grouping_label(grouping, page->series[series], &page->varying, GROUP_LABEL_SIZE, label);
    if (label[0])
        return;
    int layer = FIELD_LAYER; /* of what is learnt, which may do without an implementation */
    if (n && record[0]->point.value[layer].kind != VALUE_NONE && !page->varying.field[layer])
        label_append(layer, &record[0]->point.value[layer], GROUP_LABEL_SIZE, label);
    else if (n && !page->varying.field[FIELD_IMPLEMENTATION])
        label_append(FIELD_IMPLEMENTATION, &record[0]->point.value[FIELD_IMPLEMENTATION], GROUP_LABEL_SIZE, label);
    else
        snprintf(label, GROUP_LABEL_SIZE, "measured");
}

void caption_curve(FILE *out, const struct page *page, int series, struct record *const *record, size_t n)
{
    char label[GROUP_LABEL_SIZE];
    label_curve(page, series, record, n, label);
    shown_plot(out, label);
}

void caption_panel(FILE *out, const struct page *page, int panel)
{
    char label[GROUP_LABEL_SIZE];
    grouping_label(&page->figure->panels, page->panel[panel], &page->varying, sizeof label, label);
    shown_plot(out, label);
}

static void put_panels(FILE *out, const struct page *page)
{
    struct layout layout = layout_of(page->n_panels);
    for (int p = 0; p < page->n_panels; p++) {
        char label[GROUP_LABEL_SIZE];
        grouping_label(&page->figure->panels, page->panel[p], &page->varying, sizeof label, label);
        if (label[0])
            put_lines(out, "panel", "panel_more", label, layout.width / layout.columns - MARGIN_LEFT);
        else
            put_text(out, "panel", label);
    }
}

/* A curve has the same look on every page; one that is level everywhere has no points. */
static void put_curves(FILE *out, const struct page *page, struct record *const *record, size_t n)
{
    for (int s = 0; s < page->n_series; s++) {
        bool level = false, other = false;
        for (int p = 0; p < page->n_panels; p++) {
            const struct drawing *drawing = page_drawing(page, p, s);
            for (size_t r = 0; r < drawing->n_rows; r++)
                *(isnan(drawing->row[r].value[0]) ? &level : &other) = true;
        }
        fputs("curve\t", out);
        caption_curve(out, page, s, record, n);
        fprintf(out, "\t%d\t%s\n", page->series[s], page->figure->kind->roofs ? "dots" : level && !other ? "line" : "points");
    }
}

/* ---- What a reader must know ------------------------------------------------------------------------------------------- */

/* What all records of the page agree in. */
static void describe_constants(const struct page *page, struct record *const *record, size_t n, size_t capacity,
                               char text[capacity])
{
    const struct figure *figure = page->figure;
    char label[GROUP_LABEL_SIZE];
    grouping_label(&figure->series, page->series[0], &page->varying, sizeof label, label);
    bool named = !label[0];
    text[0] = '\0';
    for (int f = 0; f < FIELD_COUNT; f++) {
        if (f == FIELD_MEASURE || f == figure->x || f == figure->along || (f == FIELD_IMPLEMENTATION && named) ||
            page->varying.field[f])
            continue;
        const struct value *value = NULL;
        for (size_t i = 0; i < n && !value; i++)
            if (record[i]->point.value[f].kind != VALUE_NONE)
                value = &record[i]->point.value[f];
        struct value usual;
        bool is_usual =
            fields[f].default_text && field_read(f, fields[f].default_text, &usual) && value && value_equal(value, &usual);
        if (value && (always_said(f) || !is_usual))
            label_append(f, value, capacity, text);
    }
}

static void put_letters(FILE *out, const struct page *page, int width)
{
    char text[LINE_MAX_BYTES] = "", seen[32] = "";
    for (int i = 0; i < page->n_panels * page->n_series; i++) {
        const struct drawing *drawing = page_drawing(page, i / page->n_series, i % page->n_series);
        for (size_t m = 0; m < drawing->n_marks; m++) {
            char letter = drawing->mark[m].letter;
            size_t known = strlen(seen), used = strlen(text);
            if (strchr(seen, letter) || known + 1 >= sizeof seen)
                continue;
            seen[known] = letter;
            seen[known + 1] = '\0';
            snprintf(text + used, sizeof text - used, "%s%c %s",
                     used ? ", " : "Letters at the edges are points without a value: ", letter, mark_meaning(letter));
        }
    }
    put_foot(out, text, width);
}

static void put_notes(FILE *out, const struct page *page, unsigned notes, int width)
{
    static const struct {
        unsigned bit;
        const char *text;
    } sentences[] = {
        {NOTE_RANGE, "Several seeds: median and range."},
        {NOTE_INTERVAL, "Bars: 95 % interval of the median over rounds."},
        {NOTE_ROUNDS, "Bars of points with 2 to 5 rounds: range of the rounds (too few for an interval)."},
        {NOTE_SINGLE, "Points with a single round have no bars: their spread is not known."},
        {NOTE_ONE_TRAINING, "Points with a single training have no bars: wall time, other load included."},
        {NOTE_WILSON, "Bars of a single seed: Wilson's 95 % interval over the test examples."},
        {NOTE_QUARTILES, "Bars of a single seed: quartiles over the sequences."},
        {NOTE_CHANCE, "Dotted line: chance."},
        {NOTE_FLOOR, "Errors below 1e-17 (also 0) are drawn at 1e-17."},
        {NOTE_MEASURED, "Open circles: kappa was not prescribed; its measured value is drawn."},
        {NOTE_LEVEL, "Horizontal lines: implementations that do not iterate."},
        {NOTE_WITHOUT_X, "Horizontal lines: points to which the x axis does not apply."},
        {NOTE_LABELS, "Small numbers beside points: iterations l."},
        {NOTE_TOLERANCES, "Small numbers beside points: tolerance of the residual."},
        {NOTE_ROOFS, "Lines: measured limits of this machine: bandwidth from each cache and from memory, and multiply-adds "
                     "in registers."},
        {NOTE_NO_ROOFS, "No lines: the machine limits were not measured with this number of threads."},
        {NOTE_EXPONENTIALS, "An exponential that is counted apart counts as the operations that take as long on this machine."},
        {NOTE_UNCOUNTED, "Exponentials that are counted apart are left out: their rate was not measured."},
    };
    char text[LINE_MAX_BYTES] = "";
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        if (notes & sentences[i].bit)
            put_foot(out, sentences[i].text, width);
    if (page->figure->left_out[0]) {
        snprintf(text, sizeof text, "Left out: %s.", page->figure->left_out);
        put_foot(out, text, width);
    }
    if (page->n_panels_left_out) {
        snprintf(text, sizeof text, "Left out: %d more panels; a plots: section in the sweep file can select them.",
                 page->n_panels_left_out);
        put_foot(out, text, width);
    }
}

/* "6", or "1 to 6": a whole number over the records that have a time; false where none has. */
static bool describe_range(struct record *const *record, size_t n, enum column_id id, size_t capacity, char text[capacity])
{
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < n; i++)
        if (column_number(record[i], COLUMN_TIME_MEDIAN) > 0) {
            least = fmin(least, column_number(record[i], id));
            most = fmax(most, column_number(record[i], id));
        }
    if (least < most)
        snprintf(text, capacity, "%.0f to %.0f", least, most);
    else
        snprintf(text, capacity, "%.0f", most);
    return most > 0;
}

/* Which machine, when, and how often, by the records themselves. */
static void put_origin(FILE *out, struct record *const *record, size_t n, int width)
{
    const char *machine = NULL, *first = NULL, *last = NULL;
    bool several = false;
    for (size_t i = 0; i < n; i++) {
        const char *at = column_text(record[i], COLUMN_MACHINE);
        const char *started = column_text(record[i], COLUMN_STARTED);
        const char *ended = column_text(record[i], COLUMN_ENDED); /* the start of the last round */
        several = several || (machine && at && strcmp(machine, at) != 0);
        machine = at ? at : machine;
        first = started && (!first || strcmp(started, first) < 0) ? started : first;
        last = ended && (!last || strcmp(ended, last) > 0) ? ended : last;
    }
    enum { DATE = 10, SHORT_HASH = 12 };
    bool moved = first && last && strncmp(first, last, DATE) != 0;
    char text[LINE_MAX_BYTES], rounds[32], samples[32], often[96] = "";
    if (describe_range(record, n, COLUMN_ROUNDS, sizeof rounds, rounds) &&
        describe_range(record, n, COLUMN_SAMPLES, sizeof samples, samples))
        snprintf(often, sizeof often, ", each timed with %s samples in %s round%s", samples, rounds,
                 strcmp(rounds, "1") != 0 ? "s" : "");
    snprintf(text, sizeof text, "%zu point%s%s, measured %.*s%s%.*s on %s%.*s.", n, n > 1 ? "s" : "", often, DATE,
             first ? first : "at an unknown date", moved ? " to " : "", moved ? DATE : 0, last ? last : "",
             several ? "several machines" : "machine ", several ? 0 : SHORT_HASH, machine ? machine : "unknown");
    put_foot(out, text, width);
}

/* True where every word of a name is a word of the title, too. */
static bool title_says(const char *title, const char *name)
{
    for (const char *word = name; *word;) {
        size_t length = 0;
        while (isalnum((unsigned char)word[length]))
            length++;
        bool found = length == 0;
        for (const char *at = title; *at && !found; at++)
            found = (at == title || !isalnum((unsigned char)at[-1])) && !strncasecmp(at, word, length) &&
                    !isalnum((unsigned char)at[length]);
        if (!found)
            return false;
        word += length ? length : 1;
    }
    return true;
}

static void put_title(FILE *out, const struct page *page)
{
    const struct figure *figure = page->figure;
    char title[LINE_MAX_BYTES / 2], text[LINE_MAX_BYTES], part[32] = "";
    bool against = figure->x >= 0;
    if (page->number)
        snprintf(part, sizeof part, ", part %d", page->number);
    snprintf(title, sizeof title, "%s: %s%s%s", figure->sweep_name, figure->kind->title, against ? " against " : "",
             against ? fields[figure->x].name : "");
    bool named = !title_says(title, figure->name);
    snprintf(text, sizeof text, "%s%s%s%s%s", title, named ? " (" : "", named ? figure->name : "", named ? ")" : "", part);
    put_text(out, "title", text);
}

void caption_write(FILE *out, const struct page *page, struct record *const *record, size_t n, unsigned notes)
{
    const struct figure *figure = page->figure;
    const struct plot_kind *kind = figure->kind;
    int width = layout_of(page->n_panels).width;
    char text[LINE_MAX_BYTES];
    put_title(out, page);
    describe_constants(page, record, n, sizeof text, text);
    put_lines(out, "subtitle", "subtitle", text, width);
    const char *x_label = kind->x_label;
    for (int i = 0; i < kind->n_x; i++)
        if (kind->x[i].field == figure->x)
            x_label = kind->x[i].label;
    put_text(out, "x_label", x_label);
    put_text(out, "y_label", kind->y_label != NULL ? kind->y_label : schema[kind->y].label);
    put_panels(out, page);
    put_curves(out, page, record, n);
    put_letters(out, page, width);
    put_notes(out, page, notes, width);
    put_origin(out, record, n, width);
}
