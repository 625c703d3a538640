DROP TRIGGER payment_lines_never_change ON payment_lines;
DROP TRIGGER payment_lines_are_never_deleted ON payment_lines;
DELETE FROM payment_lines WHERE claim_id IS NOT NULL;
DROP INDEX payment_lines_live;
ALTER TABLE payment_lines DROP CONSTRAINT payment_lines_pkey, DROP COLUMN record_id, DROP COLUMN claim_id;
ALTER TABLE payment_lines ALTER COLUMN rebate_id SET NOT NULL, ADD PRIMARY KEY (partner_id, payment_id, rebate_id);
CREATE UNIQUE INDEX payment_lines_live ON payment_lines (partner_id, rebate_id) WHERE live;
CREATE TRIGGER payment_lines_never_change BEFORE UPDATE ON payment_lines
    FOR EACH ROW WHEN ((NEW.partner_id, NEW.payment_id, NEW.rebate_id, NEW.enrollment_id, NEW.posted_in, NEW.amount,
        NEW.withheld, NEW.set_off) IS DISTINCT FROM (OLD.partner_id, OLD.payment_id, OLD.rebate_id, OLD.enrollment_id,
        OLD.posted_in, OLD.amount, OLD.withheld, OLD.set_off) OR NOT OLD.live)
    EXECUTE FUNCTION refuse_change('the lines of a payment never change');
CREATE TRIGGER payment_lines_are_never_deleted BEFORE DELETE ON payment_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the lines of a payment never change');
DELETE FROM payments WHERE document_kind <> 'credit_note';
ALTER TABLE payments
    DROP CONSTRAINT payments_document_kind_check,
    ADD CONSTRAINT payments_document_kind_check CHECK (document_kind IN ('credit_note')),
    DROP CONSTRAINT payments_of_run_key,
    ADD CONSTRAINT payments_partner_id_run_id_currency_key UNIQUE (partner_id, run_id, currency),
    DROP COLUMN execution_on;
DELETE FROM payment_documents WHERE kind <> 'credit_note';
ALTER TABLE payment_documents
    DROP CONSTRAINT payment_documents_kind_check,
    ADD CONSTRAINT payment_documents_kind_check CHECK (kind IN ('credit_note'));
