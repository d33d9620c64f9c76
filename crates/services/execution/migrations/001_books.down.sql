DROP TABLE ledger_entries;
DROP TABLE positions;
DROP TABLE fills;
DROP TABLE orders;
