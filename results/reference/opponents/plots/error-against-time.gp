# Work-precision: error against the exact answer over time per call; points labelled by l or tolerance.
# Redraw: gnuplot -c error-against-time.gp DATA.dat OUT.svg, with page.gp in the same folder as this file.

slash = 0
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { slash = i } }
HERE = ARG0[1:slash]
DATA = ARG1
OUT = ARG2

n_style = 0
load HERE.'page.gp'

set logscale x
set xtics 10 nomirror; set mxtics 10
set format x '10^{%T}'
do for [p = 0:n_panel - 1] {
    do for [i = 1:|$PLACE|] { eval $PLACE[i] }
    plot -1 notitle, \
        for [s = 0:n_curve - 1] DATA index block(p, s) using ($2 > 0 ? $1 : NaN):4:2:3 with xerrorbars pt 0 lw 1 lc rgb colour(s) notitle, \
        for [s = 0:n_curve - 1] DATA index block(p, s) using 1:4 \
            with linespoints lw 1.6 pt shape(s) ps 0.8 lc rgb colour(s) notitle, \
        for [i = 1:BESIDE[p + 1]] DATA index 1 using (here(p, 'beside') ? $4 : NaN):5:7:(colour($2)) \
            with labels tc rgb variable font ',10' left offset 0.6, 0.5 notitle, \
        @LETTERS
}
unset multiplot
