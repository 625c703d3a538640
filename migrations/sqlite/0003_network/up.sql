-- A headquarters is another partner, and lies elsewhere: no foreign key. The unit that names another partner locks its row.
CREATE TABLE partners (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    mpn_id TEXT NOT NULL CHECK (length(mpn_id) BETWEEN 6 AND 10 AND mpn_id NOT GLOB '*[^0-9]*'),
    legal_name TEXT NOT NULL CHECK (length(legal_name) BETWEEN 1 AND 200),
    country TEXT NOT NULL CHECK (length(country) = 2),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    partner_type TEXT NOT NULL CHECK (partner_type IN ('direct_bill', 'indirect_provider', 'indirect_reseller')),
    headquarters_id BLOB CHECK (length(headquarters_id) = 16 AND headquarters_id <> id),
    headquarters_since TEXT CHECK (headquarters_since IS date(headquarters_since)),
    contact_email TEXT NOT NULL CHECK (length(contact_email) BETWEEN 3 AND 254),
    status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'suspended', 'closed')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK ((headquarters_id IS NULL) = (headquarters_since IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX partners_by_headquarters ON partners (headquarters_id, id) WHERE headquarters_id IS NOT NULL;
CREATE INDEX partners_by_name ON partners (legal_name, id);
CREATE INDEX partners_by_status ON partners (status, id);
CREATE INDEX partners_by_type ON partners (partner_type, id);
CREATE INDEX partners_by_country ON partners (country, id);

-- How a partner stood before: up to a day, since the period before. After the last period the partner's record says how
-- the partner stands.
CREATE TABLE partner_periods (
    partner_id BLOB NOT NULL REFERENCES partners (id),
    last_day TEXT NOT NULL CHECK (last_day IS date(last_day)),
    status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'suspended', 'closed')),
    country TEXT NOT NULL CHECK (length(country) = 2),
    headquarters_id BLOB CHECK (length(headquarters_id) = 16 AND headquarters_id <> partner_id),
    headquarters_since TEXT CHECK (headquarters_since IS date(headquarters_since)),
    PRIMARY KEY (partner_id, last_day),
    CHECK ((headquarters_id IS NULL) = (headquarters_since IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX partner_periods_by_headquarters ON partner_periods (headquarters_id) WHERE headquarters_id IS NOT NULL;

-- Whose an MPN id is: what is unique among all partners stands apart from what is kept of each. A partner claims its
-- number in the unit that records the partner, and gives the number back with its record.
CREATE TABLE partner_numbers (
    mpn_id TEXT NOT NULL PRIMARY KEY CHECK (length(mpn_id) BETWEEN 6 AND 10 AND mpn_id NOT GLOB '*[^0-9]*'),
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16)
) STRICT, WITHOUT ROWID;

CREATE TABLE agreements (
    id BLOB NOT NULL CHECK (length(id) = 16),
    kind TEXT NOT NULL CHECK (kind IN ('mpn', 'distributor', 'reseller')),
    partner_id BLOB NOT NULL REFERENCES partners (id),
    agreement_number TEXT NOT NULL CHECK (length(agreement_number) BETWEEN 1 AND 64),
    signed_by TEXT NOT NULL CHECK (length(signed_by) BETWEEN 1 AND 200),
    signed_on TEXT NOT NULL CHECK (signed_on IS date(signed_on)),
    effective_on TEXT NOT NULL CHECK (effective_on IS date(effective_on)),
    expires_on TEXT CHECK (expires_on IS date(expires_on) AND expires_on >= effective_on),
    terminated_on TEXT CHECK (terminated_on IS date(terminated_on)),
    termination_reason TEXT,
    membership_level TEXT CHECK (membership_level IN ('community', 'action_pack', 'silver', 'gold')),
    grace_days INTEGER NOT NULL CHECK (grace_days BETWEEN 0 AND 365),
    region TEXT CHECK (length(region) BETWEEN 1 AND 60),
    distributor_authorization INTEGER CHECK (distributor_authorization IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    CHECK ((terminated_on IS NULL) = (termination_reason IS NULL)),
    CHECK ((kind = 'mpn') = (membership_level IS NOT NULL)),
    CHECK ((kind <> 'mpn') = (region IS NOT NULL)),
    CHECK ((kind = 'distributor') = (distributor_authorization IS NOT NULL)),
    CHECK (kind = 'mpn' OR grace_days = 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX agreements_by_partner ON agreements (partner_id, kind, effective_on);
CREATE INDEX agreements_by_kind ON agreements (kind, id);

-- Whose agreement has a number; each kind has numbers of its own.
CREATE TABLE agreement_numbers (
    kind TEXT NOT NULL CHECK (kind IN ('mpn', 'distributor', 'reseller')),
    agreement_number TEXT NOT NULL CHECK (length(agreement_number) BETWEEN 1 AND 64),
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    agreement_id BLOB NOT NULL CHECK (length(agreement_id) = 16),
    PRIMARY KEY (kind, agreement_number)
) STRICT, WITHOUT ROWID;

CREATE TABLE competencies (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    code TEXT NOT NULL UNIQUE CHECK (length(code) BETWEEN 1 AND 64),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    retired_on TEXT CHECK (retired_on IS date(retired_on)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE attainments (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL REFERENCES partners (id),
    competency_code TEXT NOT NULL REFERENCES competencies (code),
    level TEXT NOT NULL CHECK (level IN ('silver', 'gold')),
    attained_on TEXT NOT NULL CHECK (attained_on IS date(attained_on)),
    expires_on TEXT NOT NULL CHECK (expires_on IS date(expires_on) AND expires_on >= attained_on),
    grace_days INTEGER NOT NULL CHECK (grace_days BETWEEN 0 AND 365),
    at_risk_since TEXT CHECK (at_risk_since IS date(at_risk_since)),
    revoked_on TEXT CHECK (revoked_on IS date(revoked_on)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    UNIQUE (partner_id, competency_code, attained_on)
) STRICT, WITHOUT ROWID;

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
