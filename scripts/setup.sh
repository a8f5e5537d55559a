# Sourced by the other scripts: installs what is missing, on Debian and Ubuntu, and says so.

build_packages="g++ cmake ninja-build pkg-config libcpp-httplib-dev libcli11-dev nlohmann-json3-dev libsqlite3-dev
 libcurl4-openssl-dev libsimdjson-dev libtomlplusplus-dev libssl-dev zlib1g-dev libbrotli-dev libhowardhinnant-date-dev tzdata curl"
test_packages="doctest-dev clang lld libclang-rt-dev nghttp2-proxy openssl python3-minimal"
npm_packages="nodejs npm"

missing_packages() {
  for package in $1; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$package"
  done
}

install_packages() {
  missing=$(missing_packages "$1")
  [ -z "$missing" ] && return 0
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "Please install what these Debian packages hold: $missing" >&2
    exit 1
  fi
  echo "installing: $missing"
  as_root=""
  [ "$(id -u)" = 0 ] || as_root="sudo"
  $as_root apt-get update -qq
  # No service that comes with a package is started: a test starts what it needs itself.
  $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

need_build_tools() { install_packages "$build_packages"; }
need_test_tools() { install_packages "$build_packages $test_packages"; }

# Node 18 or newer: as it is, or Debian's.
need_npm() {
  if command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1; then return 0; fi
  install_packages "$npm_packages"
}
