/* Sweep files: a table of good ones with what they expand to, a table of bad ones with their exact messages. */
#include "bench/command/vocabulary.h"
#include "bench/sweep/sweep.h"

#include "tests/support/scratch.h"

#include <glob.h>
#include <unistd.h>

Suite *suite_sweep(void);

/* Three lines that every file of the tables below begins with, unless it is marked whole. */
#define TOP "name: t\nmeasure: convergence\nimpls: fixed_point\n"
#define SIZES "problem: {T: 8, d: 4}\n"

/* ---- Good files ----------------------------------------------------------------------------------------------------------- */

// clang-format off
static const struct {
    const char *text; /* after TOP */
    size_t points, shared, skipped;
} good[] = {
    {SIZES, 1, 0, 0},
    {"# a comment\nproblem:\n  T: 8\n  d: 4\n", 1, 0, 0},
    {"problem: {T: '8', d: \"4\"}\n", 1, 0, 0}, /* quotes do not make another value */
    {"problem: {T: [8, 16, 32], d: [4, 8]}\n", 6, 0, 0},
    {"problem: {T: {from: 64, to: 4096, factor: 2}, d: 4}\n", 7, 0, 0},
    {"problem: {T: {from: 64, to: 100, factor: 2}, d: 4}\n", 1, 0, 0},
    {"problem: {T: {from: 1, to: 4, factor: 1.2}, d: 4}\n", 4, 0, 0}, /* whole numbers, each once */
    {"problem: {T: {from: 1, to: 9, step: 2}, d: 4}\n", 5, 0, 0},
    {"problem: {T: {from: 8, to: 8, step: 1}, d: 4}\n", 1, 0, 0},
    {SIZES "regime: {kappa: {from: 0.1, to: 0.9, step: 0.1}}\n", 9, 0, 0},
    {SIZES "regime: {kappa: [.5, .9, .99, free]}\n", 4, 0, 0},
    {"problem: {T: 8, d: 4, mixer: [none, dplr, householder], r: [1, 4]}\n", 5, 1, 0},
    {"problem: {T: 8, d: 4, feedback: [none, raw]}\nregime: {kappa: [0.5, 0.9, free]}\n", 4, 2, 0},
    {SIZES "settings: {quantile: [0.5, 1], tolerance: [none, 0.1]}\n", 3, 1, 0},
    {SIZES "run: {threads: [1, 2], isa: baseline, seed: {from: 1, to: 3, step: 1}, samples: 7, time_limit: 2 min}\n", 6, 0, 0},
    {"problem: {T: [8, 16], d: [4, 8]}\nskip: [{T: 8, d: 8}]\n", 3, 0, 1},
    {"problem: {T: [8, 16], d: [4, 8]}\nskip: [{T: 8}, {d: [8]}]\n", 1, 0, 3},
    {"problem: {T: {from: 8, to: 64, factor: 2}, d: 4}\nskip: [{T: {from: 16, to: 32, factor: 2}}]\n", 2, 0, 2},
    {"problem: {T: 8, d: 4, mixer: [none, dplr]}\nskip: [{impl: [fixed_point], mixer: none}]\n", 1, 0, 1},
    {"problem: {T: 8, d: 4, mixer: [none, dplr]}\nskip: [{feedback: none, mixer: none}]\n", 1, 0, 1}, /* not used: none */
    {"problem: {T: 8, d: 4, mixer: [none, dplr]}\nskip: [{r: none}]\n", 1, 0, 1},
    {SIZES "run: {threads: [all, 1024]}\nskip: [{threads: all}]\n", 1, 0, 1},
    /* What means nothing may be skipped. */
    {"problem: {T: [8, 16777216], d: 65536, B: 256}\nskip: [{T: 16777216}]\n", 1, 0, 1},
    {SIZES "grids:\n  - {}\n  - problem: {T: 16}\n", 2, 0, 0},
    {SIZES "grids:\n  - problem: {T: [8, 16]}\n  - problem: {d: [4, 8]}\n", 3, 1, 0},
    {SIZES "skip: [{T: 16}]\ngrids:\n  - problem: {T: [8, 16]}\n  - problem: {T: [16, 32]}\n    skip: [{T: 32}]\n", 2, 0, 2},
    {"grids:\n  - problem: {T: 8, d: 4}\n    impls: [fixed_point, diagonal_scan split=time]\n", 2, 0, 0},
    {"problem: {d: 4}\ngrids: [{problem: {T: 8}, run: {seed: 7}, settings: {l: 3}, regime: {kappa: 1}, measure: [throughput]}]\n",
     1, 0, 0},
    {SIZES "plots:\n  - kind: throughput\n    name: speed\n    x: d\n    series: [impl, threads]\n    panel: mixer\n"
           "    where: {mixer: [none, dplr], tolerance: none}\n  - kind: throughput\n", 1, 0, 0},
    /* Scales: what they say replaces the top level and every grid, and makes no difference unless one is named. */
    {SIZES "scales: {big: {problem: {T: [16, 32]}}}\n", 1, 0, 0},
    {SIZES "scales: {big: {problem: {T: [16, 32]}}, small: {problem: {d: [1, 2, 3]}}}\nscale: big\n", 2, 0, 0},
    {SIZES "scale: big\nscales: {big: {problem: {T: 16}}}\ngrids: [{}, {problem: {T: [4, 5]}}, {problem: {d: 8}}]\n", 2, 1, 0},
    {"problem: {d: 4}\nscale: big\nscales: {big: {problem: {T: 16}}}\n", 1, 0, 0},
    {SIZES "scale: big\nskip: [{T: 8}]\nscales: {big: {problem: {T: [8, 9]}}}\n", 1, 0, 1},
    {SIZES "scale: big\nskip: [{T: 8}]\nscales: {big: {problem: {T: [8, 9]}, skip: [{d: 9}]}}\n", 2, 0, 0},
    {SIZES "paper: [{figure: Fig. 1, says: 'a, b', differs: none, where: {T: [8, 9], impl: fixed_point}, here: convergence_rate}]\n", 1, 0, 0},
};
// clang-format on

static const char *write_sweep(const char *text, size_t length)
{
    const char *path = scratch_path("a.yaml");
    scratch_write(path, text, length);
    return path;
}

