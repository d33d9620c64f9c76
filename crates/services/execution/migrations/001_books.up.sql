-- Projections of the order log. Each is written in the transaction of the events it follows from.
CREATE TABLE orders (
    account TEXT NOT NULL,
    order_id TEXT NOT NULL,
    strategy TEXT NOT NULL,
    instrument TEXT NOT NULL,
    side TEXT NOT NULL,
    kind TEXT NOT NULL,
    quantity_e8 BIGINT NOT NULL,
    price_e8 BIGINT,
    stop_price_e8 BIGINT,
    time_in_force TEXT NOT NULL,
    reduce_only BIGINT NOT NULL,
    state TEXT NOT NULL,
    is_open BIGINT NOT NULL,
    filled_e8 BIGINT NOT NULL,
    average_price_e8 BIGINT,
    venue_order_id TEXT,
    reasons TEXT NOT NULL,
    late_fill BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at_ns BIGINT NOT NULL,
    updated_at_ns BIGINT NOT NULL,
    PRIMARY KEY (account, order_id)
);
CREATE INDEX orders_by_time ON orders (created_at_ns, order_id);
CREATE INDEX orders_by_openness ON orders (is_open, created_at_ns, order_id);

-- An execution is unique over all history (FIL-1).
CREATE TABLE fills (
    account TEXT NOT NULL,
    seq BIGINT NOT NULL,
    order_id TEXT NOT NULL,
    strategy TEXT NOT NULL,
    instrument TEXT NOT NULL,
    side TEXT NOT NULL,
    price_e8 BIGINT NOT NULL,
    quantity_e8 BIGINT NOT NULL,
    fee_e8 BIGINT NOT NULL,
    fee_asset TEXT NOT NULL,
    liquidity TEXT NOT NULL,
    venue_order_id TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    ts_event_ns BIGINT NOT NULL,
    PRIMARY KEY (account, seq)
);
CREATE UNIQUE INDEX fills_are_unique ON fills (account, instrument, venue_order_id, execution_id);
CREATE INDEX fills_by_time ON fills (ts_event_ns, account, seq);

CREATE TABLE positions (
    account TEXT NOT NULL,
    instrument TEXT NOT NULL,
    strategy TEXT NOT NULL,
    quantity_e8 BIGINT NOT NULL,
    average_price_e8 BIGINT,
    realised_gross_e8 BIGINT NOT NULL,
    charges_e8 BIGINT NOT NULL,
    opened_at_ns BIGINT,
    PRIMARY KEY (account, instrument, strategy)
);

CREATE TABLE ledger_entries (
    account TEXT NOT NULL,
    seq BIGINT NOT NULL,
    line BIGINT NOT NULL,
    ledger_account TEXT NOT NULL,
    asset TEXT NOT NULL,
    amount_e8 BIGINT NOT NULL,
    PRIMARY KEY (account, seq, line)
);
