-- SQL cannot open what is sealed: the profiles are removed, and partners file them again.
DROP TABLE payout_profiles;
DROP TABLE tax_profiles;

CREATE TABLE payout_profiles (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL PRIMARY KEY REFERENCES partners (id),
    holder TEXT NOT NULL CHECK (length(holder) BETWEEN 1 AND 200),
    account_number TEXT NOT NULL CHECK (length(account_number) BETWEEN 4 AND 34),
    bank_country TEXT NOT NULL CHECK (length(bank_country) = 2),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'action_required')),
    rejection_reason TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK ((state = 'action_required') = (rejection_reason IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE tax_profiles (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL PRIMARY KEY REFERENCES partners (id),
    form TEXT NOT NULL CHECK (form IN ('w9', 'w8_ben_e', 'vat', 'other')),
    tax_country TEXT NOT NULL CHECK (length(tax_country) = 2),
    tax_id TEXT NOT NULL CHECK (length(tax_id) BETWEEN 4 AND 32),
    expires_on TEXT CHECK (expires_on IS date(expires_on)),
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'action_required')),
    rejection_reason TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK ((state = 'action_required') = (rejection_reason IS NOT NULL))
) STRICT, WITHOUT ROWID;
