DROP INDEX order_events_order;
