CREATE TABLE calculation_runs (
    id uuid NOT NULL PRIMARY KEY,
    partner_id uuid,
    state text COLLATE "C" NOT NULL CHECK (state IN ('running', 'succeeded', 'failed')),
    done bigint NOT NULL CHECK (done >= 0),
    total bigint NOT NULL CHECK (total >= 0),
    sales bigint NOT NULL CHECK (sales >= 0),
    earnings bigint NOT NULL CHECK (earnings >= 0),
    ineligible_records bigint NOT NULL CHECK (ineligible_records >= 0),
    put_aside bigint NOT NULL CHECK (put_aside >= 0),
    error text COLLATE "C" CHECK (length(error) BETWEEN 1 AND 1000),
    requested_by uuid,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz,
    revision bigint NOT NULL CHECK (revision > 0),
    CHECK ((state = 'running') = (finished_at IS NULL))
);
CREATE UNIQUE INDEX calculation_runs_one_running ON calculation_runs (state) WHERE state = 'running';

-- What one lever gives, in minor units. The trace is made of these figures and the version's lever when it is read.
CREATE TABLE earnings (
    id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    version integer NOT NULL,
    lever text COLLATE "C" NOT NULL CHECK (length(lever) BETWEEN 1 AND 64),
    grain text COLLATE "C" NOT NULL CHECK (grain IN ('transaction', 'customer_month', 'month')),
    transaction_id uuid,
    purchase_id uuid,
    customer_id text COLLATE "C" CHECK (length(customer_id) BETWEEN 1 AND 128),
    earned_in date NOT NULL CHECK (extract(day FROM earned_in) = 1),
    posted_in date NOT NULL CHECK (extract(day FROM posted_in) = 1 AND posted_in >= earned_in),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    base bigint NOT NULL,
    net bigint NOT NULL,
    volume bigint NOT NULL,
    baseline bigint NOT NULL,
    slices jsonb,
    unrounded text COLLATE "C" NOT NULL CHECK (length(unrounded) BETWEEN 1 AND 40),
    whole bigint NOT NULL,
    cap_balance bigint,
    posted_before bigint NOT NULL,
    corrects bigint NOT NULL,
    amount bigint NOT NULL,
    rebate bigint NOT NULL,
    coop bigint NOT NULL,
    cause text COLLATE "C" NOT NULL CHECK (cause IN ('sale', 'refund', 'fact', 'rate', 'version', 'recalculation')),
    cause_id uuid,
    calculated_at timestamptz NOT NULL,
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK (rebate + coop = amount),
    CHECK (amount <> 0 OR rebate <> 0),
    CHECK ((grain = 'transaction') = (transaction_id IS NOT NULL AND purchase_id IS NOT NULL))
);
CREATE INDEX earnings_by_id ON earnings (id);
CREATE INDEX earnings_by_enrollment ON earnings (partner_id, enrollment_id, id);
CREATE INDEX earnings_by_month ON earnings (earned_in, id);
CREATE INDEX earnings_by_purchase ON earnings (partner_id, purchase_id) WHERE purchase_id IS NOT NULL;
CREATE TRIGGER earnings_are_never_changed BEFORE UPDATE ON earnings
    FOR EACH ROW EXECUTE FUNCTION refuse_change('earnings are append-only');
CREATE TRIGGER earnings_are_never_deleted BEFORE DELETE ON earnings
    FOR EACH ROW EXECUTE FUNCTION refuse_change('earnings are append-only');

-- What did not earn, or what a cap cut off.
CREATE TABLE ineligible_records (
    id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    version integer NOT NULL,
    lever text COLLATE "C" NOT NULL CHECK (length(lever) BETWEEN 1 AND 64),
    grain text COLLATE "C" NOT NULL CHECK (grain IN ('transaction', 'customer_month', 'month')),
    transaction_id uuid,
    purchase_id uuid,
    customer_id text COLLATE "C" CHECK (length(customer_id) BETWEEN 1 AND 128),
    earned_in date NOT NULL CHECK (extract(day FROM earned_in) = 1),
    code text COLLATE "C" NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
    bought_on date,
    curable boolean NOT NULL,
    capped bigint,
    currency text COLLATE "C" CHECK (length(currency) = 3),
    recorded_at timestamptz NOT NULL,
    cured_at timestamptz,
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK (capped IS NULL OR currency IS NOT NULL),
    CHECK ((grain = 'transaction') = (transaction_id IS NOT NULL AND purchase_id IS NOT NULL))
);
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
    partner_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    through date NOT NULL CHECK (extract(day FROM through) = 1),
    last_seen uuid,
    PRIMARY KEY (partner_id, enrollment_id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
);

