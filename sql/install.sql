--
-- install: what CREATE EXTENSION makes, and who may do what with it.
-- The roles and helpers that the other files share are made at the end.
--
CREATE EXTENSION cascade;

SELECT extname, extversion, extrelocatable
  FROM pg_extension
 WHERE extname = 'cascade';

-- Every object that the extension owns, with its comment.  Row types are left
-- out: whether they count as members differs between server versions.
CREATE VIEW member AS
    SELECT d.classid, d.objid,
           CASE d.classid
               WHEN 'pg_proc'::regclass
               THEN (SELECT CASE p.prokind WHEN 'p' THEN 'procedure ' ELSE 'function ' END
                            || p.pronamespace::regnamespace || '.' || p.proname
                       FROM pg_proc p
                      WHERE p.oid = d.objid)
               ELSE pg_describe_object(d.classid, d.objid, 0)
           END AS object,
           obj_description(d.objid, d.classid::regclass::name) AS comment
      FROM pg_depend d
     WHERE d.refclassid = 'pg_extension'::regclass
       AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'cascade')
       AND d.deptype = 'e'
       AND d.classid <> 'pg_type'::regclass;

SELECT object, comment
  FROM member
 ORDER BY object COLLATE "C";

-- no object without a comment, and none outside of the schema
SELECT object
  FROM member
 WHERE comment IS NULL;
SELECT object
  FROM member m
 WHERE object NOT LIKE '%cascade%';

-- the columns of the catalog table
SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull
  FROM pg_attribute a
 WHERE a.attrelid = 'cascade.relationship'::regclass AND a.attnum > 0
   AND NOT a.attisdropped
 ORDER BY a.attnum;

-- the parameters of the functions that declare
SELECT p.proname, pg_get_function_result(p.oid) AS result, param
  FROM pg_proc p,
       LATERAL regexp_split_to_table(pg_get_function_arguments(p.oid), ', (?=[a-z_]+ (?:regclass|name|text|jsonb|boolean))')
           WITH ORDINALITY AS t (param, number)
 WHERE p.pronamespace = 'cascade'::regnamespace
   AND p.proname IN ('add_relationship', 'alter_relationship', 'drop_relationship')
 ORDER BY p.proname, t.number;

-- what everybody may do: see the schema, read the catalog, declare
SELECT privilege_type
  FROM pg_namespace n, aclexplode(n.nspacl) a
 WHERE n.nspname = 'cascade' AND a.grantee = 0
 ORDER BY privilege_type;
SELECT c.relname, a.privilege_type
  FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
 WHERE c.relnamespace = 'cascade'::regnamespace AND a.grantee = 0
 ORDER BY c.relname, a.privilege_type;
SELECT p.proname, a.privilege_type
  FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
 WHERE p.pronamespace = 'cascade'::regnamespace AND a.grantee = 0
 ORDER BY p.proname;

DROP VIEW member;

--
-- What the other files share.  They work as regress_cascade_user, who has no
-- privilege but the ownership of the file's own schema.
--
CREATE ROLE regress_cascade_user;
CREATE ROLE regress_cascade_other;
CREATE SCHEMA helper;
GRANT USAGE ON SCHEMA helper TO PUBLIC;

-- runs a command and tells how it ended: SQLSTATE, message, detail, hint and
-- the fields that name an object
CREATE FUNCTION helper.try(command text) RETURNS SETOF text
LANGUAGE plpgsql
AS $$
DECLARE
    message text;
    detail text;
    hint text;
    schema_field text;
    table_field text;
    column_field text;
    constraint_field text;
    type_field text;
BEGIN
    EXECUTE command;
    RETURN NEXT 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS
        message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT,
        schema_field = SCHEMA_NAME,
        table_field = TABLE_NAME,
        column_field = COLUMN_NAME,
        constraint_field = CONSTRAINT_NAME,
        type_field = PG_DATATYPE_NAME;
    RETURN NEXT SQLSTATE || ': ' || message;
    IF detail <> '' THEN
        RETURN NEXT 'DETAIL: ' || detail;
    END IF;
    IF hint <> '' THEN
        RETURN NEXT 'HINT: ' || hint;
    END IF;
    IF schema_field || table_field || column_field || constraint_field || type_field <> '' THEN
        RETURN NEXT 'FIELDS:'
            || coalesce(' schema ' || nullif(regexp_replace(schema_field, '^pg_temp_\d+$', 'pg_temp'), ''), '')
            || coalesce(' table ' || nullif(table_field, ''), '')
            || coalesce(' column ' || nullif(column_field, ''), '')
            || coalesce(' constraint ' || nullif(constraint_field, ''), '')
            || coalesce(' type ' || nullif(type_field, ''), '');
    END IF;
END
$$;

-- the triggers of a schema that are not the server's own
CREATE VIEW helper.triggers AS
    SELECT c.relnamespace::regnamespace AS schema, c.relname AS "table", t.tgname AS trigger
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE NOT t.tgisinternal;
GRANT SELECT ON helper.triggers TO PUBLIC;
