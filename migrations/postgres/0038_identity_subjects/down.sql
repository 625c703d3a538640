DROP INDEX users_vouched;
