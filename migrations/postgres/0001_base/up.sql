-- Native types: uuid, timestamptz, date, jsonb. Rates are millionths, money whole minor units beside
-- its currency. Text sorts by code point, as in SQLite. The SQLite folder holds the same versions.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$;

CREATE TABLE partners (
    id uuid NOT NULL PRIMARY KEY,
    mpn_id text COLLATE "C" NOT NULL UNIQUE CHECK (mpn_id ~ '^[0-9]{6,10}$'),
    legal_name text COLLATE "C" NOT NULL CHECK (length(legal_name) BETWEEN 1 AND 200),
    country text COLLATE "C" NOT NULL CHECK (length(country) = 2),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    partner_type text COLLATE "C" NOT NULL CHECK (partner_type IN ('direct_bill', 'indirect_provider', 'indirect_reseller')),
    headquarters_id uuid REFERENCES partners (id) CHECK (headquarters_id <> id),
    contact_email text COLLATE "C" NOT NULL CHECK (length(contact_email) BETWEEN 3 AND 254),
    status text COLLATE "C" NOT NULL CHECK (status IN ('pending', 'active', 'suspended', 'closed')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0)
);
CREATE INDEX partners_by_headquarters ON partners (headquarters_id, id) WHERE headquarters_id IS NOT NULL;
CREATE INDEX partners_by_name ON partners (legal_name, id);
CREATE INDEX partners_by_status ON partners (status, id);
CREATE INDEX partners_by_type ON partners (partner_type, id);
CREATE INDEX partners_by_country ON partners (country, id);

CREATE TABLE users (
    id uuid NOT NULL PRIMARY KEY,
    email text COLLATE "C" NOT NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
    name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    role text COLLATE "C" NOT NULL CHECK (role IN ('operator', 'auditor', 'incentive_admin', 'viewer')),
    partner_id uuid REFERENCES partners (id),
    status text COLLATE "C" NOT NULL CHECK (status IN ('provisioned', 'active', 'disabled')),
    password_hash text COLLATE "C" NOT NULL,
    must_change_password boolean NOT NULL,
    token_epoch bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    CHECK ((partner_id IS NULL) = (role IN ('operator', 'auditor')))
);
CREATE INDEX users_by_partner ON users (partner_id, id) WHERE partner_id IS NOT NULL;
CREATE INDEX users_by_role ON users (role, id);

CREATE TABLE signing_keys (
    id uuid NOT NULL PRIMARY KEY,
    private_key bytea NOT NULL,
    public_key bytea NOT NULL CHECK (length(public_key) = 32),
    created_at timestamptz NOT NULL,
    retires_at timestamptz
);

CREATE TABLE idempotency_keys (
    caller_id uuid NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 128),
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
    status integer NOT NULL,
    location text COLLATE "C",
    etag text COLLATE "C",
    body bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (caller_id, idempotency_key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE audit_events (
    id uuid NOT NULL PRIMARY KEY,
    occurred_at timestamptz NOT NULL,
    actor_id uuid,
    actor_role text COLLATE "C" NOT NULL CHECK (actor_role IN ('system', 'operator', 'auditor', 'incentive_admin', 'viewer')),
    operation text COLLATE "C" NOT NULL,
    resource_type text COLLATE "C" NOT NULL,
    resource_id uuid NOT NULL,
    partner_id uuid,
    before jsonb,
    after jsonb,
    reason text COLLATE "C",
    request_id text COLLATE "C" NOT NULL
);
CREATE INDEX audit_events_by_resource ON audit_events (resource_id, id);
CREATE INDEX audit_events_by_partner ON audit_events (partner_id, id);
CREATE INDEX audit_events_by_actor ON audit_events (actor_id, id);
CREATE TRIGGER audit_events_are_never_changed BEFORE UPDATE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change('audit events are append-only');
CREATE TRIGGER audit_events_are_never_deleted BEFORE DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change('audit events are append-only');

CREATE TABLE agreements (
    id uuid NOT NULL PRIMARY KEY,
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
    UNIQUE (kind, agreement_number),
    CHECK ((terminated_on IS NULL) = (termination_reason IS NULL)),
    CHECK ((kind = 'mpn') = (membership_level IS NOT NULL)),
    CHECK ((kind <> 'mpn') = (region IS NOT NULL)),
    CHECK ((kind = 'distributor') = (distributor_authorization IS NOT NULL)),
    CHECK (kind = 'mpn' OR grace_days = 0)
);
CREATE INDEX agreements_by_partner ON agreements (partner_id, kind, effective_on);
CREATE INDEX agreements_by_kind ON agreements (kind, id);

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
    id uuid NOT NULL PRIMARY KEY,
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
    UNIQUE (partner_id, competency_code)
);

