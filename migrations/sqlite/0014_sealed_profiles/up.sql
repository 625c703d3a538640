-- Account and tax numbers are sealed with the encryption key, which SQL does not have: this turns the columns into bytes, and
-- the service seals what is in the clear at its start, before it serves.
ALTER TABLE payout_profiles RENAME TO payout_profiles_in_the_clear;
ALTER TABLE tax_profiles RENAME TO tax_profiles_in_the_clear;

CREATE TABLE payout_profiles (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL PRIMARY KEY REFERENCES partners (id),
    holder TEXT NOT NULL CHECK (length(holder) BETWEEN 1 AND 200),
    account_number BLOB NOT NULL CHECK (length(account_number) BETWEEN 4 AND 250),
    bank_country TEXT NOT NULL CHECK (length(bank_country) = 2),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'action_required')),
    rejection_reason TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK ((state = 'action_required') = (rejection_reason IS NOT NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO payout_profiles SELECT id, partner_id, holder, CAST(account_number AS BLOB), bank_country, currency, state, rejection_reason, created_at, updated_at, revision
FROM payout_profiles_in_the_clear;

CREATE TABLE tax_profiles (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL PRIMARY KEY REFERENCES partners (id),
    form TEXT NOT NULL CHECK (form IN ('w9', 'w8_ben_e', 'vat', 'other')),
    tax_country TEXT NOT NULL CHECK (length(tax_country) = 2),
    tax_id BLOB NOT NULL CHECK (length(tax_id) BETWEEN 4 AND 250),
    expires_on TEXT CHECK (expires_on IS date(expires_on)),
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'action_required')),
    rejection_reason TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK ((state = 'action_required') = (rejection_reason IS NOT NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO tax_profiles SELECT id, partner_id, form, tax_country, CAST(tax_id AS BLOB), expires_on, state, rejection_reason, created_at, updated_at, revision
FROM tax_profiles_in_the_clear;

DROP TABLE payout_profiles_in_the_clear;
DROP TABLE tax_profiles_in_the_clear;
