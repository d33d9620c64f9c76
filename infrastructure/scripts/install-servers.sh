#!/usr/bin/env bash
# Installs the servers that tests and `distributed.sh` start privately: NATS, PostgreSQL and Redis,
# from Debian's packages, when they are missing. Does nothing when all are there.
set -euo pipefail

has() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" >/dev/null; }
has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

missing=()
has nats-server || missing+=(nats-server)
has redis-server || missing+=(redis-server)
has_postgres || missing+=(postgresql)
((${#missing[@]} > 0)) || exit 0

echo "installing ${missing[*]} (Debian packages; started privately, never as system services)"
as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
    echo "only root may install them; run: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo -n)
fi
if ! command -v apt-get >/dev/null; then
  echo "there is no apt-get here; install them by hand: ${missing[*]}" >&2
  exit 1
fi
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}" </dev/null
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The package lists of a fresh machine are empty.
if ! install >"$log" 2>&1 && ! { "${as_root[@]}" apt-get update && install; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "apt-get could not install ${missing[*]}" >&2
  exit 1
fi