CREATE TABLE programs (
    id uuid NOT NULL PRIMARY KEY,
    code text COLLATE "C" NOT NULL UNIQUE CHECK (length(code) BETWEEN 1 AND 64),
    name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    partner_types jsonb NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('open', 'closed', 'discontinued')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0)
);

CREATE TABLE program_versions (
    id uuid NOT NULL PRIMARY KEY,
    program_id uuid NOT NULL REFERENCES programs (id),
    version integer NOT NULL CHECK (version > 0),
    program_year integer NOT NULL CHECK (program_year BETWEEN 1901 AND 9999),
    effective_from date NOT NULL,
    effective_to date NOT NULL CHECK (effective_to >= effective_from),
    requirements jsonb NOT NULL,
    levers jsonb NOT NULL,
    rebate_rate bigint NOT NULL CHECK (rebate_rate BETWEEN 0 AND 1000000),
    payment_threshold bigint NOT NULL CHECK (payment_threshold >= 0),
    coop_threshold bigint NOT NULL CHECK (coop_threshold >= 0),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    invitation_days integer NOT NULL CHECK (invitation_days BETWEEN 1 AND 365),
    rounding text COLLATE "C" NOT NULL CHECK (rounding IN ('half_away_from_zero')),
    state text COLLATE "C" NOT NULL CHECK (state IN ('draft', 'published')),
    published_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    UNIQUE (program_id, version),
    CHECK ((state = 'published') = (published_at IS NOT NULL))
);
CREATE INDEX program_versions_by_effect ON program_versions (program_id, state, effective_from);

CREATE TABLE evaluations (
    id uuid NOT NULL PRIMARY KEY,
    partner_id uuid NOT NULL REFERENCES partners (id),
    program_id uuid NOT NULL REFERENCES programs (id),
    version integer NOT NULL,
    as_of date NOT NULL,
    evaluated_at timestamptz NOT NULL,
    outcome text COLLATE "C" NOT NULL CHECK (outcome IN ('eligible', 'ineligible')),
    eligible_until date,
    checks jsonb NOT NULL,
    FOREIGN KEY (program_id, version) REFERENCES program_versions (program_id, version)
);
CREATE INDEX evaluations_by_partner ON evaluations (partner_id, id);
CREATE INDEX evaluations_by_program ON evaluations (program_id, id);
CREATE TRIGGER evaluations_are_never_changed BEFORE UPDATE ON evaluations
    FOR EACH ROW EXECUTE FUNCTION refuse_change('evaluations are immutable');

