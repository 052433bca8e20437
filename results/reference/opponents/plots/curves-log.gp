# A positive value against a field, both logarithmic, with intervals; letters at the edge: no value.
# Redraw: gnuplot -c curves-log.gp DATA.dat OUT.svg, with page.gp in the same folder as this file.

slash = 0
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { slash = i } }
HERE = ARG0[1:slash]
DATA = ARG1
OUT = ARG2

n_style = 0
load HERE.'page.gp'

set logscale x
do for [p = 0:n_panel - 1] {
    do for [i = 1:|$PLACE|] { eval $PLACE[i] }
    plot -1 notitle, \
        for [s = 0:n_curve - 1] DATA index block(p, s) using ($5 == 0 && $3 > 0 ? $1 : NaN):2:3:4 \
            with yerrorbars pt 0 lw 1 lc rgb colour(s) notitle, \
        for [s = 0:n_curve - 1] DATA index block(p, s) using 1:2 with lines lw 1.6 lc rgb colour(s) notitle, \
        for [s = 0:n_curve - 1] DATA index block(p, s) using ($5 == 0 ? $1 : NaN):2 \
            with points pt shape(s) ps 0.8 lc rgb colour(s) notitle, \
        @LETTERS
}
unset multiplot
