# shellcheck shell=sh
# The functions of the exported scripts, a block each; a script gets those that it uses. NETNS is '' for the lab host.
# Where a tool's exit code is no proof, what it prints is read again; nothing here needs more than the tools of CentOS 7.

say() { printf '%s\n' "$*"; }

stop() { # stop CODE WORDS…
    code=$1
    shift
    printf 'netlab-export: %s\n' "$*" >&2
    exit "$code"
}

need() { # need PROGRAM…
    lacking=
    for program in "$@"; do
        command -v "$program" >/dev/null || lacking="$lacking $program"
    done
    [ -z "$lacking" ] || stop 5 "these programs are missing, install them first:$lacking"
}

need_nft() { # the tables and chains that iptables-nft makes can be seen and taken away by nft alone
    case $(iptables -V) in
        *nf_tables*) need nft ;;
    esac
}

need_rights() { # what root may: CAP_NET_ADMIN is bit 12, CAP_SYS_ADMIN bit 21. In a sandbox another user has both
    rights=0
    while read -r key value; do
        [ "$key" != CapEff: ] || rights=$value
    done </proc/self/status
    [ $((0x$rights >> 12 & 0x$rights >> 21 & 1)) -eq 1 ] || stop 5 "run it as root: it changes the network"
}

# --- what was changed, and what was there before: root's alone ---

check_owner() { # check_owner FOLDER PATTERN: only we, or root, may have a say in it. A link begins with an l
    read -r mode _ owner _ <<EOF
$(ls -ldn "$1" 2>&1)
EOF
    # shellcheck disable=SC2254 # a pattern it is
    case $mode in
        $2) ;;
        *) stop 4 "$1 cannot be trusted: not a folder that only its owner can write to" ;;
    esac
    [ "$owner" = 0 ] || [ "$owner" = "$(id -u)" ] || stop 4 "$1 cannot be trusted: it is user $owner's"
}

open_record() { # open_record LAB: one script at a time, and one lab at a time
    mkdir -m 700 "$state" 2>/dev/null || :
    check_owner "${state%/*}" 'd????-??-?*'
    check_owner "$state" 'drwx------*'
    # What we start keeps it open as well: when this script is killed, the next one waits for the command that still runs.
    exec 9>"$state/lock"
    flock -w 60 9 || stop 4 "another run is at work, and has not ended in a minute"
    [ -e "$state/lock" ] || stop 1 "another run has just ended: run it again"
    now="$1 $(cat /proc/sys/kernel/random/boot_id) $(readlink /proc/self/ns/net)"
    earlier=$(cat "$state/lab" 2>/dev/null) || earlier=$now
    boot=${earlier#* }
    if [ "${boot% *}" != "$(cat /proc/sys/kernel/random/boot_id)" ]; then
        rm -rf "$state/record" "$state/servers" # the machine was restarted
    elif [ "$earlier" != "$now" ]; then
        stop 4 "$state is of another lab, or of another network namespace: take that back first, by its own script"
    fi
    printf '%s\n' "$now" >"$state/new"
    mv "$state/new" "$state/lab"
    mkdir -p "$state/record" "$state/servers"
}

close_record() { # when nothing is left to be taken back
    rmdir "$state/record" 2>/dev/null || return 0
    rm -rf "$state/servers" "$state/new" "$state/lab" "$state/lock"
    rmdir "$state"
}

kept() { [ -e "$state/record/$1" ]; } # kept NAME: was it changed by us, or about to be?

keep() { # keep NAME COMMAND…: before a change, write down what COMMAND prints. What was kept first, stays
    ! kept "$1" || return 0
    name=$1
    shift
    "$@" >"$state/new" || stop 1 "what is there now cannot be read: $*"
    mv "$state/new" "$state/record/$name"
}

forget() { rm "$state/record/$1"; } # forget NAME

only_steps() { # only_steps STEP…: refuse where more was done than this script can take back
    for file in "$state"/record/*; do
        [ -e "$file" ] || continue
        step=${file##*/}
        step=${step%.*}
        case " $* " in
            *" $step "*) ;;
            *) stop 4 "step $step was done as well: take it back by the script without --until" ;;
        esac
    done
}

clash() { # clash NAME WHAT COMMAND…: when COMMAND finds what we did not make, it is in the way
    what=$2
    ! kept "$1" || return 0
    shift 2
    ! "$@" || clashes="$clashes
  $what"
}

no_clash() {
    [ -z "$clashes" ] && return 0
    close_record
    stop 4 "nothing was changed, for this was not made by this script and is in the way:$clashes"
}

# --- looking ---

in_netns() { # in_netns NETNS COMMAND…
    if [ -n "$1" ]; then
        ip netns exec "$@"
    else
        shift
        "$@"
    fi
}

is_netns() { # is_netns NAME: mounted, and not only a file that was left by a torn `ip netns add`
    awk -v place="/run/netns/$1" '$5 == place { found = 1 } END { exit !found }' /proc/self/mountinfo
}

