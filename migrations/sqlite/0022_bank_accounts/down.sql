-- The number stands in one column again; who has to file anew is told so.
ALTER TABLE payout_profiles RENAME TO payout_profiles_after;
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
INSERT INTO payout_profiles
SELECT id, partner_id, holder, coalesce(account, account_number), bank_country, currency, state,
    CASE WHEN state = 'action_required' THEN coalesce(rejection_reason, 'to be filed again') END,
    created_at, updated_at, revision
FROM payout_profiles_after;
DROP TABLE payout_profiles_after;
CREATE INDEX payout_profiles_by_state ON payout_profiles (state, partner_id);

ALTER TABLE tax_profiles RENAME TO tax_profiles_after;
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
INSERT INTO tax_profiles
SELECT id, partner_id, form, tax_country, tax_id, expires_on, state, rejection_reason, created_at, updated_at, revision
FROM tax_profiles_after;
DROP TABLE tax_profiles_after;
CREATE INDEX tax_profiles_by_state ON tax_profiles (state, partner_id);