START_TEST(good_files_expand)
{
    scratch_make();
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char text[2048];
        struct sweep sweep;
        struct error error;
        snprintf(text, sizeof text, TOP "%s", good[i].text);
        ck_assert_msg(sweep_read(&sweep_vocabulary, write_sweep(text, strlen(text)), NULL, false, &sweep, &error), "%s\n%s", text,
                      error.text);
        ck_assert_msg(sweep.n_points == good[i].points && sweep.n_shared == good[i].shared && sweep.n_skipped == good[i].skipped,
                      "%s\n%zu points, %zu shared, %zu skipped", text, sweep.n_points, sweep.n_shared, sweep.n_skipped);
        for (size_t a = 0; a < sweep.n_points; a++) {
            struct point canonical = sweep.point[a];
            point_canonical(&canonical);
            ck_assert(point_equal(&canonical, &sweep.point[a]));
            for (size_t b = 0; b < a; b++)
                ck_assert(!point_equal(&sweep.point[a], &sweep.point[b]));
        }
        sweep_free(&sweep);
        sweep_free(&sweep); /* twice is harmless */
    }
    scratch_remove();
}
END_TEST

/* ---- Bad files ------------------------------------------------------------------------------------------------------------ */

#define TOP_KEYS                                                                                                                   \
    "one of name, measure, pass, impls, inputs, task, problem, regime, model, recipe, test, settings, run, skip, baseline, plots, paper, "   \
    "scale, scales, grids"
#define T_TAKES "a whole number from 1 to 16777216"
#define NAME_TAKES "1 to 63 letters, digits or . _ -, beginning with a letter, a digit or _"
#define FORTY "0123456789012345678901234567890123456789"

