-- A user is known to an outside issuer by a permanent subject, whatever becomes of the e-mail address.
CREATE INDEX users_vouched ON users (issuer, issuer_subject) WHERE issuer_subject IS NOT NULL;
