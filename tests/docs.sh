#!/bin/bash -p
# The pages are sound: links and anchors lead somewhere, files that are named exist, lines of prose fit a diff, measured figures
# stand in generated blocks alone, examples of sweep files are valid, and the reference has a place for everything that the program
# knows. A generated block lies between a comment that begins with <!-- block and <!-- end -->. Names of files that begin with my or
# old, or hold NAME or ROOM, are made up. BUILD names the folder of the build (build).
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C.UTF-8
program=${BUILD:-build}/bench
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
WIDTH=120

say() {
    echo "docs: $*" >&2
    failed=1
}

mapfile -t pages < <(find README.md CHANGELOG.md docs -name '*.md' | sort)
written_by_programs='^docs/(cuda-resources|columns)\.md$'

# FILE:LINE:KIND:TEXT of every line that is no code and in no generated block; kind is T in tables, P elsewhere. Spans of code are
# emptied, addresses of links are left.
lines_of() { # PAGE
    awk -v page="$1" '
        /^ *```/ { fence = !fence; blank = 0; next }
        fence { next }
        /^<!-- block/ { block = 1 }
        block { if ($0 ~ /^<!-- end -->/) block = 0; next }
        /^ *$/ { blank = 1; next }
        /^    / && (blank || code) { code = 1; next }
        { code = blank = 0 }
        {
            text = $0
            gsub(/`[^`]*`/, "``", text)
            print page ":" NR ":" ($0 ~ /^ *\|/ ? "T" : "P") ":" text
        }' "$1"
}

# ---- Links and anchors ---------------------------------------------------------------------------------------------------------

# The anchors of a page, as GitHub makes them of headings.
anchors_of() { # PAGE
    awk '/^```/ { fence = !fence } !fence && /^#+ / { sub(/^#+ +/, ""); print tolower($0) }' "$1" |
        sed -E 's/\[([^]]*)\]\([^)]*\)/\1/g; s/[^[:alnum:] _-]//g; s/ /-/g'
}

