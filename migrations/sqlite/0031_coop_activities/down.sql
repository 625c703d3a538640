ALTER TABLE programs DROP COLUMN holidays;
ALTER TABLE program_versions DROP COLUMN coop_activities;
