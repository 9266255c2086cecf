# Shared by ./demo, ./test and scripts/tidy: says what it does, installs what is missing, builds. Sourced, not run.
# shellcheck shell=bash

set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
export SYMBOLON_ROOT=$root

say() { printf '\n\033[1m==> %s\033[0m  (%d s)\n' "$*" "$SECONDS"; }
sorry() {
    printf '\nsymbolon: %s\n' "$*" >&2
    exit 1
}
trap 'printf "\nsymbolon: stopped in line %s of %s: %s\n" "$LINENO" "${BASH_SOURCE[0]##*/}" "$BASH_COMMAND" >&2' ERR

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@" || sorry "'$1' needs root or sudo without a password"; fi
}

jobs=$(nproc)

# Debian packages that are not there yet (scripts/packages.txt).
install_packages() {
    [ -r /etc/debian_version ] || sorry "this machine runs no Debian; Symbolon is built on Debian 12"
    local missing=() name
    while read -r name; do
        case $name in
            '' | '#'*) continue ;;
            nodejs | npm) command -v npm >/dev/null && continue ;;
        esac
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
    done <scripts/packages.txt
    [ ${#missing[@]} = 0 ] && return
    say "Installing ${#missing[@]} Debian packages: ${missing[*]}"
    local log
    log=$(mktemp)
    as_root apt-get update -q >"$log" 2>&1 || { tail -n 5 "$log" >&2; sorry "apt-get update failed: is the Debian registry reachable?"; }
    # Services of these packages are run by our own tests, each in a place of its own: none is started here.
    printf '#!/bin/sh\nexit 101\n' >"$log.policy"
    local policy=/usr/sbin/policy-rc.d had_policy=yes
    [ -e $policy ] || { had_policy=no; as_root install -m 755 "$log.policy" $policy; }
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >"$log" 2>&1 || {
        [ $had_policy = yes ] || as_root rm -f $policy
        tail -n 20 "$log" >&2
        sorry "apt-get install failed"
    }
    [ $had_policy = yes ] || as_root rm -f $policy
    rm -f "$log" "$log.policy"
}

# The npm packages of a folder, as its lock file names them.
npm_packages() {
    local folder=$1
    local stamp=$folder/node_modules/.symbolon-stamp
    if [ -e "$stamp" ] && cmp -s "$folder/package-lock.json" "$stamp"; then return; fi
    say "Fetching the npm packages of $folder"
    (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error) || sorry "npm ci failed in $folder"
    cp "$folder/package-lock.json" "$stamp"
}

# Node 22, from the npm package of that name: Debian's is older.
node22() {
    local binary=$root/web/node_modules/node/bin/node
    [ -x "$binary" ] || binary=$root/web/node_modules/.bin/node
    [ -x "$binary" ] || sorry "the npm package 'node' is not in web/node_modules"
    printf '%s' "$binary"
}

build_web() {
    npm_packages web
    npm_packages .
    PATH="$(dirname "$(node22)"):$PATH"
    export PATH
    say "Building the pages and the phone app"
    (cd web && npm run --silent build) || sorry "the pages did not build"
}

# build_programs FOLDER CMAKE-OPTION… : configures and builds everything in build/FOLDER.
build_programs() {
    local folder=build/$1
    shift
    say "Building in $folder"
    cmake -S . -B "$folder" -G Ninja -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_C_COMPILER=clang-19 "$@" >"$folder.log" 2>&1 ||
        { cat "$folder.log" >&2; sorry "cmake failed"; }
    # shellcheck disable=SC2086 # `targets` is a list; empty: all
    ninja -C "$folder" -j "$jobs" ${targets:-} || sorry "the programs did not build"
}