CREATE TABLE transactions (
    id uuid NOT NULL PRIMARY KEY,
    source text COLLATE "C" NOT NULL CHECK (length(source) BETWEEN 1 AND 64),
    external_id text COLLATE "C" NOT NULL CHECK (length(external_id) BETWEEN 1 AND 128),
    partner_id uuid NOT NULL REFERENCES partners (id),
    provider_id uuid REFERENCES partners (id),
    customer_id text COLLATE "C" NOT NULL CHECK (length(customer_id) BETWEEN 1 AND 128),
    customer_country text COLLATE "C" NOT NULL CHECK (length(customer_country) = 2),
    customer_public_sector boolean NOT NULL,
    product text COLLATE "C" NOT NULL CHECK (length(product) BETWEEN 1 AND 128),
    product_family text COLLATE "C" NOT NULL CHECK (length(product_family) BETWEEN 1 AND 64),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('purchase', 'refund')),
    original_transaction_id uuid REFERENCES transactions (id),
    occurred_on date NOT NULL,
    amount bigint NOT NULL,
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    units integer CHECK (units BETWEEN 0 AND 1000000000),
    created_at timestamptz NOT NULL,
    UNIQUE (source, external_id),
    CHECK ((kind = 'refund') = (original_transaction_id IS NOT NULL)),
    CHECK ((kind = 'purchase' AND amount > 0) OR (kind = 'refund' AND amount < 0))
);
CREATE INDEX transactions_by_partner ON transactions (partner_id, occurred_on, id);
CREATE INDEX transactions_by_record ON transactions (partner_id, id);
CREATE INDEX transactions_by_original ON transactions (original_transaction_id) WHERE original_transaction_id IS NOT NULL;
CREATE TRIGGER transactions_are_never_changed BEFORE UPDATE ON transactions
    FOR EACH ROW EXECUTE FUNCTION refuse_change('transactions are immutable');

CREATE TABLE payout_profiles (
    id uuid NOT NULL PRIMARY KEY,
    partner_id uuid NOT NULL UNIQUE REFERENCES partners (id),
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
    id uuid NOT NULL PRIMARY KEY,
    partner_id uuid NOT NULL UNIQUE REFERENCES partners (id),
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

CREATE TABLE enrollments (
    id uuid NOT NULL PRIMARY KEY,
    partner_id uuid NOT NULL REFERENCES partners (id),
    program_id uuid NOT NULL REFERENCES programs (id),
    version integer NOT NULL,
    program_year integer NOT NULL CHECK (program_year BETWEEN 1901 AND 9999),
    state text COLLATE "C" NOT NULL CHECK (state IN ('invited', 'action_required', 'validating', 'enrolled', 'ineligible', 'expired', 'opted_out', 'discontinued')),
    invited_on date,
    invitation_expires_on date,
    accepted_by uuid,
    earnings_start_on date,
    ineligible_since date,
    ended_on date,
    evaluation_id uuid NOT NULL REFERENCES evaluations (id),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    FOREIGN KEY (program_id, version) REFERENCES program_versions (program_id, version)
);
CREATE UNIQUE INDEX enrollments_one_open ON enrollments (partner_id, program_id, program_year)
    WHERE state IN ('invited', 'action_required', 'validating', 'enrolled', 'ineligible');
CREATE INDEX enrollments_by_partner ON enrollments (partner_id, id);
CREATE INDEX enrollments_by_program ON enrollments (program_id, id);
CREATE INDEX enrollments_by_state ON enrollments (state, id);

CREATE TABLE enrollment_changes (
    id uuid NOT NULL PRIMARY KEY,
    enrollment_id uuid NOT NULL REFERENCES enrollments (id),
    from_state text COLLATE "C",
    to_state text COLLATE "C" NOT NULL,
    cause text COLLATE "C" NOT NULL,
    actor_id uuid,
    as_of date NOT NULL,
    evaluation_id uuid NOT NULL REFERENCES evaluations (id),
    reason text COLLATE "C",
    occurred_at timestamptz NOT NULL
);
CREATE INDEX enrollment_changes_by_enrollment ON enrollment_changes (enrollment_id, id);

CREATE TABLE notifications (
    id uuid NOT NULL PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    partner_id uuid REFERENCES partners (id),
    kind text COLLATE "C" NOT NULL CHECK (length(kind) BETWEEN 1 AND 60),
    resource_type text COLLATE "C" NOT NULL CHECK (length(resource_type) BETWEEN 1 AND 60),
    resource_id uuid NOT NULL,
    subject text COLLATE "C" NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    body text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX notifications_by_user ON notifications (user_id, id);
CREATE INDEX notifications_by_partner ON notifications (partner_id, id);