check_link() { # PAGE LINE ADDRESS
    local page=$1 line=$2 path=${3%%#*} anchor target=$1
    anchor=${3#"$path"}
    anchor=${anchor#\#}
    [[ -n $path ]] && target=$(dirname "$page")/$path
    [[ -e $target ]] || { say "$page:$line: $3 leads nowhere" && return; }
    [[ -z $anchor ]] || anchors_of "$target" | grep -qxF -- "$anchor" || say "$page:$line: $target has no heading #$anchor"
}

for page in "${pages[@]}"; do
    while IFS=: read -r line address; do
        [[ $address == http* || $address == mailto* ]] || check_link "$page" "$line" "$address"
    done < <(awk '/^ *```/ { fence = !fence } !fence {
        text = $0
        gsub(/`[^`]*`/, "", text)
        while (match(text, /\]\([^)]+\)/)) {
            print NR ":" substr(text, RSTART + 2, RLENGTH - 3)
            text = substr(text, RSTART + RLENGTH)
        }
    }' "$page")
done

# ---- Files that are named ------------------------------------------------------------------------------------------------------

named='(^|[^[:alnum:]_/.-])((bench|docs|impls|plots|sweeps|tasks|tests|train|results/reference)/[[:alnum:]_./*-]*[[:alnum:]_/*])'
while IFS=: read -r page line found; do
    path=$(sed -E "s#^$named\$#\\2#" <<<"$found")
    [[ $path =~ NAME|ROOM || ${path##*/} == my* || ${path##*/} == old* || -e $(dirname "$page")/$path ]] ||
        compgen -G "$path" >/dev/null || say "$page:$line: there is no $path"
done < <(grep -noHE -- "$named" "${pages[@]}")

# Pages that sources name. What a run left behind says what was true then.
while IFS=: read -r file line path; do
    [[ -e $path ]] || say "${file#./}:$line: there is no $path"
done < <(grep -rnoIE --exclude-dir={docs,results,build,corpus,.git} --exclude=README.md -- 'docs/[[:alnum:]_/-]+\.md' .)

# ---- Lines ---------------------------------------------------------------------------------------------------------------------

# What is measured has a unit; definitions have none, and settings are code.
unit='ns|us|µs|ms|s|sec|seconds?|min|minutes?|h|hours?|%|percent|[kKMGT]i?B(/s)?|[MGT]?FLOP/s|[MGT]FLOPS?|[kMG]?Hz'
unit+='|(x|times) (as|faster|slower|more|less)'
for page in "${pages[@]}"; do
    [[ $page =~ $written_by_programs ]] && continue
    lines_of "$page" >"$folder/lines"
    while IFS=: read -r line text; do # more bytes than columns allow: columns are counted here
        [[ ${#text} -le $WIDTH || $text =~ ^[[:space:]]*!?\[[^]]*\]\([^\)]*\)\.?$ ]] ||
            say "$page:$line: ${#text} columns, more than $WIDTH"
    done < <(awk -F: -v width=$WIDTH 'NR == FNR { if ($3 == "P") prose[$2]; next }
        FNR in prose && length($0) > width { print FNR ":" $0 }' "$folder/lines" "$page")
    while IFS=: read -r _ line _ text; do
        say "$page:$line: a figure outside of a generated block: $text"
    done < <(sed -E 's/\]\([^)]*\)/]/g' "$folder/lines" |
        grep -E -- "(^|[^[:alnum:]_.])[0-9][0-9.,]*[ -]?($unit)([^[:alnum:]/]|\$)")
done

# ---- Examples of sweep files ---------------------------------------------------------------------------------------------------

[[ -x $program ]] || { say "there is no $program: make builds it" && exit 1; }

# Those that are whole: they have a name and a measure. Files of inputs are the reader's, and so are implementations called my_.
for page in "${pages[@]}"; do
    rm -f "$folder"/*.yaml
    awk -v folder="$folder" '/^```yaml/ { n++; inside = 1; next }
        /^```/ { inside = 0 }
        inside { print >(folder "/" n ".yaml") }' "$page"
    for example in "$folder"/*.yaml; do
        [[ -e $example ]] || continue
        if grep -q '^name:' "$example" && grep -q '^measure:' "$example" && ! grep -qE '^inputs:|my_' "$example"; then
            message=$("$program" check "$example" 2>&1) || say "$page: an example is refused: ${message#"$folder"/}"
        fi
    done
done

# ---- Everything has a place in the reference -----------------------------------------------------------------------------------

# WHAT LEAST, names on standard input: each must stand in a span of code in docs/reference/; fewer names than LEAST are a list that
# was not found.
mentioned() {
    local what=$1 least=$2 n=0 name
    while read -r name; do
        n=$((n + 1))
        grep -qhE -- "\`$name( [^\`]*)?\`" docs/reference/*.md || say "docs/reference/ does not mention the $what $name"
    done
    [[ $n -ge $least ]] || say "only $n of the program's ${what}s were found: look at tests/docs.sh"
}

# The words that a field takes, by the message that refuses another: "...; expected a, b or c".
words_of() { # FIELD LINE
    printf 'name: x\n%s\n' "$2" >"$folder/x.yaml"
    "$program" check "$folder/x.yaml" 2>&1 | sed -nE "s/.*$1 is .*; expected (one of )?//p" | sed -E 's/, or |, | or /\n/g'
}

"$program" list >"$folder/list"
section_of() { # HEADING
    awk -v heading="$1" '/^[^ ]/ { inside = $0 ~ "^" heading } inside && /^  [^ ]/ { print $1 }' "$folder/list"
}
warnings='\[WARNING_[A-Z_]+\] = \{"[a-z_]+"'
mentioned implementation 10 < <(section_of Implementations)
mentioned task 4 < <(section_of Tasks)
mentioned measure 6 < <(words_of measure 'measure: "?"')
mentioned mixer 5 < <(words_of mixer $'measure: convergence\nproblem: {mixer: "?"}')
mentioned layer 4 < <(words_of layer $'measure: training\nmodel: {layer: "?"}')
mentioned plot 15 < <(words_of kind $'measure: convergence\nimpls: fixed_point\nproblem: {T: 4, d: 4}\nplots: [{kind: "?"}]')
mentioned field 50 < <(grep -rhoE '^ *(ROW|FIELD)\([A-Z0-9_]+, +"[[:alnum:]_]+"' bench | sed 's/.*"\(.*\)"/\1/')
mentioned 'field of run' 8 < <(grep -rh -A 3 'sweep_run_keys\[[A-Z_]*\] = {' bench | grep -oE '"[a-z_]+"' | tr -d '"')
mentioned warning 10 < <(grep -rhoE "$warnings" bench | sed 's/.*"\(.*\)"/\1/')

exit $failed
