CREATE TABLE calculation_runs (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    partner_id BLOB CHECK (length(partner_id) = 16),
    state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed')),
    done INTEGER NOT NULL CHECK (done >= 0),
    total INTEGER NOT NULL CHECK (total >= 0),
    sales INTEGER NOT NULL CHECK (sales >= 0),
    earnings INTEGER NOT NULL CHECK (earnings >= 0),
    ineligible_records INTEGER NOT NULL CHECK (ineligible_records >= 0),
    put_aside INTEGER NOT NULL CHECK (put_aside >= 0),
    error TEXT CHECK (length(error) BETWEEN 1 AND 1000),
    requested_by BLOB CHECK (length(requested_by) = 16),
    started_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    finished_at INTEGER,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK ((state = 'running') = (finished_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX calculation_runs_one_running ON calculation_runs (state) WHERE state = 'running';

-- What one lever gives, in minor units. The trace is made of these figures and the version's lever when it is read.
CREATE TABLE earnings (
    id BLOB NOT NULL CHECK (length(id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    partner_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    lever TEXT NOT NULL CHECK (length(lever) BETWEEN 1 AND 64),
    grain TEXT NOT NULL CHECK (grain IN ('transaction', 'customer_month', 'month')),
    transaction_id BLOB CHECK (length(transaction_id) = 16),
    purchase_id BLOB CHECK (length(purchase_id) = 16),
    customer_id TEXT CHECK (length(customer_id) BETWEEN 1 AND 128),
    earned_in TEXT NOT NULL CHECK (earned_in IS date(earned_in, 'start of month')),
    posted_in TEXT NOT NULL CHECK (posted_in IS date(posted_in, 'start of month') AND posted_in >= earned_in),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    base INTEGER NOT NULL,
    net INTEGER NOT NULL,
    volume INTEGER NOT NULL,
    baseline INTEGER NOT NULL,
    slices TEXT CHECK (slices IS NULL OR json_valid(slices)),
    unrounded TEXT NOT NULL CHECK (length(unrounded) BETWEEN 1 AND 40),
    whole INTEGER NOT NULL,
    cap_balance INTEGER,
    posted_before INTEGER NOT NULL,
    corrects INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    rebate INTEGER NOT NULL,
    coop INTEGER NOT NULL,
    cause TEXT NOT NULL CHECK (cause IN ('sale', 'refund', 'fact', 'rate', 'version', 'recalculation')),
    cause_id BLOB CHECK (length(cause_id) = 16),
    calculated_at INTEGER NOT NULL,
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK (rebate + coop = amount),
    CHECK (amount <> 0 OR rebate <> 0),
    CHECK ((grain = 'transaction') = (transaction_id IS NOT NULL AND purchase_id IS NOT NULL))
) STRICT;
CREATE INDEX earnings_by_id ON earnings (id);
CREATE INDEX earnings_by_enrollment ON earnings (partner_id, enrollment_id, id);
CREATE INDEX earnings_by_month ON earnings (earned_in, id);
CREATE INDEX earnings_by_purchase ON earnings (partner_id, purchase_id) WHERE purchase_id IS NOT NULL;
CREATE TRIGGER earnings_are_never_changed BEFORE UPDATE ON earnings
BEGIN SELECT RAISE(ABORT, 'earnings are append-only'); END;
CREATE TRIGGER earnings_are_never_deleted BEFORE DELETE ON earnings
BEGIN SELECT RAISE(ABORT, 'earnings are append-only'); END;

-- What did not earn, or what a cap cut off.
CREATE TABLE ineligible_records (
    id BLOB NOT NULL CHECK (length(id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    partner_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    lever TEXT NOT NULL CHECK (length(lever) BETWEEN 1 AND 64),
    grain TEXT NOT NULL CHECK (grain IN ('transaction', 'customer_month', 'month')),
    transaction_id BLOB CHECK (length(transaction_id) = 16),
    purchase_id BLOB CHECK (length(purchase_id) = 16),
    customer_id TEXT CHECK (length(customer_id) BETWEEN 1 AND 128),
    earned_in TEXT NOT NULL CHECK (earned_in IS date(earned_in, 'start of month')),
    code TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
    bought_on TEXT CHECK (bought_on IS date(bought_on)),
    curable INTEGER NOT NULL CHECK (curable IN (0, 1)),
    capped INTEGER,
    currency TEXT CHECK (length(currency) = 3),
    recorded_at INTEGER NOT NULL,
    cured_at INTEGER,
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK (capped IS NULL OR currency IS NOT NULL),
    CHECK ((grain = 'transaction') = (transaction_id IS NOT NULL AND purchase_id IS NOT NULL))
) STRICT;
CREATE INDEX ineligible_records_by_id ON ineligible_records (id);
CREATE INDEX ineligible_records_by_enrollment ON ineligible_records (partner_id, enrollment_id, id);
CREATE INDEX ineligible_records_by_month ON ineligible_records (earned_in, id);
CREATE INDEX ineligible_records_by_purchase ON ineligible_records (partner_id, purchase_id) WHERE purchase_id IS NOT NULL;
-- Who waits for the rate of a month.
CREATE INDEX ineligible_records_without_rate ON ineligible_records (earned_in, partner_id)
    WHERE code = 'exchange_rate_missing' AND cured_at IS NULL AND transaction_id IS NOT NULL;
CREATE INDEX ineligible_records_months_without_rate ON ineligible_records (earned_in, partner_id)
    WHERE code = 'exchange_rate_missing' AND cured_at IS NULL AND transaction_id IS NULL;

-- How far each enrollment has been calculated: no later month has a posting, and no later transaction has been seen.
CREATE TABLE calculated_enrollments (
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    through TEXT NOT NULL CHECK (through IS date(through, 'start of month')),
    last_seen BLOB CHECK (length(last_seen) = 16),
    PRIMARY KEY (partner_id, enrollment_id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
) STRICT, WITHOUT ROWID;

-- What a month passes on to later months, in the version's currency: the volume counted, and what a retroactive lever gave.
CREATE TABLE lever_volumes (
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    lever TEXT NOT NULL,
    month TEXT NOT NULL CHECK (month IS date(month, 'start of month')),
    counted INTEGER NOT NULL,
    given INTEGER NOT NULL,
    PRIMARY KEY (partner_id, enrollment_id, lever, month),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
) STRICT, WITHOUT ROWID;

-- What is used of a cap, in the version's currency and trillionths of its minor unit: in all, and month by month. The
-- holder is the partner or a customer.
CREATE TABLE cap_uses (
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    lever TEXT NOT NULL,
    holder TEXT NOT NULL CHECK (length(holder) BETWEEN 7 AND 137),
    used INTEGER NOT NULL,
    trillionths INTEGER NOT NULL CHECK (trillionths BETWEEN 0 AND 999999999999),
    PRIMARY KEY (partner_id, enrollment_id, lever, holder),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX cap_uses_by_use ON cap_uses (partner_id, enrollment_id, lever, used);

CREATE TABLE cap_months (
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    lever TEXT NOT NULL,
    month TEXT NOT NULL CHECK (month IS date(month, 'start of month')),
    holder TEXT NOT NULL CHECK (length(holder) BETWEEN 7 AND 137),
    used INTEGER NOT NULL,
    trillionths INTEGER NOT NULL CHECK (trillionths BETWEEN 0 AND 999999999999),
    PRIMARY KEY (partner_id, enrollment_id, month, lever, holder),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
) STRICT, WITHOUT ROWID;

-- What is posted for an origin that is more than a transaction: a month, or a customer's month.
CREATE TABLE posted_groups (
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    month TEXT NOT NULL CHECK (month IS date(month, 'start of month')),
    lever TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (length(origin) BETWEEN 5 AND 137),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    version INTEGER NOT NULL,
    base INTEGER NOT NULL,
    unrounded TEXT NOT NULL CHECK (length(unrounded) BETWEEN 1 AND 40),
    amount INTEGER NOT NULL,
    rebate INTEGER NOT NULL,
    record_id BLOB CHECK (length(record_id) = 16),
    PRIMARY KEY (partner_id, enrollment_id, month, lever, origin, currency),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
) STRICT, WITHOUT ROWID;

-- What each lever has given, by the month it applies to and the month it is paid with: what statements show.
CREATE TABLE lever_months (
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    posted_in TEXT NOT NULL CHECK (posted_in IS date(posted_in, 'start of month')),
    version INTEGER NOT NULL,
    lever TEXT NOT NULL,
    earned_in TEXT NOT NULL CHECK (earned_in IS date(earned_in, 'start of month')),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    earnings INTEGER NOT NULL,
    base INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    rebate INTEGER NOT NULL,
    coop INTEGER NOT NULL,
    PRIMARY KEY (partner_id, enrollment_id, posted_in, version, lever, earned_in, currency),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK (rebate + coop = amount)
) STRICT, WITHOUT ROWID;

-- The same of what did not earn: how many records were made and cured, what was billed, what a cap cut off.
CREATE TABLE ineligible_months (
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    posted_in TEXT NOT NULL CHECK (posted_in IS date(posted_in, 'start of month')),
    version INTEGER NOT NULL,
    lever TEXT NOT NULL,
    earned_in TEXT NOT NULL CHECK (earned_in IS date(earned_in, 'start of month')),
    code TEXT NOT NULL,
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    records INTEGER NOT NULL,
    cured INTEGER NOT NULL,
    billed INTEGER NOT NULL,
    capped INTEGER NOT NULL,
    PRIMARY KEY (partner_id, enrollment_id, posted_in, version, lever, earned_in, code, currency),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
) STRICT, WITHOUT ROWID;
