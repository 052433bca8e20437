# True error (solid, with its range over the seeds), residual (dashed) and the slope that rho predicts (dotted) against iteration.
# Redraw: gnuplot -c error-against-iteration.gp DATA.dat OUT.svg, with page.gp in the same folder as this file.

slash = 0
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { slash = i } }
HERE = ARG0[1:slash]
DATA = ARG1
OUT = ARG2

n_style = 3
array STYLE[3] = ['true error', 'residual', 'rho^l (rho measured)']
set style line 1 lw 1.6 dt 1
set style line 2 lw 1 dt (9, 4)
set style line 3 lw 1 dt (2, 3)
load HERE.'page.gp'

set logscale x
set xtics 10 nomirror; set mxtics 10
do for [p = 0:n_panel - 1] {
    do for [i = 1:|$PLACE|] { eval $PLACE[i] }
    plot -1 notitle, \
        for [s = 0:n_curve - 1] DATA index block(p, s) using 1:4:5 \
            with filledcurves lc rgb colour(s) fs transparent solid 0.15 noborder notitle, \
        for [s = 0:n_curve - 1] DATA index block(p, s) using 1:6 with lines ls 3 lc rgb colour(s) notitle, \
        for [s = 0:n_curve - 1] DATA index block(p, s) using 1:2 with lines ls 2 lc rgb colour(s) notitle, \
        for [s = 0:n_curve - 1] DATA index block(p, s) using 1:3 with lines ls 1 lc rgb colour(s) notitle, \
        for [s = 0:n_curve - 1] DATA index block(p, s) using 1:7 with points pt shape(s) ps 0.55 lc rgb colour(s) notitle, \
        @LETTERS
}
unset multiplot
