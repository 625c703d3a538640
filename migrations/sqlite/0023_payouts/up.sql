-- The accounts that payments leave from, with sealed numbers.
CREATE TABLE payer_accounts (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    holder TEXT NOT NULL CHECK (length(holder) BETWEEN 1 AND 200),
    holder_latin TEXT CHECK (length(holder_latin) BETWEEN 1 AND 70),
    account BLOB CHECK (length(account) BETWEEN 4 AND 250),
    account_number BLOB CHECK (length(account_number) BETWEEN 4 AND 250),
    routing_kind TEXT CHECK (routing_kind IN ('aba', 'sort_code', 'bsb', 'zengin', 'other')),
    routing_number TEXT CHECK (length(routing_number) BETWEEN 1 AND 20),
    bank_country TEXT NOT NULL CHECK (length(bank_country) = 2),
    bic TEXT CHECK (length(bic) IN (8, 11)),
    address_country TEXT NOT NULL CHECK (length(address_country) = 2),
    town TEXT NOT NULL CHECK (length(town) BETWEEN 1 AND 35),
    street TEXT CHECK (length(street) BETWEEN 1 AND 70),
    building_number TEXT CHECK (length(building_number) BETWEEN 1 AND 16),
    post_code TEXT CHECK (length(post_code) BETWEEN 1 AND 16),
    address_line_1 TEXT CHECK (length(address_line_1) BETWEEN 1 AND 70),
    address_line_2 TEXT CHECK (length(address_line_2) BETWEEN 1 AND 70),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    creditor_agent_without_bic TEXT NOT NULL CHECK (creditor_agent_without_bic IN ('omit', 'notprovided')),
    batch_booking INTEGER NOT NULL CHECK (batch_booking IN (0, 1)),
    speaks_pain001 INTEGER NOT NULL CHECK (speaks_pain001 IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('active', 'closed')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK (account IS NOT NULL OR account_number IS NOT NULL),
    CHECK ((routing_kind IS NULL) = (routing_number IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX payer_accounts_by_state ON payer_accounts (state, id);
CREATE INDEX payer_accounts_by_currency ON payer_accounts (currency, id);

-- The rates of withheld tax, in millionths. A rate is ended once, and changed in nothing else.
CREATE TABLE withholding_rates (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    payee_country TEXT CHECK (length(payee_country) = 2),
    form_state TEXT NOT NULL CHECK (form_state IN ('w9_matched', 'w9_unmatched', 'w8', 'vat', 'other', 'none')),
    earning TEXT NOT NULL CHECK (earning IN ('rebate', 'co_op')),
    kind TEXT NOT NULL CHECK (kind IN ('none', 'treaty', 'statutory', 'backup', 'local')),
    rate INTEGER NOT NULL CHECK (rate BETWEEN 0 AND 1000000),
    valid_from TEXT NOT NULL CHECK (valid_from IS date(valid_from)),
    valid_to TEXT CHECK (valid_to IS date(valid_to)),
    created_at INTEGER NOT NULL,
    created_by BLOB CHECK (length(created_by) = 16),
    CHECK (kind <> 'none' OR rate = 0),
    CHECK (valid_to >= valid_from)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX withholding_rates_open ON withholding_rates (form_state, earning, coalesce(payee_country, ''))
WHERE valid_to IS NULL;

-- What holds at first. For every country: nothing is withheld of a confirmed W-9 and of any other document that holds, and of a
-- W-9 whose number is not confirmed 24 %. Without a document 30 % of what has its source in the United States.
INSERT INTO withholding_rates (id, payee_country, form_state, earning, kind, rate, valid_from, valid_to, created_at, created_by) VALUES
    (x'019c6f2e4b0070008000000000005001', NULL, 'w9_matched', 'rebate', 'none', 0, '1900-01-01', NULL, 0, NULL),
    (x'019c6f2e4b0070008000000000005002', NULL, 'w9_matched', 'co_op', 'none', 0, '1900-01-01', NULL, 0, NULL),
    (x'019c6f2e4b0070008000000000005003', NULL, 'w9_unmatched', 'rebate', 'backup', 240000, '1900-01-01', NULL, 0, NULL),
    (x'019c6f2e4b0070008000000000005004', NULL, 'w9_unmatched', 'co_op', 'backup', 240000, '1900-01-01', NULL, 0, NULL),
    (x'019c6f2e4b0070008000000000005005', NULL, 'w8', 'rebate', 'none', 0, '1900-01-01', NULL, 0, NULL),
    (x'019c6f2e4b0070008000000000005006', NULL, 'w8', 'co_op', 'none', 0, '1900-01-01', NULL, 0, NULL),
    (x'019c6f2e4b0070008000000000005007', NULL, 'vat', 'rebate', 'none', 0, '1900-01-01', NULL, 0, NULL),
    (x'019c6f2e4b0070008000000000005008', NULL, 'vat', 'co_op', 'none', 0, '1900-01-01', NULL, 0, NULL),
    (x'019c6f2e4b0070008000000000005009', NULL, 'other', 'rebate', 'none', 0, '1900-01-01', NULL, 0, NULL),
    (x'019c6f2e4b007000800000000000500a', NULL, 'other', 'co_op', 'none', 0, '1900-01-01', NULL, 0, NULL),
    (x'019c6f2e4b007000800000000000500b', NULL, 'none', 'rebate', 'none', 0, '1900-01-01', NULL, 0, NULL),
    (x'019c6f2e4b007000800000000000500c', NULL, 'none', 'co_op', 'none', 0, '1900-01-01', NULL, 0, NULL),
    (x'019c6f2e4b007000800000000000500d', 'US', 'none', 'rebate', 'statutory', 300000, '1900-01-01', NULL, 0, NULL),
    (x'019c6f2e4b007000800000000000500e', 'US', 'none', 'co_op', 'statutory', 300000, '1900-01-01', NULL, 0, NULL);

CREATE TRIGGER withholding_rates_are_ended_once BEFORE UPDATE ON withholding_rates
WHEN OLD.valid_to IS NOT NULL
    OR (NEW.id, NEW.payee_country, NEW.form_state, NEW.earning, NEW.kind, NEW.rate, NEW.valid_from, NEW.created_at, NEW.created_by)
    IS NOT (OLD.id, OLD.payee_country, OLD.form_state, OLD.earning, OLD.kind, OLD.rate, OLD.valid_from, OLD.created_at, OLD.created_by)
BEGIN SELECT RAISE(ABORT, 'a withholding rate never changes'); END;
CREATE TRIGGER withholding_rates_are_never_deleted BEFORE DELETE ON withholding_rates
BEGIN SELECT RAISE(ABORT, 'a withholding rate never changes'); END;