-- What a month passes on to later months, in the version's currency: the volume counted, and what a retroactive lever gave.
CREATE TABLE lever_volumes (
    partner_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    lever text COLLATE "C" NOT NULL,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    counted bigint NOT NULL,
    given bigint NOT NULL,
    PRIMARY KEY (partner_id, enrollment_id, lever, month),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
);

-- What is used of a cap, in the version's currency and trillionths of its minor unit: in all, and month by month. The
-- holder is the partner or a customer.
CREATE TABLE cap_uses (
    partner_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    lever text COLLATE "C" NOT NULL,
    holder text COLLATE "C" NOT NULL CHECK (length(holder) BETWEEN 7 AND 137),
    used bigint NOT NULL,
    trillionths bigint NOT NULL CHECK (trillionths BETWEEN 0 AND 999999999999),
    PRIMARY KEY (partner_id, enrollment_id, lever, holder),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
);
CREATE INDEX cap_uses_by_use ON cap_uses (partner_id, enrollment_id, lever, used);

CREATE TABLE cap_months (
    partner_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    lever text COLLATE "C" NOT NULL,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    holder text COLLATE "C" NOT NULL CHECK (length(holder) BETWEEN 7 AND 137),
    used bigint NOT NULL,
    trillionths bigint NOT NULL CHECK (trillionths BETWEEN 0 AND 999999999999),
    PRIMARY KEY (partner_id, enrollment_id, month, lever, holder),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
);

-- What is posted for an origin that is more than a transaction: a month, or a customer's month.
CREATE TABLE posted_groups (
    partner_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    lever text COLLATE "C" NOT NULL,
    origin text COLLATE "C" NOT NULL CHECK (length(origin) BETWEEN 5 AND 137),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    version integer NOT NULL,
    base bigint NOT NULL,
    unrounded text COLLATE "C" NOT NULL CHECK (length(unrounded) BETWEEN 1 AND 40),
    amount bigint NOT NULL,
    rebate bigint NOT NULL,
    record_id uuid,
    PRIMARY KEY (partner_id, enrollment_id, month, lever, origin, currency),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
);

-- What each lever has given, by the month it applies to and the month it is paid with: what statements show.
CREATE TABLE lever_months (
    partner_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    posted_in date NOT NULL CHECK (extract(day FROM posted_in) = 1),
    version integer NOT NULL,
    lever text COLLATE "C" NOT NULL,
    earned_in date NOT NULL CHECK (extract(day FROM earned_in) = 1),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    earnings bigint NOT NULL,
    base bigint NOT NULL,
    amount bigint NOT NULL,
    rebate bigint NOT NULL,
    coop bigint NOT NULL,
    PRIMARY KEY (partner_id, enrollment_id, posted_in, version, lever, earned_in, currency),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK (rebate + coop = amount)
);

-- The same of what did not earn: how many records were made and cured, what was billed, what a cap cut off.
CREATE TABLE ineligible_months (
    partner_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    posted_in date NOT NULL CHECK (extract(day FROM posted_in) = 1),
    version integer NOT NULL,
    lever text COLLATE "C" NOT NULL,
    earned_in date NOT NULL CHECK (extract(day FROM earned_in) = 1),
    code text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    records bigint NOT NULL,
    cured bigint NOT NULL,
    billed bigint NOT NULL,
    capped bigint NOT NULL,
    PRIMARY KEY (partner_id, enrollment_id, posted_in, version, lever, earned_in, code, currency),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
);