// clang-format off
static const struct {
    bool whole;       /* the text is the whole file; else it follows TOP, so that its first line is line 4 */
    const char *text;
    const char *message; /* after "FILE:" */
} bad[] = {
    /* What is not YAML, or more of it than is wanted. */
    {true, "", "1:1: the file is empty; expected a mapping that begins with name:"},
    {true, "# nothing\n", "1:1: the file is empty; expected a mapping that begins with name:"},
    {true, "---\n", "2:1: the file is \"\"; expected a mapping that begins with name:"},
    /* A byte order mark is passed over: places are those without it. */
    {true, "\xef\xbb\xbf", "1:1: the file is empty; expected a mapping that begins with name:"},
    {true, "\xef\xbb\xbf" "just a text\n", "1:1: the file is \"just a text\"; expected a mapping that begins with name:"},
    {true, "\xef\xbb\xbfname: &x t\n", "1:7: an anchor; expected the value itself"},
    {true, "\xef\xbb\xbf---\nname: t\nname: u\n", "3:1: key \"name\" is given twice (first in line 2); expected once"},
    {true, "\xef\xbb\xbfname: \xff\n", "1:7: invalid leading UTF-8 octet; expected UTF-8 text"},
    {true, "just a text\n", "1:1: the file is \"just a text\"; expected a mapping that begins with name:"},
    {true, "- 1\n- 2\n", "1:1: the file is a list; expected a mapping that begins with name:"},
    {true, "name: [a, b\n", "2:1: not YAML: while parsing a flow sequence: did not find expected ',' or ']'"},
    {true, "name: \"a\n", "2:1: not YAML: while scanning a quoted scalar: found unexpected end of stream"},
    {true, "name:\n\ta: 1\n", "2:1: not YAML: while scanning for the next token: found character that cannot start any token"},
    {true, "name: trained\n", "1:7: name is \"trained\", where trainings are kept; expected another name"},
    {true, "name: t\nname: u\n", "2:1: key \"name\" is given twice (first in line 1); expected once"},
    {true, "a: &x [*x]\n", "1:4: an anchor; expected the value itself"},
    {true, "a: *x\n", "1:4: an alias; expected the value itself"},
    {true, "name: !!str t\n", "1:7: a tag; expected the value itself"},
    {true, "name: ! t\n", "1:7: a tag; expected the value itself"},
    {true, "? [a, b]\n: c\n", "1:3: a key that is a list or a mapping; expected a word"},
    {true, "&k name: t\n", "1:1: an anchor; expected the value itself"},
    {true, "name: t\n---\nname: u\n", "2:1: a second YAML document; expected one"},
    {true, "name: t\n...\n---\n", "3:1: a second YAML document; expected one"},
    {true, "name: \"a\\0b\"\n", "1:7: a NUL byte in a string; expected printable characters"},
    {true, "name: t\nx: \xff\n", "2:4: invalid leading UTF-8 octet; expected UTF-8 text"},
    {true, "name: \xc3\xa9\xc3(\n", "1:9: invalid trailing UTF-8 octet; expected UTF-8 text"},
    {true, "name: a\x1b[31m\n", "1:8: control characters are not allowed; expected UTF-8 text"},
    {true, "a: [[[[[[[[[[]]]]]]]]]]\n", "1:11: nested too deeply; expected at most 8 levels"},
    {true, "<<: {a: 1}\n", "1:1: name is missing; expected name: and a word"},
    /* Keys. */
    {false, SIZES "colour: red\n", "5:1: unknown key \"colour\"; expected " TOP_KEYS},
    {false, SIZES "setings: {l: 4}\n", "5:1: unknown key \"setings\"; did you mean settings?"},
    {false, SIZES "<<: {a: 1}\n", "5:1: unknown key \"<<\"; expected " TOP_KEYS},
    {false, SIZES "kappa: 0.9\n", "5:1: unknown key \"kappa\"; expected it in regime"},
    {false, "problem: {t: 8, d: 4}\n", "4:11: unknown key \"t\" in problem; did you mean T?"},
    {false, "problem: {T: 8, d: 4, kappa: 1}\n", "4:23: unknown key \"kappa\" in problem; expected it in regime"},
    {false, "problem: {T: 8, d: 4, \"a\\eb\": 1}\n",
     "4:23: unknown key \"a\\x1bb\" in problem; expected one of cell, B, T, d, N, mixer, r, s, form, feedback, "
     "reads, norm, gate, forget, dtype, initial, heads"},
    {false, SIZES "run: {level: avx2}\n", "5:7: level is now called isa"},
    {false, SIZES "skip: [{level: avx2}]\n", "5:9: level is now called isa"},
    {true, "name: t\nrecipe: {rate: 0.1}\n", "2:10: rate is now called learning_rate"},
    {false, SIZES "plots: [{kind: throughput, series: [impl, decay]}]\n", "5:43: decay is now called weight_decay"},
    {false, SIZES "run: {sampels: 4}\n", "5:7: unknown key \"sampels\" in run; did you mean samples?"},
    {false, SIZES "grids: [{run: {samples: 4}}]\n",
     "5:16: unknown key \"samples\" in run; expected one of threads, isa, seed"},
    {false, SIZES "grids: [{name: a}]\n",
     "5:10: unknown key \"name\" in a grid; expected one of measure, pass, impls, inputs, task, problem, regime, model, recipe, test, settings, run, skip"},
    {false, "problem: {T: 8, d: 4, T: 9}\n", "4:23: key \"T\" is given twice (first in line 4); expected once"},
    /* What is missing. */
    {true, "measure: convergence\n", "1:1: name is missing; expected name: and a word"},
    {true, "name: t\nimpls: fixed_point\n" SIZES, "1:1: measure is missing; expected one of convergence, throughput, gradient, reach, training, accuracy, memory, roots"},
    {true, "name: t\nmeasure: convergence\n" SIZES,
     "1:1: impls is missing; expected the name of an implementation, then its options"},
    {false, "problem: {d: 4}\n", "1:1: T is missing in problem; expected " T_TAKES},
    {false, "problem: {d: 4}\ngrids:\n  - {problem: {T: 8}}\n  - {run: {seed: 1}}\n",
     "7:5: T is missing in problem; expected " T_TAKES},
    /* Names. */
    {true, "name: a/b\n", "1:7: name is \"a/b\"; expected " NAME_TAKES},
    {true, "name: ..\n", "1:7: name is \"..\"; expected " NAME_TAKES},
    {true, "name: -a\n", "1:7: name is \"-a\"; expected " NAME_TAKES},
    {true, "name:\n", "1:6: name is \"\"; expected " NAME_TAKES},
    {true, "name: yes\n", "1:7: name is \"yes\"; expected " NAME_TAKES},
    {true, "name: [t]\n", "1:7: name is a list; expected " NAME_TAKES},
    {true, "name: " FORTY FORTY "\n", "1:7: name is \"" FORTY "012345678901234...\"; expected " NAME_TAKES},
    {true, "name: \"a\\eb\\u202e\"\n", "1:7: name is \"a\\x1bb\\xe2\\x80\\xae\"; expected " NAME_TAKES},
    /* Values. */
    {false, "problem: {T: abc, d: 4}\n", "4:14: T is \"abc\"; expected " T_TAKES},
    {false, "problem: {T: 0, d: 4}\n", "4:14: T is \"0\"; expected " T_TAKES},
    {false, "problem: {T: -8, d: 4}\n", "4:14: T is \"-8\"; expected " T_TAKES},
    {false, "problem: {T: 1_000, d: 4}\n", "4:14: T is \"1_000\"; expected " T_TAKES},
    {false, "problem: {T: 010, d: 4}\n", "4:14: T is \"010\"; expected " T_TAKES},
    {false, "problem: {T: 0x10, d: 4}\n", "4:14: T is \"0x10\"; expected " T_TAKES},
    {false, "problem: {T: 8.0, d: 4}\n", "4:14: T is \"8.0\"; expected " T_TAKES},
    {false, "problem: {T: +5, d: 4}\n", "4:14: T is \"+5\"; expected " T_TAKES},
    {false, "problem: {T: ~, d: 4}\n", "4:14: T is \"~\"; expected " T_TAKES},
    {false, "problem: {T: , d: 4}\n", "4:14: T is \"\"; expected " T_TAKES},
    {false, "problem: {T: 99999999999999999999, d: 4}\n", "4:14: T is \"99999999999999999999\"; expected " T_TAKES},
    {false, "problem: {T: [8, [9]], d: 4}\n", "4:18: T is a list; expected " T_TAKES},
    {false, "problem: {T: [8, {from: 1, to: 2, step: 1}], d: 4}\n", "4:18: T is a mapping; expected " T_TAKES},
    {false, "problem: {T: [], d: 4}\n", "4:14: T is an empty list; expected at least one value"},
    {false, "problem: {T: [8, 16, 8], d: 4}\n", "4:22: T lists \"8\" twice; expected distinct values"},
    {false, "problem: [T, d]\n", "4:10: problem is a list; expected {FIELD: value, list or range, ...}"},
    {false, "problem:\n", "4:9: problem is \"\"; expected {FIELD: value, list or range, ...}"},
    {false, "problem: {T: 8, d: 4, mixer: no}\n",
     "4:30: mixer is \"no\"; expected one of none, dplr, householder, kronecker, dense, kronecker_rows"},
    {false, "problem: {T: 8, d: 4, feedback: true}\n", "4:33: feedback is \"true\"; expected one of none, raw, rms"},
    {false, "problem: {T: 8, d: 4, mixer: {from: 1, to: 2, step: 1}}\n",
     "4:30: mixer is a mapping; expected one of none, dplr, householder, kronecker, dense, kronecker_rows"},
    {true, "name: t\nmeasure: training\ntask: A5\nmodel: {layer: delta, d: 8, eigenvalues: two}\n",
     "4:42: eigenvalues is \"two\"; expected positive or both"},
    {true, "name: t\nmeasure: training\ntask: A5\nmodel: {layer: delta, d: 8, output_gate: yes}\n",
     "4:42: output_gate is \"yes\"; expected none or silu"},
    {true, "name: t\nmeasure: training\ntask: A5\nmodel: {layer: attention,\n        feed_forward: relu}\n",
     "5:23: feed_forward is \"relu\"; expected one of none, gelu, swiglu"},
    {true, "name: t\nmeasure: training\ntask: A5\nmodel: {layer: delta, d: 8, output_gat: silu}\n",
     "4:29: unknown key \"output_gat\" in model; did you mean output_gate?"},
    {true, "name: t\nmeasure: training\ntask: A5\nproblem: {eigenvalues: both}\n",
     "4:11: unknown key \"eigenvalues\" in problem; expected it in model"},
    {true, "name: t\nmeasure: training\ntask: A5\nmodel: {layer: delta, N: 8}\n",
     "1:1: d is missing in model; expected a whole number from 1 to 65536"},
    {true, "name: t\nmeasure: training\ntask: A5\nmodel: {layer: delta, d: 8, heads: 3}\n",
     "4:1: delta (256,16,8,N=16) r=1 heads=3 forget=none float32: heads = 3: must be between 1 and 1024, and divide d = 8"},
    {false, SIZES "regime: {kappa: nan}\n", "5:17: kappa is \"nan\"; expected a number above 0, at most 16, or free"},
    {false, SIZES "regime: {kappa: .inf}\n", "5:17: kappa is \".inf\"; expected a number above 0, at most 16, or free"},
    {false, SIZES "regime: {kappa: [0.5, 5e-1]}\n", "5:23: kappa lists \"0.5\" twice; expected distinct values"},
    {false, SIZES "regime: {lambda_max: 1.5}\n", "5:22: lambda_max is \"1.5\"; expected a number from 0 to 1"},
    {false, SIZES "run: {time_limit: soon}\n",
     "5:19: time_limit is \"soon\"; expected a time above 0, at most 24 h, such as 60 s, 5 min or 1 h"},
    {false, SIZES "run: {time_limit: 25 h}\n",
     "5:19: time_limit is \"25 h\"; expected a time above 0, at most 24 h, such as 60 s, 5 min or 1 h"},
    {false, SIZES "run: {rounds: 0}\n", "5:15: rounds is \"0\"; expected a whole number from 1 to 1000"},
    {false, SIZES "run: {order_seed: x}\n", "5:19: order_seed is \"x\"; expected a whole number from 1 to 2147483647"},
    {false, SIZES "run: {memory_limit: 4 G}\n",
     "5:21: memory_limit is \"4 G\"; expected a size of at least 1 MiB, such as 500 MB, 4 GB or 4 GiB"},
    {false, SIZES "run: {memory_limit: 4 kB}\n",
     "5:21: memory_limit is \"4 kB\"; expected a size of at least 1 MiB, such as 500 MB, 4 GB or 4 GiB"},
    {false, SIZES "run: {calibration: yes}\n", "5:20: calibration is \"yes\"; expected full or none"},
    {false, SIZES "run: {until: 2%}\n", "5:14: until is \"2%\"; expected {relative_interval: 2%, at_most: 30 rounds}"},
    {false, SIZES "run: {until: {at_most: 9}}\n",
     "5:14: until has no relative_interval; expected {relative_interval: 2%, at_most: 30 rounds}"},
    {false, SIZES "run: {until: {relative_interval: 2%, at_mots: 9}}\n", "5:38: unknown key \"at_mots\" in until; did you mean at_most?"},
    {false, SIZES "run: {until: {relative_interval: 200%, at_most: 9}}\n",
     "5:34: relative_interval is \"200%\"; expected a share between 0 and 1, such as 2% or 0.02"},
    {false, SIZES "run: {until: {relative_interval: 2%, at_most: 5 rounds}}\n",
     "5:47: at_most is \"5 rounds\"; expected a whole number of rounds from 6 (fewer have no interval) to 1000, such as 30 rounds"},
    {false, SIZES "run: {samples: [1, 2]}\n", "5:16: samples is a list; expected a whole number from 1 to 10000"},
    {false, SIZES "inputs: no such file\n", "5:9: inputs: \"no such file\": No such file or directory; expected a readable file"},
    {false, SIZES "inputs: /\n", "5:9: inputs: \"/\": not a regular file; expected a readable file"},
    {false, SIZES "inputs: off\n", "5:9: inputs is \"off\"; expected the name of a file, or none"},
    {true, "name: t\nimpls: fixd_point\n", "2:8: no implementation is called \"fixd_point\"; did you mean fixed_point?"},
    {true, "name: t\nimpls: [magic]\n", "2:9: no implementation is called \"magic\"; expected a name that ./run.sh list shows"},
    {true, "name: t\nimpls: fixed_point split\n",
     "2:8: \"split\" is not an option; expected name=value, each of at most 23 letters, digits or _.+-"},
    {true, "name: t\nimpls: [diagonal_scan split=time, diagonal_scan  split=time]\n",
     "2:35: impl lists \"diagonal_scan split=time\" twice; expected distinct values"},
    {true, "name: t\nimpls: diagonal_scan spit=time\n",
     "2:8: diagonal_scan has no option \"spit=time\"; expected split=batch|channels|time store=keep|stream"},
    {true, "name: t\nimpls: structured_sequential at_most=0\n",
     "2:8: at_most is \"0\"; expected a whole number from 1 to 999999999999999"},
    {true, "name: t\nimpls: structured_sequential at_most=007\n",
     "2:8: at_most is \"007\"; expected a whole number from 1 to 999999999999999"},
    {true, "name: t\nimpls: [fixed_point, anderson split=time memory=x]\n",
     "2:22: memory is \"x\"; expected a whole number from 1 to 999999999999999"},
    {true, "name: t\nimpls: structured_chunked chunk=-4\n",
     "2:8: chunk is \"-4\"; expected a whole number from 1 to 999999999999999"},
    {true, "name: t\nimpls: gmres restart=1000000000000000\n",
     "2:8: restart is \"1000000000000000\"; expected a whole number from 1 to 999999999999999"},
    {true, "name: t\nimpls:\n", "2:7: no implementation is called \"\"; expected a name that ./run.sh list shows"},
    /* Ranges. */
    {false, "problem: {T: {from: 1, to: 9}, d: 4}\n",
     "4:14: a range of T without step; expected {from, to, factor} or {from, to, step}"},
    {false, "problem: {T: {to: 9, step: 1}, d: 4}\n",
     "4:14: a range of T without from; expected {from, to, factor} or {from, to, step}"},
    {false, "problem: {T: {from: 1, to: 9, step: 1, factor: 2}, d: 4}\n",
     "4:14: a range of T with factor and step; expected one of them"},
    {false, "problem: {T: {from: 9, to: 1, step: 1}, d: 4}\n", "4:14: a range of T with from above to; expected from <= to"},
    {false, "problem: {T: {from: 1, to: 9, step: 0}, d: 4}\n", "4:14: a range of T that never ends; expected step > 0"},
    {false, "problem: {T: {from: 1, to: 9, factor: 1}, d: 4}\n",
     "4:14: a range of T that never ends; expected factor > 1 and from > 0"},
    {false, "problem: {T: {from: 0, to: 9, step: 1}, d: 4}\n", "4:21: from is \"0\"; expected " T_TAKES},
    {false, "problem: {T: {from: 1.5, to: 9, step: 1}, d: 4}\n", "4:21: from is \"1.5\"; expected " T_TAKES},
    {false, "problem: {T: {from: 1, to: 9, step: two}, d: 4}\n", "4:37: step is \"two\"; expected a number"},
    {false, "problem: {T: {from: 1, til: 9, step: 2}, d: 4}\n",
     "4:24: unknown key \"til\" in a range; expected one of from, to, factor, step"},
    {false, "problem: {T: {form: 1, to: 9, step: 2}, d: 4}\n", "4:15: unknown key \"form\" in a range; did you mean from?"},
    {false, "problem: {T: {from: 1, to: 9999, step: 1}, d: 4}\n", "4:14: a range of T with too many values; expected at most 1000"},
    {false, SIZES "run: {seed: {from: 0, to: 9007199254740991, step: 1e-3}}\n",
     "5:13: a range of seed with too many values; expected at most 1000"},
    {false, SIZES "regime: {lambda_max: {from: 0, to: 1, factor: 2}}\n",
     "5:22: a range of lambda_max that never ends; expected factor > 1 and from > 0"},
    /* Conditions, plots, grids. */
    {false, SIZES "skip: []\n", "5:7: skip is a list; expected a list of {FIELD: value or list, ...}"},
    {false, SIZES "skip: {T: 8}\n", "5:7: skip is a mapping; expected a list of {FIELD: value or list, ...}"},
    {false, SIZES "skip: [{}]\n", "5:8: an entry of skip is a mapping; expected {FIELD: value or list, ...}"},
    {false, SIZES "skip: [{mixr: none}]\n", "5:9: unknown key \"mixr\" in a condition; did you mean mixer?"},
    {false, SIZES "skip: [{T: []}]\n", "5:12: T is an empty list; expected at least one value"},
    {false, SIZES "skip: [{T: many}]\n", "5:12: T is \"many\"; expected " T_TAKES},
    {false, SIZES "skip: [{T: 8}]\n", "4:1: every combination is skipped; expected at least one point"},
    {false, SIZES "grids: []\n", "5:8: grids is a list; expected a list of mappings, each a product of its own"},
    {false, SIZES "grids: [5]\n", "5:9: an entry of grids is \"5\"; expected a mapping such as {problem: {T: 64}}"},
    {false, SIZES "plots: []\n", "5:8: plots is a list; expected a list of 1 to 64 plots"},
    {false, SIZES "plots: [{x: T}]\n", "5:9: a plot without kind; expected kind: and a word"},
    {false, SIZES "plots: [{kind: throughput, x: Q}]\n", "5:31: x is \"Q\"; expected the name of a field"},
    {false, SIZES "plots: [{kind: throughput, x: mixer}]\n",
     "5:31: x is mixer; expected a field that throughput can be drawn along"},
    {false, SIZES "plots: [{kind: error-against-time, along: T}]\n",
     "5:43: along is T; expected a field that may vary along a curve of error-against-time"},
    {false, SIZES "plots: [{kind: throughput, series: [T, T]}]\n", "5:40: series lists T twice; expected distinct fields"},
    {false, SIZES "plots: [{kind: throughput, panel: []}]\n", "5:35: panel lists 0 fields; expected 1 to 6"},
    {false, SIZES "plots: [{kind: throughput, name: a/b}]\n", "5:34: name is \"a/b\"; expected " NAME_TAKES},
    {false, SIZES "plots: [{kind: throughput}, {kind: throughput}]\n",
     "5:29: two plots are called throughput; expected a name: for each"},
    {false, SIZES "plots: [{kind: throughput, where: {mixer: round}}]\n",
     "5:43: mixer is \"round\"; expected one of none, dplr, householder, kronecker, dense, kronecker_rows"},
    {false, SIZES "paper: {}\n", "5:8: paper is a mapping; expected a list of {figure: ..., says: ..., where: ..., here: ..., differs: ...}"},
    {false, SIZES "paper: []\n", "5:8: paper is a list; expected a list of {figure: ..., says: ..., where: ..., here: ..., differs: ...}"},
    {false, SIZES "paper: [Fig. 1]\n",
     "5:9: an entry of paper is \"Fig. 1\"; expected {figure: ..., says: ..., where: ..., here: ..., differs: ...}"},
    {false, SIZES "paper: [{figure: Fig. 1}]\n",
     "5:9: an entry of paper without says; expected figure, says, where, here and differs"},
    {false, SIZES "paper: [{figure: a, says: b, differs: c, here: convergence_rate}]\n",
     "5:9: an entry of paper without where; expected figure, says, where, here and differs"},
    {false, SIZES "paper: [{figure: a, say: b, differs: c, here: convergence_rate, where: {T: 8}}]\n",
     "5:21: unknown key \"say\" in an entry of paper; did you mean says?"},
    {false, SIZES "paper: [{figure: a, says: b, differs: c, here: speed, where: {T: 8}}]\n",
     "5:48: here is \"speed\"; expected a column of table.csv that holds a number (docs/columns.md), such as token_accuracy, "
     "l_star_median or seconds_per_call_median"},
    {false, SIZES "paper: [{figure: a, says: b, differs: c, here: seconds_per_call_median, along: mixer, where: {T: 8}}]\n",
     "5:80: along is \"mixer\"; expected a field that holds a number"},
    {false, SIZES "paper: [{figure: a, says: b, differs: c, here: seconds_per_call_median, along: [T], where: {T: 8}}]\n",
     "5:80: along is a list; expected a field that holds a number"},
    {false, SIZES "paper: [{figure: a, says: b, differs: c, here: convergence_rate, where: {}}]\n",
     "5:73: where is a mapping; expected {FIELD: value or list, ...}"},
    {false, SIZES "paper: [{figure: a, says: b, differs: c, here: convergence_rate, where: {mixr: none}}]\n",
     "5:74: unknown key \"mixr\" in a condition; did you mean mixer?"},
    {false, SIZES "paper: [{figure: a, says: '', differs: c, here: convergence_rate, where: {T: 8}}]\n",
     "5:27: says is \"\"; expected a text of one line, at most 400 bytes"},
    {false, SIZES "paper: [{figure: a, says: \"a\\nb\", differs: c, here: convergence_rate, where: {T: 8}}]\n",
     "5:27: says is \"a\\x0ab\"; expected a text of one line, at most 400 bytes"},
    {false, SIZES "paper: [{figure: a, says: b, differs: [c], here: convergence_rate, where: {T: 8}}]\n",
     "5:39: differs is a list; expected a text of one line, at most 400 bytes"},
    {false, SIZES "grids: [{paper: []}]\n",
     "5:10: unknown key \"paper\" in a grid; expected one of measure, pass, impls, inputs, task, problem, regime, model, recipe, test, settings, run, skip"},
    {false, SIZES "scales: {}\n", "5:9: scales is a mapping; expected {NAME: {recipe: {steps: 10000}, ...}, ...}"},
    {false, SIZES "scales: [big]\n", "5:9: scales is a list; expected {NAME: {recipe: {steps: 10000}, ...}, ...}"},
    {false, SIZES "scales: {big: 3}\n", "5:15: a scale is \"3\"; expected a mapping such as {recipe: {steps: 10000}}"},
    {false, SIZES "scales: {big: {}}\n", "5:15: a scale is a mapping; expected a mapping such as {recipe: {steps: 10000}}"},
    {false, SIZES "scales: {a/b: {problem: {T: 9}}}\n", "5:10: invalid name of a scale; expected " NAME_TAKES},
    {false, SIZES "scales: {big: {problem: {t: 9}}}\n", "5:26: unknown key \"t\" in problem; did you mean T?"},
    {false, SIZES "scales: {big: {run: {samples: 0}}}\n", "5:31: samples is \"0\"; expected a whole number from 1 to 10000"},
    {false, SIZES "scales: {big: {plots: [{kind: throughput}]}}\n",
     "5:16: unknown key \"plots\" in a scale; expected one of measure, pass, impls, inputs, task, problem, regime, model, recipe, test, settings, run, skip"},
    {false, SIZES "scale: [big]\n", "5:8: scale is a list; expected " NAME_TAKES},
    {false, SIZES "scale: big\n", "5:8: no scale is called \"big\"; expected it under scales:"},
    {false, SIZES "scale: bag\nscales: {big: {problem: {T: 9}}, small: {problem: {T: 1}}}\n",
     "5:8: no scale is called \"bag\"; expected big or small"},
    {false, SIZES "scale: big\nscales: {big: {problem: {T: 9}}}\ngrids: [{run: {samples: 3}}]\n",
     "7:16: unknown key \"samples\" in run; expected one of threads, isa, seed"},
    {false, SIZES "grids: [{scales: {}}]\n",
     "5:10: unknown key \"scales\" in a grid; expected one of measure, pass, impls, inputs, task, problem, regime, model, recipe, test, settings, run, skip"},
    {true, "name: " FORTY "0123456789012345678\nscale: long\nmeasure: convergence\nimpls: fixed_point\n" SIZES
           "scales: {long: {problem: {T: 9}}}\n", "6:10: NAME-SCALE is too long; expected at most 63 letters"},
    /* Sizes and counts. */
    {false, "problem: {T: 16777216, d: 65536, B: 65536}\n",
     "4:1: vector (65536,16777216,65536) householder r=1 s=1 normalised float32: the tensor v has more than 2^40 elements"},
    {false, SIZES "grids:\n  - {problem: {B: 65536}}\n  - {problem: {T: 16777216, d: 65536}}\n",
     "7:6: vector (1,16777216,65536) householder r=1 s=1 normalised float32: the tensor theta has more than 2^40 elements"},
    {false, "problem: {T: 8, d: {from: 1, to: 1000, step: 1}}\nrun: {seed: {from: 1, to: 101, step: 1}}\n",
     "4:1: 101000 combinations; expected at most 100000, or more with --yes"},
    {false, "problem: {T: {from: 1, to: 1000, step: 1}, d: {from: 1, to: 1000, step: 1}, B: {from: 1, to: 1000, step: 1}}\n"
            "run: {seed: {from: 1, to: 1000, step: 1}, threads: {from: 1, to: 1000, step: 1}}\n"
            "settings: {l: {from: 1, to: 1000, step: 1}, patience: {from: 1, to: 1000, step: 1}}\n",
     "4:1: 1e+21 combinations; expected at most 1000000, even with --yes"},
    {false, "problem: {T: {from: 1, to: 1000, step: 1}, d: {from: 1, to: 1000, step: 1}}\nrun: {seed: {from: 1, to: 10, step: 1}}\n",
     "4:1: 10000000 combinations; expected at most 1000000, even with --yes"},
};
// clang-format on

