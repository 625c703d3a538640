CREATE TABLE calculation_runs (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    partner_id BLOB CHECK (length(partner_id) = 16),
    state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed')),
    done INTEGER NOT NULL CHECK (done >= 0),
    total INTEGER NOT NULL CHECK (total >= 0),
    sales INTEGER NOT NULL CHECK (sales >= 0),
    earnings INTEGER NOT NULL CHECK (earnings >= 0),
    ineligible_records INTEGER NOT NULL CHECK (ineligible_records >= 0),
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
    unrounded TEXT NOT NULL CHECK (length(unrounded) BETWEEN 1 AND 40),
    whole INTEGER NOT NULL,
    cap_balance INTEGER,
    posted_before INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount <> 0),
    rebate INTEGER NOT NULL,
    coop INTEGER NOT NULL,
    calculated_at INTEGER NOT NULL,
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK (rebate + coop = amount),
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
CREATE INDEX ineligible_records_open ON ineligible_records (partner_id, enrollment_id, bought_on, transaction_id)
    WHERE curable = 1 AND cured_at IS NULL AND code <> 'exchange_rate_missing';
-- What waits for a rate lies apart, by the month and the currency it waits for: until that comes nobody reads it.
CREATE INDEX ineligible_records_without_rate
    ON ineligible_records (earned_in, partner_id, currency, bought_on, transaction_id)
    WHERE code = 'exchange_rate_missing' AND cured_at IS NULL AND transaction_id IS NOT NULL;
CREATE INDEX ineligible_records_months_without_rate ON ineligible_records (partner_id, enrollment_id, version)
    WHERE code = 'exchange_rate_missing' AND cured_at IS NULL AND transaction_id IS NULL;

-- The calculation's state: which sales it has taken in, and where each lever stands.
-- No enrollment is ever deleted; looking it up once more for every sale would cost a run dear.
CREATE TABLE counted_sales (
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL,
    transaction_id BLOB NOT NULL CHECK (length(transaction_id) = 16),
    offsets TEXT CHECK (offsets IS NULL OR json_valid(offsets)),
    PRIMARY KEY (partner_id, enrollment_id, transaction_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE lever_volumes (
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    version INTEGER NOT NULL,
    lever TEXT NOT NULL,
    month TEXT NOT NULL CHECK (month IS date(month, 'start of month')),
    volume INTEGER NOT NULL,
    PRIMARY KEY (partner_id, enrollment_id, version, lever, month),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
) STRICT, WITHOUT ROWID;

-- What is used of a cap, in the version's currency; no customer where all share one balance.
CREATE TABLE cap_uses (
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    version INTEGER NOT NULL,
    lever TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (partner_id, enrollment_id, version, lever, customer_id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX cap_uses_by_use ON cap_uses (partner_id, enrollment_id, version, lever, used);

-- What is rounded and posted as one and is more than a transaction.
CREATE TABLE lever_groups (
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    version INTEGER NOT NULL,
    lever TEXT NOT NULL,
    month TEXT NOT NULL CHECK (month IS date(month, 'start of month')),
    customer_id TEXT NOT NULL,
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    base INTEGER NOT NULL,
    unrounded TEXT NOT NULL CHECK (length(unrounded) BETWEEN 1 AND 40),
    settled_base INTEGER NOT NULL,
    settled TEXT NOT NULL CHECK (length(settled) BETWEEN 1 AND 40),
    posted INTEGER NOT NULL,
    capped_off INTEGER NOT NULL,
    used INTEGER NOT NULL,
    zero_reported INTEGER NOT NULL CHECK (zero_reported IN (0, 1)),
    PRIMARY KEY (partner_id, enrollment_id, version, lever, month, customer_id, currency),
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
