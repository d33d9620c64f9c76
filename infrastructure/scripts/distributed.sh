#!/usr/bin/env bash
# Runs Ploy as separate processes on this machine: the built-in exchange and the five services over
# private NATS (JetStream), PostgreSQL and Redis servers, all on the loopback interface.
#
#   distributed.sh up                start what does not run yet, wait until everything is ready
#   distributed.sh down              stop exactly what was started, what needs others first
#   distributed.sh status            what runs, where, and whether it is ready (exit 3: not all)
#   distributed.sh logs SERVICE      the end of its log; follows it on a terminal
#   distributed.sh restart SERVICE   stop it in order (or find it dead) and start it
#   distributed.sh kill SERVICE      SIGKILL, as a crash would; it stays dead until restarted
#   distributed.sh clean             down, and remove its data
#
# SERVICE: nats postgres redis exchange ingestion execution risk strategy gateway
#
# Environment (all optional):
#   PLOY_DISTRIBUTED_DIR    data, logs, PID files, secrets   (default: .ploy/distributed)
#   PLOY_BIN_DIR            directory of the ploy-* binaries (default: built with --profile staging)
#   PLOY_GATEWAY_PORT       port of the gateway              (default: 8080; 0 takes any free one)
#   PLOY_EXCHANGE_SEED      seed of the generated market     (default: 1)
#   PLOY_START_TIMEOUT      seconds until everything is ready (default: 90)
#   any other PLOY_*        configuration keys, given to every service: PLOY_LOG__FILTER=debug
#
# In the directory afterwards:
#   ploy.toml               the configuration of all services
#   exchange.json           the configuration of the exchange
#   addresses               shell variables: GATEWAY_PORT, EXCHANGE_PORT, NATS_URL, STORE_URL, …
#   token                   the bearer token of the gateway
#   run/SERVICE.pid         process id and start time
#   logs/SERVICE.log        one JSON object a line for the services
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$scripts/../.." && pwd)
dir=${PLOY_DISTRIBUTED_DIR:-$root/.ploy/distributed}
bin_dir=${PLOY_BIN_DIR:-}
gateway_port_wanted=${PLOY_GATEWAY_PORT:-8080}
exchange_seed=${PLOY_EXCHANGE_SEED:-1}
start_timeout=${PLOY_START_TIMEOUT:-90}
# The services would take them for keys of their configuration.
unset PLOY_DISTRIBUTED_DIR PLOY_BIN_DIR PLOY_GATEWAY_PORT PLOY_EXCHANGE_SEED PLOY_START_TIMEOUT PLOY_CONFIG

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
run_dir=$dir/run
log_dir=$dir/logs
# shellcheck source=infrastructure/scripts/lib/processes.sh
. "$scripts/lib/processes.sh"
# shellcheck source=infrastructure/scripts/lib/configuration.sh
. "$scripts/lib/configuration.sh"

servers=(nats postgres redis)
services=(ingestion execution risk strategy gateway)
# In the order of starting; stopped from the end, so that nobody loses what it needs to settle.
all=("${servers[@]}" exchange "${services[@]}")
# A service drains for 20 s at most and sends its telemetry for 5 s.
grace=27

as_postgres=()
if ((EUID == 0)); then
  as_postgres=(setpriv --reuid postgres --regid postgres --clear-groups --)
fi

# --- the processes ------------------------------------------------------------------------------

find_program() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1"; }

postgres_program() {
  local folder
  folder=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -t/ -k5 -n | tail -n 1)
  printf '%s/%s' "$folder" "$1"
}

# Its files, where its user can reach them: below a private home directory it cannot.
postgres_home() {
  local home=$dir/data/postgres
  if ((EUID == 0)) && ! "${as_postgres[@]}" test -x "$dir"; then
    home=/var/tmp/ploy-distributed-$(cksum <<<"$dir" | cut -d' ' -f1)
  fi
  printf '%s' "$home"
}

