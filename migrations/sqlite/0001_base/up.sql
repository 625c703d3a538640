-- Instants are integer microseconds since 1970, ids 16 bytes, dates ISO text, rates millionths,
-- money whole minor units beside its currency. The PostgreSQL folder holds the same versions.

CREATE TABLE partners (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    mpn_id TEXT NOT NULL UNIQUE CHECK (length(mpn_id) BETWEEN 6 AND 10 AND mpn_id NOT GLOB '*[^0-9]*'),
    legal_name TEXT NOT NULL CHECK (length(legal_name) BETWEEN 1 AND 200),
    country TEXT NOT NULL CHECK (length(country) = 2),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    partner_type TEXT NOT NULL CHECK (partner_type IN ('direct_bill', 'indirect_provider', 'indirect_reseller')),
    headquarters_id BLOB REFERENCES partners (id) CHECK (headquarters_id <> id),
    contact_email TEXT NOT NULL CHECK (length(contact_email) BETWEEN 3 AND 254),
    status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'suspended', 'closed')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX partners_by_headquarters ON partners (headquarters_id, id) WHERE headquarters_id IS NOT NULL;
CREATE INDEX partners_by_name ON partners (legal_name, id);
CREATE INDEX partners_by_status ON partners (status, id);
CREATE INDEX partners_by_type ON partners (partner_type, id);
CREATE INDEX partners_by_country ON partners (country, id);

CREATE TABLE users (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    email TEXT NOT NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    role TEXT NOT NULL CHECK (role IN ('operator', 'auditor', 'incentive_admin', 'viewer')),
    partner_id BLOB REFERENCES partners (id),
    status TEXT NOT NULL CHECK (status IN ('provisioned', 'active', 'disabled')),
    password_hash TEXT NOT NULL,
    must_change_password INTEGER NOT NULL CHECK (must_change_password IN (0, 1)),
    token_epoch INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK ((partner_id IS NULL) = (role IN ('operator', 'auditor')))
) STRICT, WITHOUT ROWID;
CREATE INDEX users_by_partner ON users (partner_id, id) WHERE partner_id IS NOT NULL;
CREATE INDEX users_by_role ON users (role, id);

