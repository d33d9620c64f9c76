CREATE TABLE account_heads (
    account  TEXT   NOT NULL PRIMARY KEY,
    head_seq BIGINT NOT NULL,
    epoch    BIGINT NOT NULL
);

CREATE TABLE order_events (
    account         TEXT   NOT NULL,
    seq             BIGINT NOT NULL,
    event_id        TEXT   NOT NULL,
    order_id        TEXT,
    kind            TEXT   NOT NULL,
    ts_event_ns     BIGINT NOT NULL,
    ts_write_ns     BIGINT NOT NULL,
    producer_epoch  BIGINT NOT NULL,
    payload         BYTEA  NOT NULL,
    published_at_ns BIGINT,
    PRIMARY KEY (account, seq),
    UNIQUE (event_id)
);

CREATE INDEX order_events_unpublished ON order_events (account, seq) WHERE published_at_ns IS NULL;
