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

#include "access/table.h"
#include "cascade.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static char *relationship_text(const CascadeRelationship *rel);
static void add_text(StringInfo buf, const char *key, const char *value);
static void add_names(StringInfo buf, const char *key, List *names, bool null_if_none);
static void add_bool(StringInfo buf, const char *key, bool value);
static void add_table(StringInfo buf, const char *key, Oid relid);
static bool may_rebuild(const char *json, Oid owner, Oid *source, char **name);

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
	add_bool(&buf, "rebuilt", true);
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
 *		it is missing.
 *
 * Looks up the tables without locking them: in a parallel restore other
 * sessions have them locked.
 */
void
cascade_portable_rebuild(const char *json, Oid owner)
{
	Oid			catalog_relid = cascade_catalog_relid(false);
	Oid			argtypes[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(json)};
	Oid			source;
	char	   *name = NULL;
	Relation	catalog;
	Oid			save_userid;
	int			save_sec_context;
	ListCell   *lc;

	if (!may_rebuild(json, owner, &source, &name))
		return;
	/* two workers of a restore may be at it */
	LockRelationOid(catalog_relid, ShareRowExclusiveLock);
	foreach(lc, cascade_catalog_read())
	{
		CascadeRelationship *rel = lfirst(lc);

		if (rel->source == source && strcmp(NameStr(rel->name), name) == 0)
			return;
	}
	catalog = table_open(catalog_relid, NoLock);
	GetUserIdAndSecContext(&save_userid, &save_sec_context);
	SetUserIdAndSecContext(catalog->rd_rel->relowner,
						   save_sec_context | SECURITY_LOCAL_USERID_CHANGE);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args("INSERT INTO cascade.relationship SELECT *"
							  " FROM pg_catalog.jsonb_populate_record(NULL::cascade.relationship,"
							  " $1::pg_catalog.jsonb)",
							  1, argtypes, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "SPI_execute failed: INSERT INTO cascade.relationship");
	SPI_finish();
	SetUserIdAndSecContext(save_userid, save_sec_context);
	table_close(catalog, NoLock);
	CommandCounterIncrement();
}

/*
 * cascade_portable_make_room
 *		Delete the rows that were rebuilt.
 *
 * A restore of the data alone that disables triggers brings them anew, and no
 * trigger of the catalog table sees it.
 */
void
cascade_portable_make_room(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute("DELETE FROM cascade.relationship WHERE rebuilt", false, 0) != SPI_OK_DELETE)
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

/*
 * Does it tell of a relationship whose tables are here and belong to both the
 * caller and the owner?  A dump may have one of its tables only.
 */
static bool
may_rebuild(const char *json, Oid owner, Oid *source, char **name)
{
	Oid			argtypes[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(json)};
	MemoryContext caller = CurrentMemoryContext;
	bool		may = true;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args("SELECT j OPERATOR(pg_catalog.->>) 'name',"
							  " pg_catalog.to_regclass(j OPERATOR(pg_catalog.->>) 'source')::pg_catalog.oid,"
							  " pg_catalog.to_regclass(j OPERATOR(pg_catalog.->>) 'target')::pg_catalog.oid,"
							  " CASE WHEN j OPERATOR(pg_catalog.?) 'secondary' THEN"
							  " pg_catalog.to_regclass(j OPERATOR(pg_catalog.->>) 'secondary')::pg_catalog.oid"
							  " ELSE 0::pg_catalog.oid END"
							  " FROM (SELECT $1::pg_catalog.jsonb) AS r (j)",
							  1, argtypes, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed");
	for (int i = 1; i <= 4; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i, &isnull);

		may &= !isnull;
		if (!may)
			break;
		if (i == 1)
			*name = MemoryContextStrdup(caller, TextDatumGetCString(value));
		else if (i == 2)
			*source = DatumGetObjectId(value);
		if (i > 1 && OidIsValid(DatumGetObjectId(value)))
			may &= cascade_owns_table(DatumGetObjectId(value), GetUserId()) &&
				cascade_owns_table(DatumGetObjectId(value), owner);
	}
	SPI_finish();
	if (!may)
		ereport(WARNING,
				(errmsg("a relationship that a trigger tells of was not rebuilt"),
				 errdetail("Its tables are not all here, or have not all the same owner: %s", json),
				 errhint("Declare it with cascade.add_relationship, or drop the trigger.")));
	return may;
}
