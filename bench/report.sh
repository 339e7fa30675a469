# shellcheck shell=bash disable=SC2034,SC2154
# From samples to tables and pictures; sourced by bench/run.
#
# A sample is one value of a measure on a side, in a file of $work/samples/FIGURE/MEASURE named
# after the side, which has no slash in it.  The side that comes first is the one that has a target; the others
# are compared with it: its median divided by theirs, where they were taken
# in pairs the median of the pairs' quotients, which what else the machine does changes less.
#
# In $output:  results.csv   a line a measure and side
#              samples.csv   a line a sample
#              results.md    the same as the screen shows
#              NAME.svg      a figure's bars, or its lines if it has points (sample_at)

figure_samples() { printf '%s/samples/%s' "$work" "$figure"; }

# sample MEASURE SIDE VALUE
sample() {
    local dir
    dir=$(figure_samples)/$1
    mkdir -p "$dir"
    [ -n "$3" ] || { echo "no value of $1 $2" >&2; return 1; }
    [ -e "$dir/$2" ] || printf '%s\n' "$2" >>"$dir/.sides"
    printf '%s\n' "$3" >>"$dir/$2"
    printf '%s,%s,%s,%s\n' "$figure" "$1" "$2" "$3" >>"$output/samples.csv"
}

# sample_at MEASURE X VALUE: a point of a line over X
sample_at() {
    mkdir -p "$(figure_samples)"
    printf '%s %s\n' "$2" "$3" >>"$(figure_samples)/points.$1"
    printf '%s,%s,%s,%s\n' "$figure" "$1" "at $2" "$3" >>"$output/samples.csv"
}

# axes X Y: what the axes of the lines are
axes() {
    mkdir -p "$(figure_samples)"
    printf '%s\n' "$1" "$2" >"$(figure_samples)/axes"
}

# law MEASURE UNIT [TARGET EXPRESSION]: report the points with the largest X beside those with the smallest
law() {
    local points end x
    points=$(figure_samples)/points.$1
    for end in 'tail -n 1' 'head -n 1'; do
        x=$(cut -d' ' -f1 "$points" | sort -g | $end)
        while read -r value; do sample "$1" "at $x" "$value"; done < <(awk -v x="$x" '$1 == x { print $2 }' "$points")
    done
    report "$@"
}

# summary FILE: median, smallest, largest, how many
summary() {
    sort -g "$1" | awk '{ v[NR] = $1 }
        END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2, v[1], v[NR], NR }'
}
median() { summary "$1" | cut -d' ' -f1; }
# the median of one side of a measure of this figure
median_of() { median "$(figure_samples)/$1/$2"; }

# ratio_of FILE FILE: of the first one to the second
ratio_of() {
    if [ "$(wc -l <"$1")" = "$(wc -l <"$2")" ]; then
        paste "$1" "$2" | awk '$2 != 0 { print $1 / $2 }' >"$work/ratios"
        [ -s "$work/ratios" ] || echo 0 >"$work/ratios"
        median "$work/ratios"
    else
        calculate "$(median "$1") / ($(median "$2"))"
    fi
}

short() {
    awk -v x="$1" 'BEGIN { a = x < 0 ? -x : x
        if (a < 1000) { printf "%.3g", x; exit }
        s = sprintf("%.0f", x)
        while (match(s, /[0-9][0-9][0-9][0-9]($|,)/)) s = substr(s, 1, RSTART) "," substr(s, RSTART + 1)
        print s }'
}

# ---- the table ------------------------------------------------------------------------

layout='%-26s %-14s %-34s %-46s %7s  %s\n'

begin_table() {
    # shellcheck disable=SC2059
    printf "$layout" measure unit median against ratio target
    {
        printf '\n## %s\n\n%s.\n\n' "$figure" "$(description "$figure")"
        printf '| measure | unit | median (spread) | against | ratio | target | |\n|---|---|---|---|---|---|---|\n'
    } >>"$output/results.md"
}

# remark TEXT: a line between those of the table
remark() {
    printf '(%s)\n' "$1"
    printf '| *%s* | | | | | | |\n' "$1" >>"$output/results.md"
}

table_row() {    # MEASURE UNIT OURS AGAINST RATIO TARGET VERDICT
    # shellcheck disable=SC2059
    printf "$layout" "$1" "$2" "$3" "$4" "$5" "$6${7:+: $7}"
    printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$@" >>"$output/results.md"
}

# with_spread SIDE MEDIAN MIN MAX N
with_spread() {
    if [ "$5" -gt 1 ]; then
        printf '%s: %s (%s..%s)' "$1" "$(short "$2")" "$(short "$3")" "$(short "$4")"
    else
        printf '%s: %s' "$1" "$(short "$2")"
    fi
}

