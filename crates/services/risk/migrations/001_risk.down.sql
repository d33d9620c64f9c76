DROP TABLE risk_limits;
DROP TABLE risk_state_changes;
DROP TABLE risk_states;
