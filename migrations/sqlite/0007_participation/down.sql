DROP TABLE reminders;
DROP TABLE enrollment_changes;
DROP TABLE enrollments;
DROP TABLE evaluations;
DROP TABLE program_versions;
DROP TABLE program_periods;
DROP TABLE programs;
