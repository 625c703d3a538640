-- The most that one reviewer decides alone, in minor units of the version's currency.
ALTER TABLE program_versions ADD COLUMN fast_track_amount INTEGER NOT NULL DEFAULT 100000 CHECK (fast_track_amount >= 0);

-- What a partner asks to be paid back from a co-op fund for one activity.
CREATE TABLE coop_claims (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL REFERENCES partners (id),
    fund_id BLOB NOT NULL CHECK (length(fund_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    activity TEXT NOT NULL CHECK (length(activity) BETWEEN 1 AND 64),
    activity_from TEXT NOT NULL CHECK (activity_from IS date(activity_from)),
    activity_to TEXT NOT NULL CHECK (activity_to IS date(activity_to)),
    description TEXT NOT NULL CHECK (length(description) BETWEEN 1 AND 2000),
    web_address TEXT CHECK (length(web_address) BETWEEN 1 AND 2000),
    metric INTEGER CHECK (metric >= 0),
    people INTEGER CHECK (people > 0),
    expenses TEXT NOT NULL CHECK (json_valid(expenses)),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    state TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'under_review', 'action_required', 'approved',
        'partially_approved', 'rejected', 'disputed', 'rejected_final', 'paid', 'expired', 'cancelled')),
    committed INTEGER NOT NULL CHECK (committed >= 0),
    approved INTEGER CHECK (approved >= 0),
    due_on TEXT CHECK (due_on IS date(due_on)),
    review_due_on TEXT CHECK (review_due_on IS date(review_due_on)),
    submitted_at INTEGER,
    decided_at INTEGER,
    reviewer_id BLOB CHECK (length(reviewer_id) = 16),
    proposer_id BLOB CHECK (length(proposer_id) = 16),
    is_risky INTEGER NOT NULL CHECK (is_risky IN (0, 1)),
    risks TEXT NOT NULL CHECK (json_valid(risks)),
    history TEXT NOT NULL CHECK (json_valid(history)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    payment_id BLOB CHECK (length(payment_id) = 16),
    held_because TEXT CHECK (length(held_because) BETWEEN 3 AND 1000),
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, fund_id) REFERENCES coop_funds (partner_id, id),
    CHECK (activity_from <= activity_to),
    CHECK (committed = 0 OR state IN ('submitted', 'under_review', 'action_required', 'approved', 'partially_approved',
        'disputed')),
    CHECK (state NOT IN ('approved', 'partially_approved') OR committed = approved),
    CHECK ((approved IS NOT NULL) = (state IN ('approved', 'partially_approved', 'paid'))),
    CHECK (payment_id IS NULL OR state IN ('approved', 'partially_approved', 'paid')),
    CHECK (held_because IS NULL OR (payment_id IS NULL AND state IN ('approved', 'partially_approved'))),
    CHECK (state <> 'paid' OR payment_id IS NOT NULL),
    CHECK ((due_on IS NOT NULL) = (state IN ('draft', 'action_required'))),
    CHECK ((review_due_on IS NOT NULL) = (state IN ('submitted', 'under_review', 'disputed'))),
    CHECK ((submitted_at IS NULL) <= (state IN ('draft', 'expired', 'cancelled')))
) STRICT;
CREATE INDEX coop_claims_by_id ON coop_claims (id);
CREATE INDEX coop_claims_by_fund ON coop_claims (fund_id, id);
CREATE INDEX coop_claims_by_state ON coop_claims (state, id);
CREATE INDEX coop_claims_to_review ON coop_claims (id) WHERE review_due_on IS NOT NULL;
CREATE INDEX coop_claims_payable ON coop_claims (partner_id)
    WHERE payment_id IS NULL AND state IN ('approved', 'partially_approved');
CREATE INDEX coop_claims_due ON coop_claims (due_on, partner_id) WHERE due_on IS NOT NULL;

-- What proves a claim. The bytes lie in the store of objects.
CREATE TABLE coop_proofs (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    claim_id BLOB NOT NULL CHECK (length(claim_id) = 16),
    expense_id BLOB CHECK (length(expense_id) = 16),
    kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    media_type TEXT NOT NULL CHECK (media_type IN ('application/pdf', 'image/png', 'image/jpeg')),
    bytes INTEGER NOT NULL CHECK (bytes BETWEEN 1 AND 26214400),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    uploaded_by BLOB CHECK (length(uploaded_by) = 16),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, claim_id) REFERENCES coop_claims (partner_id, id)
) STRICT;
CREATE INDEX coop_proofs_by_id ON coop_proofs (id);
CREATE INDEX coop_proofs_by_claim ON coop_proofs (partner_id, claim_id, id);

-- What a submitted claim can be recognised by: the hash of a proof, a supplier with the number of its invoice, an amount.
-- Claims of any partner are compared, so that the table belongs to none.
CREATE TABLE coop_claim_marks (
    kind TEXT NOT NULL CHECK (kind IN ('proof', 'invoice', 'amount')),
    value TEXT NOT NULL CHECK (length(value) BETWEEN 1 AND 600),
    claim_id BLOB NOT NULL CHECK (length(claim_id) = 16),
    day TEXT NOT NULL CHECK (day IS date(day)),
    PRIMARY KEY (kind, value, claim_id, day)
) STRICT;
CREATE INDEX coop_claim_marks_by_claim ON coop_claim_marks (claim_id);

-- Objects in the store that no proof has: of uploads under way or broken off, and of proofs that were removed. Only they are swept.
CREATE TABLE coop_loose_objects (
    partner_id BLOB NOT NULL REFERENCES partners (id),
    id BLOB NOT NULL CHECK (length(id) = 16),
    since INTEGER NOT NULL,
    PRIMARY KEY (partner_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX coop_loose_objects_by_age ON coop_loose_objects (since);
