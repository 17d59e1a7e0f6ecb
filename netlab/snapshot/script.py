"""What a snapshot asks of one network stack: a shell script, so that a namespace is entered once."""

from typing import Final

# One shell for a namespace, because entering one costs more than most of what is asked there. It is a constant: nothing
# is ever put into it. Each answer stands between its name behind an RS byte and its exit code behind a US byte.
#
# - /proc/sys/net is read by grep: sysctl(8) needs 17 µs a name, grep 5, and a lab of 500 links has 60,000 names.
# - Where nft shows no table of a family, iptables-nft-save has nothing to show either: two processes less.
# - Reading a table with iptables-legacy registers it, so only tables that the kernel lists are read. That list is
#   closed to an ordinary user in a user namespace: then each table is read whose module is loaded, or, where ip_tables
#   is built in, each of the five. Loading a module to look would change the machine.
# - Before iptables 1.8 there is only one iptables-save, and it is legacy; some distributions name the nft one only so.
SCRIPT: Final = r"""
PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
ask() { printf '\036%s\n' "$1"; shift; "$@"; printf '\037%d' $?; }
have() { command -v "$1" >/dev/null 2>&1; }
again() { printf '%s\n' "$ruleset"; return $known; }
new() {
  if have "$2" && [ $known = 0 ]; then
    case $ruleset in *"table $1 "*) ;; *) return 0 ;; esac
  fi
  "$2"
}
old() {
  have "$2" || return 127
  names=/proc/net/$1_tables_names
  [ -e $names ] || return 0
  if [ -r $names ]; then
    while read -r table; do "$2" -t "$table" || return; done <$names
    return 0
  fi
  modules=
  [ ! -r /proc/modules ] || modules=$(cat /proc/modules)
  for table in filter nat mangle raw security; do
    case $modules in *"$1_tables "*) case $modules in *"$1table_$table "*) ;; *) continue ;; esac ;; esac
    "$2" -t $table 2>/dev/null || :
  done
}
ask link ip -o -d link show
ask address ip -o -batch - <<E
address show
neighbour show nud permanent
E
ask route ip -o -4 -batch - <<E
route show table all
rule show
E
ask route6 ip -o -6 -batch - <<E
route show table all
rule show
E
new=tables-nft-save old=tables-legacy-save
if ! have ip$new || ! have ip$old; then
  case $(iptables --version 2>/dev/null) in
    *nf_tables*) have ip$new || new=tables-save ;;
    *) have ip$old || old=tables-save ;;
  esac
fi
ruleset=$(nft list ruleset)
known=$?
ask nft again
ask iptables new ip ip$new
ask ip6tables new ip6 ip6$new
ask iptables-legacy old ip ip$old
ask ip6tables-legacy old ip6 ip6$old
ask sysctl grep -ars '' /proc/sys/net
ask listener ss -ltnu
"""

# /run/netns is the same for all; /sys/class/net is the lab host's in a container that was entered by nsenter.
HOST_SCRIPT: Final = (
    SCRIPT
    + r"""
ask hardware grep -s . /sys/class/net/*/address /sys/class/net/*/addr_assign_type
ask namespace stat -f -c '%t %n' /run/netns/*
ask name ls -A /run/netns
ask id ip netns list
"""
)