/* message: what follows the path. */
static void refuses_path(const char *path, const char *message)
{
    struct sweep sweep;
    struct error error;
    size_t n = strlen(path);
    ck_assert_msg(!sweep_read(&sweep_vocabulary, path, NULL, false, &sweep, &error), "taken, instead of %s", message);
    ck_assert_msg(strncmp(error.text, path, n) == 0, "%s", error.text);
    ck_assert_str_eq(error.text + n, message);
    ck_assert_uint_eq(sweep.n_points, 0);
    ck_assert_ptr_null(sweep.memory);
}

static void refuses(const char *text, size_t length, const char *message)
{
    char with_colon[PATH_MAX + 128];
    snprintf(with_colon, sizeof with_colon, ":%s", message);
    refuses_path(write_sweep(text, length), with_colon);
}

START_TEST(bad_files_are_refused)
{
    scratch_make();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[2048];
        snprintf(text, sizeof text, "%s%s", bad[i].whole ? "" : TOP, bad[i].text);
        refuses(text, strlen(text), bad[i].message);
    }
    refuses("name: t\nx: a\0b\n", 15, "2:5: a NUL byte; expected UTF-8 text");
    scratch_remove();
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
    static char large[(1 << 20) + 1];
    scratch_make();
    refuses_path(scratch, ": a folder; expected a sweep file");
    refuses_path(scratch_path("none.yaml"), ": No such file or directory; expected a sweep file");
    ck_assert_int_eq(mkfifo(scratch_path("pipe.yaml"), 0600), 0); /* nobody writes to it: must not wait */
    refuses_path(scratch_path("pipe.yaml"), ": not a regular file; expected a sweep file");
    memset(large, '#', sizeof large);
    refuses_path(write_sweep(large, sizeof large), ": too large; expected a sweep file of at most 1048576 bytes");
    scratch_remove();
}
END_TEST

