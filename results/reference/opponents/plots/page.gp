# Shared by all scripts: reads the page block of a data file, lays out the page, draws title, key and foot.
# A kind's script sets DATA and OUT, loads this, then draws panel after panel (see any of them).

set encoding utf8
set datafile separator tab

array SUBTITLE[32]; array FOOT[32]; array PANEL[16]; array CURVE[16]; array LOOK[16]; array WITH[16]
array TICK[64]; array TICK_AT[64]
n_subtitle = 0; n_foot = 0; n_panel = 0; n_curve = 0; n_tick = 0
title = ''; x_label = ''; y_label = ''; y_linear = 0; lines = 0; title_lines = 0
title_line = 16.5 # what gnuplot's SVG leaves between two lines of a label

stats DATA index 0 using ( \
    strcol(1) eq 'columns'  ? (columns = int(column(2)), 0) : \
    strcol(1) eq 'width'    ? (width = column(2), 0) : \
    strcol(1) eq 'panel_height' ? (panel_height = column(2), 0) : \
    strcol(1) eq 'margins'  ? (margin_left = column(2), margin_right = column(3), margin_top = column(4), \
        margin_bottom = column(5), 0) : \
    strcol(1) eq 'letters'  ? (letter_height = column(2), letters_low = strcol(3) eq 'low', 0) : \
    strcol(1) eq 'y_axis'   ? (y_linear = strcol(2) eq 'linear', 0) : \
    strcol(1) eq 'x_low'    ? (x_low = column(2), 0) : \
    strcol(1) eq 'x_high'   ? (x_high = column(2), 0) : \
    strcol(1) eq 'y_low'    ? (y_low = column(2), 0) : \
    strcol(1) eq 'y_high'   ? (y_high = column(2), 0) : \
    strcol(1) eq 'title'    ? (title = strcol(2), 0) : \
    strcol(1) eq 'x_label'  ? (x_label = strcol(2), 0) : \
    strcol(1) eq 'y_label'  ? (y_label = strcol(2), 0) : \
    strcol(1) eq 'subtitle' ? (n_subtitle = n_subtitle + 1, SUBTITLE[n_subtitle] = strcol(2), 0) : \
    strcol(1) eq 'foot'     ? (n_foot = n_foot + 1, FOOT[n_foot] = strcol(2), 0) : \
    strcol(1) eq 'panel'    ? (n_panel = n_panel + 1, PANEL[n_panel] = strcol(2), lines = 0, 0) : \
    strcol(1) eq 'panel_more' ? (PANEL[n_panel] = PANEL[n_panel]."\n".strcol(2), lines = lines + 1, \
        title_lines = lines > title_lines ? lines : title_lines, 0) : \
    strcol(1) eq 'tick'     ? (n_tick = n_tick + 1, TICK_AT[n_tick] = column(2), TICK[n_tick] = strcol(3), 0) : \
    strcol(1) eq 'curve'    ? (n_curve = n_curve + 1, CURVE[n_curve] = strcol(2), LOOK[n_curve] = int(column(3)), \
        WITH[n_curve] = strcol(4), 0) : 0) nooutput

# Which panels have texts at which places (block 1).
array AT_X[12]; array AT_RIGHT[12]; array BESIDE[12]
do for [p = 1:12] { AT_X[p] = 0; AT_RIGHT[p] = 0; BESIDE[p] = 0 }
stats DATA index 1 using ( \
    strcol(3) eq 'edge'   ? (AT_X[int($1) + 1] = 1, 0) : \
    strcol(3) eq 'right'  ? (AT_RIGHT[int($1) + 1] = 1, 0) : \
    strcol(3) eq 'beside' ? (BESIDE[int($1) + 1] = 1, 0) : 0) nooutput

# Okabe and Ito's colours, told apart by the colour-blind too (without their yellow: too pale on white), and a shape for each curve.
# A curve looks the same on every page of a figure.
array COLOUR[7] = [0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x000000]
array SHAPE[12] = [7, 5, 9, 13, 11, 6, 4, 8, 12, 10, 15, 14]
colour(s) = s < 0 ? 0x404040 : COLOUR[LOOK[int(s) + 1] % 7 + 1]
shape(s) = SHAPE[LOOK[s + 1] % 12 + 1]

# ---- Layout, in pixels -------------------------------------------------------------------------------------------------

rows = (n_panel + columns - 1) / columns
panel_width = width / columns
line = 15
row_height = panel_height + title_line * title_lines
top = 34 + line * n_subtitle + (n_panel == 1 ? 4 : 10)

longest = 0
do for [i = 1:n_curve] { longest = strlen(CURVE[i]) > longest ? strlen(CURVE[i]) : longest }
key_width = 48 + 6.8 * longest # of the widest of the fonts that stand for Arial
key_columns = int((width - 20) / key_width)
key_columns = key_columns < 1 ? 1 : key_columns > n_curve ? n_curve : key_columns
key_rows = (n_curve + key_columns - 1) / key_columns
height = top + rows * row_height + 28 + line * (key_rows + (n_style > 0) + n_foot) + 14

set terminal svg size width, height font 'Arial,12' background rgb 'white'
set output OUT

