-- Whether somebody asked for a run that was at work already: the run goes through whoever waits once more.
ALTER TABLE calculation_runs ADD COLUMN asked_again INTEGER NOT NULL DEFAULT 0 CHECK (asked_again IN (0, 1));
