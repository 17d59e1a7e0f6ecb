# shellcheck shell=bash
# shellcheck disable=SC2015 # in `A && B || C`, C is meant for either's failing
# What scripts/lab and scripts/test share: they install what the distribution lacks, make a virtual environment, and
# run in it. The second time there is nothing to do, and nothing is said. All talk goes to stderr: stdout is netlab's.

set -euo pipefail
# The caller's PATH may lack sbin, or begin with some other Python: nothing here is looked up in it.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
unset IFS CDPATH ENV BASH_ENV GLOBIGNORE POSIXLY_CORRECT "${!PYTHON@}"
unset FUNCNEST EXECIGNORE TMOUT BASH_COMPAT # bash obeys these with -p too: functions, programs and reads would fail
unset "${!OPENSSL_@}" # OPENSSL_CONF names libraries, which Python's hashlib and sha256sum would load

top=${self:?is the path of the script that is run}
top=${top%/scripts/*}
anew=no # was the environment made in this run?

# A program, Debian's package, Red Hat's. netlab/machine.py has the same names; tests/test_packaging.py compares them.
# shellcheck disable=SC2034 # the scripts that source this use it
readonly LAB_PROGRAMS='
ip          iproute2      iproute
iptables    iptables      iptables
nft         nftables      nftables
tcpdump     tcpdump       tcpdump
ping        iputils-ping  iputils
curl        curl          curl
sysctl      procps        procps-ng
nsenter     util-linux    util-linux'
# The tutorial shows these too. Not every distribution has them, and netlab works without: tried at the first set-up.
readonly SHOWN_PROGRAMS='
brctl       bridge-utils  bridge-utils
route       net-tools     net-tools'

say() { printf 'netlab: %s\n' "$*" >&2; }

die() {
    say "$@"
    exit 5 # as netlab itself: something is missing on this machine
}

# built COMMAND…: runs it in an environment of our making: of the caller's, only where packages come from and the way
# there. More would be too much as root: APT_CONFIG and PIP_PYTHON name what is run, and so do files in a user's home.
built() {
    local name kept=("PATH=$PATH") home=~root
    local -r way='http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY SSL_CERT_FILE REQUESTS_CA_BUNDLE
        PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_NO_INDEX PIP_PROXY PIP_CERT PIP_CLIENT_CERT
        PIP_TRUSTED_HOST PIP_DEFAULT_TIMEOUT PIP_RETRIES'
    local -r own='HOME TMPDIR XDG_CONFIG_HOME XDG_CACHE_HOME'
    ((EUID != 0)) || kept+=("HOME=$home")
    for name in $way $( ((EUID == 0)) || echo "$own"); do
        [[ -z ${!name:-} ]] || kept+=("$name=${!name}")
    done
    env -i "${kept[@]}" "$@"
}

# roots_own PATH WHAT: for root, ends with exit code 4 unless nobody else can write PATH or make it lead elsewhere.
# PATH need not be there yet. A folder above it may be anybody's to write when it is sticky, as /tmp is.
roots_own() {
    local path owner mode sticky=0
    ((EUID == 0)) || return 0
    path=$(readlink -m -- "$1")
    while path=${path:-/}; do
        if [[ -e $path ]]; then
            read -r owner mode < <(stat -c '%u %a' -- "$path") &&
                ((owner == 0 && ((8#$mode & 8#22) == 0 || (8#$mode & sticky)))) || {
                say "$path can be written by others, and root would run what is in it. $2"
                exit 4 # as netlab itself: something cannot be trusted
            }
            sticky=8#1000
        fi
        [[ $path != / ]] || return 0
        path=${path%/*}
    done
}

# prepare NAME REQUIREMENTS PROGRAMS: sets `venv`; afterwards the environment and all those programs are there.
prepare() {
    local lacks shown=() made=no path
    requirements=requirements/$2
    [[ -z ${NETLAB_PYTHON:-} ]] || for path in "${NETLAB_PYTHON%/*}" "$NETLAB_PYTHON"; do
        roots_own "$path" "Give NETLAB_PYTHON another, or run this once as the user whose Python and checkout it is."
    done
    place "$1"
    if fresh; then
        made=yes
        mapfile -t lacks < <(lacking "$3")
    else
        mapfile -t lacks < <(lacking "$3" && lacking_python)
        mapfile -t shown < <(lacking "$SHOWN_PROGRAMS")
    fi
    ((${#lacks[@]} == 0)) || obtain "needed, and not on this machine" "${lacks[@]}" || exit 5
    ((${#shown[@]} == 0)) || obtain "the tutorial shows them" "${shown[@]}" || say "going on without ${shown[*]}"
    [[ $made == yes ]] || make_venv
}

# --- the distribution's packages --------------------------------------------------------------------------------------

has() { [[ -x /usr/sbin/$1 || -x /usr/bin/$1 || -x /sbin/$1 || -x /bin/$1 ]]; }

# The name of this machine's package manager; fails where it is not one that is known here.
manager() {
    local name
    for name in apt-get dnf yum; do
        ! has "$name" || { echo "$name" && return; }
    done
    return 1
}

# lacking TABLE: the packages of those programs that are not there, one a line.
lacking() {
    local program debian redhat
    while read -r program debian redhat; do
        [[ -z $program ]] || has "$program" || { has apt-get && echo "$debian"; } || echo "$redhat"
    done <<<"$1" | sort -u
}

# obtain WHY PACKAGE…: installs them, saying so first; or says what stands in the way, and fails.
obtain() {
    local why=$1 manager through=''
    shift
    manager=$(manager) || {
        say "missing here: $* ($why). Found no apt-get, dnf or yum: install them with this system's package manager."
        return 1
    }
    if ((EUID != 0)); then
        through=' through sudo'
        has sudo || {
            say "missing here: $* ($why). Installing takes root, and there is no sudo. As root, run:"
            [[ $manager != apt-get ]] || say "    apt-get update"
            say "    $manager install -y $*"
            return 1
        }
    fi
    say "installing $*$through: $why"
    "install_by_$manager" "$@" </dev/null >&2 || {
        say "$manager could not install $*; its own words stand above. When that is mended, run this again."
        return 1
    }
}

install_by_apt-get() {
    # A fresh machine has no package lists, or ones so old that the files they name are gone; and it may be busy with
    # its own updates, which the lock's timeout waits for. Hundreds of lines of progress help nobody: errors are shown.
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 --no-install-recommends)
    {
        built "${apt[@]}" --simulate install "$@" 2>/dev/null || as_root "${apt[@]}" update || return
        as_root "${apt[@]}" install "$@" || { as_root "${apt[@]}" update && as_root "${apt[@]}" install "$@"; }
    } >/dev/null
}
install_by_dnf() { as_root dnf -q -y install "$@"; }
install_by_yum() { as_root yum -q -y install "$@"; }

as_root() { if ((EUID == 0)); then built "$@"; else sudo "$@"; fi; }

# --- Python -----------------------------------------------------------------------------------------------------------

# Sets `python` to one that is new enough; NETLAB_PYTHON names one that stands elsewhere.
find_python() {
    local candidates=({/usr/bin,/usr/local/bin}/python3{,.11,.12,.13,.14})
    [[ -z ${NETLAB_PYTHON:-} ]] || candidates=("$NETLAB_PYTHON")
    for python in "${candidates[@]}"; do
        [[ ! -x $python ]] || ! "$python" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' || return 0
    done
    return 1
}

can_make_venv() { "$python" -I -c 'import ensurepip, venv' 2>/dev/null; }

# The packages that Python still lacks. Debian keeps venv apart; elsewhere it comes with Python.
lacking_python() {
    local package=python3
    [[ -z ${NETLAB_PYTHON:-} ]] || return 0
    if find_python; then
        can_make_venv && return || package=${python##*/}
    elif [[ -x /usr/bin/python3 ]]; then
        package=python3.11 # the distribution's own is older
    fi
    echo "$package"
    ! has apt-get || echo "$package-venv"
}

