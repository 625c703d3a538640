-- By which rates a tiered lever gave what a posting moves.
ALTER TABLE earnings ADD COLUMN by_rate jsonb;
ALTER TABLE posted_groups ADD COLUMN by_rate jsonb;

-- What each tiered lever has given at each rate, by the month it applies to and the month it is paid with: the slices of a
-- statement's line, which add up to the line.
CREATE TABLE lever_rates (
    partner_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    posted_in date NOT NULL CHECK (extract(day FROM posted_in) = 1),
    version integer NOT NULL,
    lever text COLLATE "C" NOT NULL,
    earned_in date NOT NULL CHECK (extract(day FROM earned_in) = 1),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    rate bigint NOT NULL CHECK (rate BETWEEN 0 AND 1000000),
    base bigint NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (partner_id, enrollment_id, posted_in, version, lever, earned_in, currency, rate),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
);
