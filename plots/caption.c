/* See caption.h. */
#include "plots/caption.h"

#include <string.h>

enum { LINE_MAX_BYTES = 1024, PIXELS_A_LETTER = 6 };

void caption_text(FILE *out, const char *text)
{
    for (const char *at = text; *at; at++) {
        unsigned char c = (unsigned char)*at;
        fputc(c < ' ' || c == 0x7f ? ' ' : c > 0x7f ? '?' : c == '"' || c == '`' ? '\'' : c == '\\' ? '/' : c, out);
    }
}

static void put_text(FILE *out, const char *name, const char *text)
{
    fprintf(out, "%s\t", name);
    caption_text(out, text[0] ? text : " "); /* an empty column would read as that of the row before */
    fputc('\n', out);
}

/* A long text as several rows, broken after commas and semicolons. */
static void put_lines(FILE *out, const char *name, const char *text, int width)
{
    size_t most = (size_t)width / PIXELS_A_LETTER;
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
        text += length;
        text += strspn(text, " ");
    }
}

static int columns_of(int n_panels)
{
    return n_panels <= 3 ? n_panels : n_panels == 4 ? 2 : n_panels <= 9 ? 3 : 4;
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

/* What all records of the figure agree in. */
static void describe_constants(const struct figure *figure, size_t capacity, char text[capacity])
{
    text[0] = '\0';
    for (int f = 0; f < FIELD_COUNT; f++) {
        if (f == FIELD_MEASURE || f == figure->x || f == figure->kind->along || field_varies(figure->record, figure->n, f))
            continue;
        const struct value *value = NULL;
        for (size_t i = 0; i < figure->n && !value; i++)
            if (figure->record[i]->point.value[f].kind != VALUE_NONE)
                value = &figure->record[i]->point.value[f];
        struct value usual;
        bool is_usual =
            fields[f].default_text && field_read(f, fields[f].default_text, &usual) && value && value_equal(value, &usual);
        bool named = f == FIELD_IMPLEMENTATION && figure->series.n == 1;
        if (value && !named && (always_said(f) || !is_usual))
            label_append(f, value, capacity, text);
    }
}

static void put_letters(FILE *out, const struct drawing *drawing, int n, int width)
{
    char text[LINE_MAX_BYTES] = "", seen[32] = "";
    for (int i = 0; i < n; i++)
        for (size_t m = 0; m < drawing[i].n_marks; m++) {
            char letter = drawing[i].mark[m].letter;
            size_t known = strlen(seen), used = strlen(text);
            if (strchr(seen, letter) || known + 1 >= sizeof seen)
                continue;
            seen[known] = letter;
            seen[known + 1] = '\0';
            snprintf(text + used, sizeof text - used, "%s%c %s",
                     used ? ", " : "Letters at the edges are points without a figure: ", letter, mark_meaning(letter));
        }
    put_lines(out, "foot", text, width);
}

static void put_notes(FILE *out, const struct figure *figure, unsigned notes, int width)
{
    static const struct {
        unsigned bit;
        const char *text;
    } sentences[] = {
        {NOTE_RANGE, "Several seeds or rounds of a point: their median and range."},
        {NOTE_INTERVAL, "Bars of a single round: 95 % interval of the median."},
        {NOTE_QUARTILES, "Bars of rounds with too few samples for an interval: quartiles."},
        {NOTE_FLOOR, "Errors below 1e-17, 0 too, are drawn there."},
        {NOTE_MEASURED, "Open circles: no kappa was asked for; they stand at the one that was measured."},
    };
    char text[LINE_MAX_BYTES] = "";
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        if (notes & sentences[i].bit)
            put_lines(out, "foot", sentences[i].text, width);
    if (figure->n_left_out) {
        snprintf(text, sizeof text, "Panels left out for having a single %s: %d.", fields[figure->x].name, figure->n_left_out);
        put_lines(out, "foot", text, width);
    }
}

/* Which machine, and when, by the records themselves. */
static void put_origin(FILE *out, const struct figure *figure, int width)
{
    const char *machine = NULL, *first = NULL, *last = NULL;
    bool several = false;
    for (size_t i = 0; i < figure->n; i++) {
        const char *at = json_string_value(record_at(figure->record[i], "machine"));
        const char *started = json_string_value(record_at(figure->record[i], "started"));
        several = several || (machine && at && strcmp(machine, at) != 0);
        machine = at ? at : machine;
        first = started && (!first || strcmp(started, first) < 0) ? started : first;
        last = started && (!last || strcmp(started, last) > 0) ? started : last;
    }
    enum { DATE = 10, SHORT_HASH = 12 };
    char text[LINE_MAX_BYTES];
    snprintf(text, sizeof text, "%zu records, measured %.*s%s%.*s on %s%.*s.", figure->n, DATE,
             first ? first : "at an unknown date", first && strncmp(first, last, DATE) != 0 ? " to " : "",
             first && strncmp(first, last, DATE) != 0 ? DATE : 0, last ? last : "", several ? "several machines" : "machine ",
             several ? 0 : SHORT_HASH, machine ? machine : "unknown");
    put_lines(out, "foot", text, width);
}

static void put_title(FILE *out, const struct page *page)
{
    const struct figure *figure = page->figure;
    char text[LINE_MAX_BYTES], part[32] = "";
    bool named = figure->named, against = figure->x >= 0;
    if (page->number)
        snprintf(part, sizeof part, ", part %d", page->number);
    snprintf(text, sizeof text, "%s: %s%s%s%s%s%s%s", figure->sweep_name, figure->kind->title, against ? " against " : "",
             against ? fields[figure->x].name : "", named ? " (" : "", named ? figure->name : "", named ? ")" : "", part);
    put_text(out, "title", text);
}

void caption_write(FILE *out, const struct page *page, const struct drawing *drawing, int n, unsigned notes)
{
    const struct figure *figure = page->figure;
    const struct plot_kind *kind = figure->kind;
    int columns = columns_of(page->n_panels), width = page->n_panels == 1 ? 760 : columns * 360;
    char text[LINE_MAX_BYTES];
    fprintf(out, "columns\t%d\nwidth\t%d\n", columns, width);
    put_title(out, page);
    describe_constants(figure, sizeof text, text);
    put_lines(out, "subtitle", text, width);
    const char *x_label = kind->x_label;
    for (int i = 0; i < kind->n_x; i++)
        if (kind->x[i].field == figure->x)
            x_label = kind->x[i].label;
    put_text(out, "x_label", x_label);
    put_text(out, "y_label", kind->y_label);
    for (int p = 0; p < page->n_panels; p++)
        put_text(out, "panel", figure->panels.group[page->first_panel + p].label);
    for (int s = 0; s < page->n_series; s++)
        put_text(out, "curve", figure->series.group[page->first_series + s].label);
    put_letters(out, drawing, n, width);
    put_notes(out, figure, notes, width);
    put_origin(out, figure, width);
}