has_link() { in_netns "$1" ip link show dev "$2" >/dev/null 2>&1; } # has_link NETNS LINK

is_kind() { # is_kind KIND NETNS LINK
    in_netns "$2" ip -o link show type "$1" 2>/dev/null |
        awk -v name="$3" '{ sub(/[@:].*/, "", $2) } $2 "" == name "" { found = 1 } END { exit !found }'
}

is_up() { # is_up NETNS LINK
    in_netns "$1" ip -o link show dev "$2" 2>/dev/null | awk '$3 ~ /[<,]UP[,>]/ { found = 1 } END { exit !found }'
}

master_of() { # master_of NETNS LINK: the bridge that it is a port of
    in_netns "$1" ip -o link show dev "$2" 2>/dev/null |
        awk '{ sub(/\\.*/, ""); for (i = 4; i < NF; i++) if ($i == "master") print $(i + 1) }'
}

addresses_of() { # addresses_of NETNS LINK: a line each, 172.168.1.1/24
    in_netns "$1" ip -o addr show dev "$2" 2>/dev/null | awk '{ print $4 }'
}

has_address() { addresses_of "$1" "$2" | grep -qxF "$3"; } # has_address NETNS LINK CIDR

routes_of() { # routes_of NETNS: DESTINATION DEV VIA PROTO METRIC a line each, - for none
    in_netns "$1" ip -4 route show 2>/dev/null | awk '/^[0-9d]/ {
        dev = via = metric = "-"
        proto = "boot"
        for (i = 2; i < NF; i++) {
            if ($i == "dev") dev = $(i + 1)
            if ($i == "via") via = $(i + 1)
            if ($i == "proto") proto = $(i + 1)
            if ($i == "metric") metric = $(i + 1)
        }
        print $1, dev, via, proto, metric
    }'
}

has_route() { # has_route NETNS DESTINATION DEV VIA [PROTO]: without PROTO, by whomever it was added
    routes_of "$1" | awk -v way="$2 $3 $4 ${5:+$5 }" 'index($0, way) == 1 { found = 1 } END { exit !found }'
}

has_other_route() { # has_other_route NETNS DESTINATION DEV VIA: to the same place by another way, and not that one too
    ! has_route "$@" && routes_of "$1" | awk -v to="$2" '$1 "" == to "" && $5 == "-" { found = 1 } END { exit !found }'
}

value_of() { in_netns "$1" sysctl -n "$2" 2>/dev/null; } # value_of NETNS KEY

values_of() { # values_of NETNS PATTERN…: FILE:VALUE, a line each, of the files under /proc/sys in that namespace
    # shellcheck disable=SC2016 # the shell inside opens the patterns, for there they mean other files
    in_netns "$1" sh -c 'shift; grep -sH "" $*' sh "$@"
}

has_rule() { # has_rule NETNS iptables -w -t TABLE -C CHAIN …: one that was typed in the same way
    said=$(in_netns "$@" 2>&1) && return 0
    [ $? -eq 1 ] || stop 1 "this command failed: $*: $said"
    return 1
}

policy_of() { # policy_of NETNS TABLE CHAIN: a table that was never used lets everything pass
    in_netns "$1" iptables-save -t "$2" |
        awk -v chain=":$3" '$1 == chain { policy = $2 } END { print policy ? policy : "ACCEPT" }'
}

chains_of() { # chains_of NETNS TABLE: `table` and `chain NAME` a line each, where iptables-nft has made them
    case $(iptables -V) in
        *nf_tables*) ;;
        *) return 0 ;;
    esac
    in_netns "$1" nft list table ip "$2" 2>/dev/null |
        awk '$1 == "table" { print $1 } $1 == "chain" { print $1, $2 } /^\t[^\t}]/ && $1 != "chain" { print "more" }'
}

policy_and_chains_of() { # policy_and_chains_of NETNS TABLE CHAIN
    printf 'policy %s\n' "$(policy_of "$@")"
    chains_of "$1" "$2"
}

listens() { # listens NETNS PORT
    in_netns "$1" ss -ltn |
        awk -v end=":$2" 'substr($4, length($4) - length(end) + 1) == end { found = 1 } END { exit !found }'
}

identity() { # identity FILE: pid and start time in a line of /proc/PID/stat; nothing of a process that is dead
    awk '{ pid = $1; sub(/^.*\) /, ""); if ($1 !~ /[ZX]/ && $20 != "") print pid, $20 }' "$1" 2>/dev/null
}

runs() { # runs NAME: is the server that was started still that process, and no other with its pid?
    was=$(identity "$state/servers/$1/process") || return 1
    [ -n "$was" ] && [ "$(identity "/proc/${was% *}/stat")" = "$was" ]
}

# --- changing ---

run() { # run COMMAND…
    say "+ $*"
    "$@" || stop 1 "this command failed: $*"
    ran=yes
}