create_cluster() {
  local home=$1
  [[ ! -f $home/cluster/PG_VERSION ]] || return 0
  mkdir -p "$home"
  secret postgres 32 >"$home/password"
  chmod 600 "$home/password"
  ((EUID != 0)) || chown -R postgres: "$home"
  (cd / && "${as_postgres[@]}" "$(postgres_program initdb)" -D "$home/cluster" -U ploy \
    --auth=scram-sha-256 --pwfile="$home/password" --encoding=UTF8 --locale=C) \
    >>"$log_dir/postgres.log" 2>&1 || {
    last_words postgres
    die "initdb failed"
  }
  rm -f "$home/password"
}

create_database() {
  local sql=(env "PGPASSWORD=$(secret postgres 32)" "$(postgres_program psql)" -X -q -h 127.0.0.1
    -p "$POSTGRES_PORT" -U ploy -d postgres -At -c)
  [[ $("${sql[@]}" "SELECT 1 FROM pg_database WHERE datname = 'ploy'") == 1 ]] ||
    "${sql[@]}" 'CREATE DATABASE ploy'
}

launch_postgres() {
  local home
  home=$(postgres_home)
  create_cluster "$home"
  cd /
  launch postgres "${as_postgres[@]}" "$(postgres_program postgres)" -D "$home/cluster" \
    -p "$POSTGRES_PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c shared_buffers=64MB -c max_connections=200
}

begin() {
  case $1 in
    nats) launch nats "$(find_program nats-server)" -c "$dir/nats.conf" ;;
    redis) launch redis "$(find_program redis-server)" "$dir/redis.conf" ;;
    postgres) launch_postgres ;;
    exchange) launch exchange "$bin_dir/ploy-exchange" --log json --config "$dir/exchange.json" ;;
    *) launch "$1" "$bin_dir/ploy-$1" --config "$dir/ploy.toml" ;;
  esac
}

is_ready() {
  local variable
  case $1 in
    nats) is_open "$NATS_PORT" ;;
    redis) is_open "$REDIS_PORT" ;;
    postgres) "$(postgres_program pg_isready)" -q -h 127.0.0.1 -p "$POSTGRES_PORT" ;;
    exchange) answers "$EXCHANGE_PORT" /api/v3/ping ;;
    gateway) answers "$GATEWAY_PORT" /health/ready ;;
    *)
      variable=${1^^}_OPS_PORT
      answers "${!variable}" /health/ready
      ;;
  esac
}

# Whether there is nothing left to wait for.
settled() { is_ready "$1" || ! is_running "$1"; }

await_ready() {
  local name=$1 left=$((deadline - SECONDS))
  if ! await "$((left > 0 ? left : 0))" settled "$name"; then
    last_words "$name"
    die "$name is not ready after $start_timeout s (PLOY_START_TIMEOUT)"
  fi
  is_running "$name" || {
    last_words "$name"
    die "$name has ended"
  }
}

# A server that was killed may still be holding on to what it shared for a moment.
start_postgres() {
  local attempt
  for attempt in 1 2 3; do
    begin postgres
    await 10 settled postgres || true
    ! is_running postgres || break
    ((attempt == 3)) || sleep 1
  done
  await_ready postgres
  create_database
}

# start NAME: starts it if it does not run. Services are waited for by whoever starts them all.
start() {
  ! is_running "$1" || return 0
  case $1 in
    postgres) start_postgres ;;
    nats | redis | exchange)
      begin "$1"
      await_ready "$1"
      ;;
    *) begin "$1" ;;
  esac
}

halt() {
  case $1 in
    # SIGINT ends its sessions and then the server; SIGTERM would wait for the sessions.
    postgres) stop "$1" INT "$grace" ;;
    *) stop "$1" TERM "$grace" ;;
  esac
}

# --- the commands -------------------------------------------------------------------------------

build() {
  local profile=staging packages=(-p ploy-exchange-server) service
  [[ -z $bin_dir ]] || return 0
  for service in "${services[@]}"; do packages+=(-p "ploy-$service"); done
  say "building (cargo build --profile $profile)"
  (cd "$root" && cargo build --quiet --locked --profile "$profile" "${packages[@]}" --bins)
  bin_dir=${CARGO_TARGET_DIR:-$root/target}/$profile
}

