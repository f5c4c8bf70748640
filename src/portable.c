/*-------------------------------------------------------------------------
 *
 * portable.c
 *	  relationships written into the triggers' arguments, and read back
 *
 * A dump of the schema alone, or of some tables, has our triggers but not the
 * rows of cascade.relationship.  So one trigger of each table carries the
 * table's relationships as arguments, each a row as JSON with the names as
 * they are now.  When such a trigger is created, rows that are missing are
 * made from it: if the creator owns all the tables, as for a declaration, and
 * the owner of the trigger's table does.  (Whoever restores a dump may own
 * everything; whoever wrote a trigger into it did not.)
 * They are marked, so that a dump of the data that is restored later can take
 * their place.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/portable.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "cascade.h"
#include "catalog/namespace.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"

static char *relationship_text(const CascadeRelationship *rel);
static void add_text(StringInfo buf, const char *key, const char *value);
static void add_names(StringInfo buf, const char *key, List *names, bool null_if_none);
static void add_bool(StringInfo buf, const char *key, bool value);
static void add_table(StringInfo buf, const char *key, Oid relid);
static bool may_rebuild(const CascadeRelationship *rel, Oid owner);
static Oid	read_table(Jsonb *row, const char *key);
static void read_relationship(Jsonb *row, CascadeRelationship *rel, const char *json);
static bool has_key(Jsonb *row, const char *key);
static char *read_text(Jsonb *row, const char *key);
static bool read_bool(Jsonb *row, const char *key);
static List *read_list(Jsonb *row, const char *key);
pg_noreturn static void error_no_relationship(const char *json);

static int
compare_texts(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/*
 * cascade_portable_relationships
 *		The relationships that a table takes part in, as a List of char *.
 */
List *
cascade_portable_relationships(Oid relid)
{
	List	   *texts = NIL;
	ListCell   *lc;

	foreach(lc, cascade_catalog_read())
	{
		CascadeRelationship *rel = lfirst(lc);

		if (rel->source == relid || rel->target == relid || rel->secondary == relid)
			texts = lappend(texts, relationship_text(rel));
	}
	/* rows have no order of their own, but the same ones must look the same */
	list_sort(texts, compare_texts);
	return texts;
}

/*
 * A row of cascade.relationship as JSON.
 */
static char *
relationship_text(const CascadeRelationship *rel)
{
	StringInfoData buf;

	initStringInfo(&buf);
	add_table(&buf, "source", rel->source);
	add_text(&buf, "name", NameStr(rel->name));
	add_table(&buf, "target", rel->target);
	add_text(&buf, "direction", cascade_direction_word(rel->direction));
	add_names(&buf, "cascade", cascade_option_names(rel->cascade), false);
	if (rel->foreign_key)
		add_text(&buf, "foreign_key", rel->foreign_key);
	add_names(&buf, "source_columns", rel->source_columns, false);
	add_names(&buf, "target_columns", rel->target_columns, false);
	if (OidIsValid(rel->secondary))
		add_table(&buf, "secondary", rel->secondary);
	add_names(&buf, "secondary_source_columns", rel->secondary_source_columns, true);
	add_names(&buf, "secondary_target_columns", rel->secondary_target_columns, true);
	add_names(&buf, "discriminator_columns", rel->discriminator_columns, true);
	add_names(&buf, "discriminator_values", rel->discriminator_values, true);
	add_names(&buf, "propagate_source_columns", rel->propagate_source, false);
	add_names(&buf, "propagate_target_columns", rel->propagate_target, false);
	add_bool(&buf, "single_parent", rel->single_parent);
	add_text(&buf, "orphan_when", rel->orphan_all ? "all" : "any");
	add_bool(&buf, "deferred", rel->deferred);
	add_bool(&buf, "nullify", rel->nullify);
	add_names(&buf, "nullify_columns", rel->nullify_columns, true);
	add_bool(&buf, "follow_keys", rel->follow_keys);
	add_bool(&buf, "enforce", rel->enforce);
	appendStringInfoChar(&buf, '}');
	return buf.data;
}

static void
add_key(StringInfo buf, const char *key)
{
	appendStringInfoString(buf, buf->len == 0 ? "{" : ", ");
	escape_json(buf, key);
	appendStringInfoString(buf, ": ");
}

static void
add_text(StringInfo buf, const char *key, const char *value)
{
	add_key(buf, key);
	escape_json(buf, value);
}

