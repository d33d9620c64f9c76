-- The last decision of each instance. It is durable before its orders are sent, so that a restart
-- repeats no order id for another decision.
CREATE TABLE strategy_decisions (
    instance TEXT NOT NULL PRIMARY KEY,
    decision_sequence BIGINT NOT NULL,
    at_ns BIGINT NOT NULL
);