CREATE TABLE signing_keys (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    private_key BLOB NOT NULL,
    public_key BLOB NOT NULL CHECK (length(public_key) = 32),
    created_at INTEGER NOT NULL,
    retires_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
    caller_id BLOB NOT NULL CHECK (length(caller_id) = 16),
    idempotency_key TEXT NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 128),
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    status INTEGER NOT NULL,
    location TEXT,
    etag TEXT,
    body BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (caller_id, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE audit_events (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    occurred_at INTEGER NOT NULL,
    actor_id BLOB CHECK (length(actor_id) = 16),
    actor_role TEXT NOT NULL CHECK (actor_role IN ('system', 'operator', 'auditor', 'incentive_admin', 'viewer')),
    operation TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id BLOB NOT NULL CHECK (length(resource_id) = 16),
    partner_id BLOB CHECK (length(partner_id) = 16),
    before TEXT CHECK (before IS NULL OR json_valid(before)),
    after TEXT CHECK (after IS NULL OR json_valid(after)),
    reason TEXT,
    request_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_events_by_resource ON audit_events (resource_id, id);
CREATE INDEX audit_events_by_partner ON audit_events (partner_id, id);
CREATE INDEX audit_events_by_actor ON audit_events (actor_id, id);
CREATE TRIGGER audit_events_are_never_changed BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END;
CREATE TRIGGER audit_events_are_never_deleted BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END;

CREATE TABLE agreements (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
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
    UNIQUE (kind, agreement_number),
    CHECK ((terminated_on IS NULL) = (termination_reason IS NULL)),
    CHECK ((kind = 'mpn') = (membership_level IS NOT NULL)),
    CHECK ((kind <> 'mpn') = (region IS NOT NULL)),
    CHECK ((kind = 'distributor') = (distributor_authorization IS NOT NULL)),
    CHECK (kind = 'mpn' OR grace_days = 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX agreements_by_partner ON agreements (partner_id, kind, effective_on);
CREATE INDEX agreements_by_kind ON agreements (kind, id);

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
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
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
    UNIQUE (partner_id, competency_code)
) STRICT, WITHOUT ROWID;

CREATE TABLE programs (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    code TEXT NOT NULL UNIQUE CHECK (length(code) BETWEEN 1 AND 64),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    partner_types TEXT NOT NULL CHECK (json_valid(partner_types)),
    status TEXT NOT NULL CHECK (status IN ('open', 'closed', 'discontinued')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE program_versions (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    program_id BLOB NOT NULL REFERENCES programs (id),
    version INTEGER NOT NULL CHECK (version > 0),
    program_year INTEGER NOT NULL CHECK (program_year BETWEEN 1901 AND 9999),
    effective_from TEXT NOT NULL CHECK (effective_from IS date(effective_from)),
    effective_to TEXT NOT NULL CHECK (effective_to IS date(effective_to) AND effective_to >= effective_from),
    requirements TEXT NOT NULL CHECK (json_valid(requirements)),
    levers TEXT NOT NULL CHECK (json_valid(levers)),
    rebate_rate INTEGER NOT NULL CHECK (rebate_rate BETWEEN 0 AND 1000000),
    payment_threshold INTEGER NOT NULL CHECK (payment_threshold >= 0),
    coop_threshold INTEGER NOT NULL CHECK (coop_threshold >= 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    invitation_days INTEGER NOT NULL CHECK (invitation_days BETWEEN 1 AND 365),
    rounding TEXT NOT NULL CHECK (rounding IN ('half_away_from_zero')),
    state TEXT NOT NULL CHECK (state IN ('draft', 'published')),
    published_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    UNIQUE (program_id, version),
    CHECK ((state = 'published') = (published_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX program_versions_by_effect ON program_versions (program_id, state, effective_from);

CREATE TABLE evaluations (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    partner_id BLOB NOT NULL REFERENCES partners (id),
    program_id BLOB NOT NULL REFERENCES programs (id),
    version INTEGER NOT NULL,
    as_of TEXT NOT NULL CHECK (as_of IS date(as_of)),
    evaluated_at INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('eligible', 'ineligible')),
    eligible_until TEXT CHECK (eligible_until IS date(eligible_until)),
    checks TEXT NOT NULL CHECK (json_valid(checks)),
    FOREIGN KEY (program_id, version) REFERENCES program_versions (program_id, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX evaluations_by_partner ON evaluations (partner_id, id);
CREATE INDEX evaluations_by_program ON evaluations (program_id, id);
CREATE TRIGGER evaluations_are_never_changed BEFORE UPDATE ON evaluations
BEGIN SELECT RAISE(ABORT, 'evaluations are immutable'); END;

CREATE TABLE transactions (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    source TEXT NOT NULL CHECK (length(source) BETWEEN 1 AND 64),
    external_id TEXT NOT NULL CHECK (length(external_id) BETWEEN 1 AND 128),
    partner_id BLOB NOT NULL REFERENCES partners (id),
    provider_id BLOB REFERENCES partners (id),
    customer_id TEXT NOT NULL CHECK (length(customer_id) BETWEEN 1 AND 128),
    customer_country TEXT NOT NULL CHECK (length(customer_country) = 2),
    customer_public_sector INTEGER NOT NULL CHECK (customer_public_sector IN (0, 1)),
    product TEXT NOT NULL CHECK (length(product) BETWEEN 1 AND 128),
    product_family TEXT NOT NULL CHECK (length(product_family) BETWEEN 1 AND 64),
    kind TEXT NOT NULL CHECK (kind IN ('purchase', 'refund')),
    original_transaction_id BLOB REFERENCES transactions (id),
    occurred_on TEXT NOT NULL CHECK (occurred_on IS date(occurred_on)),
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    units INTEGER CHECK (units BETWEEN 0 AND 1000000000),
    created_at INTEGER NOT NULL,
    UNIQUE (source, external_id),
    CHECK ((kind = 'refund') = (original_transaction_id IS NOT NULL)),
    CHECK ((kind = 'purchase' AND amount > 0) OR (kind = 'refund' AND amount < 0))
) STRICT, WITHOUT ROWID;
CREATE INDEX transactions_by_partner ON transactions (partner_id, occurred_on, id);
CREATE INDEX transactions_by_record ON transactions (partner_id, id);
CREATE INDEX transactions_by_original ON transactions (original_transaction_id) WHERE original_transaction_id IS NOT NULL;
CREATE TRIGGER transactions_are_never_changed BEFORE UPDATE ON transactions
BEGIN SELECT RAISE(ABORT, 'transactions are immutable'); END;

CREATE TABLE payout_profiles (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    partner_id BLOB NOT NULL UNIQUE REFERENCES partners (id),
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
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    partner_id BLOB NOT NULL UNIQUE REFERENCES partners (id),
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

CREATE TABLE enrollments (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    partner_id BLOB NOT NULL REFERENCES partners (id),
    program_id BLOB NOT NULL REFERENCES programs (id),
    version INTEGER NOT NULL,
    program_year INTEGER NOT NULL CHECK (program_year BETWEEN 1901 AND 9999),
    state TEXT NOT NULL CHECK (state IN ('invited', 'action_required', 'validating', 'enrolled', 'ineligible', 'expired', 'opted_out', 'discontinued')),
    invited_on TEXT CHECK (invited_on IS date(invited_on)),
    invitation_expires_on TEXT CHECK (invitation_expires_on IS date(invitation_expires_on)),
    accepted_by BLOB CHECK (length(accepted_by) = 16),
    earnings_start_on TEXT CHECK (earnings_start_on IS date(earnings_start_on)),
    ineligible_since TEXT CHECK (ineligible_since IS date(ineligible_since)),
    ended_on TEXT CHECK (ended_on IS date(ended_on)),
    evaluation_id BLOB NOT NULL REFERENCES evaluations (id),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    FOREIGN KEY (program_id, version) REFERENCES program_versions (program_id, version)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX enrollments_one_open ON enrollments (partner_id, program_id, program_year)
    WHERE state IN ('invited', 'action_required', 'validating', 'enrolled', 'ineligible');
CREATE INDEX enrollments_by_partner ON enrollments (partner_id, id);
CREATE INDEX enrollments_by_program ON enrollments (program_id, id);
CREATE INDEX enrollments_by_state ON enrollments (state, id);

CREATE TABLE enrollment_changes (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    enrollment_id BLOB NOT NULL REFERENCES enrollments (id),
    from_state TEXT,
    to_state TEXT NOT NULL,
    cause TEXT NOT NULL,
    actor_id BLOB CHECK (length(actor_id) = 16),
    as_of TEXT NOT NULL CHECK (as_of IS date(as_of)),
    evaluation_id BLOB NOT NULL REFERENCES evaluations (id),
    reason TEXT,
    occurred_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX enrollment_changes_by_enrollment ON enrollment_changes (enrollment_id, id);

CREATE TABLE notifications (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES users (id),
    partner_id BLOB REFERENCES partners (id),
    kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 60),
    resource_type TEXT NOT NULL CHECK (length(resource_type) BETWEEN 1 AND 60),
    resource_id BLOB NOT NULL CHECK (length(resource_id) = 16),
    subject TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX notifications_by_user ON notifications (user_id, id);
CREATE INDEX notifications_by_partner ON notifications (partner_id, id);