# verdict EXPRESSION OURS BASELINE RATIO: is the target reached?
verdict() {
    [ -z "$smoke" ] || return 0
    awk -v o="$2" -v b="$3" -v r="$4" "BEGIN { print ($1) ? \"reached\" : \"MISSED\" }"
}

# report MEASURE UNIT [TARGET EXPRESSION]: a row for each other side beside the first one.
# EXPRESSION (awk; o, b, r: ours, the first baseline's, their ratio) says whether the target is reached.
report() {
    local dir sides side of ratio='' target=${3:-} result first=yes
    dir=$(figure_samples)/$1
    mapfile -t sides <"$dir/.sides"
    read -ra of < <(summary "$dir/${sides[0]}")
    for side in "${sides[@]}"; do
        csv_row "$1" "$2" "$side" "$target" "$dir"
    done
    if [ ${#sides[@]} -eq 1 ]; then
        result=''
        [ -z "$target" ] || result=$(verdict "$4" "${of[0]}" 0 0)
        table_row "$1" "$2" "$(with_spread "${sides[0]}" "${of[@]}")" '' '' "$target" "$result"
        return
    fi
    for side in "${sides[@]:1}"; do
        local theirs
        read -ra theirs < <(summary "$dir/$side")
        ratio=$(ratio_of "$dir/${sides[0]}" "$dir/$side")
        result=''
        if [ -n "$first" ] && [ -n "$target" ]; then
            result=$(verdict "$4" "${of[0]}" "${theirs[0]}" "$ratio")
        fi
        table_row "$1" "$2" "$(with_spread "${sides[0]}" "${of[@]}")" "$(with_spread "$side" "${theirs[@]}")" \
            "$(awk -v r="$ratio" 'BEGIN { printf "%.2f", r }')" "${first:+$target}" "$result"
        first=''
    done
}

csv_row() {    # MEASURE UNIT SIDE TARGET DIR
    local of ratio
    read -ra of < <(summary "$5/$3")
    ratio=$(ratio_of "$5/$(head -n 1 "$5/.sides")" "$5/$3")
    printf '%s,%s,"%s","%s",%s,%s,%s,%s,%s,"%s"\n' "$figure" "$1" "$2" "$3" "${of[0]}" "${of[1]}" "${of[2]}" "${of[3]}" \
        "$ratio" "$4" >>"$output/results.csv"
}

# ---- pictures ----------------------------------------------------------------------------

# the picture's, as gnuplot wants it in quotes
title() { printf '%s: %s' "$figure" "$(description "$figure")" | sed "s/'/''/g"; }

# draw NAME COMMANDS: an SVG file; what gnuplot says goes to the screen
draw() {
    { printf "set terminal svg size 900,480 dynamic enhanced font 'DejaVu Sans,12' background '#ffffff'\n"
      printf "set output '%s/%s.svg'\nset grid ytics lc rgb '#d0d5db'\nset border 3 lc rgb '#5f6b7a'\nset tics nomirror\n" "$output" "$1"
      printf "set linetype 1 lc rgb '#2f6fb7' pt 7\nset linetype 2 lc rgb '#c77b1e' pt 5\nset linetype 3 lc rgb '#4a9a56' pt 9\nset linetype 4 lc rgb '#a03a4d' pt 11\n"
      printf '%s\n' "$2"; } | gnuplot
}

# draw_bars: of this figure's rows of results.csv, a panel a unit, a bar a side with its spread
draw_bars() {
    local data=$work/bars units unit count=0 plots=''
    mapfile -t units < <(csv_columns | awk -F'\t' '{ print $2 }' | awk '!seen[$0]++')
    [ ${#units[@]} -gt 0 ] || return 0
    rm -f "$data".*
    for unit in "${units[@]}"; do
        count=$((count + 1))
        csv_columns | awk -F'\t' -v unit="$unit" '$2 == unit {
                if (!($1 in row)) { row[$1] = ++rows; names[rows] = $1 }
                if (!($3 in side)) { side[$3] = ++sides; titles[sides] = $3 }
                value[row[$1], side[$3]] = $4 " " $5 " " $6 }
            END { printf "measure"
                for (s = 1; s <= sides; s++) printf " \"%s\" low high", titles[s]
                print ""
                for (r = 1; r <= rows; r++) {
                    printf "\"%s\"", names[r]
                    for (s = 1; s <= sides; s++) printf " %s", ((r, s) in value) ? value[r, s] : "NaN NaN NaN"
                    print "" } }' >"$data.$count"
        plots+="set title '$unit' noenhanced"$'\n'
        plots+="plot for [i=0:$(head -n 1 "$data.$count" | awk '{ print gsub(/ low high/, "") - 1 }')] '$data.$count' using 3*i+2:3*i+3:3*i+4:xtic(1) title columnheader(3*i+2)"$'\n'
    done
    draw "$figure" "set style data histograms
set style histogram errorbars gap 1.5 lw 1.2
set style fill solid 0.85 noborder
set boxwidth 0.9
set yrange [0:*]
set format y '%.4g'
set xtics rotate by -20 noenhanced
set key top outside horizontal noenhanced
set lmargin 11
set terminal svg size 900,$((60 + 300 * count)) dynamic enhanced font 'DejaVu Sans,12' background '#ffffff'
set multiplot layout $count,1 title '$(title)' noenhanced
${plots}unset multiplot"
}

# this figure's rows of results.csv, with tabs between: measure, unit, side, median, min, max
csv_columns() {
    { grep "^$figure," "$output/results.csv" || true; } |
        sed 's/^[^,]*,\([^,]*\),"\([^"]*\)","\([^"]*\)",\([^,]*\),\([^,]*\),\([^,]*\),.*/\1\t\2\t\3\t\4\t\5\t\6/'
}

# draw_lines: the points of sample_at(), both axes logarithmic
draw_lines() {
    local file labels plots=''
    mapfile -t labels <"$(figure_samples)/axes"
    for file in "$(figure_samples)"/points.*; do
        case $file in *.medians) continue ;; esac
        sort -g "$file" | awk '{ v[$1] = v[$1] " " $2; if (!($1 in seen)) { seen[$1]; order[++n] = $1 } }
            END { for (i = 1; i <= n; i++) { k = split(v[order[i]], a, " ")
                for (p = 2; p <= k; p++) for (q = p; q > 1 && a[q] + 0 < a[q - 1] + 0; q--) { t = a[q]; a[q] = a[q - 1]; a[q - 1] = t }
                print order[i], k % 2 ? a[(k + 1) / 2] : (a[k / 2] + a[k / 2 + 1]) / 2, a[1], a[k] } }' >"$file.medians"
        plots+="${plots:+, }'$file.medians' using 1:2:3:4 with yerrorlines lw 1.5 title '${file##*/points.}' noenhanced"
    done
    draw "$figure" "set logscale xy
set format x '10^{%L}'
set format y '%g'
set key outside right noenhanced
set title '$(title)' noenhanced
set xlabel '${labels[0]}'
set ylabel '${labels[1]}'
plot $plots"
}

# ---- files -------------------------------------------------------------------------------

begin_results() {
    mkdir -p "$output" "$work/samples"
    rm -f "$output"/*.svg
    echo 'figure,measure,unit,side,median,min,max,samples,ratio_of_first,target' >"$output/results.csv"
    echo 'figure,measure,side,value' >"$output/samples.csv"
    printf '# Figures\n\n' >"$output/results.md"
    [ -z "$smoke" ] || printf 'A smoke run: the figures mean nothing.\n\n' >>"$output/results.md"
}

# what was measured, and where
note_machine() {
    {
        ask 'SELECT version()'
        echo "$(nproc) CPUs, $(sed -n 's/^MemTotal: *//p' /proc/meminfo), $(stat -f -c %T "$work") file system; load $(cut -d' ' -f1-3 /proc/loadavg)"
        ask "SELECT string_agg(name || ' = ' || current_setting(name), ', ' ORDER BY name) FROM pg_settings
             WHERE name IN ('shared_buffers', 'max_wal_size', 'fsync', 'synchronous_commit', 'wal_level',
                            'full_page_writes', 'checkpoint_timeout', 'wal_sync_method', 'jit',
                            'max_parallel_workers_per_gather')"
        echo "$runs runs of each figure, the alternatives in turn; the median, and the smallest and the largest value"
    } | while read -r line; do
        printf '%s\n' "$line"
        printf -- '- %s\n' "$line" >>"$output/results.md"
    done
}

# draw_figure NAME: its picture, after its subshell
draw_figure() {
    figure=$1
    if [ -n "$(find "$(figure_samples)" -name 'points.*' 2>/dev/null)" ]; then
        draw_lines || return 1
    else
        draw_bars || return 1
    fi
    [ ! -e "$output/$figure.svg" ] || printf '\n![%s](%s.svg)\n' "$figure" "$figure" >>"$output/results.md"
}

finish_results() {
    printf '\nMeasured in %d s.\n' "$SECONDS" >>"$output/results.md"
}