static void
add_names(StringInfo buf, const char *key, List *names, bool null_if_none)
{
	ListCell   *lc;

	if (names == NIL && null_if_none)
		return;
	add_key(buf, key);
	appendStringInfoChar(buf, '[');
	foreach(lc, names)
	{
		if (foreach_current_index(lc) > 0)
			appendStringInfoString(buf, ", ");
		escape_json(buf, lfirst(lc));
	}
	appendStringInfoChar(buf, ']');
}

static void
add_bool(StringInfo buf, const char *key, bool value)
{
	add_key(buf, key);
	appendStringInfoString(buf, value ? "true" : "false");
}

static void
add_table(StringInfo buf, const char *key, Oid relid)
{
	add_text(buf, key, quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
												  get_rel_name(relid)));
}

/*
 * cascade_portable_rebuild
 *		Make the row of a relationship that a trigger's argument tells of, if
 *		it is missing.  owner is the trigger's table's.
 *
 * Tables are looked up once, by a name with its schema.  Errors 22023 if it
 * tells of no relationship, else as add_relationship.
 */
void
cascade_portable_rebuild(const char *json, Oid owner)
{
	Jsonb	   *row = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
	CascadeRelationship *rel = palloc0(sizeof(CascadeRelationship));
	ListCell   *lc;

	if (!JB_ROOT_IS_OBJECT(row))
		error_no_relationship(json);
	rel->source = read_table(row, "source");
	rel->target = read_table(row, "target");
	if (has_key(row, "secondary"))
		rel->secondary = read_table(row, "secondary");
	/* a dump may have one of the tables only */
	if (!may_rebuild(rel, owner) ||
		(has_key(row, "secondary") && !OidIsValid(rel->secondary)))
	{
		ereport(WARNING,
				(errmsg("a relationship that a trigger tells of was not rebuilt"),
				 errdetail("Its tables are not all here, or have not all the same owner: %s", json),
				 errhint("Declare it with cascade.add_relationship, or drop the trigger.")));
		return;
	}
	read_relationship(row, rel, json);
	/* two workers of a restore may be at it */
	LockRelationOid(cascade_catalog_relid(false), ShareRowExclusiveLock);
	foreach(lc, cascade_catalog_read())
	{
		CascadeRelationship *other = lfirst(lc);

		if (other->source == rel->source &&
			strcmp(NameStr(other->name), NameStr(rel->name)) == 0)
			return;
	}
	cascade_declare_rebuilt(rel);
}

/*
 * Are the tables here, and do they belong to both the caller and the owner?
 */
static bool
may_rebuild(const CascadeRelationship *rel, Oid owner)
{
	Oid			relids[] = {rel->source, rel->target, rel->secondary};

	if (!OidIsValid(rel->source) || !OidIsValid(rel->target))
		return false;
	for (int i = 0; i < lengthof(relids); i++)
	{
		if (OidIsValid(relids[i]) &&
			!(cascade_owns_table(relids[i], GetUserId()) && cascade_owns_table(relids[i], owner)))
			return false;
	}
	return true;
}

/*
 * The table of a name with its schema, locked against being dropped; InvalidOid
 * if there is none.
 */
static Oid
read_table(Jsonb *row, const char *key)
{
	char	   *name = read_text(row, key);
	List	   *names = name ? cascade_qualified_name(name) : NIL;

	if (list_length(names) != 2)
		return InvalidOid;
	return RangeVarGetRelid(makeRangeVarFromNameList(names), AccessShareLock, true);
}

/*
 * All else of the row.
 */
static void
read_relationship(Jsonb *row, CascadeRelationship *rel, const char *json)
{
	char	   *name = read_text(row, "name");
	char	   *direction = read_text(row, "direction");
	char	   *when = read_text(row, "orphan_when");
	bool		many_to_many;
	ListCell   *lc;

	if (name == NULL || name[0] == '\0' || direction == NULL || when == NULL ||
		(strcmp(when, "any") != 0 && strcmp(when, "all") != 0))
		error_no_relationship(json);
	namestrcpy(&rel->name, name);
	rel->direction = cascade_read_direction(direction);
	rel->orphan_all = strcmp(when, "all") == 0;
	foreach(lc, read_list(row, "cascade"))
	{
		int			option = cascade_option_of_word(lfirst(lc));

		if (option == 0)
			error_no_relationship(json);
		rel->cascade |= option;
	}
	rel->foreign_key = read_text(row, "foreign_key");
	rel->source_columns = read_list(row, "source_columns");
	rel->target_columns = read_list(row, "target_columns");
	rel->secondary_source_columns = read_list(row, "secondary_source_columns");
	rel->secondary_target_columns = read_list(row, "secondary_target_columns");
	rel->discriminator_columns = read_list(row, "discriminator_columns");
	rel->discriminator_values = read_list(row, "discriminator_values");
	rel->propagate_source = read_list(row, "propagate_source_columns");
	rel->propagate_target = read_list(row, "propagate_target_columns");
	rel->nullify_columns = read_list(row, "nullify_columns");
	rel->single_parent = read_bool(row, "single_parent");
	rel->deferred = read_bool(row, "deferred");
	rel->nullify = read_bool(row, "nullify");
	rel->follow_keys = read_bool(row, "follow_keys");
	rel->enforce = read_bool(row, "enforce");

	many_to_many = rel->direction == CASCADE_MANY_TO_MANY;
	if (many_to_many != OidIsValid(rel->secondary) ||
		rel->source_columns == NIL || rel->target_columns == NIL ||
		list_length(rel->source_columns) != list_length(many_to_many ? rel->secondary_source_columns :
														rel->target_columns) ||
		(many_to_many &&
		 list_length(rel->target_columns) != list_length(rel->secondary_target_columns)) ||
		list_length(rel->propagate_source) != list_length(rel->propagate_target) ||
		list_length(rel->discriminator_columns) != list_length(rel->discriminator_values))
		error_no_relationship(json);
}

