#!/bin/bash -p
# Makes a CentOS 7 guest the tutorial's machine, and builds the lab on its own network.
#   provision.sh            every part, in order; run again, it changes nothing
#   provision.sh PART…      only those
# (-p: neither BASH_ENV nor functions of the caller's environment come in. The guest's bash is 4.2: there, with
# `set -u`, an array with nothing in it counts as unset.)

set -euo pipefail
umask 022
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
unset IFS CDPATH GLOBIGNORE

self=$(readlink -f -- "$0") # not BASH_SOURCE, which bash takes from the caller's environment
top=${self%/scripts/vagrant/*}

readonly PARTS=(set_archive install_packages install_uv install_python install_netlab link_command stop_firewall
    apply_lab prove_lab check_card)

# The tutorial's tools, and a python3 (3.6, the post's own) that serves the containers' pages.
readonly PACKAGES=(iproute iptables iputils tcpdump bridge-utils net-tools curl python3)

readonly FOLDER=/opt/netlab # root's; every user may read it
readonly VENV=$FOLDER/venv
readonly CARD=eth1 ADDRESS=192.168.0.10/24 # as the Vagrantfile has it: where the client comes in

say() { printf 'netlab: %s\n' "$*" >&2; }

die() {
    say "$@"
    exit 5 # as netlab itself: something is missing on this machine
}

# --- where things come from -------------------------------------------------------------------------------------------

# Exports each name of sources.env: as the environment has it, or else as that file has it; and not at all if empty.
read_sources() {
    local line name value
    while read -r line; do
        [[ $line == [A-Z]*=* ]] || continue
        name=${line%%=*}
        value=${!name:-${line#*=}}
        if [[ -n $value ]]; then export "$name=$value"; else unset "$name"; fi
    done <"${self%/*}/sources.env"
    readonly UV=$FOLDER/uv-${NETLAB_UV_SHA256:0:16}
    # uv keeps to this folder, whatever root's own uv is told.
    export UV_NO_CONFIG=1 UV_NO_CACHE=1 UV_PYTHON_INSTALL_DIR=$FOLDER/python
}

# no_answer WHAT NAME: WHAT could not be had from where NAME says.
no_answer() {
    say "could not fetch $1${!2:+ from ${!2}}: the reason stands above."
    say "Has this machine a way out, and is that place still there? (curl -I ADDRESS tells.) To take it from elsewhere:"
    say "    $2=… vagrant provision netlab"
    die "scripts/vagrant/sources.env lists all that can be named so."
}

# --- the parts --------------------------------------------------------------------------------------------------------

# Points yum at the archive, and only there.
set_archive() {
    local file=/etc/yum.repos.d/CentOS-Base.repo wanted
    grep -qs 'release 7' /etc/centos-release || die "this is no CentOS 7: nothing here is for its package manager"
    wanted=$(repositories)
    [[ ! -f $file || $(<"$file") != "$wanted" ]] || return 0
    say "yum: CentOS 7's packages now come from $NETLAB_CENTOS_ARCHIVE ($file; what was there is kept beside it)"
    [[ ! -f $file || -e $file.before-netlab ]] || cp -p -- "$file" "$file.before-netlab"
    printf '%s\n' "$wanted" >"$file.new"
    mv -f -- "$file.new" "$file"
}

repositories() {
    local name folder
    echo "# written by netlab's scripts/vagrant/provision.sh"
    while read -r name folder; do
        # shellcheck disable=SC2016 # $basearch is yum's
        printf '[%s]\nname=CentOS 7.9.2009 - %s\nbaseurl=%s/%s/$basearch/\n' "$name" "$name" \
            "$NETLAB_CENTOS_ARCHIVE" "$folder"
        printf 'enabled=1\ngpgcheck=1\ngpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-CentOS-7\n'
    done <<<$'base os\nupdates updates\nextras extras'
}

install_packages() {
    rpm -q "${PACKAGES[@]}" &>/dev/null && return
    say "yum: installing ${PACKAGES[*]}"
    # Only the archive: a box may bring other repositories, and one that is gone would stop yum.
    yum -y -q --disablerepo='*' --enablerepo=base --enablerepo=updates --enablerepo=extras --setopt=timeout=30 \
        install "${PACKAGES[@]}" </dev/null >&2 || no_answer "CentOS 7's packages" NETLAB_CENTOS_ARCHIVE
    rpm -q "${PACKAGES[@]}" >&2 || die "yum was content, and these packages are not all there: see above"
}

install_uv() {
    [[ ! -x $UV ]] || return 0
    say "fetching uv"
    make_work
    curl -fsSL --connect-timeout 30 --retry 3 -o "$work/archive" -- "$NETLAB_UV_URL" || no_answer uv NETLAB_UV_URL
    echo "$NETLAB_UV_SHA256  $work/archive" | sha256sum -c --status - ||
        die "what $NETLAB_UV_URL gave has the sha256 $(sha256sum <"$work/archive"), and NETLAB_UV_SHA256 says" \
            "$NETLAB_UV_SHA256: nothing of it was run. Another release needs both names set."
    tar -xzf "$work/archive" -C "$work" --no-same-owner --strip-components=1
    rm -f -- "$FOLDER"/uv-* # an older one
    mv -f -- "$work/uv" "$UV"
}

install_python() {
    local made=$VENV/made-of
    [[ ! -f $made || $(<"$made") != "$NETLAB_GUEST_PYTHON" ]] || return 0
    "$UV" python find -q "$NETLAB_GUEST_PYTHON" &>/dev/null || {
        say "fetching Python $NETLAB_GUEST_PYTHON for netlab"
        "$UV" python install --no-bin -q "$NETLAB_GUEST_PYTHON" ||
            no_answer "Python $NETLAB_GUEST_PYTHON" UV_PYTHON_INSTALL_MIRROR
    }
    say "making $VENV"
    "$UV" venv -q --clear --python "$NETLAB_GUEST_PYTHON" -- "$VENV"
    echo "$NETLAB_GUEST_PYTHON" >"$made"
}

# Not from the synced folder itself: a user may write there, and root runs what this installs.
install_netlab() {
    local made=$VENV/netlab-made-of digest
    digest=$(cd -- "$top" && find netlab steps scripts requirements pyproject.toml README.md LICENSE -type f \
        ! -path '*/__pycache__/*' -print0 | sort -z | xargs -0 sha256sum | sha256sum)
    [[ ! -f $made || $(<"$made") != "$digest" ]] || return 0
    say "installing netlab from $top, and what requirements/run.txt pins"
    make_work
    "$UV" pip sync -q --python "$VENV" --require-hashes --only-binary :all: "$top/requirements/run.txt" ||
        no_answer "netlab's packages" UV_DEFAULT_INDEX
    "$UV" build -q --wheel --python "$VENV" --require-hashes --build-constraints "$top/requirements/build.txt" \
        --out-dir "$work" "$top" || no_answer "what builds netlab" UV_DEFAULT_INDEX
    "$UV" pip install -q --python "$VENV" --no-deps --offline "$work"/*.whl
    echo "$digest" >"$made"
}

# In /usr/bin: sudo's path here has no /usr/local/bin.
link_command() {
    local link=/usr/bin/netlab
    [[ ! -L $link || $(readlink -- "$link") != "$VENV/bin/netlab" ]] || return 0
    [[ ! -e $link ]] || die "$link is there, and is not this netlab's: move it away, then run this again"
    say "$link leads to $VENV/bin/netlab"
    ln -sfn -- "$VENV/bin/netlab" "$link"
}

# In this guest nothing needs it, and its rules come before ours: it refuses what is passed on, and a reload wipes ours.
stop_firewall() {
    systemctl is-enabled --quiet firewalld 2>/dev/null || systemctl is-active --quiet firewalld || {
        say "firewalld does not run here: nothing to stop"
        return 0
    }
    say "STOPPING AND DISABLING firewalld in this guest: it would refuse what the lab passes on"
    systemctl stop firewalld
    systemctl disable firewalld
}

apply_lab() { netlab --host apply; }

prove_lab() {
    netlab --host prove
    netlab --host status --exit-code # 3 where one of the eleven steps is not done
}

# The containers have an eth1 each, too. This one is a real card, and must have stayed where it was.
check_card() {
    local addresses
    [[ -e /sys/class/net/$CARD/device ]] || die "$CARD is no card of this machine any more"
    addresses=$(ip -4 -o addr show dev "$CARD")
    [[ $addresses == *" $ADDRESS "* ]] || die "$CARD has not $ADDRESS: ${addresses:-no address at all}"
    say "$CARD is still this machine's, with $ADDRESS"
}

# --------------------------------------------------------------------------------------------------------------------

# Sets `work` to a folder that is gone at the end.
make_work() {
    mkdir -p -- "$FOLDER"
    [[ -n ${work:-} ]] || work=$(mktemp -d -- "$FOLDER/work.XXXXXX")
    trap 'rm -rf -- "$work"' EXIT
}

((EUID == 0)) || die "only root can do this: sudo $0 $*"
(($# > 0)) || set -- "${PARTS[@]}"
for part; do
    [[ " ${PARTS[*]} " == *" $part "* ]] || die "there is no part $part. The parts are: ${PARTS[*]}"
done
read_sources
for part; do
    "$part"
done