START_TEST(large_files_are_refused_quickly)
{
    size_t room = 1 << 20, n = 0;
    char *text = malloc(room);
    ck_assert_ptr_nonnull(text);
    scratch_make();
    for (int i = 0; n < room - 20; i++)
        n += (size_t)sprintf(text + n, "k%d: 1\n", i);
    refuses(text, n, "1:1: a mapping with too many entries; expected at most 1000");
    memset(text, '[', room - 1);
    refuses(text, room - 1, "1:9: nested too deeply; expected at most 8 levels");
    n = (size_t)sprintf(text, "a: [");
    while (n < room - 20)
        n += (size_t)sprintf(text + n, "1,");
    refuses(text, n, "1:4: a list with too many entries; expected at most 1000");
    free(text);
    scratch_remove();
}
END_TEST

/* ---- Details that counts do not show -------------------------------------------------------------------------------------- */

static void read_text(const char *text, bool many, struct sweep *sweep)
{
    struct error error;
    ck_assert_msg(sweep_read(&sweep_vocabulary, write_sweep(text, strlen(text)), NULL, many, sweep, &error), "%s", error.text);
}

START_TEST(many_points_want_to_be_asked_for)
{
    struct sweep sweep;
    scratch_make();
    read_text(TOP "problem: {T: 8, d: {from: 1, to: 1000, step: 1}}\nrun: {seed: {from: 1, to: 101, step: 1}}\n", true, &sweep);
    ck_assert_uint_eq(sweep.n_points, 101000);
    sweep_free(&sweep);
    scratch_remove();
}
END_TEST

