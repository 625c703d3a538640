-- Whether somebody asked for a run that was at work already: the run goes through whoever waits once more.
ALTER TABLE calculation_runs ADD COLUMN asked_again boolean NOT NULL DEFAULT FALSE;
