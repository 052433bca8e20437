# Accuracy on fresh examples against training steps or time: median over the seeds, with their range.
# Redraw: gnuplot -c learning.gp DATA.dat OUT.svg, with page.gp in the same folder as this file.

slash = 0
do for [i = 1:strlen(ARG0)] { if (ARG0[i:i] eq '/') { slash = i } }
HERE = ARG0[1:slash]
DATA = ARG1
OUT = ARG2

n_style = 0
load HERE.'page.gp'

do for [p = 0:n_panel - 1] {
    do for [i = 1:|$PLACE|] { eval $PLACE[i] }
    plot -1 notitle, \
        for [s = 0:n_curve - 1] DATA index block(p, s) using 1:3:4 \
            with filledcurves lc rgb colour(s) fs transparent solid 0.15 noborder notitle, \
        for [s = 0:n_curve - 1] DATA index block(p, s) using 1:2 with linespoints lw 1.4 pt shape(s) ps 0.5 lc rgb colour(s) notitle, \
        @LETTERS
}
unset multiplot
