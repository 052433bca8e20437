/* Sizes of a page in pixels; its script reads them from the data file. */
#ifndef PLOTS_LAYOUT_H
#define PLOTS_LAYOUT_H

/* DIGIT_WIDTH: of a number at an axis, in the widest of the fonts that stand for Arial; EDGE: what is left free beside it. */
enum {
    MARGIN_LEFT = 66,
    MARGIN_RIGHT = 16,
    MARGIN_TOP = 20,
    MARGIN_BOTTOM = 46,
    LETTER_HEIGHT = 15,
    LETTER_WIDTH = 6,
    DIGIT_WIDTH = 7,
    EDGE = 4
};

struct layout {
    int columns, width, panel_height;
};

static inline struct layout layout_of(int n_panels)
{
    int columns = n_panels <= 3 ? n_panels : n_panels == 4 ? 2 : n_panels <= 9 ? 3 : 4;
    return n_panels == 1 ? (struct layout){1, 760, 400} : (struct layout){columns, columns * 360, 280};
}

#endif
