DROP TABLE order_events;
DROP TABLE account_heads;
