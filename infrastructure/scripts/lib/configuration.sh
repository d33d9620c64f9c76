# shellcheck shell=bash
# The files of a distributed run: secrets that are made once, addresses that are kept from run to
# run, and the configuration of every process.
#
# Expects `dir`, `bin_dir`, `gateway_port_wanted`, `exchange_seed` and lib/processes.sh.
: "${dir:?}" "${gateway_port_wanted:?}" "${exchange_seed:?}" "${bin_dir=}"

secret() {
  local file=$dir/secrets/$1
  [[ -s $file ]] || random_text "$2" >"$file"
  cat "$file"
}

# keep NAME VALUE: remembers an address for later runs.
keep() { printf '%s=%q\n' "$1" "$2" >>"$dir/addresses.new"; }

# port NAME SERVICE FROM: the port of the last run unless somebody else has it now.
port() {
  local name=$1 service=$2 from=$3 chosen=${!1:-}
  if [[ -z $chosen ]] || { ! is_running "$service" && is_open "$chosen"; }; then
    chosen=$(free_port "$from")
  fi
  keep "$name" "$chosen"
  printf -v "$name" '%s' "$chosen"
}

load_addresses() {
  # shellcheck source=/dev/null
  [[ ! -f $dir/addresses ]] || . "$dir/addresses"
}

choose_addresses() {
  load_addresses
  : >"$dir/addresses.new"
  port NATS_PORT nats 15222
  port POSTGRES_PORT postgres 15432
  port REDIS_PORT redis 16379
  port EXCHANGE_PORT exchange 18090
  port INGESTION_PORT ingestion 19101
  port STRATEGY_PORT strategy 19111
  port RISK_PORT risk 19121
  port EXECUTION_PORT execution 19131
  port INGESTION_OPS_PORT ingestion 19201
  port STRATEGY_OPS_PORT strategy 19211
  port RISK_OPS_PORT risk 19221
  port EXECUTION_OPS_PORT execution 19231
  if ! is_running gateway; then
    if [[ $gateway_port_wanted == 0 ]]; then
      GATEWAY_PORT=$(free_port 18080)
    elif is_open "$gateway_port_wanted"; then
      die "port $gateway_port_wanted is taken; choose another one with PLOY_GATEWAY_PORT"
    else
      GATEWAY_PORT=$gateway_port_wanted
    fi
  fi
  NATS_URL=nats://ploy:$(secret nats 32)@127.0.0.1:$NATS_PORT
  STORE_URL=postgres://ploy:$(secret postgres 32)@127.0.0.1:$POSTGRES_PORT/ploy
  CACHE_URL=redis://:$(secret redis 32)@127.0.0.1:$REDIS_PORT/
  local name
  keep BIN_DIR "$bin_dir"
  for name in GATEWAY_PORT NATS_URL STORE_URL CACHE_URL; do
    keep "$name" "${!name}"
  done
  mv "$dir/addresses.new" "$dir/addresses"
}

write_configuration() {
  [[ -s $dir/token ]] || random_text 40 >"$dir/token"
  secret exchange 48 >/dev/null
  cat >"$dir/ploy.toml" <<TOML
# Written by distributed.sh for all services.
mode = "dev"
data_dir = "$dir/data"
[bus]
url = "$NATS_URL"
[store]
url = "$STORE_URL"
[cache]
url = "$CACHE_URL"
[venue]
url = "http://127.0.0.1:$EXCHANGE_PORT"
[ingestion]
listen = "127.0.0.1:$INGESTION_PORT"
ops_listen = "127.0.0.1:$INGESTION_OPS_PORT"
[strategy]
listen = "127.0.0.1:$STRATEGY_PORT"
ops_listen = "127.0.0.1:$STRATEGY_OPS_PORT"
execution = "http://127.0.0.1:$EXECUTION_PORT"
ingestion = "http://127.0.0.1:$INGESTION_PORT"
[risk]
listen = "127.0.0.1:$RISK_PORT"
ops_listen = "127.0.0.1:$RISK_OPS_PORT"
execution = "http://127.0.0.1:$EXECUTION_PORT"
ingestion = "http://127.0.0.1:$INGESTION_PORT"
[execution]
listen = "127.0.0.1:$EXECUTION_PORT"
ops_listen = "127.0.0.1:$EXECUTION_OPS_PORT"
risk = "http://127.0.0.1:$RISK_PORT"
api_key = "ploy-dev-key"
api_secret_file = "$dir/secrets/exchange"
[gateway]
listen = "127.0.0.1:$GATEWAY_PORT"
token_file = "$dir/token"
reads_open = true
execution = "http://127.0.0.1:$EXECUTION_PORT"
risk = "http://127.0.0.1:$RISK_PORT"
strategy = "http://127.0.0.1:$STRATEGY_PORT"
ingestion = "http://127.0.0.1:$INGESTION_PORT"
TOML
  cat >"$dir/exchange.json" <<JSON
{
  "listen": "127.0.0.1:$EXCHANGE_PORT",
  "data_dir": "$dir/data/exchange",
  "seed": $exchange_seed,
  "accounts": [{
    "name": "main",
    "api_key": "ploy-dev-key",
    "secret": "$(secret exchange 48)",
    "balances": { "USDT": "100000", "BTC": "1", "ETH": "10", "SOL": "100" }
  }]
}
JSON
  cat >"$dir/nats.conf" <<CONF
listen: "127.0.0.1:$NATS_PORT"
jetstream { store_dir: "$dir/data/nats" }
authorization { user: ploy, password: "$(secret nats 32)" }
CONF
  cat >"$dir/redis.conf" <<CONF
bind 127.0.0.1
port $REDIS_PORT
requirepass $(secret redis 32)
save ""
appendonly no
dir "$dir/data"
CONF
}
