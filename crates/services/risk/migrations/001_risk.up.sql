-- The trading states in force. A scope without a row is active.
CREATE TABLE risk_states (
    scope TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    killed BIGINT NOT NULL,
    reason TEXT NOT NULL,
    since_ns BIGINT NOT NULL,
    epoch BIGINT NOT NULL
);

-- Every change of a trading state, append-only.
CREATE TABLE risk_state_changes (
    epoch BIGINT NOT NULL PRIMARY KEY,
    scope TEXT NOT NULL,
    state TEXT NOT NULL,
    killed BIGINT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    trip_id TEXT NOT NULL,
    at_ns BIGINT NOT NULL
);

-- Every version of the limits, append-only.
CREATE TABLE risk_limits (
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    since_ns BIGINT NOT NULL,
    PRIMARY KEY (version, name)
);