START_TEST(values_arrive)
{
    static const double kappas[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
    struct sweep sweep;
    scratch_make();
    read_text(TOP SIZES "regime: {kappa: {from: 0.1, to: 0.9, step: 0.1}}\nrun: {samples: 7, time_limit: 1.5 min, rounds: 9, "
                        "order_seed: 5, memory_limit: 1.5 GiB,\n"
                        "      until: {relative_interval: 2.5%, at_most: 30 rounds}}\n"
                        "plots: [{kind: throughput, x: d, series: impl, panel: [mixer, r], where: {T: [8, 16]}}, "
                        "{kind: error-against-iteration}]\n",
              false, &sweep);
    ck_assert_str_eq(sweep.name, "t");
    ck_assert_int_eq(sweep.run.samples, 7);
    ck_assert_double_eq(sweep.run.time_limit, 90);
    ck_assert_int_eq(sweep.run.rounds, 9);
    ck_assert_int_eq(sweep.run.order_seed, 5);
    ck_assert_uint_eq(sweep.run.memory_limit, 3 << 29);
    ck_assert_double_eq(sweep.run.relative_interval, 0.025);
    ck_assert_int_eq(sweep.run.at_most, 30);
    for (int i = 0; i < 9; i++) /* what one would have written, not 0.30000000000000004 */
        ck_assert_double_eq(sweep.point[i].value[FIELD_KAPPA].real, kappas[i]);
    ck_assert_int_eq(sweep.n_plots, 2);
    const struct plot_request *plot = &sweep.plot[0];
    ck_assert_str_eq(plot->kind, "throughput");
    ck_assert_str_eq(plot->name, "throughput");
    ck_assert_int_eq(plot->x, FIELD_D);
    ck_assert(plot->n_series == 1 && plot->series[0] == FIELD_IMPLEMENTATION);
    ck_assert(plot->n_panel == 2 && plot->panel[0] == FIELD_MIXER && plot->panel[1] == FIELD_R);
    ck_assert(filter_keeps(&plot->where, &sweep.point[0]));
    struct point other = sweep.point[0];
    ck_assert(field_read(FIELD_T, "9", &other.value[FIELD_T]));
    ck_assert(!filter_keeps(&plot->where, &other));
    ck_assert_int_eq(sweep.plot[1].x, -1);
    ck_assert_int_eq(sweep.plot[1].n_series, 0);
    ck_assert(filter_keeps(&sweep.plot[1].where, &other)); /* no conditions */
    sweep_free(&sweep);

    read_text(TOP SIZES, false, &sweep);
    ck_assert_int_eq(sweep.run.samples, 10);
    ck_assert_double_eq(sweep.run.time_limit, 60);
    sweep_free(&sweep);
    scratch_remove();
}
END_TEST

/* The command line's scale wins; all that it says arrives, and what it does not say stays; results have a folder of their own. */
START_TEST(scales_are_laid_over)
{
    const char *text =
        TOP "problem: {T: [8, 9], d: 4}\nscale: big\nrun: {samples: 7, rounds: 3}\n"
            "scales: {big: {problem: {T: 16}, run: {samples: 2}}, small: {problem: {T: [1, 2, 3]}, run: {seed: 5}}}\n"
            "grids: [{problem: {T: 5}}]\n";
    static const struct {
        const char *scale, *name;
        int points, T, samples, seed;
    } rows[] = {{NULL, "t-big", 1, 16, 2, 1}, {"big", "t-big", 1, 16, 2, 1}, {"small", "t-small", 3, 1, 7, 5}};
    struct sweep sweep;
    struct error error;
    scratch_make();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int kept = 0; kept < 2; kept++) {
            const char *path = write_sweep(text, strlen(text));
            ck_assert_msg(kept ? sweep_read_kept(&sweep_vocabulary, path, rows[i].scale, &sweep, &error)
                               : sweep_read(&sweep_vocabulary, path, rows[i].scale, false, &sweep, &error),
                          "%s", error.text);
            ck_assert_str_eq(sweep.name, rows[i].name);
            ck_assert_str_eq(sweep.scale, rows[i].name + 2);
            ck_assert_uint_eq(sweep.n_points, (size_t)rows[i].points);
            ck_assert_int_eq(sweep.point[0].value[FIELD_T].integer, rows[i].T);
            ck_assert_int_eq(sweep.point[0].value[FIELD_SEED].integer, rows[i].seed);
            ck_assert_int_eq(sweep.run.samples, rows[i].samples);
            ck_assert_int_eq(sweep.run.rounds, 3);
            ck_assert_str_eq(sweep.scaled[0].scale, i < 2 ? "small" : "big"); /* the other one */
            ck_assert_int_eq(sweep.scaled[0].field, FIELD_T);
            ck_assert_int_eq(sweep.n_scaled, i < 2 ? 2 : 1);
            sweep_free(&sweep);
        }
    ck_assert(!sweep_read(&sweep_vocabulary, write_sweep(text, strlen(text)), "huge", false, &sweep, &error));
    ck_assert_msg(strstr(error.text, ":7:9: no scale is called \"huge\"; expected big or small") != NULL, "%s", error.text);
    ck_assert(!sweep_read(&sweep_vocabulary, write_sweep(text, strlen(text)), "../x", false, &sweep, &error));
    ck_assert_str_eq(error.text, "scale \"../x\"; expected " NAME_TAKES);
    scratch_remove();
}
END_TEST

