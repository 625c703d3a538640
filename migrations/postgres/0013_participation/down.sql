ALTER TABLE enrollment_changes DROP COLUMN let_in_on;
ALTER TABLE enrollments DROP COLUMN let_in_on;
DROP TABLE profile_approvals;
