DROP TABLE coop_loose_objects;
DROP TABLE coop_claim_marks;
DROP TABLE coop_proofs;
DROP TABLE coop_claims;
ALTER TABLE program_versions DROP COLUMN fast_track_amount;
