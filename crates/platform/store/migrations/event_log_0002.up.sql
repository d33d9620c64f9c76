-- One order is asked about by name, in a log that only grows.
CREATE INDEX order_events_order ON order_events (account, order_id);
