# shellcheck shell=bash
# Processes that a script starts, finds again in a later run, and stops: exactly those and no others.
#
# Expects `run_dir` (one PID file per process) and `log_dir`. A PID file holds the process id and the
# moment of its start in the kernel's ticks, so that a number that the system gave to somebody else
# in the meantime is never taken for ours.
: "${run_dir:?}" "${log_dir:?}"

say() { printf '%s\n' "$*"; }
complain() { printf '%s\n' "$*" >&2; }
die() {
  complain "$(basename "$0"): $*"
  exit 1
}

# start_ticks PID: when the process was started, empty when there is none.
start_ticks() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  # The second field is a name in parentheses that may hold anything.
  stat=${stat##*) }
  # A process that has ended and was not fetched yet is none.
  [[ $stat != Z* ]] || return 0
  awk '{ print $20 }' <<<"$stat"
}

# pid_of NAME: its process id when it runs, else empty and not 0.
pid_of() {
  local pid ticks
  [[ -f $run_dir/$1.pid ]] || return 1
  read -r pid ticks <"$run_dir/$1.pid" || return 1
  [[ -n ${ticks:-} && $(start_ticks "$pid") == "$ticks" ]] || return 1
  printf '%s' "$pid"
}

is_running() { pid_of "$1" >/dev/null; }

# launch NAME COMMAND…: starts it detached, with its output in the log.
launch() {
  local name=$1 pid ticks
  shift
  # Without the lock of this script: it would be held for as long as the process lives.
  setsid "$@" </dev/null >>"$log_dir/$name.log" 2>&1 9>&- &
  pid=$!
  ticks=$(start_ticks "$pid")
  printf '%s %s\n' "$pid" "${ticks:-0}" >"$run_dir/$name.pid"
}

# stop NAME SIGNAL SECONDS: asks it to end, and kills it when it does not in time.
stop() {
  local name=$1 signal=$2 grace=$3 pid deadline
  if pid=$(pid_of "$name"); then
    kill "-$signal" "$pid" 2>/dev/null || true
    deadline=$((SECONDS + grace))
    while is_running "$name"; do
      if ((SECONDS >= deadline)); then
        complain "$name did not end within $grace s; killing it"
        kill -KILL "$pid" 2>/dev/null || true
        await 10 gone "$name" || die "$name (process $pid) cannot be killed"
      fi
      sleep 0.05
    done
  fi
  rm -f "$run_dir/$name.pid"
}

gone() { ! is_running "$1"; }

# await SECONDS CONDITION…: whether the condition comes true in time.
await() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

# last_words NAME: the end of its log, for an error message.
last_words() {
  complain "--- the end of $log_dir/$1.log"
  tail -n 15 "$log_dir/$1.log" >&2 || true
}

# is_open PORT: whether somebody listens there.
is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# answers PORT PATH: whether a GET is answered with 200.
answers() {
  local status
  status=$(
    exec 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$1" || exit 0
    printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$2" >&3
    read -r -t 3 _ status _ <&3
    printf '%s' "${status:-}"
  ) || true
  [[ $status == 200 ]]
}

# free_port FROM: the first port from there on that nobody listens on, below those that the kernel
# gives to outgoing connections.
free_port() {
  local port
  for ((port = $1; port < 32000; port++)); do
    is_open "$port" || {
      printf '%s' "$port"
      return
    }
  done
  die "no free port from $1 on"
}

# random_text LENGTH: that many characters nobody can guess.
random_text() {
  local text
  text=$(head -c $(($1 * 8)) /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9')
  printf '%s' "${text:0:$1}"
}
