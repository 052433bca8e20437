/* See table_sheet.h. */
#include "bench/report/table_sheet.h"

#include "bench/base/shown.h"
#include "bench/report/wrap.h"

#include <string.h>

enum { GAP = 2, INDENT = 4 };

int sheet_add_column(struct sheet *sheet, bool left, const char *header)
{
    snprintf(sheet->header[sheet->n_columns], CELL_SIZE, "%s", header);
    sheet->left[sheet->n_columns] = left;
    return sheet->n_columns++;
}

static int column_width(const struct sheet *sheet, int c)
{
    int width = wrap_width(sheet->header[c]);
    for (int r = 0; r < sheet->n_rows; r++)
        width = wrap_width(sheet->row[r][c]) > width ? wrap_width(sheet->row[r][c]) : width;
    return width;
}

static void print_row(FILE *out, const struct sheet *sheet, const int *width, cell *row)
{
    int blanks = sheet->n_headed ? GAP : 0; /* owed: printed only when something follows */
    for (int c = sheet->n_headed; c < sheet->n_columns; c++) {
        int pad = width[c] - wrap_width(row[c]);
        blanks += sheet->left[c] ? 0 : pad;
        if (row[c][0]) {
            fprintf(out, "%*s", blanks, "");
            shown_line(out, row[c]);
            blanks = 0;
        }
        blanks += GAP + (sheet->left[c] ? pad : 0);
    }
    fputc('\n', out);
}

/* What the rows from here on share, where that is not what it was above; over several lines where it is long. */
static void print_heading(FILE *out, const struct sheet *sheet, int r)
{
    int length = 0;
    bool same = r > 0;
    for (int c = 0; c < sheet->n_headed && same; c++)
        same = !strcmp(sheet->row[r][c], sheet->row[r - 1][c]);
    if (same)
        return;
    for (int c = 0; c < sheet->n_headed; c++) {
        char text[2 * CELL_SIZE + 8];
        if (!sheet->row[r][c][0])
            continue;
        snprintf(text, sizeof text, "%s%s%s", c ? sheet->header[c] : "", c ? " = " : "", sheet->row[r][c]);
        const char *before = length == 0 ? "" : length + 3 + wrap_width(text) > PAGE_WIDTH ? ",\n" : ", ";
        length = before[0] && before[1] == '\n' ? 0 : length + (int)strlen(before);
        fputs(before, out);
        shown_line(out, text);
        length += wrap_width(text);
    }
    fputc('\n', out);
}

void sheet_print(FILE *out, struct sheet *sheet)
{
    int width[SHEET_COLUMNS_MAX] = {0}, total = 0;
    for (int c = 0; c < sheet->n_columns; c++)
        total += (width[c] = column_width(sheet, c)) + GAP;
    for (; sheet->n_headed < sheet->n_fields && total - (sheet->n_headed ? 0 : GAP) > PAGE_WIDTH; sheet->n_headed++)
        total -= width[sheet->n_headed] + GAP;
    print_row(out, sheet, width, sheet->header);
    for (int r = 0; r < sheet->n_rows; r++) {
        if (sheet->n_headed)
            print_heading(out, sheet, r);
        print_row(out, sheet, width, sheet->row[r]);
        if (sheet->reason[r] && !(r > 0 && sheet->reason[r - 1] && !strcmp(sheet->reason[r], sheet->reason[r - 1])))
            wrap_print(out, sheet->reason[r], PAGE_WIDTH, INDENT, INDENT);
        if (sheet->n_more[r])
            fprintf(out, "... %d more rows of %s in table.csv\n", sheet->n_more[r], sheet->row[r][0]);
    }
}
