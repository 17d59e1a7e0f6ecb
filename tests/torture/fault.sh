#!/bin/sh
# Stands in front of one of the system's tools, in a lab's own mounts, and does to it what the plan says.
#
# FOLDER/real holds the tools themselves. Each call gets the next number, and a line in FOLDER/log with its words.
# FOLDER/plan is read as shell: `at` is the number (or `tool` the name, or `all`) that `what` happens to:
#
#   before   stop, say so in FOLDER/stopped, and do what FOLDER/go then says: on, or kill (the whole group)
#   after    the same when the tool has ended
#   lines    let the tool see the first $lines lines of its batch (or of its pairs), and stop
#   fail     say $says on stderr and end with $code, the tool never having run; $lines of a batch have run before
#   hang     never end
#   gone     as if the program were not there

folder=FOLDER
name=${0##*/}
real=$folder/real/$name

number=0
case $name in
ss | curl) ;; # how often it is asked whether a server answers yet, is a matter of time: these have no number
*)
    echo $$ >>"$folder/count"
    while read -r pid; do
        number=$((number + 1))
        [ "$pid" != $$ ] || break
    done <"$folder/count"
    ;;
esac

reads=/dev/stdin
case "$name $*" in
*' -batch '* | iptables-restore*)
    reads=$folder/in/$number
    cat >"$reads"
    ;;
esac
printf '%s\t%s\n' "$number" "$name $*" >>"$folder/log"

tool() {
    if [ "$reads" = /dev/stdin ]; then "$real" "$@"; else "$real" "$@" <"$reads"; fi
}

some() { # the first $lines lines of a batch, or that many of the words that are a command each
    case $reads in
    /dev/stdin)
        first=$1
        shift
        kept=$first
        for word; do
            [ "$lines" -gt 0 ] || break
            lines=$((lines - 1))
            kept="$kept $word"
        done
        # shellcheck disable=SC2086 # words without blanks: settings, and numbers of processes
        [ "$kept" = "$first" ] || "$real" $kept
        ;;
    *)
        head -n "$lines" "$reads" | "$real" "$@"
        ;;
    esac
}

stop() {
    echo "$number" >"$folder/stopped"
    read -r how <"$folder/go"
    [ "$how" != kill ] || kill -KILL 0
}

at='' what='' lines=0 code=1 says=''
# shellcheck source=/dev/null
[ ! -e "$folder/plan" ] || . "$folder/plan"
case $at in
"$number" | "$name" | all) ;;
*) what='' ;;
esac

case $what in
before)
    stop
    ;;
after)
    tool "$@"
    code=$?
    stop
    exit $code
    ;;
lines)
    some "$@"
    stop
    ;;
fail)
    [ "$lines" -eq 0 ] || some "$@"
    printf '%s\n' "$says" >&2
    exit "$code"
    ;;
hang)
    exec sleep infinity
    ;;
gone)
    echo "sh: $name: not found" >&2
    exit 127
    ;;
esac
[ "$reads" = /dev/stdin ] && exec "$real" "$@"
exec "$real" "$@" <"$reads"
