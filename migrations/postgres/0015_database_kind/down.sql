DROP TABLE database_kind;
DROP FUNCTION database_kind_never_changes();
