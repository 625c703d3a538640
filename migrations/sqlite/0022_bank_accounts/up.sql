-- A payout profile holds what a bank file needs: an IBAN, or a number and its bank; a name and an address in parts. What was
-- filed before lacks a part, and its partner files the profile again. A change of the account makes money wait.
ALTER TABLE payout_profiles RENAME TO payout_profiles_before;
CREATE TABLE payout_profiles (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL PRIMARY KEY REFERENCES partners (id),
    holder TEXT NOT NULL CHECK (length(holder) BETWEEN 1 AND 200),
    holder_latin TEXT CHECK (length(holder_latin) BETWEEN 1 AND 70),
    account BLOB CHECK (length(account) BETWEEN 4 AND 250),
    account_number BLOB CHECK (length(account_number) BETWEEN 4 AND 250),
    routing_kind TEXT CHECK (routing_kind IN ('aba', 'sort_code', 'bsb', 'zengin', 'other')),
    routing_number TEXT CHECK (length(routing_number) BETWEEN 1 AND 20),
    bank_country TEXT NOT NULL CHECK (length(bank_country) = 2),
    bic TEXT CHECK (length(bic) IN (8, 11)),
    address_country TEXT CHECK (length(address_country) = 2),
    town TEXT CHECK (length(town) BETWEEN 1 AND 35),
    street TEXT CHECK (length(street) BETWEEN 1 AND 70),
    building_number TEXT CHECK (length(building_number) BETWEEN 1 AND 16),
    post_code TEXT CHECK (length(post_code) BETWEEN 1 AND 16),
    address_line_1 TEXT CHECK (length(address_line_1) BETWEEN 1 AND 70),
    address_line_2 TEXT CHECK (length(address_line_2) BETWEEN 1 AND 70),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'action_required')),
    rejection_reason TEXT,
    approved_by BLOB CHECK (length(approved_by) = 16),
    cooling_off_until TEXT CHECK (cooling_off_until IS date(cooling_off_until)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK (account IS NOT NULL OR account_number IS NOT NULL),
    CHECK ((routing_kind IS NULL) = (routing_number IS NULL)),
    CHECK (rejection_reason IS NULL OR state = 'action_required'),
    CHECK (approved_by IS NULL OR state = 'approved'),
    CHECK (state = 'action_required' OR town IS NOT NULL AND address_country IS NOT NULL)
) STRICT, WITHOUT ROWID;
INSERT INTO payout_profiles (id, partner_id, holder, account_number, bank_country, currency, state, rejection_reason, created_at, updated_at, revision)
SELECT id, partner_id, holder, account_number, bank_country, currency, 'action_required', rejection_reason, created_at, updated_at, revision + 1
FROM payout_profiles_before;
DROP TABLE payout_profiles_before;
CREATE INDEX payout_profiles_by_state ON payout_profiles (state, partner_id);

-- A tax document has the day of its signature; of what was filed before, the day of the first filing stands in.
ALTER TABLE tax_profiles RENAME TO tax_profiles_before;
CREATE TABLE tax_profiles (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL PRIMARY KEY REFERENCES partners (id),
    form TEXT NOT NULL CHECK (form IN ('w9', 'w8_ben_e', 'vat', 'other')),
    tax_country TEXT NOT NULL CHECK (length(tax_country) = 2),
    tax_id BLOB NOT NULL CHECK (length(tax_id) BETWEEN 4 AND 250),
    signed_on TEXT NOT NULL CHECK (signed_on IS date(signed_on)),
    expires_on TEXT CHECK (expires_on IS date(expires_on)),
    tin_status TEXT NOT NULL CHECK (tin_status IN ('unverified', 'matched', 'mismatched')),
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'action_required')),
    rejection_reason TEXT,
    approved_by BLOB CHECK (length(approved_by) = 16),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK ((state = 'action_required') = (rejection_reason IS NOT NULL)),
    CHECK (approved_by IS NULL OR state = 'approved')
) STRICT, WITHOUT ROWID;
INSERT INTO tax_profiles (id, partner_id, form, tax_country, tax_id, signed_on, expires_on, tin_status, state, rejection_reason, created_at, updated_at, revision)
SELECT id, partner_id, form, tax_country, tax_id, date(created_at / 1000000, 'unixepoch'),
    CASE WHEN form = 'w8_ben_e'
        THEN coalesce(expires_on, date(created_at / 1000000, 'unixepoch', 'start of year', '+4 years', '-1 day'))
        ELSE expires_on END,
    'unverified', state, rejection_reason, created_at, updated_at, revision
FROM tax_profiles_before;
DROP TABLE tax_profiles_before;
CREATE INDEX tax_profiles_by_state ON tax_profiles (state, partner_id);