static bool
has_key(Jsonb *row, const char *key)
{
	JsonbValue	value;

	return getKeyJsonValueFromContainer(&row->root, key, strlen(key), &value) != NULL;
}

/*
 * The value of a key: NULL, NIL or false if it is missing or of another type.
 */
static char *
read_text(Jsonb *row, const char *key)
{
	JsonbValue	value;

	if (getKeyJsonValueFromContainer(&row->root, key, strlen(key), &value) == NULL ||
		value.type != jbvString)
		return NULL;
	return pnstrdup(value.val.string.val, value.val.string.len);
}

static bool
read_bool(Jsonb *row, const char *key)
{
	JsonbValue	value;

	return getKeyJsonValueFromContainer(&row->root, key, strlen(key), &value) != NULL &&
		value.type == jbvBool && value.val.boolean;
}

static List *
read_list(Jsonb *row, const char *key)
{
	JsonbValue	value;
	List	   *names = NIL;

	if (getKeyJsonValueFromContainer(&row->root, key, strlen(key), &value) == NULL ||
		value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data))
		return NIL;
	for (uint32 i = 0; i < JsonContainerSize(value.val.binary.data); i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(value.val.binary.data, i);

		/* one that is left out makes the lists unequal */
		if (element->type == jbvString)
			names = lappend(names, pnstrdup(element->val.string.val, element->val.string.len));
	}
	return names;
}

static void
error_no_relationship(const char *json)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument of a trigger tells of no relationship"),
			 errdetail("It is: %s", json),
			 errhint("These triggers are made by cascade.add_relationship.")));
}

/*
 * cascade_portable_make_room
 *		Delete the rows of the catalog table that can be made again from what
 *		triggers tell.
 *
 * A restore of the data alone that disables triggers brings them anew, and no
 * trigger of the catalog table sees it.  Those that it does not bring are made
 * again from what triggers tell, when triggers are enabled.
 */
void
cascade_portable_make_room(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute("DELETE FROM cascade.relationship r WHERE EXISTS"
					" (SELECT FROM pg_catalog.pg_trigger g"
					" WHERE g.tgrelid OPERATOR(pg_catalog.=)"
					" ANY (ARRAY[r.source, r.target, r.secondary]::pg_catalog.oid[])"
					" AND g.tgfoid OPERATOR(pg_catalog.=)"
					" pg_catalog.to_regprocedure('cascade.run()')::pg_catalog.oid"
					" AND g.tgnargs OPERATOR(pg_catalog.>) 0)"
					" AND (SELECT pg_catalog.count(DISTINCT c.relowner) FROM pg_catalog.pg_class c"
					" WHERE c.oid OPERATOR(pg_catalog.=)"
					" ANY (ARRAY[r.source, r.target, r.secondary]::pg_catalog.oid[]))"
					" OPERATOR(pg_catalog.=) 1",
					false, 0) != SPI_OK_DELETE)
		elog(ERROR, "SPI_execute failed: DELETE FROM cascade.relationship");
	SPI_finish();
}

/*
 * cascade_portable_settle
 *		ENABLE TRIGGER ALL has made the catalog table's triggers ordinary ones.
 */
void
cascade_portable_settle(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute("ALTER TABLE cascade.relationship"
					" ENABLE ALWAYS TRIGGER relationship_changed,"
					" ENABLE ALWAYS TRIGGER relationship_restored", false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "SPI_execute failed: ALTER TABLE cascade.relationship");
	SPI_finish();
}