prepare() {
  umask 077
  mkdir -p "$run_dir" "$log_dir" "$dir/secrets" "$dir/data/nats"
  # The database's user has to get through to its own files.
  chmod 711 "$dir" "$dir/data"
  "$scripts/install-packages.sh" nats-server postgresql redis-server
  build
  local name program
  for name in exchange "${services[@]}"; do
    program=$bin_dir/ploy-$name
    [[ -x $program ]] || die "$program is missing (PLOY_BIN_DIR)"
  done
  choose_addresses
  write_configuration
}

up() {
  local name
  prepare
  deadline=$((SECONDS + start_timeout))
  for name in "${all[@]}"; do start "$name"; done
  for name in "${services[@]}"; do await_ready "$name"; done
  announce
}

announce() {
  cat <<TEXT
Ploy is up, as separate processes.
  mode       dev
  API        http://127.0.0.1:$GATEWAY_PORT/api/v1
  health     http://127.0.0.1:$GATEWAY_PORT/health
  metrics    http://127.0.0.1:$GATEWAY_PORT/metrics
  exchange   http://127.0.0.1:$EXCHANGE_PORT (Binance-compatible)
  token      $dir/token (for orders, cancels and kill)
  data       $dir
  logs       $log_dir/SERVICE.log
Stop it with: $0 down
TEXT
}

down() {
  local i
  for ((i = ${#all[@]} - 1; i >= 0; i--)); do
    if is_running "${all[i]}"; then
      halt "${all[i]}"
      say "stopped ${all[i]}"
    else
      rm -f "$run_dir/${all[i]}.pid"
    fi
  done
}

# where NAME: the address that matters to its callers.
where() {
  local variable=${1^^}_PORT
  printf '127.0.0.1:%s' "${!variable:-?}"
}

status() {
  local name pid state ready code=0
  load_addresses
  printf '%-10s %-8s %-8s %-6s %s\n' SERVICE PID STATE READY ADDRESS
  for name in "${all[@]}"; do
    pid=- state=stopped ready=no
    if pid=$(pid_of "$name"); then
      state=running
      ! is_ready "$name" || ready=yes
    elif [[ -f $run_dir/$name.pid ]]; then
      pid=- state=dead
    else
      pid=-
    fi
    [[ $ready == yes ]] || code=3
    printf '%-10s %-8s %-8s %-6s %s\n' "$name" "$pid" "$state" "$ready" "$(where "$name")"
  done
  return "$code"
}

logs() {
  [[ -f $log_dir/$1.log ]] || die "$1 has no log yet"
  if [[ -t 1 ]]; then
    tail -n 100 -f "$log_dir/$1.log"
  else
    tail -n 200 "$log_dir/$1.log"
  fi
}

restart() {
  load_addresses
  [[ -f $dir/ploy.toml ]] || die "nothing was started in $dir yet; run: $0 up"
  umask 077
  bin_dir=${bin_dir:-$BIN_DIR}
  deadline=$((SECONDS + start_timeout))
  halt "$1"
  start "$1"
  await_ready "$1"
  say "restarted $1 (process $(pid_of "$1"))"
}

crash() {
  local pid
  pid=$(pid_of "$1") || die "$1 does not run"
  kill -KILL "$pid"
  await 10 gone "$1" || die "$1 (process $pid) cannot be killed"
  say "killed $1 (process $pid)"
}

clean() {
  down
  local home
  home=$(postgres_home)
  rm -rf "${home:?}" "${dir:?}"
}

named() {
  local name
  for name in "${all[@]}"; do [[ $name != "${1:-}" ]] || return 0; done
  die "'${1:-}' is no service; expected one of: ${all[*]}"
}

# One change at a time.
exclusively() {
  exec 9>"$dir/lock"
  flock -w 120 9 || die "another run of this script holds $dir/lock"
}

usage() { sed -n '2,/^set -euo/{/^set -euo/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }

case ${1:-} in
  up | down | clean)
    exclusively
    "$1"
    ;;
  restart)
    named "${2:-}"
    exclusively
    restart "$2"
    ;;
  kill)
    named "${2:-}"
    exclusively
    crash "$2"
    ;;
  status) status ;;
  logs)
    named "${2:-}"
    logs "$2"
    ;;
  help | --help | -h) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