run_in() { # run_in NETNS COMMAND…
    [ -z "$1" ] || set -- '' ip netns exec "$@"
    shift
    run "$@"
}

check() { # check WHAT [TENTHS]: an exit code is no proof. What is slow to come gets so many tenths of a second
    tenths=${2:-0}
    until holds; do
        [ "$tenths" -gt 0 ] || stop 1 "it does not hold, though its command ran: $1"
        tenths=$((tenths - 1))
        sleep 0.1
    done
}

serve() { # serve NAME PAGE COMMAND…: aside, in a folder of its own
    ! runs "$1" || return 0
    home=$state/servers/$1
    mkdir -p "$home/www"
    printf '%s' "$2" >"$home/www/index.html"
    shift 2
    say "+ $* &"
    ran=yes
    # It writes down itself what it is, and then becomes the server: none ever runs that is not on record. Until then
    # the lock stays. A server looks its host name up; one that only a name server knows, it would ask for, from there.
    # shellcheck disable=SC2016 # the shell inside looks at itself
    (
        cd "$home/www" || exit
        exec setsid env -i PATH="$PATH" LC_ALL=C unshare --uts sh -c '
            { echo localhost >/proc/sys/kernel/hostname; } 2>/dev/null
            cat /proc/$$/stat >"$1" && shift && exec "$@" 9>&-
        ' sh "$home/process" "$@" </dev/null >"$home/log" 2>&1
    ) &
}

# --- taking back ---

end_server() { # end_server NAME: not TERM, for one that hangs would stay, and it has nothing to put in order
    tenths=100
    while runs "$1"; do
        [ "$tenths" -gt 0 ] || stop 1 "process ${was% *} does not end"
        [ "$tenths" -lt 100 ] || run kill -KILL "${was% *}"
        tenths=$((tenths - 1))
        sleep 0.1
    done
}

delete_netns() { # delete_netns NAME: Linux 3.10 can find its mount busy for a moment
    tenths=20
    while [ -e "/run/netns/$1" ]; do
        say "+ ip netns del $1"
        ip netns del "$1" || [ "$tenths" -gt 0 ] || stop 1 "this command failed: ip netns del $1"
        tenths=$((tenths - 1))
        [ ! -e "/run/netns/$1" ] || sleep 0.1
    done
}

take_down() { # take_down NAME NETNS LINK: `lo` keeps an address that it had not before
    ! is_up "$2" "$3" || run_in "$2" ip link set "$3" down
    [ "$3" = lo ] || return 0
    for cidr in $(addresses_of "$2" lo); do
        case $cidr in
            *:*) continue ;; # goes by itself
        esac
        grep -qxF "$cidr" "$state/record/$1" || run_in "$2" ip addr del "$cidr" dev lo
    done
}

give_back() { # give_back NAME NETNS LINK: to the bridge that it was a port of
    has_link "$2" "$3" || return 0
    was=$(cat "$state/record/$1")
    [ "$(master_of "$2" "$3")" != "$was" ] || return 0
    if [ -n "$was" ] && has_link "$2" "$was"; then
        run_in "$2" ip link set "$3" master "$was"
    else
        run_in "$2" ip link set "$3" nomaster
    fi
}

set_values() { # set_values NAME NETNS: the value itself first, and then what the kernel changed along with it
    while IFS=: read -r file was; do
        now=$(in_netns "$2" cat "$file" 2>/dev/null) || continue # its card is gone
        [ "$now" != "$was" ] || continue
        # As sysctl writes names: a dot inside one (eth0.100) is a slash.
        run_in "$2" sysctl -w "$(printf '%s' "${file#/proc/sys/}" | tr ./ /.)=$was" </dev/null
        [ "$(in_netns "$2" cat "$file")" = "$was" ] || stop 1 "$file is not $was, though its command ran"
    done <"$state/record/$1"
}

set_policy() { # set_policy NAME NETNS TABLE CHAIN
    was=$(sed -n 's/^policy //p' "$state/record/$1")
    [ "$(policy_of "$2" "$3" "$4")" = "$was" ] || run_in "$2" iptables -w -t "$3" -P "$4" "$was"
    [ "$(policy_of "$2" "$3" "$4")" = "$was" ] || stop 1 "the policy of $4 is not $was, though its command ran"
}

clear_chain() { # clear_chain NAME NETNS TABLE CHAIN: the empty chain and table that iptables-nft made for us
    if ! grep -qxF "chain $4" "$state/record/$1" && chains_of "$2" "$3" | grep -qxF "chain $4" &&
        [ "$(policy_of "$2" "$3" "$4")" = ACCEPT ] && ! in_netns "$2" iptables-save -t "$3" | grep -q "^-A $4 "; then
        run_in "$2" iptables -w -t "$3" -X "$4"
    fi
    if ! grep -qxF table "$state/record/$1" && [ "$(chains_of "$2" "$3")" = table ]; then
        run_in "$2" nft delete table ip "$3"
    fi
}
