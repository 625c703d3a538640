DROP TABLE database_kind;