# --- the environment --------------------------------------------------------------------------------------------------

# place NAME: sets `venv` to a folder in the checkout, or in the user's cache when the checkout is somebody else's.
place() {
    venv=$top/$1
    checkout=../../../.. # as its site-packages sees it, so that the whole may be moved
    if [[ ! -w $top || -e $venv && ! -w $venv ]] && ! fresh; then
        venv=$(readlink -m -- "${XDG_CACHE_HOME:-${HOME:?is not set}/.cache}/netlab/$1${top//\//-}")
        roots_own "$venv" "Is HOME another user's? sudo -H sets it; or set XDG_CACHE_HOME to a folder of root's."
        checkout=$top
    fi
}

# What an environment is made of; stamped on it last, so that one which was killed half-way has no stamp.
stamp() { sha256sum <"$top/$requirements" && readlink -f -- "${NETLAB_PYTHON:-$venv/bin/python}"; }

fresh() { [[ -x $venv/bin/python && -f $venv/stamp && $(<"$venv/stamp") == "$(stamp)" ]]; }

make_venv() {
    local lock site mask
    find_python && can_make_venv || die "needs Python 3.11 or later with its venv module, and did not find it in" \
        "${NETLAB_PYTHON:-/usr/bin and /usr/local/bin}. Install one, or name one: NETLAB_PYTHON=/path/to/python3 $0"
    mask=$(umask) && umask go-w
    mkdir -p -- "${venv%/*}"
    exec {lock}>"$venv.lock"
    flock -n "$lock" || { say "waiting for another run that is making $venv" && flock "$lock"; }
    if ! fresh; then
        say "making $venv with $python and the packages of $requirements (this once)"
        rm -rf -- "$venv"
        built "$python" -I -m venv -- "$venv" </dev/null >&2 || die "$python could not make $venv: see above"
        # Wheels only: a source archive would build with whatever it fetches, unpinned.
        built "$venv/bin/python" -I -m pip install -qq --disable-pip-version-check --no-input --require-hashes \
            --only-binary :all: -r "$top/$requirements" </dev/null >&2 ||
            die "pip could not install $requirements: see above. It needs the package index this once: check the" \
                "network (PIP_INDEX_URL, PIP_PROXY, PIP_CERT name a mirror, a proxy, a certificate), then run this again."
        site=$("$venv/bin/python" -I -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
        echo "$checkout" >"$site/netlab-checkout.pth" # by this, `python -I -m netlab` finds the checkout
        stamp >"$venv/stamp"
        # shellcheck disable=SC2034 # scripts/lab asks
        anew=yes
    fi
    exec {lock}>&-
    umask "$mask"
}
