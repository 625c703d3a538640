-- Accounts for co-op funds that are planned, in a payment, withheld as tax, and for those that became rebate.
ALTER TABLE ledger_transfers
    DROP CONSTRAINT ledger_transfers_debit_check,
    DROP CONSTRAINT ledger_transfers_credit_check,
    ADD CONSTRAINT ledger_transfers_debit_check CHECK (debit IN ('programme_expense', 'rebate_accrued', 'rebate_payable', 'rebate_in_payment',
        'rebate_paid', 'rebate_returned', 'rebate_withheld', 'rebate_offset',
        'rebate_forfeited', 'coop_available', 'coop_planned', 'coop_committed', 'coop_in_payment',
        'coop_paid', 'coop_withheld', 'coop_forfeited', 'coop_converted')),
    ADD CONSTRAINT ledger_transfers_credit_check CHECK (credit IN ('programme_expense', 'rebate_accrued', 'rebate_payable', 'rebate_in_payment',
        'rebate_paid', 'rebate_returned', 'rebate_withheld', 'rebate_offset',
        'rebate_forfeited', 'coop_available', 'coop_planned', 'coop_committed', 'coop_in_payment',
        'coop_paid', 'coop_withheld', 'coop_forfeited', 'coop_converted'));

-- What a rebate has of co-op funds that stayed below their threshold.
DROP TRIGGER rebates_grow_in_open_months ON rebates;
ALTER TABLE rebates ADD COLUMN converted bigint NOT NULL DEFAULT 0;
CREATE TRIGGER rebates_grow_in_open_months BEFORE UPDATE ON rebates
    FOR EACH ROW WHEN ((NEW.earned, NEW.adjusted, NEW.coop, NEW.converted, NEW.posted_in, NEW.currency, NEW.enrollment_id, NEW.partner_id)
        IS DISTINCT FROM (OLD.earned, OLD.adjusted, OLD.coop, OLD.converted, OLD.posted_in, OLD.currency, OLD.enrollment_id, OLD.partner_id))
    EXECUTE FUNCTION refuse_closed_month();

-- A co-op fund: what an enrollment has for marketing from one half-year, in one currency. Its parts are balances of the
-- ledger, and add up after every step.
CREATE TABLE coop_funds (
    id uuid NOT NULL,
    partner_id uuid NOT NULL REFERENCES partners (id),
    enrollment_id uuid NOT NULL,
    half_year date NOT NULL CHECK (extract(day FROM half_year) = 1 AND extract(month FROM half_year) IN (1, 7)),
    last_month date NOT NULL CHECK (last_month = half_year + interval '5 months'),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    state text COLLATE "C" NOT NULL CHECK (state IN ('estimated', 'claimable', 'converted', 'ended')),
    earned bigint NOT NULL,
    converted bigint NOT NULL,
    claimable bigint NOT NULL,
    planned bigint NOT NULL,
    committed bigint NOT NULL,
    paid bigint NOT NULL,
    forfeited bigint NOT NULL,
    remaining bigint NOT NULL,
    converted_in date CHECK (extract(day FROM converted_in) = 1),
    reminded_days integer CHECK (reminded_days IN (60, 30, 7)),
    as_of timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    UNIQUE (partner_id, enrollment_id, half_year, currency),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK (earned = converted + claimable),
    CHECK (claimable = planned + committed + paid + forfeited + remaining),
    CHECK (planned >= 0 AND committed >= 0 AND paid >= 0 AND forfeited >= 0),
    CHECK (state = 'estimated' OR remaining >= 0),
    CHECK (state <> 'estimated' OR (converted = 0 AND claimable = remaining)),
    CHECK (state <> 'converted' OR claimable = 0),
    CHECK ((state = 'converted') = (converted_in IS NOT NULL)),
    CHECK (state <> 'ended' OR remaining = 0)
);
CREATE INDEX coop_funds_by_id ON coop_funds (id);
CREATE INDEX coop_funds_by_enrollment ON coop_funds (enrollment_id, id);
CREATE INDEX coop_funds_by_state ON coop_funds (state, id);
CREATE INDEX coop_funds_by_half_year ON coop_funds (half_year, id);
CREATE INDEX coop_funds_open ON coop_funds (partner_id) WHERE state IN ('estimated', 'claimable');
-- What was posted before has its funds too; a fund has the id of its first rebate.
INSERT INTO coop_funds
    SELECT (array_agg(id ORDER BY id))[1], partner_id, enrollment_id, half_year, half_year + interval '5 months', currency,
        'estimated', sum(coop), 0, sum(coop), 0, 0, 0, 0, sum(coop), NULL, NULL, max(as_of), min(created_at), max(as_of), 1
    FROM (SELECT *, (date_trunc('year', posted_in) + CASE WHEN extract(month FROM posted_in) < 7 THEN interval '0 months'
        ELSE interval '6 months' END)::date AS half_year FROM rebates WHERE coop <> 0) posted
    GROUP BY partner_id, enrollment_id, half_year, currency;
