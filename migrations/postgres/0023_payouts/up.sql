-- The accounts that payments leave from, with sealed numbers.
CREATE TABLE payer_accounts (
    id uuid NOT NULL PRIMARY KEY,
    name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    holder text COLLATE "C" NOT NULL CHECK (length(holder) BETWEEN 1 AND 200),
    holder_latin text COLLATE "C" CHECK (length(holder_latin) BETWEEN 1 AND 70),
    account bytea CHECK (length(account) BETWEEN 4 AND 250),
    account_number bytea CHECK (length(account_number) BETWEEN 4 AND 250),
    routing_kind text COLLATE "C" CHECK (routing_kind IN ('aba', 'sort_code', 'bsb', 'zengin', 'other')),
    routing_number text COLLATE "C" CHECK (length(routing_number) BETWEEN 1 AND 20),
    bank_country text COLLATE "C" NOT NULL CHECK (length(bank_country) = 2),
    bic text COLLATE "C" CHECK (length(bic) IN (8, 11)),
    address_country text COLLATE "C" NOT NULL CHECK (length(address_country) = 2),
    town text COLLATE "C" NOT NULL CHECK (length(town) BETWEEN 1 AND 35),
    street text COLLATE "C" CHECK (length(street) BETWEEN 1 AND 70),
    building_number text COLLATE "C" CHECK (length(building_number) BETWEEN 1 AND 16),
    post_code text COLLATE "C" CHECK (length(post_code) BETWEEN 1 AND 16),
    address_line_1 text COLLATE "C" CHECK (length(address_line_1) BETWEEN 1 AND 70),
    address_line_2 text COLLATE "C" CHECK (length(address_line_2) BETWEEN 1 AND 70),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    creditor_agent_without_bic text COLLATE "C" NOT NULL CHECK (creditor_agent_without_bic IN ('omit', 'notprovided')),
    batch_booking boolean NOT NULL,
    speaks_pain001 boolean NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('active', 'closed')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    CHECK (account IS NOT NULL OR account_number IS NOT NULL),
    CHECK ((routing_kind IS NULL) = (routing_number IS NULL))
);
CREATE INDEX payer_accounts_by_state ON payer_accounts (state, id);
CREATE INDEX payer_accounts_by_currency ON payer_accounts (currency, id);

-- The rates of withheld tax, in millionths. A rate is ended once, and changed in nothing else.
CREATE TABLE withholding_rates (
    id uuid NOT NULL PRIMARY KEY,
    payee_country text COLLATE "C" CHECK (length(payee_country) = 2),
    form_state text COLLATE "C" NOT NULL CHECK (form_state IN ('w9_matched', 'w9_unmatched', 'w8', 'vat', 'other', 'none')),
    earning text COLLATE "C" NOT NULL CHECK (earning IN ('rebate', 'co_op')),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('none', 'treaty', 'statutory', 'backup', 'local')),
    rate bigint NOT NULL CHECK (rate BETWEEN 0 AND 1000000),
    valid_from date NOT NULL,
    valid_to date,
    created_at timestamptz NOT NULL,
    created_by uuid,
    CHECK (kind <> 'none' OR rate = 0),
    CHECK (valid_to >= valid_from)
);
CREATE UNIQUE INDEX withholding_rates_open ON withholding_rates (form_state, earning, coalesce(payee_country, ''))
WHERE valid_to IS NULL;

-- What holds at first. For every country: nothing is withheld of a confirmed W-9 and of any other document that holds, and of a
-- W-9 whose number is not confirmed 24 %. Without a document 30 % of what has its source in the United States.
INSERT INTO withholding_rates (id, payee_country, form_state, earning, kind, rate, valid_from, valid_to, created_at, created_by) VALUES
    ('019c6f2e-4b00-7000-8000-000000005001', NULL, 'w9_matched', 'rebate', 'none', 0, '1900-01-01', NULL, '1970-01-01T00:00:00Z', NULL),
    ('019c6f2e-4b00-7000-8000-000000005002', NULL, 'w9_matched', 'co_op', 'none', 0, '1900-01-01', NULL, '1970-01-01T00:00:00Z', NULL),
    ('019c6f2e-4b00-7000-8000-000000005003', NULL, 'w9_unmatched', 'rebate', 'backup', 240000, '1900-01-01', NULL, '1970-01-01T00:00:00Z', NULL),
    ('019c6f2e-4b00-7000-8000-000000005004', NULL, 'w9_unmatched', 'co_op', 'backup', 240000, '1900-01-01', NULL, '1970-01-01T00:00:00Z', NULL),
    ('019c6f2e-4b00-7000-8000-000000005005', NULL, 'w8', 'rebate', 'none', 0, '1900-01-01', NULL, '1970-01-01T00:00:00Z', NULL),
    ('019c6f2e-4b00-7000-8000-000000005006', NULL, 'w8', 'co_op', 'none', 0, '1900-01-01', NULL, '1970-01-01T00:00:00Z', NULL),
    ('019c6f2e-4b00-7000-8000-000000005007', NULL, 'vat', 'rebate', 'none', 0, '1900-01-01', NULL, '1970-01-01T00:00:00Z', NULL),
    ('019c6f2e-4b00-7000-8000-000000005008', NULL, 'vat', 'co_op', 'none', 0, '1900-01-01', NULL, '1970-01-01T00:00:00Z', NULL),
    ('019c6f2e-4b00-7000-8000-000000005009', NULL, 'other', 'rebate', 'none', 0, '1900-01-01', NULL, '1970-01-01T00:00:00Z', NULL),
    ('019c6f2e-4b00-7000-8000-00000000500a', NULL, 'other', 'co_op', 'none', 0, '1900-01-01', NULL, '1970-01-01T00:00:00Z', NULL),
    ('019c6f2e-4b00-7000-8000-00000000500b', NULL, 'none', 'rebate', 'none', 0, '1900-01-01', NULL, '1970-01-01T00:00:00Z', NULL),
    ('019c6f2e-4b00-7000-8000-00000000500c', NULL, 'none', 'co_op', 'none', 0, '1900-01-01', NULL, '1970-01-01T00:00:00Z', NULL),
    ('019c6f2e-4b00-7000-8000-00000000500d', 'US', 'none', 'rebate', 'statutory', 300000, '1900-01-01', NULL, '1970-01-01T00:00:00Z', NULL),
    ('019c6f2e-4b00-7000-8000-00000000500e', 'US', 'none', 'co_op', 'statutory', 300000, '1900-01-01', NULL, '1970-01-01T00:00:00Z', NULL);

CREATE FUNCTION refuse_change_of_withholding_rate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.valid_to IS NOT NULL
        OR (NEW.id, NEW.payee_country, NEW.form_state, NEW.earning, NEW.kind, NEW.rate, NEW.valid_from, NEW.created_at, NEW.created_by)
        IS DISTINCT FROM
        (OLD.id, OLD.payee_country, OLD.form_state, OLD.earning, OLD.kind, OLD.rate, OLD.valid_from, OLD.created_at, OLD.created_by)
    THEN
        RAISE EXCEPTION 'a withholding rate never changes' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER withholding_rates_are_ended_once BEFORE UPDATE ON withholding_rates
FOR EACH ROW EXECUTE FUNCTION refuse_change_of_withholding_rate();
CREATE TRIGGER withholding_rates_are_never_deleted BEFORE DELETE ON withholding_rates
FOR EACH ROW EXECUTE FUNCTION refuse_change('a withholding rate never changes');
