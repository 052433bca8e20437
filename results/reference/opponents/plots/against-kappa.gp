# A value against kappa, with intervals; circles: kappa was measured, not prescribed; letters at the edge: no value.
# Redraw: gnuplot -c against-kappa.gp DATA.dat OUT.svg, with page.gp in the same folder as this file.

slash = 0
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { slash = i } }
HERE = ARG0[1:slash]
DATA = ARG1
OUT = ARG2

n_style = 0
load HERE.'page.gp'

# kappa by the logarithm of 1 - kappa, smallest kappa on the left.
set logscale x
set xrange [x_high:x_low]
do for [p = 0:n_panel - 1] {
    do for [i = 1:|$PLACE|] { eval $PLACE[i] }
    plot -1 notitle, \
        for [s = 0:n_curve - 1] DATA index block(p, s) using 2:3:4:5 with yerrorbars pt 0 lw 1 lc rgb colour(s) notitle, \
        for [s = 0:n_curve - 1] DATA index block(p, s) using ($6 == 1 ? $2 : NaN):3 \
            with linespoints lw 1.6 pt shape(s) ps 0.8 lc rgb colour(s) notitle, \
        for [s = 0:n_curve - 1] DATA index block(p, s) using ($6 == 0 ? $2 : NaN):3 \
            with points pt 6 ps 1.1 lw 1.6 lc rgb colour(s) notitle, \
        @LETTERS
}
unset multiplot
