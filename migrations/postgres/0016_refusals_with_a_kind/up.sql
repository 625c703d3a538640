-- A refusal by a trigger is a broken rule of the records (23514), which clients of the database know in every language.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation'; END $$;
CREATE OR REPLACE FUNCTION refuse_closed_month() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM closed_months WHERE month = NEW.posted_in)
        OR TG_OP = 'UPDATE' AND EXISTS (SELECT 1 FROM closed_months WHERE month = OLD.posted_in) THEN
        RAISE EXCEPTION 'a closed month never changes' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION refuse_transfer_to_closed_month() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM closed_months WHERE month = NEW.month) THEN
        RAISE EXCEPTION 'a closed month never changes' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
