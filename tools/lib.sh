# lib.sh - what ./run and ./test share; sourced, with the repository as working directory.
# shellcheck shell=sh

say() { printf '== %s\n' "$*"; }

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        die "need root to run: $* (become root or install sudo)"
    fi
}

package_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Prints the packages of the given lists that are not there yet.
packages_missing() {
    cat "$@" | while read -r package command; do
        case $package in '' | '#'*) continue ;; esac
        if [ -n "$command" ]; then
            command -v "$command" >/dev/null 2>&1 || printf '%s ' "$package"
        else
            package_installed "$package" || printf '%s ' "$package"
        fi
    done
}

# install_packages LIST...: brings in what is missing, and asks nothing when all is there.
install_packages() {
    PATH=$PATH:/usr/sbin:/sbin
    missing=$(packages_missing "$@")
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null 2>&1 \
        || die "no apt-get here; install by hand: $missing"
    say "installing $missing"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update >/dev/null
    # shellcheck disable=SC2086 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
        install --no-install-recommends $missing
}

# Fetches the pinned packages below definitions/ once; the stamp is the lock they came from.
fetch_definitions() {
    stamp=definitions/node_modules/.medulla-lock
    if [ -f "$stamp" ] && cmp -s "$stamp" definitions/package-lock.json; then
        return 0
    fi
    say "fetching the pinned definitions"
    # Into a folder of its own first, so that an interrupted fetch leaves nothing half done.
    rm -rf definitions/.fetch
    mkdir definitions/.fetch
    cp definitions/package.json definitions/package-lock.json definitions/.npmrc \
        definitions/.fetch/
    (cd definitions/.fetch && npm ci --ignore-scripts --no-audit --no-fund) \
        || die "npm could not fetch the definitions (see above)"
    cp definitions/package-lock.json definitions/.fetch/node_modules/.medulla-lock
    rm -rf definitions/node_modules
    mv definitions/.fetch/node_modules definitions/node_modules
    rm -rf definitions/.fetch
}

# build_in DIR [MESON OPTION...]: configures DIR if it is new or was given other options, and
# builds it, or only $build_target of it. Without options an existing DIR stays as it is.
build_in() {
    dir=$1
    shift
    if [ ! -f "$dir/build.ninja" ]; then
        rm -rf "$dir"
        meson setup "$dir" "$@" || return 1
    elif [ $# -gt 0 ] && [ "$(cat "$dir/.options" 2>/dev/null)" != "$*" ]; then
        meson configure "$dir" "$@" || return 1
    fi
    [ $# = 0 ] || echo "$*" >"$dir/.options"
    # shellcheck disable=SC2086 # a word or none
    ninja -C "$dir" ${build_target-}
}
