#!/usr/bin/env bash
# Installs the Debian packages named, when what they bring is missing; does nothing otherwise.
#
#   install-packages.sh [gcc] [nats-server] [postgresql] [redis-server] [shellcheck]
#
# The servers are for tests and `distributed.sh`, which start private ones of their own.
set -euo pipefail

has() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" >/dev/null; }

is_there() {
  case $1 in
    gcc) has cc ;;
    postgresql) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ;;
    *) has "$1" ;;
  esac
}

missing=()
for package in "$@"; do
  is_there "$package" || missing+=("$package")
  # The compiler alone cannot link.
  [[ $package != gcc ]] || is_there gcc || missing+=(libc6-dev)
done
((${#missing[@]} > 0)) || exit 0

echo "installing Debian packages: ${missing[*]}"
as_root=()
if ((EUID != 0)); then
  if ! has sudo || ! sudo -n true 2>/dev/null; then
    echo "only root may install them; run: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo -n)
fi
if ! has apt-get; then
  echo "there is no apt-get here; install them by hand: ${missing[*]}" >&2
  exit 1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}" </dev/null >>"$log" 2>&1
}
update() { "${as_root[@]}" apt-get update </dev/null >>"$log" 2>&1; }
# The package lists of a fresh machine are empty.
if ! install && ! { update && install; }; then
  tail -n 20 "$log" >&2
  echo "apt-get could not install ${missing[*]}" >&2
  exit 1
fi
