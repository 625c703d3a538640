-- Payments pay rebates or claims, each with a kind of document of its own, and have the execution day of their file.
ALTER TABLE payments
    DROP CONSTRAINT payments_document_kind_check,
    ADD CONSTRAINT payments_document_kind_check CHECK (document_kind IN ('credit_note', 'self_billed_invoice')),
    DROP CONSTRAINT payments_partner_id_run_id_currency_key,
    ADD CONSTRAINT payments_of_run_key UNIQUE (partner_id, run_id, currency, document_kind),
    ADD COLUMN execution_on date;
ALTER TABLE payment_documents
    DROP CONSTRAINT payment_documents_kind_check,
    ADD CONSTRAINT payment_documents_kind_check CHECK (kind IN ('credit_note', 'self_billed_invoice'));
INSERT INTO payment_documents (kind, last_number) VALUES ('self_billed_invoice', 0);

-- What a payment pays: rebates, with those below zero that the payment sets off, or claims. The amounts never change; a line is
-- live until its payment gives the record back, and no record is in two live payments.
DROP TRIGGER payment_lines_never_change ON payment_lines;
DROP INDEX payment_lines_live;
ALTER TABLE payment_lines ADD COLUMN record_id uuid, ADD COLUMN claim_id uuid;
UPDATE payment_lines SET record_id = rebate_id;
ALTER TABLE payment_lines
    DROP CONSTRAINT payment_lines_pkey,
    ALTER COLUMN rebate_id DROP NOT NULL,
    ALTER COLUMN record_id SET NOT NULL,
    ADD PRIMARY KEY (partner_id, payment_id, record_id),
    ADD FOREIGN KEY (partner_id, claim_id) REFERENCES coop_claims (partner_id, id),
    ADD CHECK ((rebate_id IS NULL) <> (claim_id IS NULL)),
    ADD CHECK (record_id = coalesce(rebate_id, claim_id));
CREATE UNIQUE INDEX payment_lines_live ON payment_lines (partner_id, record_id) WHERE live;
CREATE TRIGGER payment_lines_never_change BEFORE UPDATE ON payment_lines
    FOR EACH ROW WHEN ((NEW.partner_id, NEW.payment_id, NEW.record_id, NEW.rebate_id, NEW.claim_id, NEW.enrollment_id,
        NEW.posted_in, NEW.amount, NEW.withheld, NEW.set_off) IS DISTINCT FROM (OLD.partner_id, OLD.payment_id, OLD.record_id,
        OLD.rebate_id, OLD.claim_id, OLD.enrollment_id, OLD.posted_in, OLD.amount, OLD.withheld, OLD.set_off) OR NOT OLD.live)
    EXECUTE FUNCTION refuse_change('the lines of a payment never change');