X(pixels) = pixels / width
Y(pixels) = 1 - pixels / (1.0 * height)
set multiplot

set label 1 title at screen X(width / 2), screen Y(22) center noenhanced font ',15'
do for [i = 1:n_subtitle] {
    set label 1 + i SUBTITLE[i] at screen X(width / 2), screen Y(26 + line * i) center noenhanced font ',11' tc rgb 0x404040
}

# The key stands below the panels: a sample of each curve, then what the styles of line mean.
below = top + rows * row_height + 22
do for [i = 1:n_curve] {
    left = 20 + key_width * ((i - 1) % key_columns)
    at = below + line * ((i - 1) / key_columns)
    if (WITH[i] ne 'dots') {
        set arrow 100 + i from screen X(left), screen Y(at) to screen X(left + 28), screen Y(at) nohead lw 1.6 lc rgb colour(i - 1)
    }
    if (WITH[i] ne 'line') {
        set label 100 + i '' at screen X(left + 14), screen Y(at) point pt shape(i - 1) ps 0.7 lc rgb colour(i - 1)
    }
    set label 200 + i CURVE[i] at screen X(left + 34), screen Y(at) left noenhanced font ',12'
}
below = below + line * key_rows
do for [i = 1:n_style] {
    left = 20 + (width - 40) / n_style * (i - 1)
    set arrow 300 + i from screen X(left), screen Y(below) to screen X(left + 28), screen Y(below) nohead ls i lc rgb 0x404040
    set label 300 + i STYLE[i] at screen X(left + 34), screen Y(below) left noenhanced font ',11' tc rgb 0x404040
}
below = below + line * (n_style > 0) + 4
do for [i = 1:n_foot] {
    set label 400 + i FOOT[i] at screen X(20), screen Y(below + line * (i - 1)) left noenhanced font ',10' tc rgb 0x606060
}

# Labels and arrows belong to the page, so they are drawn once, with an empty plot.
unset border; unset tics; unset key
set lmargin 0; set rmargin 0; set tmargin 0; set bmargin 0
plot [0:1][0:1] -1 notitle
unset label; unset arrow

# ---- Panels ------------------------------------------------------------------------------------------------------------

set border 3 lc rgb 0x606060
set xtics nomirror; set ytics nomirror; unset x2tics; unset y2tics
set tics out font ',11' tc rgb 0x303030
set grid lc rgb 0xE4E4E4 lw 0.6 lt 1
set xrange [x_low:x_high]; set yrange [y_low:y_high]
set x2range [0:1]; set y2range [0:1]
if (y_linear) {
    set ytics 0, 0.2, 1 nomirror
    set mytics 2
} else {
    set logscale y
    decades = log10(y_high / y_low)
    y_step = ceil(decades / 9.0)
    set ytics 10 ** y_step nomirror
    set mytics y_step == 1 ? 10 : y_step
    set format y '10^{%T}'
}
if (n_tick > 0) {
    set xtics nomirror (TICK[1] TICK_AT[1])
    do for [i = 2:n_tick] { set xtics add (TICK[i] TICK_AT[i]) }
    unset mxtics
}

# Evaluated line by line, this sets the place, the title and the axis labels of panel p, counted from 0.
$PLACE << END
left = panel_width * (p % columns) + margin_left
upper = top + row_height * (p / columns) + margin_top + title_line * title_lines
set lmargin at screen X(left); set rmargin at screen X(panel_width * (p % columns + 1) - margin_right)
lower = top + row_height * (p / columns + 1) - margin_bottom
set tmargin at screen Y(upper); set bmargin at screen Y(lower)
set label 1 PANEL[p + 1] at screen X(left), screen Y(upper - 10 - title_line * title_lines) left noenhanced font ',11'
set xlabel (p + columns < n_panel ? '' : x_label) noenhanced font ',12' offset 0, 0.3
set label 2 (p % columns ? '' : y_label) at screen X(left - 54), screen Y(0.5 * (upper + lower)) center rotate noenhanced font ',12'
END

block(p, s) = 2 + p * n_curve + s

# Texts: letters with an x stand at the upper or lower edge, letters without at its right, numbers beside their points.
# Each is drawn only where there are any: gnuplot 5.4 may crash on labels without a point.
slot_height = 1.0 * letter_height / (panel_height - margin_top - margin_bottom)
slot_y(slot) = letters_low ? (slot + 0.6) * slot_height : 1 - (slot + 0.6) * slot_height
here(p, place) = column(1) == p && strcol(3) eq place

# What every kind's plot command ends with, as a macro: the letters of panel p.
LETTERS = 'for [i = 1:AT_X[p + 1]] DATA index 1 using (here(p, ''edge'') ? $4 : NaN):(slot_y($6)):7:(colour($2)) ' . \
          'axes x1y2 with labels tc rgb variable font ''Arial Bold,12'' notitle, ' . \
          'for [i = 1:AT_RIGHT[p + 1]] DATA index 1 using (here(p, ''right'') ? 0.99 : NaN):(slot_y($6)):7:(colour($2)) ' . \
          'axes x2y2 with labels right tc rgb variable font ''Arial Bold,12'' notitle'