/* Every sweep that ships can be read, at each of its scales. */
START_TEST(shipped_sweeps_can_be_read)
{
    int scales = 0;
    glob_t found;
    ck_assert_int_eq(glob("sweeps/*.yaml", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct sweep sweep;
        struct error error;
        char scale[SWEEP_NAME_MAX] = "";
        ck_assert_msg(sweep_read(&sweep_vocabulary, found.gl_pathv[i], NULL, false, &sweep, &error), "%s", error.text);
        if (sweep.n_scaled > 0)
            snprintf(scale, sizeof scale, "%s", sweep.scaled[0].scale);
        sweep_free(&sweep);
        if (scale[0] == '\0')
            continue;
        ck_assert_msg(sweep_read(&sweep_vocabulary, found.gl_pathv[i], scale, false, &sweep, &error), "%s", error.text);
        sweep_free(&sweep);
        scales++;
    }
    globfree(&found);
    ck_assert_int_gt(scales, 3);
}
END_TEST

START_TEST(points_keep_the_order_of_the_file)
{
    static const int T[] = {16, 16, 8, 8}, d[] = {4, 2, 4, 2};
    struct sweep sweep;
    scratch_make();
    read_text("problem: {d: [4, 2], T: [16, 8]}\nimpls: fixed_point\nmeasure: convergence\nname: t\n", false, &sweep);
    ck_assert_uint_eq(sweep.n_points, 4);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(sweep.point[i].value[FIELD_T].integer, T[i]);
        ck_assert_int_eq(sweep.point[i].value[FIELD_D].integer, d[i]);
    }
    sweep_free(&sweep);
    scratch_remove();
}
END_TEST

START_TEST(implementations_match_with_any_options)
{
    struct sweep sweep;
    scratch_make();
    read_text("name: t\nmeasure: convergence\nimpls: [diagonal_scan, diagonal_scan split=time, fixed_point]\n" SIZES
              "plots: [{kind: throughput, where: {impl: diagonal_scan}}, {kind: throughput, name: b, where: {impl: "
              "diagonal_scan split=time}}]\n",
              false, &sweep);
    static const bool by_name[] = {true, true, false}, by_text[] = {false, true, false};
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(filter_keeps(&sweep.plot[0].where, &sweep.point[i]), by_name[i]);
        ck_assert_int_eq(filter_keeps(&sweep.plot[1].where, &sweep.point[i]), by_text[i]);
    }
    sweep_free(&sweep);
    scratch_remove();
}
END_TEST

