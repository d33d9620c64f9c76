DROP TABLE strategy_decisions;
