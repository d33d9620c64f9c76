CREATE TABLE leases (
    shard         TEXT   NOT NULL PRIMARY KEY,
    holder        TEXT   NOT NULL,
    epoch         BIGINT NOT NULL,
    expires_at_ns BIGINT NOT NULL
);