START_TEST(a_byte_order_mark_is_passed_over)
{
    static const char *const texts[] = {"\xef\xbb\xbf" TOP SIZES, "\xef\xbb\xbf---\n" TOP SIZES,
                                        "\xef\xbb\xbf# a comment\n" TOP SIZES, "\xef\xbb\xbf%YAML 1.1\n---\n" TOP SIZES};
    struct sweep sweep;
    scratch_make();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        read_text(texts[i], false, &sweep);
        ck_assert_uint_eq(sweep.n_points, 1);
        ck_assert_str_eq(sweep.name, "t");
        sweep_free(&sweep);
    }
    scratch_remove();
}
END_TEST

/* A safetensors file for T = 8, d = 4 and a Householder mixer of rank 1, whose first tensor has a name of one's choice. */
static void write_tensors(const char *name, const char *first)
{
    char bytes[1024] = {0};
    int n = snprintf(bytes + 8, sizeof bytes - 8,
                     "{\"%s\":{\"dtype\":\"F32\",\"shape\":[1,8,4],\"data_offsets\":[0,128]},"
                     "\"lambda\":{\"dtype\":\"F32\",\"shape\":[1,8,4],\"data_offsets\":[128,256]},"
                     "\"theta\":{\"dtype\":\"F32\",\"shape\":[1,8,5],\"data_offsets\":[256,416]}}",
                     first);
    bytes[0] = (char)n;
    bytes[1] = (char)(n >> 8);
    scratch_write(scratch_path(name), bytes, 8 + (size_t)n + 416);
}

/* Inputs are named relative to the sweep file, and can be opened by that name from here. They are looked at before anything
 * runs. */
START_TEST(inputs_lie_beside_the_sweep_file)
{
    struct sweep sweep;
    struct error error;
    scratch_make();
    write_tensors("in puts", "v");
    read_text(TOP SIZES "inputs: [in puts, none]\nregime: {kappa: [0.5, 0.9]}\n", false, &sweep);
    ck_assert_uint_eq(sweep.n_points, 3);
    ck_assert_uint_eq(sweep.n_shared, 1);
    ck_assert_str_eq(sweep.point[0].value[FIELD_KAPPA].kind == VALUE_NONE ? sweep.point[0].value[FIELD_INPUTS].text : "",
                     scratch_path("in puts"));
    ck_assert_int_eq(sweep.point[0].value[FIELD_SEED].kind, VALUE_NONE);
    sweep_free(&sweep);

    const char *text = TOP SIZES "inputs: other\n";
    char message[PATH_MAX + 64];
    write_tensors("other", "w");
    snprintf(message, sizeof message, "4:1: %s: has no tensor v, which this problem needs", scratch_path("other"));
    refuses(text, strlen(text), message);

    /* To draw a finished run again, they need not be there, nor fit any more. */
    ck_assert_msg(sweep_read_kept(&sweep_vocabulary, write_sweep(text, strlen(text)), NULL, &sweep, &error), "%s", error.text);
    ck_assert_uint_eq(sweep.n_points, 1);
    sweep_free(&sweep);
    text = TOP SIZES "inputs: gone\n";
    ck_assert_msg(sweep_read_kept(&sweep_vocabulary, write_sweep(text, strlen(text)), NULL, &sweep, &error), "%s", error.text);
    sweep_free(&sweep);
    scratch_remove();
}
END_TEST

/* The sweep file of an earlier run may have the former names of fields, wherever a name may stand. */
START_TEST(kept_files_may_have_former_names)
{
    static const char text[] = "name: t\nmeasure: training\ntask: A5\nmodel: {layer: lstm, d: 8}\n"
                               "recipe: {rate: [0.25, 0.5], decay: 0.125, clip: 2}\nskip: [{rate: 0.5}]\n"
                               "plots: [{kind: loss, series: [layer, rate], where: {decay: 0.125}}]\n";
    struct sweep sweep;
    struct error error;
    scratch_make();
    ck_assert_msg(sweep_read_kept(&sweep_vocabulary, write_sweep(text, strlen(text)), NULL, &sweep, &error), "%s", error.text);
    ck_assert_uint_eq(sweep.n_points, 1);
    ck_assert_double_eq(sweep.point[0].value[FIELD_LEARNING_RATE].real, 0.25);
    ck_assert_double_eq(sweep.point[0].value[FIELD_WEIGHT_DECAY].real, 0.125);
    ck_assert_double_eq(sweep.point[0].value[FIELD_GRAD_CLIP].real, 2);
    ck_assert_int_eq(sweep.plot[0].series[1], FIELD_LEARNING_RATE);
    ck_assert(filter_keeps(&sweep.plot[0].where, &sweep.point[0]));
    sweep_free(&sweep);
    scratch_remove();
}
END_TEST

/* And options that are refused today: such points have records, which say that they are unsupported. */
START_TEST(kept_files_may_have_odd_options)
{
    static const char text[] = "name: t\nmeasure: convergence\nimpls: [fixed_point, anderson memory=x]\n" SIZES;
    struct sweep sweep;
    struct error error;
    scratch_make();
    ck_assert_msg(sweep_read_kept(&sweep_vocabulary, write_sweep(text, strlen(text)), NULL, &sweep, &error), "%s", error.text);
    ck_assert_uint_eq(sweep.n_points, 2);
    ck_assert_str_eq(sweep.point[1].value[FIELD_IMPLEMENTATION].text, "anderson memory=x");
    sweep_free(&sweep);
    scratch_remove();
}
END_TEST

Suite *suite_sweep(void)
{
    Suite *suite = suite_create("sweep");
    TCase *tests = tcase_create("sweep");
    tcase_add_test(tests, good_files_expand);
    tcase_add_test(tests, bad_files_are_refused);
    tcase_add_test(tests, a_byte_order_mark_is_passed_over);
    tcase_add_test(tests, what_is_no_file_is_refused);
    tcase_add_test(tests, large_files_are_refused_quickly);
    tcase_add_test(tests, many_points_want_to_be_asked_for);
    tcase_add_test(tests, values_arrive);
    tcase_add_test(tests, scales_are_laid_over);
    tcase_add_test(tests, shipped_sweeps_can_be_read);
    tcase_add_test(tests, points_keep_the_order_of_the_file);
    tcase_add_test(tests, implementations_match_with_any_options);
    tcase_add_test(tests, inputs_lie_beside_the_sweep_file);
    tcase_add_test(tests, kept_files_may_have_former_names);
    tcase_add_test(tests, kept_files_may_have_odd_options);
    suite_add_tcase(suite, tests);
    return suite;
}
