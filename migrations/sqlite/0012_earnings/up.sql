-- By which rates a tiered lever gave what a posting moves.
ALTER TABLE earnings ADD COLUMN by_rate TEXT CHECK (by_rate IS NULL OR json_valid(by_rate));
ALTER TABLE posted_groups ADD COLUMN by_rate TEXT CHECK (by_rate IS NULL OR json_valid(by_rate));

-- What each tiered lever has given at each rate, by the month it applies to and the month it is paid with: the slices of a
-- statement's line, which add up to the line.
CREATE TABLE lever_rates (
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    posted_in TEXT NOT NULL CHECK (posted_in IS date(posted_in, 'start of month')),
    version INTEGER NOT NULL,
    lever TEXT NOT NULL,
    earned_in TEXT NOT NULL CHECK (earned_in IS date(earned_in, 'start of month')),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    rate INTEGER NOT NULL CHECK (rate BETWEEN 0 AND 1000000),
    base INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (partner_id, enrollment_id, posted_in, version, lever, earned_in, currency, rate),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
) STRICT, WITHOUT ROWID;
