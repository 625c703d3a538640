-- A headquarters is another partner, and lies elsewhere: no foreign key. The unit that names another partner locks its row.
CREATE TABLE partners (
    id uuid NOT NULL PRIMARY KEY,
    mpn_id text COLLATE "C" NOT NULL CHECK (mpn_id ~ '^[0-9]{6,10}$'),
    legal_name text COLLATE "C" NOT NULL CHECK (length(legal_name) BETWEEN 1 AND 200),
    country text COLLATE "C" NOT NULL CHECK (length(country) = 2),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    partner_type text COLLATE "C" NOT NULL CHECK (partner_type IN ('direct_bill', 'indirect_provider', 'indirect_reseller')),
    headquarters_id uuid CHECK (headquarters_id <> id),
    headquarters_since date,
    contact_email text COLLATE "C" NOT NULL CHECK (length(contact_email) BETWEEN 3 AND 254),
    status text COLLATE "C" NOT NULL CHECK (status IN ('pending', 'active', 'suspended', 'closed')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    CHECK ((headquarters_id IS NULL) = (headquarters_since IS NULL))
);
CREATE INDEX partners_by_headquarters ON partners (headquarters_id, id) WHERE headquarters_id IS NOT NULL;
CREATE INDEX partners_by_name ON partners (legal_name, id);
CREATE INDEX partners_by_status ON partners (status, id);
CREATE INDEX partners_by_type ON partners (partner_type, id);
CREATE INDEX partners_by_country ON partners (country, id);

-- How a partner stood before: up to a day, since the period before. After the last period the partner's record says how
-- the partner stands.
CREATE TABLE partner_periods (
    partner_id uuid NOT NULL REFERENCES partners (id),
    last_day date NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('pending', 'active', 'suspended', 'closed')),
    country text COLLATE "C" NOT NULL CHECK (length(country) = 2),
    headquarters_id uuid CHECK (headquarters_id <> partner_id),
    headquarters_since date,
    PRIMARY KEY (partner_id, last_day),
    CHECK ((headquarters_id IS NULL) = (headquarters_since IS NULL))
);
CREATE INDEX partner_periods_by_headquarters ON partner_periods (headquarters_id) WHERE headquarters_id IS NOT NULL;

-- Whose an MPN id is: what is unique among all partners stands apart from what is kept of each. A partner claims its
-- number in the unit that records the partner, and gives the number back with its record.
CREATE TABLE partner_numbers (
    mpn_id text COLLATE "C" NOT NULL PRIMARY KEY CHECK (mpn_id ~ '^[0-9]{6,10}$'),
    partner_id uuid NOT NULL
);

CREATE TABLE agreements (
    id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('mpn', 'distributor', 'reseller')),
    partner_id uuid NOT NULL REFERENCES partners (id),
    agreement_number text COLLATE "C" NOT NULL CHECK (length(agreement_number) BETWEEN 1 AND 64),
    signed_by text COLLATE "C" NOT NULL CHECK (length(signed_by) BETWEEN 1 AND 200),
    signed_on date NOT NULL,
    effective_on date NOT NULL,
    expires_on date CHECK (expires_on >= effective_on),
    terminated_on date,
    termination_reason text COLLATE "C",
    membership_level text COLLATE "C" CHECK (membership_level IN ('community', 'action_pack', 'silver', 'gold')),
    grace_days integer NOT NULL CHECK (grace_days BETWEEN 0 AND 365),
    region text COLLATE "C" CHECK (length(region) BETWEEN 1 AND 60),
    distributor_authorization boolean,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    CHECK ((terminated_on IS NULL) = (termination_reason IS NULL)),
    CHECK ((kind = 'mpn') = (membership_level IS NOT NULL)),
    CHECK ((kind <> 'mpn') = (region IS NOT NULL)),
    CHECK ((kind = 'distributor') = (distributor_authorization IS NOT NULL)),
    CHECK (kind = 'mpn' OR grace_days = 0)
);
CREATE INDEX agreements_by_partner ON agreements (partner_id, kind, effective_on);
CREATE INDEX agreements_by_kind ON agreements (kind, id);

-- Whose agreement has a number; each kind has numbers of its own.
CREATE TABLE agreement_numbers (
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('mpn', 'distributor', 'reseller')),
    agreement_number text COLLATE "C" NOT NULL CHECK (length(agreement_number) BETWEEN 1 AND 64),
    partner_id uuid NOT NULL,
    agreement_id uuid NOT NULL,
    PRIMARY KEY (kind, agreement_number)
);

CREATE TABLE competencies (
    id uuid NOT NULL PRIMARY KEY,
    code text COLLATE "C" NOT NULL UNIQUE CHECK (length(code) BETWEEN 1 AND 64),
    name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    retired_on date,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0)
);

CREATE TABLE attainments (
    id uuid NOT NULL,
    partner_id uuid NOT NULL REFERENCES partners (id),
    competency_code text COLLATE "C" NOT NULL REFERENCES competencies (code),
    level text COLLATE "C" NOT NULL CHECK (level IN ('silver', 'gold')),
    attained_on date NOT NULL,
    expires_on date NOT NULL CHECK (expires_on >= attained_on),
    grace_days integer NOT NULL CHECK (grace_days BETWEEN 0 AND 365),
    at_risk_since date,
    revoked_on date,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    UNIQUE (partner_id, competency_code, attained_on)
);

CREATE TABLE payout_profiles (
    id uuid NOT NULL,
    partner_id uuid NOT NULL PRIMARY KEY REFERENCES partners (id),
    holder text COLLATE "C" NOT NULL CHECK (length(holder) BETWEEN 1 AND 200),
    account_number text COLLATE "C" NOT NULL CHECK (length(account_number) BETWEEN 4 AND 34),
    bank_country text COLLATE "C" NOT NULL CHECK (length(bank_country) = 2),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    state text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'approved', 'action_required')),
    rejection_reason text COLLATE "C",
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    CHECK ((state = 'action_required') = (rejection_reason IS NOT NULL))
);

CREATE TABLE tax_profiles (
    id uuid NOT NULL,
    partner_id uuid NOT NULL PRIMARY KEY REFERENCES partners (id),
    form text COLLATE "C" NOT NULL CHECK (form IN ('w9', 'w8_ben_e', 'vat', 'other')),
    tax_country text COLLATE "C" NOT NULL CHECK (length(tax_country) = 2),
    tax_id text COLLATE "C" NOT NULL CHECK (length(tax_id) BETWEEN 4 AND 32),
    expires_on date,
    state text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'approved', 'action_required')),
    rejection_reason text COLLATE "C",
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    CHECK ((state = 'action_required') = (rejection_reason IS NOT NULL))
);
