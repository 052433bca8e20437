# Operations per second over operations per byte: a dot for each point, below the machine limits.
# Redraw: gnuplot -c roofline.gp DATA.dat OUT.svg, with page.gp in the same folder as this file.

slash = 0
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { slash = i } }
HERE = ARG0[1:slash]
DATA = ARG1
OUT = ARG2

n_style = 0
load HERE.'page.gp'

# Names of the lines stand along them, at a right angle's distance, that of the ceiling at its right end (block 1); the lines follow the curves, a block a panel.
array AT_LINE[12]; array AT_CEILING[12]
do for [p = 1:12] { AT_LINE[p] = 0; AT_CEILING[p] = 0 }
stats DATA index 1 using ( \
    strcol(3) eq 'line'    ? (AT_LINE[int($1) + 1] = 1, 0) : \
    strcol(3) eq 'ceiling' ? (AT_CEILING[int($1) + 1] = 1, 0) : 0) nooutput
roofs(p) = block(n_panel, 0) + p

set logscale x
set xtics 10 nomirror; set mxtics 10
set format x '%g'
set format y '%g'
x_pixels = (panel_width - margin_left - margin_right) / log10(x_high / x_low)
y_pixels = (panel_height - margin_top - margin_bottom) / log10(y_high / y_low)
slope = atan2(y_pixels, x_pixels)
small = n_panel == 1 ? ',10' : ',8'
do for [p = 0:n_panel - 1] {
    do for [i = 1:|$PLACE|] { eval $PLACE[i] }
    plot -1 notitle, \
        DATA index roofs(p) using 1:2 with lines lw 1.2 lc rgb 0x808080 notitle, \
        for [i = 1:AT_LINE[p + 1]] DATA index 1 using (here(p, 'line') ? $4 : NaN):5:7 \
            with labels right rotate by slope * 180 / pi offset -1.1 * sin(slope), 0.6 * cos(slope) tc rgb 0x606060 font small notitle, \
        for [i = 1:AT_CEILING[p + 1]] DATA index 1 using (here(p, 'ceiling') ? $4 : NaN):5:7 \
            with labels right offset -0.3, 0.6 tc rgb 0x606060 font small notitle, \
        for [s = 0:n_curve - 1] DATA index block(p, s) using 1:2 with points pt shape(s) ps 0.7 lc rgb colour(s) notitle, \
        @LETTERS
}
unset multiplot
